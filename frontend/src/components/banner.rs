//! What there is to know when there is no connection: since when it matters, and what to do.

use common::CloseCode;
use gloo_timers::callback::Interval;
use web_sys::Event;
use yew::prelude::*;

use crate::{
    browser, clock,
    courtyard::Intent,
    i18n::{Language, Text},
    state::{Ending, Link},
};

use super::{
    hook::{nothing, use_effect_at, use_number},
    icon::{Shape, icon},
    tag::{Tag, classed, tag},
    view::View,
};

/// Milliseconds without a connection until it is worth a word.
const PATIENCE_MS: i64 = 5_000;
/// Milliseconds between two looks at the clock; a second's change is seen in time.
const TICK_MS: u32 = 250;

/// The banner, while there is something to say.
#[hook]
pub(super) fn use_banner(view: &View) -> Option<Tag> {
    let now = use_number();
    let ticking = !matches!(view.state.link, Link::Open | Link::Ended(_));
    let set = now.clone();
    use_effect_at(ticking.into(), move || {
        if !ticking {
            return nothing();
        }
        let look = move || set.set(clock::now_ms());
        look();
        Box::new(Interval::new(TICK_MS, look))
    });
    banner(view, now.get())
}

fn banner(view: &View, now: i64) -> Option<Tag> {
    let (until, text) = match view.state.link {
        Link::Open => return None,
        Link::Ended(ending) => return Some(ended(view, ending)),
        Link::Waiting { until } => (Some(until), None),
        Link::Connecting | Link::Idle => (None, Some(view.text(Text::TryingNow).to_owned())),
    };
    let patient = view.state.down_since.is_none_or(|since| now - since < PATIENCE_MS);
    if patient {
        return None;
    }
    let more = classed("span", "banner-more").text(view.text(Text::KeptMeanwhile));
    let lost =
        tag("p").with("role", "status").text(view.text(Text::ConnectionLost)).text(" ").child(more);
    let text = text.or(until.map(|until| view.language().next_attempt(seconds(until - now))));
    let now = view.on(Intent::ReconnectNow);
    let reconnect = until.map(|_| step(view, Text::ReconnectNow, now));
    let count = classed("p", "banner-count").text(text.unwrap_or_default());
    Some(frame(view, Shape::Break).child(lost).child(count).maybe(reconnect))
}

fn frame(view: &View, shape: Shape) -> Tag {
    classed("section", "banner")
        .with("data-testid", "banner")
        .label(view.text(Text::Connection))
        .child(icon(shape))
}

fn step(view: &View, text: Text, then: Callback<Event>) -> Tag {
    classed("button", "button small").click(then).text(view.text(text))
}

fn seconds(ms: i64) -> u64 {
    (ms.max(0) + 999).unsigned_abs() / 1000
}

/// The end has a reason and one next step.
fn ended(view: &View, ending: Ending) -> Tag {
    let reload = Callback::from(|_| browser::reload());
    let (text, then) = match ending {
        Ending::ReloadNeeded => (Text::Reload, reload),
        Ending::SignInNeeded => (Text::SignInAgain, reload),
        Ending::Left | Ending::Stopped(_) | Ending::Refused(_) => {
            (Text::ConnectAgain, view.on(Intent::Connect))
        }
    };
    let reason = tag("p").with("role", "alert").text(ending_text(view.language(), ending));
    frame(view, Shape::Warning).child(reason).child(step(view, text, then))
}

fn ending_text(language: Language, ending: Ending) -> AttrValue {
    let text = match ending {
        Ending::Left => Text::EndLeft,
        Ending::SignInNeeded => Text::EndSignIn,
        Ending::ReloadNeeded => Text::EndReload,
        Ending::Refused(code) => return language.refusal(code).into(),
        Ending::Stopped(code) => match stopped_text(code) {
            Some(text) => text,
            None => return language.stopped(code).into(),
        },
    };
    AttrValue::Static(language.text(text))
}

fn stopped_text(code: u16) -> Option<Text> {
    let named = [
        (CloseCode::TooManyConnections, Text::EndTooMany),
        (CloseCode::Replaced, Text::EndReplaced),
        (CloseCode::AccountDisabled, Text::EndDisabled),
        (CloseCode::TooBig, Text::EndTooBig),
    ];
    named.into_iter().find(|(close, _)| close.code() == code).map(|(_, text)| text)
}
