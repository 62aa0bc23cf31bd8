//! Starts the page in the document's body.

fn main() {
    yew::Renderer::<frontend::App>::new().render();
}
