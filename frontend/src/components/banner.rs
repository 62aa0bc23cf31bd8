//! What there is to know when there is no connection: since when it matters, and what to do.

use common::CloseCode;
use gloo_timers::callback::Interval;
use yew::prelude::*;

use crate::{
    browser, clock,
    courtyard::Intent,
    i18n::{Language, Text},
    state::{Ending, Link},
};

use super::{
    icon::{Shape, icon},
    view::{View, use_view},
};

/// Milliseconds without a connection until it is worth a word.
const PATIENCE_MS: i64 = 5_000;
/// Milliseconds between two looks at the clock; a second's change is seen in time.
const TICK_MS: u32 = 250;

#[component]
pub(super) fn Banner() -> Html {
    let view = use_view();
    let link = view.state.link;
    let now = use_clock(link != Link::Open);
    if let Link::Ended(ending) = link {
        return ended(&view, ending);
    }
    let patient = view.state.down_since.is_none_or(|since| now - since < PATIENCE_MS);
    if link == Link::Open || patient {
        return Html::default();
    }
    let (text, waits) = match link {
        Link::Waiting { until } => (view.language().next_attempt(seconds(until - now)), true),
        Link::Connecting | Link::Idle | Link::Open | Link::Ended(_) => {
            (view.text(Text::TryingNow).to_owned(), false)
        }
    };
    html! {
        <section class="banner" data-testid="banner" aria-label={view.text(Text::Connection)}>
            { icon(Shape::Break) }
            <p role="status">{ view.text(Text::ConnectionLost) }{ " " }
                <span class="banner-more">{ view.text(Text::KeptMeanwhile) }</span></p>
            <p class="banner-count">{ text }</p>
            if waits {
                <button class="button small" onclick={view.on(Intent::ReconnectNow)}>{ view.text(Text::ReconnectNow) }</button>
            }
        </section>
    }
}

/// The present millisecond, looked at again and again while `ticking`.
#[hook]
fn use_clock(ticking: bool) -> i64 {
    let now = use_state_eq(clock::now_ms);
    let set = now.setter();
    use_effect_with(ticking, move |ticking| {
        // Whole quarters: what is shown changes no more often than it must.
        let interval = ticking.then(|| Interval::new(TICK_MS, move || set.set(clock::now_ms())));
        move || drop(interval)
    });
    *now
}

fn seconds(ms: i64) -> i64 {
    (ms.max(0) + 999) / 1000
}

/// The end has a reason and one next step.
fn ended(view: &View, ending: Ending) -> Html {
    let reload = Callback::from(|_: MouseEvent| browser::reload());
    let (step, onclick) = match ending {
        Ending::ReloadNeeded => (Text::Reload, reload),
        Ending::SignInNeeded => (Text::SignInAgain, reload),
        Ending::Left | Ending::Stopped(_) | Ending::Refused(_) => {
            (Text::ConnectAgain, view.on(Intent::Connect))
        }
    };
    html! {
        <section class="banner" data-testid="banner" aria-label={view.text(Text::Connection)}>
            { icon(Shape::Warning) }
            <p role="alert">{ ending_text(view.language(), ending) }</p>
            <button class="button small" {onclick}>{ view.text(step) }</button>
        </section>
    }
}

fn ending_text(language: Language, ending: Ending) -> String {
    let text = match ending {
        Ending::Left => Text::EndLeft,
        Ending::SignInNeeded => Text::EndSignIn,
        Ending::ReloadNeeded => Text::EndReload,
        Ending::Refused(code) => return language.refusal(code).to_owned(),
        Ending::Stopped(code) => return stopped_text(language, code),
    };
    language.text(text).to_owned()
}

fn stopped_text(language: Language, code: u16) -> String {
    let named = [
        (CloseCode::TooManyConnections, Text::EndTooMany),
        (CloseCode::Replaced, Text::EndReplaced),
        (CloseCode::AccountDisabled, Text::EndDisabled),
        (CloseCode::TooBig, Text::EndTooBig),
    ];
    let text = named.into_iter().find(|(close, _)| close.code() == code);
    text.map_or_else(|| language.stopped(code), |(_, text)| language.text(text).to_owned())
}
