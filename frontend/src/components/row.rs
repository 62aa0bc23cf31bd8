//! One row of the conversation. A message that waits stands where it will stand, paler.

use std::rc::Rc;

use common::{Emoji, ErrorCode, RoomName, UserId};
use session::Content;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement};
use yew::prelude::*;

use crate::{
    browser, calendar,
    courtyard::Intent,
    i18n::{Language, Text},
    state::{Done, Editing, Notice, Said, Sending, text::number},
};

use super::{
    avatar::avatar,
    hook::{Number, use_number},
    icon::{Shape, icon, icon_button},
    keys,
    tag::{Tag, all, classed, copied as copy_of, tag},
    view::says,
};

/// What is offered to say at a glance.
const SIGNS: [&str; 5] = ["👍", "❤️", "😂", "🎉", "👀"];

// What a row shows beyond the message.
const NOTHING: i64 = 0;
const REACHED: i64 = 1;
const CHOOSING: i64 = 2;
const ASKING: i64 = 3;
const COPIED: i64 = 4;

/// The row, where a selector names something within it.
const ITSELF: &str = "";

#[derive(Properties, PartialEq)]
pub(super) struct MessageRowProps {
    pub(super) room: RoomName,
    pub(super) me: Option<UserId>,
    pub(super) said: Rc<Said>,
    pub(super) sending: Sending,
    pub(super) leads: bool,
    /// A search led here.
    pub(super) shown: bool,
    pub(super) language: Language,
    pub(super) intend: Callback<Intent>,
}

#[component]
pub(super) fn MessageRow(props: &MessageRowProps) -> Html {
    let mode = use_number();
    row(props, &mode)
}

fn row(props: &MessageRowProps, mode: &Number) -> Html {
    let (said, language) = (&props.said, props.language);
    let (state, below) = match props.sending {
        Sending::Sent => (None, None),
        Sending::Queued => (Some("queued"), Some(waits(language.text(Text::Queued)))),
        Sending::Sending => (Some("sending"), Some(waits(language.text(Text::Sending)))),
        Sending::Failed(code) => (Some("failed"), Some(failed(props, code, mode))),
    };
    let above = if props.leads {
        head(said, language)
    } else {
        said_at(said, language, "message-time gutter")
    };
    let stands = said.at.is_some() && !said.deleted && state.is_none();
    let edited = (said.edit > 0 && !said.deleted).then(|| language.text(Text::Edited).into());
    let text = classed("p", "message-text").with("dir", "auto").set("data-edited", edited);
    let text = if said.deleted {
        text.text(language.text(Text::Deleted))
    } else {
        text.text(said.body.clone())
    };
    let line = tag("li")
        .set("class", Some(class(props, state)))
        .with("tabindex", "-1")
        .set("data-seq", said.seq().map(|seq| number(seq).into()))
        .set("data-state", state.map(AttrValue::Static))
        .set("data-message-id", state.map(|_| copy_of(said.message_id.as_str())))
        .html(above)
        .child(text)
        .maybe(below)
        .maybe((!said.signs.is_empty()).then(|| signs(props, mode.get() != NOTHING)))
        .maybe((stands && mode.get() == ASKING).then(|| asking(props, mode)));
    if !stands {
        return line.into();
    }
    // Whoever points at a message, or comes to it by keys, may want to do something with it.
    match mode.get() {
        NOTHING => {
            line.on("mouseover", set(mode, REACHED)).on("focusin", set(mode, REACHED)).into()
        }
        CHOOSING | ASKING => {
            let (back, line) = (turns(mode, REACHED, ITSELF), line.child(actions(props, mode)));
            let key = Callback::from(move |event: Event| {
                if keys::name(&event).as_deref() == Some("Escape") {
                    event.stop_propagation();
                    back.emit(event);
                }
            });
            line.on("keydown", key).into()
        }
        _ => line.on("focusout", leaves(mode)).child(actions(props, mode)).into(),
    }
}

/// A row that has neither the focus nor the pointer is no stop on the way of the focus.
fn leaves(mode: &Number) -> Callback<Event> {
    let mode = mode.clone();
    Callback::from(move |event: Event| {
        let (mode, row) = (mode.clone(), row_of(&event));
        browser::soon(move || {
            let stays = |row: Element| row.matches(":hover, :focus-within").unwrap_or(false);
            if mode.get() == REACHED && !row.is_some_and(stays) {
                mode.set(NOTHING);
            }
        });
    })
}

fn row_of(event: &Event) -> Option<Element> {
    keys::target(event)?.closest("li").ok().flatten()
}

/// Shows something else of the row, and moves the focus there: to what the selector names, or to
/// the row itself. The button that was pressed may be gone.
fn turns(mode: &Number, value: i64, to: &'static str) -> Callback<Event> {
    let mode = mode.clone();
    Callback::from(move |event: Event| {
        mode.set(value);
        let row = row_of(&event);
        browser::soon(move || {
            let Some(row) = row else { return };
            match row.dyn_ref::<HtmlElement>().filter(|_| to == ITSELF) {
                Some(row) => drop(row.focus()),
                None => browser::focus_in(&row, to),
            }
        });
    })
}

fn set(mode: &Number, value: i64) -> Callback<Event> {
    let mode = mode.clone();
    Callback::from(move |_| mode.set(value))
}

fn class(props: &MessageRowProps, state: Option<&'static str>) -> AttrValue {
    let mut class = String::from("message");
    let words = [
        props.leads.then_some(" leads"),
        props.said.mine.then_some(" mine"),
        props.said.large.then_some(" large"),
        props.said.calls.then_some(" calls"),
        props.said.deleted.then_some(" deleted"),
        props.shown.then_some(" shown"),
        state.map(|_| " "),
        state,
    ];
    words.into_iter().flatten().for_each(|word| class.push_str(word));
    class.into()
}

