//! Small calls to the browser that more than one module needs. No decisions.

use gloo_timers::callback::Timeout;
use js_sys::{JsString, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlElement, Window};

/// The window.
#[must_use]
pub fn window() -> Window {
    web_sys::window().expect("the page runs in a window")
}

/// The document.
#[must_use]
pub fn document() -> Document {
    window().document().expect("a window has a document")
}

/// Whether nobody can see the page.
#[must_use]
pub fn is_hidden() -> bool {
    document().hidden()
}

/// Whether fingers are the way to point here.
#[must_use]
pub fn is_touch() -> bool {
    matches("(pointer: coarse)")
}

/// Whether there is no room for a third thing beside rooms and conversation.
#[must_use]
pub fn is_narrow() -> bool {
    matches("(width <= 1080px)")
}

fn matches(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|query| query.matches())
}

/// The language the browser prefers.
#[must_use]
pub fn preferred_language() -> String {
    window().navigator().language().unwrap_or_default()
}

/// The text in composed syllables (Unicode normalization form C).
#[must_use]
pub fn composed(text: &str) -> String {
    JsString::from(text).normalize("NFC").into()
}

/// The text in lower case, by the browser's own tables.
#[must_use]
pub fn lower_case(text: &str) -> String {
    JsString::from(text).to_lower_case().into()
}

/// Random bytes for names that must not collide.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let crypto = window().crypto().expect("every browser that runs wasm has crypto");
    crypto.get_random_values_with_u8_array(&mut bytes).expect("at most 65,536 bytes are asked for");
    bytes
}

/// Puts a text on the clipboard. Says whether the browser has one for this page.
pub fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    // Outside of secure contexts there is no clipboard at all.
    let missing = Reflect::get(&navigator, &JsValue::from_str("clipboard"))
        .map_or(true, |clipboard| clipboard.is_undefined());
    if missing {
        return false;
    }
    let written = navigator.clipboard().write_text(text);
    wasm_bindgen_futures::spawn_local(async move {
        // A refusal leaves the text where it is, in sight.
        let _ = wasm_bindgen_futures::JsFuture::from(written).await;
    });
    true
}

/// Calls it once what was just changed is on the screen.
pub fn soon(then: impl FnOnce() + 'static) {
    Timeout::new(0, then).forget();
}

/// Moves the focus.
pub fn focus(selector: &str) {
    if let Some(root) = document().document_element() {
        focus_in(&root, selector);
    }
}

/// Moves the focus to something within an element.
pub fn focus_in(element: &Element, selector: &str) {
    let within = element.query_selector(selector).ok().flatten();
    if let Some(within) = within.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = within.focus();
    }
}

/// Sets an attribute of the document's root, or removes it.
pub fn set_root_attribute(name: &str, value: Option<&str>) {
    let Some(root) = document().document_element() else { return };
    // Both names are fixed and valid.
    let _ = match value {
        Some(value) => root.set_attribute(name, value),
        None => root.remove_attribute(name),
    };
}

/// Loads the page again.
pub fn reload() {
    let _ = window().location().reload();
}
