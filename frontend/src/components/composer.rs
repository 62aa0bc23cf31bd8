//! Where one writes. The textarea belongs to the browser: its value is never written while a
//! syllable is being composed, and it is read when something is sent.

use std::{cell::Cell, rc::Rc};

use common::{
    Body, RoomName, TextError,
    limits::{BODY_BYTES_MAX, BODY_CHARS_MAX},
};
use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

use crate::{browser, courtyard::Intent, i18n::Text, storage};

use super::{
    icon::{Shape, icon},
    view::use_view,
};

/// What an input method sends in place of a key.
const KEY_OF_INPUT_METHOD: u32 = 229;

#[derive(Properties, PartialEq)]
pub(super) struct ComposerProps {
    pub(super) room: RoomName,
    pub(super) placeholder: AttrValue,
}

#[component]
pub(super) fn Composer(props: &ComposerProps) -> Html {
    let view = use_view();
    let over = use_state_eq(|| 0);
    let area = use_node_ref();
    let writing = use_memo(props.room.clone(), |room| {
        let (area, over) = (area.clone(), over.setter());
        Writing { area, over, room: room.clone(), composing: Cell::default(), due: Cell::default() }
    });
    use_writing(&writing, &view.intend);
    let onkeydown = {
        let (writing, intend) = (writing.clone(), view.intend.clone());
        Callback::from(move |event: KeyboardEvent| {
            if sends(&event) {
                event.prevent_default();
                writing.submit(&intend);
            }
        })
    };
    let onsubmit = {
        let (writing, intend) = (writing.clone(), view.intend.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            writing.submit(&intend);
        })
    };
    let oninput = Callback::from(move |_: InputEvent| writing.changed());
    let hint = if browser::is_touch() { "enter" } else { "send" };
    html! {
        <form class="composer" {onsubmit}>
            <label class="visually-hidden" for="composer">{ view.text(Text::MessageLabel) }</label>
            <div class="composer-field">
                <textarea id="composer" ref={area} data-testid="composer" rows="1" enterkeyhint={hint}
                    placeholder={props.placeholder.clone()} aria-describedby="composer-note"
                    aria-invalid={(*over > 0).then_some("true")} {onkeydown} {oninput} />
                <button class="composer-send" aria-label={view.text(Text::Send)} title={view.text(Text::Send)}
                    disabled={*over > 0}>
                    { icon(Shape::Send) }
                </button>
            </div>
            <p id="composer-note" class="composer-note" role="status">
                if *over > 0 {
                    { view.language().too_long(*over) }
                }
            </p>
        </form>
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

/// The draft is put back, and compositions are watched, as long as the room is shown.
#[hook]
fn use_writing(writing: &Rc<Writing>, intend: &Callback<Intent>) {
    let (writing, intend) = (writing.clone(), intend.clone());
    use_effect_with(writing.room.clone(), move |room| {
        let listeners = writing.area.cast::<HtmlTextAreaElement>().map(|area| {
            area.set_value(&storage::draft(room));
            if !browser::is_touch() {
                let _ = area.focus();
            }
            writing.changed();
            let begins = writing.clone();
            let ends = writing.clone();
            (
                EventListener::new(&area, "compositionstart", move |_| begins.composing.set(true)),
                EventListener::new(&area, "compositionend", move |_| ends.composed(&intend)),
            )
        });
        move || drop(listeners)
    });
}

struct Writing {
    area: NodeRef,
    over: UseStateSetter<usize>,
    room: RoomName,
    composing: Cell<bool>,
    /// The person sends as soon as the syllable is complete.
    due: Cell<bool>,
}

impl Writing {
    fn submit(self: &Rc<Self>, intend: &Callback<Intent>) {
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
                intend.emit(Intent::Say(self.room.clone(), body));
            }
            Err(TextError::Empty | TextError::TooLong | TextError::Character) => {}
        }
    }

    fn composed(self: &Rc<Self>, intend: &Callback<Intent>) {
        self.composing.set(false);
        if self.due.take() {
            let (writing, intend) = (self.clone(), intend.clone());
            // The browser writes the syllable after this event.
            Timeout::new(0, move || writing.submit(&intend)).forget();
        }
    }

    fn changed(&self) {
        let Some(area) = self.area.cast::<HtmlTextAreaElement>() else { return };
        let text = area.value();
        self.over.set(characters_over(text.trim()));
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
    let _ = style.set_property("height", &format!("{}px", area.scroll_height()));
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
