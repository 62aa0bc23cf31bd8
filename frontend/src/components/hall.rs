//! Inside: rooms, the conversation and people, one beside the other or one at a time.

use gloo_events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};
use yew::prelude::*;

use crate::{
    browser,
    i18n::Text,
    router::{Link, Route},
    state::Sheet,
};

use super::{
    banner::Banner,
    conversation::conversation,
    people::{people_pane, people_sheet},
    rooms::rooms_pane,
    settings::{NewRoomSheet, settings_sheet},
    toast::Toasts,
    view::use_view,
};

#[derive(Properties, PartialEq)]
pub(super) struct HallProps {
    pub(super) route: Route,
}

#[component]
pub(super) fn Hall(props: &HallProps) -> Html {
    let view = use_view();
    use_typing_focuses_composer();
    let pane = match props.route {
        Route::Home => "rooms",
        Route::Room(_) | Route::Unknown => "conversation",
    };
    let sheet = view.state.sheet;
    html! {
        <>
            if view.state.current_room().is_some_and(|room| !room.is_refused()) {
                <a class="skip-link" href="#composer">{ view.text(Text::SkipToComposer) }</a>
            }
            <div class="hall" data-pane={pane}>
                <Banner />
                { rooms_pane(&view) }
                <main class="stage">{ stage(&props.route, view.text(Text::NotFound), &view) }</main>
                if sheet != Some(Sheet::People) {
                    { people_pane(&view) }
                }
            </div>
            <Toasts />
            { match sheet {
                Some(Sheet::People) => people_sheet(&view),
                Some(Sheet::NewRoom) => html! { <NewRoomSheet /> },
                Some(Sheet::Settings) => settings_sheet(&view),
                None => Html::default(),
            } }
            <p class="visually-hidden" aria-live="polite">{ view.state.announcement.clone().map(AttrValue::from) }</p>
        </>
    }
}

fn stage(route: &Route, not_found: &'static str, view: &super::view::View) -> Html {
    match route {
        Route::Room(room) => conversation(view, room),
        Route::Home => html! {
            <div class="empty">
                <h1>{ view.text(Text::NoRoomChosen) }</h1>
                <p>{ view.text(Text::NoRoomChosenHint) }</p>
                <button class="button" onclick={view.on(crate::courtyard::Intent::Sheet(Some(Sheet::NewRoom)))}>
                    { view.text(Text::NewRoom) }
                </button>
            </div>
        },
        Route::Unknown => html! {
            <div class="empty">
                <h1>{ not_found }</h1>
                <p>{ view.text(Text::NotFoundHint) }</p>
                <Link to={Route::Home} class={classes!("button")}>{ view.text(Text::GoHome) }</Link>
            </div>
        },
    }
}

/// Whoever begins to type, types into the composer.
#[hook]
fn use_typing_focuses_composer() {
    use_effect_with((), |()| {
        let options = EventListenerOptions::run_in_capture_phase();
        let heard = |event: &web_sys::Event| {
            if event.dyn_ref::<KeyboardEvent>().is_some_and(begins_to_type) {
                browser::focus("#composer");
            }
        };
        let listener =
            EventListener::new_with_options(&browser::document(), "keydown", options, heard);
        move || drop(listener)
    });
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
