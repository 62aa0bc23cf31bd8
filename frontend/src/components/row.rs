//! One row of the conversation. A message that waits stands where it will stand, paler.

use std::rc::Rc;

use common::ErrorCode;
use yew::prelude::*;

use crate::{
    browser, calendar,
    courtyard::Intent,
    i18n::{Language, Text},
    state::{Notice, Said, Sending, text::number},
};

use super::{
    avatar::avatar,
    hook::{Flag, use_flag},
    icon::{Shape, icon},
    tag::{Tag, all, classed, copied as copy_of, tag},
    view::says,
};

#[derive(Properties, PartialEq)]
pub(super) struct MessageRowProps {
    pub(super) said: Rc<Said>,
    pub(super) sending: Sending,
    pub(super) leads: bool,
    pub(super) language: Language,
    pub(super) intend: Callback<Intent>,
}

#[component]
pub(super) fn MessageRow(props: &MessageRowProps) -> Html {
    let copied = use_flag();
    row(props, &copied)
}

fn row(props: &MessageRowProps, copied: &Flag) -> Html {
    let (said, language) = (&props.said, props.language);
    let (state, below) = match props.sending {
        Sending::Sent => (None, None),
        Sending::Queued => (Some("queued"), Some(waits(language.text(Text::Queued)))),
        Sending::Sending => (Some("sending"), Some(waits(language.text(Text::Sending)))),
        Sending::Failed(code) => (Some("failed"), Some(failed(props, code, copied))),
    };
    let above = if props.leads {
        head(said, language)
    } else {
        said_at(said, language, "message-time gutter")
    };
    tag("li")
        .set("class", Some(class(props, state)))
        .set("data-seq", said.seq.map(|seq| number(seq).into()))
        .set("data-state", state.map(AttrValue::Static))
        .set("data-message-id", state.map(|_| copy_of(said.message_id.as_str())))
        .html(above)
        .child(classed("p", "message-text").with("dir", "auto").text(said.body.clone()))
        .maybe(below)
        .into()
}

fn class(props: &MessageRowProps, state: Option<&'static str>) -> AttrValue {
    let mut class = String::from("message");
    let words = [
        props.leads.then_some(" leads"),
        props.said.mine.then_some(" mine"),
        props.said.large.then_some(" large"),
        state.map(|_| " "),
        state,
    ];
    words.into_iter().flatten().for_each(|word| class.push_str(word));
    class.into()
}

fn head(said: &Said, language: Language) -> Html {
    let line = classed("p", "message-head");
    let author = classed("span", "message-author");
    match &said.author {
        None => line.child(author.text(language.text(Text::You))).into(),
        Some(member) => {
            let author = author.text(copy_of(member.name.as_str()));
            let line = line.child(author).html(said_at(said, language, "message-time"));
            all(vec![avatar(member).into(), line.into()])
        }
    }
}

fn said_at(said: &Said, language: Language, class: &'static str) -> Html {
    let Some(moment) = said.moment else { return Html::default() };
    classed("time", class)
        .with("title", calendar::full(moment, language))
        .text(calendar::time(moment, language))
        .into()
}

/// The style shows it only after 300 ms: most messages are through by then.
fn waits(text: &'static str) -> Tag {
    classed("p", "message-waits").text(text)
}

fn failed(props: &MessageRowProps, code: ErrorCode, copied: &Flag) -> Tag {
    let (language, id) = (props.language, &props.said.message_id);
    let copy = {
        let (body, copied) = (props.said.body.clone(), copied.clone());
        Callback::from(move |_| copied.set(browser::copy(&body)))
    };
    let button = |class, text, then| classed("button", class).click(then).text(language.text(text));
    let reason = tag("p").child(icon(Shape::Warning)).text(language.failed(code));
    classed("div", "message-failed")
        .with("role", "group")
        .child(reason)
        .child(button("button small", Text::Retry, says(&props.intend, Intent::Retry(id.clone()))))
        .child(button(
            "button small quiet",
            if copied.is_set() { Text::Copied } else { Text::Copy },
            copy,
        ))
        .child(button(
            "button small quiet",
            Text::Discard,
            says(&props.intend, Intent::Discard(id.clone())),
        ))
}

/// Who came and who went.
pub(super) fn notice_row(notice: &Notice, language: Language) -> Tag {
    let mut text = String::new();
    if !notice.left.is_empty() {
        text.push_str(&language.left(&notice.left));
    }
    if !notice.joined.is_empty() {
        text.push_str(if text.is_empty() { "" } else { " · " });
        text.push_str(&language.joined(&notice.joined));
    }
    classed("li", "aside-row")
        .with("data-testid", "notice")
        .with("title", calendar::full(notice.moment, language))
        .text(text)
}
