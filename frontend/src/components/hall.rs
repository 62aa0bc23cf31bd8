//! Inside: rooms, the conversation and people, one beside the other or one at a time.

use gloo_events::{EventListener, EventListenerOptions, EventListenerPhase};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};
use yew::prelude::*;

use crate::{browser, courtyard::Intent, i18n::Text, router::Route, state::Sheet};

use super::{
    conversation::{conversation, empty, go_home},
    people::people_pane,
    rooms::rooms_pane,
    tag::{Tag, all, classed, tag},
    toast::toasts,
    view::View,
};

/// Everything inside; the banner and what floats come from their hooks.
pub(super) fn hall(
    view: &View,
    route: &Route,
    banner: Option<Tag>,
    search: Option<Tag>,
    sheet: Tag,
) -> Html {
    let writes = view.state.current_room().is_some_and(|room| !room.is_refused());
    let skip = if writes {
        let link = classed("a", "skip-link").with("href", "#composer");
        link.text(view.text(Text::SkipToComposer)).into()
    } else {
        Html::default()
    };
    let pane = match route {
        Route::Home => "rooms",
        Route::Room(_) | Route::Unknown => "conversation",
    };
    // The same people are either beside the conversation or above it, and one thing is beside it.
    let beside = view.state.sheet != Some(Sheet::People) && search.is_none();
    let hall = classed("div", "hall")
        .with("data-pane", pane)
        .set("data-search", search.is_some().then_some("open".into()))
        .maybe(banner)
        .child(rooms_pane(view))
        .child(stage(view, route))
        .maybe(search)
        .maybe(beside.then(|| people_pane(view)).flatten());
    let announcer = classed("p", "visually-hidden").with("aria-live", "polite");
    let announcer = match view.state.announcement.clone() {
        Some(announcement) => announcer.text(announcement),
        None => announcer,
    };
    all(vec![skip, hall.into(), toasts(view).into(), sheet.into(), announcer.into()])
}

fn stage(view: &View, route: &Route) -> Tag {
    let stage = classed("main", "stage");
    let title = |text| tag("h1").text(view.text(text));
    match route {
        Route::Room(room) => conversation(stage, view, room),
        Route::Home => {
            let new = classed("button", "button")
                .click(view.on(Intent::Sheet(Some(Sheet::NewRoom))))
                .text(view.text(Text::NewRoom));
            let hint = view.text(Text::NoRoomChosenHint);
            stage.child(empty(title(Text::NoRoomChosen), hint, new))
        }
        Route::Unknown => {
            let hint = view.text(Text::NotFoundHint);
            stage.child(empty(title(Text::NotFound), hint, go_home(view)))
        }
    }
}

/// Keys that mean something wherever one is, as long as what is returned lives: whoever begins to
/// type, types into the composer.
pub(super) fn hears_keys(intend: Callback<Intent>) -> EventListener {
    let options = EventListenerOptions { phase: EventListenerPhase::Capture, passive: false };
    let heard = move |event: &web_sys::Event| {
        let Some(key) = event.dyn_ref::<KeyboardEvent>() else { return };
        if begins_to_type(key) {
            browser::focus("#composer");
        } else if searches(key) {
            event.prevent_default();
            intend.emit(Intent::Search(true));
        }
    };
    EventListener::new_with_options(&browser::document(), "keydown", options, heard)
}

/// Control or Command, Shift and F, on whatever layout; nothing reaches past what floats.
fn searches(event: &KeyboardEvent) -> bool {
    let held = (event.ctrl_key() || event.meta_key()) && event.shift_key() && !event.alt_key();
    let floats = || browser::document().query_selector("dialog[open]").ok().flatten().is_some();
    held && event.code() == "KeyF" && !floats()
}

fn begins_to_type(event: &KeyboardEvent) -> bool {
    if event.ctrl_key() || event.meta_key() || event.alt_key() || browser::is_touch() {
        return false;
    }
    let Some(target) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else {
        return false;
    };
    let key = event.key();
    // An input method says `Process` and 229 in place of the key.
    let printable = event.key_code() == 229 || key.chars().count() == 1;
    let takes_space =
        key == " " && target.closest("button, a, [tabindex]").ok().flatten().is_some();
    let writes = target.closest("input, textarea, select, dialog").ok().flatten().is_some();
    printable && !takes_space && !writes
}
