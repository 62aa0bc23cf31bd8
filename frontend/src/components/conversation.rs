//! One room: its head, what was said, and the composer.

use common::{ErrorCode, RoomName};
use yew::prelude::*;

use crate::{
    courtyard::Intent,
    i18n::Text,
    router::Route,
    state::{Room, Sheet, Standing, text::number},
};

use super::{
    avatar::avatar,
    composer::use_composer,
    icon::{Shape, icon, icon_button},
    link::link,
    messages::use_messages,
    tag::{Tag, all, classed, component, copied, tag},
    view::View,
};

pub(super) fn conversation(stage: Tag, view: &View, name: &RoomName) -> Tag {
    let room = view.state.room(name);
    let stage = stage.child(head(view, name, room));
    let Some(room) = room else { return stage };
    match room.standing {
        Standing::Refused(code) => stage.child(refused(view, name, code)),
        Standing::Joining | Standing::Joined => {
            let room = TalkProps { view: view.clone(), room: name.clone() };
            stage.html(component::<Talk>(room, name.as_str()))
        }
    }
}

#[derive(Properties, PartialEq)]
struct TalkProps {
    view: View,
    room: RoomName,
}

/// What was said and where one writes; each room has its own.
#[component]
fn Talk(props: &TalkProps) -> Html {
    let messages = use_messages(&props.view, &props.room);
    let composer = use_composer(&props.view, &props.room);
    all(vec![messages, composer.into()])
}

fn head(view: &View, name: &RoomName, room: Option<&Room>) -> Tag {
    let companion = view.state.companion(name);
    let title = classed("div", "head-title");
    let title = match companion {
        Some(companion) => {
            let note = classed("span", "head-note").child(icon(Shape::Lock));
            title
                .child(avatar(companion))
                .child(tag("h1").text(copied(companion.name.as_str())))
                .child(note.text(view.text(Text::Private)))
        }
        None => title
            .child(classed("span", "head-hash").child(icon(Shape::Hash)))
            .child(tag("h1").text(copied(name.as_str()))),
    };
    let title = title.maybe(room.filter(|room| !room.is_refused()).map(|room| topic(view, room)));
    let joined = room.filter(|room| room.standing == Standing::Joined);
    let leaves = companion.is_none() && room.is_some_and(|room| !room.is_refused());
    let leave = leaves.then(|| {
        let leave = view.on(Intent::Leave(name.clone()));
        icon_button(Shape::Leave, view.text(Text::LeaveRoom), leave)
    });
    let back = link(Route::Home, "icon-button head-back")
        .label(view.text(Text::BackToRooms))
        .child(icon(Shape::Back));
    let people = joined.map(|room| people(view, room.count));
    let search = joined.map(|_| {
        icon_button(Shape::Search, view.text(Text::Search), view.on(Intent::Search(true)))
    });
    classed("header", "head").child(back).child(title).maybe(search).maybe(people).maybe(leave)
}

/// What the room is about; whoever clicks on it says it otherwise.
fn topic(view: &View, room: &Room) -> Tag {
    let text = view.text(Text::SetTopic);
    let topic =
        classed("button", if room.topic.is_empty() { "head-topic none" } else { "head-topic" })
            .with("data-testid", "topic")
            .with(
                "title",
                if room.topic.is_empty() {
                    AttrValue::Static(text)
                } else {
                    room.topic.clone().into()
                },
            )
            .click(view.on(Intent::Sheet(Some(Sheet::Topic))));
    if room.topic.is_empty() { topic.text(text) } else { topic.text(room.topic.clone()) }
}

fn people(view: &View, count: u32) -> Tag {
    let text = view.text(Text::ShowPeople);
    classed("button", "head-people")
        .with("title", text)
        .click(view.on(Intent::Sheet(Some(Sheet::People))))
        .child(icon(Shape::People))
        .child(tag("span").text(number(count)))
        .child(classed("span", "visually-hidden").text(text))
}

/// A room that cannot be joined says so, and what one may do.
fn refused(view: &View, name: &RoomName, code: ErrorCode) -> Tag {
    let language = view.language();
    if code == ErrorCode::NotFound {
        let create = classed("button", "button primary")
            .click(view.on(Intent::Create(name.clone())))
            .text(view.text(Text::CreateIt));
        let missing = tag("h2").text(language.room_missing(name.as_str()));
        return empty(missing, view.text(Text::RoomMissingHint), create);
    }
    let closed = tag("h2").text(view.text(Text::RoomClosedHint));
    empty(closed, language.refusal(code), go_home(view))
}

/// An empty place says what it is for, and offers the one next step.
pub(super) fn empty(title: Tag, hint: &'static str, step: Tag) -> Tag {
    classed("div", "empty").child(title).child(tag("p").text(hint)).child(step)
}

/// The step back to the rooms.
pub(super) fn go_home(view: &View) -> Tag {
    link(Route::Home, "button").text(view.text(Text::GoHome))
}