/// What one may do with a message, where one points at it.
fn actions(props: &MessageRowProps, mode: &Number) -> Tag {
    let (said, language) = (&props.said, props.language);
    let actions = classed("div", "message-actions");
    if mode.get() == CHOOSING {
        let choices = SIGNS.into_iter().fold(actions, |actions, sign| {
            let (then, back) = (react(props, sign), turns(mode, REACHED, ITSELF));
            let then = Callback::from(move |event: Event| {
                then.emit(event.clone());
                back.emit(event);
            });
            actions.child(classed("button", "icon-button").click(then).text(sign))
        });
        let close =
            icon_button(Shape::Close, language.text(Text::Cancel), turns(mode, REACHED, ITSELF));
        return choices.child(close);
    }
    let smile = icon_button(
        Shape::Smile,
        language.text(Text::React),
        turns(mode, CHOOSING, ".message-actions button"),
    );
    let actions = actions.child(smile);
    let Some(of) = said.at.clone().filter(|_| said.mine) else { return actions };
    let editing = Editing { room: props.room.clone(), of, text: said.body.clone() };
    let edit = says(&props.intend, Intent::Edit(Some(editing)));
    actions.child(icon_button(Shape::Pencil, language.text(Text::Edit), edit)).child(icon_button(
        Shape::Bin,
        language.text(Text::Delete),
        turns(mode, ASKING, ".message-failed button"),
    ))
}

/// Puts a sign on a message, or takes one's own back.
fn react(props: &MessageRowProps, emoji: &str) -> Callback<Event> {
    let (said, intend, room) = (props.said.clone(), props.intend.clone(), props.room.clone());
    let me = |author: &UserId| Some(author) == props.me.as_ref();
    let mine = said.signs.iter().find(|sign| &*sign.emoji == emoji && me(&sign.author));
    let content = said.at.clone().and_then(|mut of| match mine {
        Some(mine) => {
            of.seq = mine.seq;
            Some(Content::Delete { of })
        }
        None => Some(Content::Reaction { of, emoji: Emoji::new(emoji).ok()? }),
    });
    Callback::from(move |_| {
        if let Some(content) = content.clone() {
            intend.emit(Intent::Write(room.clone(), content));
        }
    })
}

/// The signs on a message, each with how many put it there. The focus stops at those of the row
/// where it is.
fn signs(props: &MessageRowProps, reached: bool) -> Tag {
    let all = &props.said.signs;
    let firsts = all
        .iter()
        .enumerate()
        .filter(|(nth, sign)| all[..*nth].iter().all(|earlier| earlier.emoji != sign.emoji));
    firsts.fold(classed("div", "signs"), |signs, (_, sign)| {
        let same = || all.iter().filter(|other| other.emoji == sign.emoji);
        let mine = same().any(|other| Some(&other.author) == props.me.as_ref());
        let count = number(same().count() as u64);
        let chip = classed("button", if mine { "sign mine" } else { "sign" })
            .with("aria-pressed", if mine { "true" } else { "false" })
            .with("tabindex", if reached { "0" } else { "-1" })
            .click(react(props, &sign.emoji))
            .text([&*sign.emoji, " ", &count].concat());
        signs.child(chip)
    })
}

/// Whether the message is really to go.
fn asking(props: &MessageRowProps, mode: &Number) -> Tag {
    let language = props.language;
    let delete = props.said.at.clone().map(|of| {
        let then = Intent::Write(props.room.clone(), Content::Delete { of });
        let (says, back) = (says(&props.intend, then), turns(mode, REACHED, ITSELF));
        let then = Callback::from(move |event: Event| {
            says.emit(event.clone());
            back.emit(event);
        });
        classed("button", "button small").click(then).text(language.text(Text::Delete))
    });
    classed("div", "message-failed")
        .with("role", "group")
        .child(tag("p").text(language.text(Text::DeleteAsk)))
        .maybe(delete)
        .child(
            classed("button", "button small quiet")
                .click(turns(mode, REACHED, ITSELF))
                .text(language.text(Text::Cancel)),
        )
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

fn failed(props: &MessageRowProps, code: ErrorCode, mode: &Number) -> Tag {
    let (language, id) = (props.language, &props.said.message_id);
    let copy = {
        let (body, mode) = (props.said.body.clone(), mode.clone());
        Callback::from(move |_| {
            if browser::copy(&body) {
                mode.set(COPIED);
            }
        })
    };
    let button = |class, text, then| classed("button", class).click(then).text(language.text(text));
    let reason = tag("p").child(icon(Shape::Warning)).text(language.failed(code));
    let copied = if mode.get() == COPIED { Text::Copied } else { Text::Copy };
    classed("div", "message-failed")
        .with("role", "group")
        .child(reason)
        .child(button("button small", Text::Retry, says(&props.intend, Intent::Retry(id.clone()))))
        .child(button("button small quiet", copied, copy))
        .child(button(
            "button small quiet",
            Text::Discard,
            says(&props.intend, Intent::Discard(id.clone())),
        ))
}

/// What was done to the room.
pub(super) fn done_row(done: &Done, language: Language) -> Tag {
    let text = match &done.member {
        Some(member) => language.membership(member.as_str(), &done.text),
        None => language.topic_set(done.author.as_str(), &done.text),
    };
    classed("li", "aside-row")
        .with("data-seq", number(done.seq))
        .with("title", calendar::full(done.moment, language))
        .text(text)
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
