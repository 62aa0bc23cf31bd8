//! Short notices: what a resume brought, and what was refused.

use gloo_timers::callback::Timeout;
use yew::prelude::*;

use crate::{
    courtyard::Intent,
    i18n::{Language, Text},
    state::{Sheet, Trouble},
};

use super::{
    hook::{nothing, use_effect_at},
    icon::{Shape, icon, icon_button},
    tag::{Tag, classed, tag},
    view::View,
};

/// Milliseconds that a notice stands.
const STANDS_MS: u32 = 8_000;

/// What was recovered is said for a while.
#[hook]
pub(super) fn use_passing_notice(view: &View) {
    let intend = view.intend.clone();
    let notice = view.state.recovered.map_or(0, |recovered| recovered.notice);
    use_effect_at(notice.into(), move || {
        if notice == 0 {
            return nothing();
        }
        let seen = move || intend.emit(Intent::RecoveredSeen(notice));
        Box::new(Timeout::new(STANDS_MS, seen))
    });
}

pub(super) fn toasts(view: &View) -> Tag {
    let recovered = view.state.recovered.map(|recovered| {
        classed("p", "toast")
            .with("data-testid", "recovered")
            .child(icon(Shape::Check))
            .text(view.language().recovered(recovered.count))
    });
    // The sheet for a new room says it beside the field.
    let trouble = view.state.trouble.filter(|_| view.state.sheet != Some(Sheet::NewRoom));
    let trouble = trouble.map(|trouble| {
        let close = icon_button(Shape::Close, view.text(Text::Close), view.on(Intent::TroubleSeen));
        classed("p", "toast trouble")
            .child(icon(Shape::Warning))
            .child(tag("span").text(trouble_text(trouble, view.language())))
            .child(close)
    });
    classed("div", "toasts").with("role", "status").maybe(recovered).maybe(trouble)
}

/// What went wrong, for people.
pub(super) fn trouble_text(trouble: Trouble, language: Language) -> &'static str {
    language.text(match trouble {
        Trouble::Unreachable => Text::Unreachable,
        Trouble::SignedOut => Text::SignedOut,
        Trouble::OutboxFull => Text::OutboxFull,
        Trouble::NotKept => Text::NotKept,
        Trouble::Refused(code) => return language.refusal(code),
    })
}
