//! Where one writes. The textarea belongs to the browser: its value is never written while a
//! syllable is being composed, and it is read when something is sent.

use std::{cell::Cell, rc::Rc};

use common::{
    Body, RoomName, TextError,
    limits::{BODY_BYTES_MAX, BODY_CHARS_MAX},
};
use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlTextAreaElement, KeyboardEvent};
use yew::prelude::*;

use crate::{browser, courtyard::Intent, i18n::Text, state::text::number, storage};

use super::{
    hook::{Number, nothing, use_effect_at, use_number},
    icon::{Shape, icon},
    tag::{Tag, classed, tag},
    view::View,
};

/// What an input method sends in place of a key.
const KEY_OF_INPUT_METHOD: u32 = 229;

/// The field of one room, with what it is about to send.
#[hook]
pub(super) fn use_composer(view: &View, room: &RoomName) -> Tag {
    let over = use_number();
    let area = use_node_ref();
    let writing = use_mut_ref(|| None::<Rc<Writing>>);
    let writing = writing
        .borrow_mut()
        .get_or_insert_with(|| {
            let (area, over, intend) = (area.clone(), over.clone(), view.intend.clone());
            let (composing, due) = (Cell::default(), Cell::default());
            Rc::new(Writing { area, over, room: room.clone(), intend, composing, due })
        })
        .clone();
    {
        let writing = writing.clone();
        use_effect_at(0, move || {
            writing.begin();
            nothing()
        });
    }
    composer(view, room, over.get(), &writing)
}

fn composer(view: &View, room: &RoomName, over: i64, writing: &Rc<Writing>) -> Tag {
    let calls = |then: fn(&Rc<Writing>, Event)| {
        let writing = writing.clone();
        Callback::from(move |event| then(&writing, event))
    };
    let is_over = over > 0;
    let area = tag("textarea")
        .at(&writing.area)
        .fixed(&[
            ("id", "composer"),
            ("data-testid", "composer"),
            ("rows", "1"),
            ("aria-describedby", "composer-note"),
        ])
        .with("enterkeyhint", if browser::is_touch() { "enter" } else { "send" })
        .with("placeholder", placeholder(view, room))
        .set("aria-invalid", is_over.then_some("true".into()))
        .on("keydown", calls(|writing, event| writing.key(&event)))
        .on("input", calls(|writing, _| writing.changed()))
        .on("compositionstart", calls(|writing, _| writing.composing.set(true)))
        .on("compositionend", calls(|writing, _| writing.composed()));
    let label = classed("label", "visually-hidden")
        .with("for", "composer")
        .text(view.text(Text::MessageLabel));
    let send = view.text(Text::Send);
    let send = classed("button", "composer-send")
        .label(send)
        .with("title", send)
        .set("disabled", is_over.then_some("disabled".into()))
        .child(icon(Shape::Send));
    let note = classed("p", "composer-note").fixed(&[("id", "composer-note"), ("role", "status")]);
    let note =
        if is_over { note.text(view.language().too_long(over.unsigned_abs())) } else { note };
    let submit = calls(|writing, event| {
        event.prevent_default();
        writing.submit();
    });
    classed("form", "composer")
        .on("submit", submit)
        .child(label)
        .child(classed("div", "composer-field").child(area).child(send))
        .child(note)
}

fn placeholder(view: &View, name: &RoomName) -> String {
    match view.state.companion(name) {
        Some(companion) => view.language().write_to_person(companion.name.as_str()),
        None => view.language().write_to(&["#", name.as_str()].concat()),
    }
}

/// Whether a key sends. While a syllable is composed every key is the input method's; one Enter
/// ends it, and the browser then delivers an Enter of its own.
fn sends(event: &KeyboardEvent) -> bool {
    let composing = event.is_composing() || event.key_code() == KEY_OF_INPUT_METHOD;
    if composing || event.key() != "Enter" {
        return false;
    }
    let always = event.ctrl_key() || event.meta_key();
    always || (!event.shift_key() && !browser::is_touch())
}

struct Writing {
    area: NodeRef,
    over: Number,
    room: RoomName,
    intend: Callback<Intent>,
    composing: Cell<bool>,
    /// The person sends as soon as the syllable is complete.
    due: Cell<bool>,
}

impl Writing {
    /// The draft is put back when the room is shown.
    fn begin(&self) {
        let Some(area) = self.area.cast::<HtmlTextAreaElement>() else { return };
        area.set_value(&storage::draft(&self.room));
        if !browser::is_touch() {
            let _ = area.focus();
        }
        self.changed();
    }

    fn key(self: &Rc<Self>, event: &Event) {
        if event.dyn_ref::<KeyboardEvent>().is_some_and(sends) {
            event.prevent_default();
            self.submit();
        }
    }

    fn submit(&self) {
        let Some(area) = self.area.cast::<HtmlTextAreaElement>() else { return };
        if self.composing.get() {
            // Leaving the field completes the syllable; a value that is cleared before that gets
            // its last syllable back.
            self.due.set(true);
            let _ = area.blur();
            let _ = area.focus();
            return;
        }
        match Body::new(area.value().trim()) {
            Ok(body) => {
                area.set_value("");
                self.changed();
                self.intend.emit(Intent::Say(self.room.clone(), body));
            }
            Err(TextError::Empty | TextError::TooLong | TextError::Character) => {}
        }
    }

    fn composed(self: &Rc<Self>) {
        self.composing.set(false);
        if self.due.take() {
            let writing = self.clone();
            // The browser writes the syllable after this event.
            Timeout::new(0, move || writing.submit()).forget();
        }
    }

    fn changed(&self) {
        let Some(area) = self.area.cast::<HtmlTextAreaElement>() else { return };
        let text = area.value();
        self.over.set(i64::try_from(characters_over(text.trim())).unwrap_or(i64::MAX));
        storage::keep_draft(&self.room, &text);
        grow(&area);
    }
}

/// By how many characters a text is too long.
fn characters_over(text: &str) -> usize {
    let over = text.chars().count().saturating_sub(BODY_CHARS_MAX);
    // Within the characters but not within the bytes: at least one must go for every four bytes.
    over.max(text.len().saturating_sub(BODY_BYTES_MAX).div_ceil(4))
}

/// As high as its text; the style sets the limit.
fn grow(area: &HtmlTextAreaElement) {
    let style = area.style();
    let _ = style.set_property("height", "auto");
    let _ = style
        .set_property("height", &[&number(area.scroll_height().unsigned_abs()), "px"].concat());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_too_long_in_characters_or_in_bytes() {
        assert_eq!(characters_over(&"가".repeat(BODY_CHARS_MAX)), 0);
        assert_eq!(characters_over(&"가".repeat(BODY_CHARS_MAX + 3)), 3);
        assert_eq!(characters_over(&"👩‍🚀".repeat(1_500)), 500);
        assert_eq!(characters_over(&"😀".repeat(BODY_CHARS_MAX)), 0);
    }
}
