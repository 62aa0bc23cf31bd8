//! Short notices: what a resume brought, and what was refused.

use gloo_timers::callback::Timeout;
use yew::prelude::*;

use crate::{
    courtyard::Intent,
    i18n::{Language, Text},
    state::{Sheet, Trouble},
};

use super::{
    icon::{Shape, icon},
    view::use_view,
};

/// Milliseconds that a notice stands.
const STANDS_MS: u32 = 8_000;

#[component]
pub(super) fn Toasts() -> Html {
    let view = use_view();
    let recovered = view.state.recovered;
    // The sheet for a new room says it beside the field.
    let trouble = view.state.trouble.filter(|_| view.state.sheet != Some(Sheet::NewRoom));
    {
        let intend = view.intend.clone();
        use_effect_with(recovered.map(|recovered| recovered.notice), move |notice| {
            let timeout = notice.map(|notice| {
                Timeout::new(STANDS_MS, move || intend.emit(Intent::RecoveredSeen(notice)))
            });
            move || drop(timeout)
        });
    }
    html! {
        <div class="toasts" role="status">
            if let Some(recovered) = recovered {
                <p class="toast" data-testid="recovered">
                    { icon(Shape::Check) }{ view.language().recovered(recovered.count) }
                </p>
            }
            if let Some(trouble) = trouble {
                <p class="toast trouble">
                    { icon(Shape::Warning) }
                    <span>{ trouble_text(trouble, view.language()) }</span>
                    <button class="icon-button" aria-label={view.text(Text::Close)} onclick={view.on(Intent::TroubleSeen)}>
                        { icon(Shape::Close) }
                    </button>
                </p>
            }
        </div>
    }
}

/// What went wrong, for people.
pub(super) fn trouble_text(trouble: Trouble, language: Language) -> String {
    match trouble {
        Trouble::Unreachable => language.text(Text::Unreachable).to_owned(),
        Trouble::SignedOut => language.text(Text::SignedOut).to_owned(),
        Trouble::Refused(code) => language.refusal(code).to_owned(),
        Trouble::OutboxFull => language.text(Text::OutboxFull).to_owned(),
        Trouble::NotKept => language.text(Text::NotKept).to_owned(),
    }
}
