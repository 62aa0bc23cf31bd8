//! The sheets in which something is chosen: language, colours, leaving, a new room.

use common::RoomName;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::{
    browser,
    courtyard::Intent,
    i18n::{Language, Text},
    state::{Theme, text::room_name_from},
};

use super::{
    sheet::Floating,
    toast::trouble_text,
    view::{View, use_view},
};

/// Language, colours, leaving.
pub(super) fn settings_sheet(view: &View) -> Html {
    html! {
        <Floating title={view.text(Text::Settings)}>
            { language_choice(view) }
            <fieldset class="choice">
                <legend>{ view.text(Text::Colours) }</legend>
                { for Theme::ALL.into_iter().map(|theme| theme_choice(view, theme)) }
            </fieldset>
            <div class="sheet-foot">
                <p class="note">{ view.text(Text::SignOutHint) }</p>
                <button class="button" onclick={view.on(Intent::SignOut)}>{ view.text(Text::SignOut) }</button>
            </div>
        </Floating>
    }
}

fn theme_choice(view: &View, theme: Theme) -> Html {
    let text = match theme {
        Theme::System => Text::ThemeSystem,
        Theme::Light => Text::ThemeLight,
        Theme::Dark => Text::ThemeDark,
    };
    html! {
        <label>
            <input type="radio" name="theme" checked={view.state.theme == theme}
                onchange={view.on(Intent::Theme(theme))} />
            <span>{ view.text(text) }</span>
        </label>
    }
}

/// Which language; each under its own name.
pub(super) fn language_choice(view: &View) -> Html {
    let choice = |language: &Language| {
        html! {
            <label lang={language.tag()}>
                <input type="radio" name="language" checked={view.language() == *language}
                    onchange={view.on(Intent::Language(*language))} />
                <span>{ language.own_name() }</span>
            </label>
        }
    };
    html! {
        <fieldset class="choice">
            <legend>{ view.text(Text::Language) }</legend>
            { for Language::ALL.iter().map(choice) }
        </fieldset>
    }
}

/// A name for a new room.
#[component]
pub(super) fn NewRoomSheet() -> Html {
    let view = use_view();
    let input = use_node_ref();
    let invalid = use_state_eq(|| false);
    let onsubmit = {
        let (input, invalid, intend) = (input.clone(), invalid.setter(), view.intend.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let typed = input.cast::<HtmlInputElement>().map(|input| input.value());
            let name = room_name_from(&browser::lower_case(&browser::composed(
                &typed.unwrap_or_default(),
            )));
            match RoomName::new(name) {
                Ok(room) => intend.emit(Intent::Create(room)),
                Err(_) => invalid.set(true),
            }
        })
    };
    let message = if *invalid {
        Some(view.text(Text::RoomNameInvalid).to_owned())
    } else {
        view.state.trouble.map(|trouble| trouble_text(trouble, view.language()))
    };
    html! {
        <Floating title={view.text(Text::NewRoom)}>
            <form class="form" {onsubmit} novalidate=true>
                <label for="room-name">{ view.text(Text::RoomNameLabel) }</label>
                <input id="room-name" ref={input} class="field" autocomplete="off" autocapitalize="off"
                    maxlength="64" autofocus=true aria-describedby="room-note"
                    aria-invalid={(*invalid).then_some("true")} />
                <p id="room-note" class={if message.is_some() { "note trouble" } else { "note" }}
                    role={message.is_some().then_some("alert")}>
                    { message.unwrap_or_else(|| view.text(Text::RoomNameHint).to_owned()) }
                </p>
                <button class="button primary">{ view.text(Text::Create) }</button>
            </form>
        </Floating>
    }
}
