//! Starts the page in the document's body.

fn main() {
    yew::Renderer::<frontend::App>::new().render();
}

/// A small allocator with constant times: Rust brings along one that weighs 4 KiB more in brotli.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
