//! One row of the conversation. A message that waits stands where it will stand, paler.

use std::rc::Rc;

use common::ErrorCode;
use yew::prelude::*;

use crate::{
    browser, calendar,
    courtyard::Intent,
    i18n::{Language, Text},
    state::{Notice, Said, Sending},
};

use super::{
    avatar::avatar,
    icon::{Shape, icon},
    view::use_view,
};

#[derive(Properties, PartialEq)]
pub(super) struct MessageRowProps {
    pub(super) said: Rc<Said>,
    pub(super) sending: Sending,
    pub(super) leads: bool,
    pub(super) language: Language,
}

#[component]
pub(super) fn MessageRow(props: &MessageRowProps) -> Html {
    let said = &props.said;
    let state = match props.sending {
        Sending::Sent => None,
        Sending::Queued => Some("queued"),
        Sending::Sending => Some("sending"),
        Sending::Failed(_) => Some("failed"),
    };
    let class = classes!(
        "message",
        props.leads.then_some("leads"),
        said.mine.then_some("mine"),
        said.large.then_some("large"),
        state,
    );
    html! {
        <li {class} data-seq={said.seq.map(|seq| seq.to_string())} data-state={state}
            data-message-id={state.map(|_| said.message_id.to_string())}>
            if props.leads {
                { head(said, props.language) }
            } else {
                { time(said, props.language, "message-time gutter") }
            }
            <p class="message-text" dir="auto">{ AttrValue::from(said.body.clone()) }</p>
            { match props.sending {
                Sending::Sent => Html::default(),
                Sending::Queued => waits(props.language.text(Text::Queued)),
                Sending::Sending => waits(props.language.text(Text::Sending)),
                Sending::Failed(code) => html! { <Failed said={said.clone()} {code} language={props.language} /> },
            } }
        </li>
    }
}

fn head(said: &Said, language: Language) -> Html {
    let Some(author) = &said.author else {
        return html! { <p class="message-head"><span class="message-author">{ language.text(Text::You) }</span></p> };
    };
    html! {
        <>
            { avatar(author, None) }
            <p class="message-head">
                <span class="message-author">{ author.name.to_string() }</span>
                { time(said, language, "message-time") }
            </p>
        </>
    }
}

fn time(said: &Said, language: Language, class: &'static str) -> Html {
    said.moment.map_or_else(Html::default, |moment| html! {
        <time {class} title={calendar::full(moment, language)}>{ calendar::time(moment, language) }</time>
    })
}

/// The style shows it only after 300 ms: most messages are through by then.
fn waits(text: &'static str) -> Html {
    html! { <p class="message-waits">{ text }</p> }
}

#[derive(Properties, PartialEq)]
struct FailedProps {
    said: Rc<Said>,
    code: ErrorCode,
    language: Language,
}

#[component]
fn Failed(props: &FailedProps) -> Html {
    let intend = use_view().intend;
    let copied = use_state_eq(|| false);
    let id = &props.said.message_id;
    let text = |text| props.language.text(text);
    let copy = {
        let (body, copied) = (props.said.body.clone(), copied.setter());
        Callback::from(move |_: MouseEvent| copied.set(browser::copy(&body)))
    };
    let retry = {
        let id = id.clone();
        intend.reform(move |_: MouseEvent| Intent::Retry(id.clone()))
    };
    let discard = {
        let id = id.clone();
        intend.reform(move |_: MouseEvent| Intent::Discard(id.clone()))
    };
    html! {
        <div class="message-failed" role="group">
            <p>{ icon(Shape::Warning) }{ props.language.failed(props.code) }</p>
            <button class="button small" onclick={retry}>{ text(Text::Retry) }</button>
            <button class="button small quiet" onclick={copy}>{ text(if *copied { Text::Copied } else { Text::Copy }) }</button>
            <button class="button small quiet" onclick={discard}>{ text(Text::Discard) }</button>
        </div>
    }
}

/// Who came and who went.
pub(super) fn notice_row(notice: &Notice, language: Language) -> Html {
    let came = (!notice.joined.is_empty()).then(|| language.joined(&notice.joined));
    let went = (!notice.left.is_empty()).then(|| language.left(&notice.left));
    let parts: Vec<String> = went.into_iter().chain(came).collect();
    html! {
        <li key={format!("notice{}", notice.number)} class="aside-row" data-testid="notice" title={calendar::full(notice.moment, language)}>
            { parts.join(" · ") }
        </li>
    }
}
