//! Keys that mean the same in more than one place.

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent};

/// What an input method sends in place of a key.
const KEY_OF_INPUT_METHOD: u32 = 229;

/// Whether a key belongs to the input method: while a syllable is composed every key does; one
/// Enter ends it, and the browser then delivers an Enter of its own.
pub(super) fn composes(event: &KeyboardEvent) -> bool {
    event.is_composing() || event.key_code() == KEY_OF_INPUT_METHOD
}

/// The name of a key that was pressed alone and is the page's own.
pub(super) fn name(event: &Event) -> Option<String> {
    let key = event.dyn_ref::<KeyboardEvent>().filter(|key| !composes(key))?;
    let with = key.ctrl_key() || key.meta_key() || key.alt_key() || key.shift_key();
    (!with).then(|| key.key())
}

/// Where an event happened.
pub(super) fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// From one thing in a list to the next, or to the one before.
pub(super) fn step(event: &Event, down: bool, thing: &str) {
    let next = target(event).and_then(|target| beside(&target, down, thing));
    if let Some(next) = next.and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
        event.prevent_default();
        let _ = next.focus();
    }
}

/// The next thing of this kind in a list, or the one before.
fn beside(target: &Element, down: bool, thing: &str) -> Option<Element> {
    let mut row = target.closest("li").ok().flatten()?;
    loop {
        row = if down { row.next_element_sibling()? } else { row.previous_element_sibling()? };
        if row.matches(thing).unwrap_or(false) {
            return Some(row);
        }
        if let Some(thing) = row.query_selector(thing).ok().flatten() {
            return Some(thing);
        }
    }
}
