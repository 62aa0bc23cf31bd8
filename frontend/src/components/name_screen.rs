//! The gate: a name, and one is in.

use common::UserName;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::{browser, courtyard::Intent, i18n::Text, state::Trouble, storage};

use super::{icon::mark, settings::language_choice, toast::trouble_text, view::use_view};

#[derive(Properties, PartialEq)]
pub(super) struct NameScreenProps {
    pub(super) trouble: Option<Trouble>,
    pub(super) busy: bool,
}

#[component]
pub(super) fn NameScreen(props: &NameScreenProps) -> Html {
    let view = use_view();
    let input = use_node_ref();
    let invalid = use_state_eq(|| false);
    {
        let input = input.clone();
        use_effect_with((), move |()| {
            let Some(input) = input.cast::<HtmlInputElement>() else { return };
            if let Some(name) = storage::name() {
                input.set_value(name.as_str());
            }
            let _ = input.focus();
            // Enter goes on as before; whoever types is somebody else.
            input.select();
        });
    }
    let onsubmit = {
        let (input, invalid, intend) = (input.clone(), invalid.setter(), view.intend.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let typed = input.cast::<HtmlInputElement>().map(|input| input.value());
            let name = UserName::new(browser::composed(typed.unwrap_or_default().trim()));
            invalid.set(name.is_err());
            if let Ok(name) = name {
                intend.emit(Intent::Enter(name));
            }
        })
    };
    let message = if *invalid {
        Some(view.text(Text::NameInvalid).to_owned())
    } else {
        props.trouble.map(|trouble| trouble_text(trouble, view.language()))
    };
    let button = if props.busy { Text::Entering } else { Text::Enter };
    html! {
        <main class="gate">
            <div class="gate-card">
                { mark() }
                <h1>{ view.text(Text::Product) }</h1>
                <p class="gate-slogan">{ view.text(Text::Slogan) }</p>
                <form class="form" {onsubmit} novalidate=true>
                    <label for="name">{ view.text(Text::NameLabel) }</label>
                    <input id="name" ref={input} class="field" autocomplete="nickname" maxlength="80"
                        aria-describedby="name-note" aria-invalid={(*invalid).then_some("true")} />
                    <p id="name-note" class={if message.is_some() { "note trouble" } else { "note" }}
                        role={message.is_some().then_some("alert")}>
                        { message.unwrap_or_else(|| view.text(Text::NameHint).to_owned()) }
                    </p>
                    <button class="button primary" disabled={props.busy}>{ view.text(button) }</button>
                </form>
            </div>
            { language_choice(&view) }
        </main>
    }
}
