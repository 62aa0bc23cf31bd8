//! Makes sure that the folder of the built page exists, so that a server compiles without a page.
//! The page itself is built by `cargo xtask run` or by trunk, never here.

fn main() {
    let dist = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist");
    if let Err(error) = std::fs::create_dir_all(&dist) {
        println!("cargo:warning=cannot create {}: {error}", dist.display());
    }
    println!("cargo:rerun-if-changed=../dist");
}
