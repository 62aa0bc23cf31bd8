//! Where one writes. The textarea belongs to the browser: its value is never written while a
//! syllable is being composed, and it is read when something is sent.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use common::{
    Body, RoomName, TextError,
    limits::{BODY_BYTES_MAX, BODY_CHARS_MAX},
};
use session::Content;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlTextAreaElement, KeyboardEvent};
use yew::prelude::*;

use crate::{
    browser,
    courtyard::Intent,
    i18n::Text,
    state::{Editing, text::number},
    storage,
};

use super::{
    hook::{Number, nothing, use_effect_at, use_number},
    icon::{Shape, icon, icon_button},
    keys::composes,
    tag::{Tag, classed, tag},
    view::View,
};

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
            let (composing, due, editing) = (Cell::default(), Cell::default(), RefCell::default());
            let room = room.clone();
            Rc::new(Writing { area, over, room, intend, composing, due, editing })
        })
        .clone();
    let editing = view.state.editing.as_ref().filter(|editing| editing.room == *room);
    {
        let (writing, editing) = (writing.clone(), editing.cloned());
        use_effect_at(editing.as_ref().map_or(0, |editing| editing.of.seq), move || {
            writing.begin(editing.as_ref());
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
    let editing = view.state.editing.is_some().then(|| {
        classed("p", "composer-editing")
            .child(icon(Shape::Pencil))
            .child(tag("span").text(view.text(Text::Editing)))
            .child(
                icon_button(
                    Shape::Close,
                    view.text(Text::Cancel),
                    calls(|writing, event| {
                        event.prevent_default();
                        writing.end_edit();
                    }),
                )
                .with("type", "button"),
            )
    });
    classed("form", "composer")
        .on("submit", submit)
        .maybe(editing)
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

/// Whether an Enter sends.
fn sends(event: &KeyboardEvent) -> bool {
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
    /// The message that is being said otherwise.
    editing: RefCell<Option<Editing>>,
}

impl Writing {
    /// The draft is put back when the room is shown, and what was being said otherwise as well.
    fn begin(&self, editing: Option<&Editing>) {
        let Some(area) = self.area.cast::<HtmlTextAreaElement>() else { return };
        let before = self.editing.replace(editing.cloned());
        let text = match editing {
            Some(editing) => editing.text.to_string(),
            None => storage::draft(&self.room),
        };
        area.set_value(&text);
        if editing.is_some() || !browser::is_touch() {
            let _ = area.focus();
        }
        self.changed();
        if before.is_none()
            && editing.is_none()
            && let Some((of, text)) = storage::edit(&self.room)
        {
            let (room, text) = (self.room.clone(), text.into());
            self.intend.emit(Intent::Edit(Some(Editing { room, of, text })));
        }
    }

    fn key(self: &Rc<Self>, event: &Event) {
        let Some(key) = event.dyn_ref::<KeyboardEvent>().filter(|key| !composes(key)) else {
            return;
        };
        let empty = || self.area.cast::<HtmlTextAreaElement>().is_some_and(|it| it.value() == "");
        match key.key().as_str() {
            "Enter" if sends(key) => self.submit(),
            "Escape" if self.editing.borrow().is_some() => self.end_edit(),
            "ArrowUp" if self.editing.borrow().is_none() && empty() => {
                self.intend.emit(Intent::EditLast(self.room.clone()));
            }
            _ => return,
        }
        event.prevent_default();
    }

    /// What was written before stands in the field again.
    fn end_edit(&self) {
        storage::keep_edit(&self.room, None);
        self.intend.emit(Intent::Edit(None));
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
                let content = match self.editing.borrow().clone() {
                    None => {
                        area.set_value("");
                        self.changed();
                        Content::Post(body)
                    }
                    Some(Editing { of, .. }) => {
                        self.end_edit();
                        Content::Edit { of, body }
                    }
                };
                self.intend.emit(Intent::Write(self.room.clone(), content));
            }
            Err(TextError::Empty | TextError::TooLong | TextError::Character) => {}
        }
    }

    fn composed(self: &Rc<Self>) {
        self.composing.set(false);
        if self.due.take() {
            let writing = self.clone();
            // The browser writes the syllable after this event.
            browser::soon(move || writing.submit());
        }
    }

    fn changed(&self) {
        let Some(area) = self.area.cast::<HtmlTextAreaElement>() else { return };
        let text = area.value();
        self.over.set(i64::try_from(characters_over(text.trim())).unwrap_or(i64::MAX));
        match &*self.editing.borrow() {
            Some(editing) => storage::keep_edit(&self.room, Some((&editing.of, &text))),
            None => storage::keep_draft(&self.room, &text),
        }
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
