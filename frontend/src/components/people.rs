//! Who is here.

use common::Member;
use yew::AttrValue;

use crate::{
    courtyard::Intent,
    i18n::Text,
    state::{Proof, Room, Standing, text::number},
};

use super::{
    avatar::avatar,
    icon::{Shape, icon},
    tag::{Tag, classed, copied, tag},
    view::View,
};

/// Beside the conversation, where there is room for it.
pub(super) fn people_pane(view: &View) -> Option<Tag> {
    let room = shown(view)?;
    let count = classed("span", "people-count").text(number(room.count));
    let head = tag("h2").text(view.text(Text::PeopleHere)).child(count);
    let pane = classed("aside", "people").label(view.text(Text::People));
    Some(list(pane.child(head), view, room))
}

/// Above the conversation, on narrow screens.
pub(super) fn people_sheet(sheet: Tag, view: &View) -> Tag {
    match shown(view) {
        Some(room) => list(sheet, view, room),
        None => sheet,
    }
}

fn shown(view: &View) -> Option<&Room> {
    view.state.current_room().filter(|room| room.standing == Standing::Joined)
}

fn list(pane: Tag, view: &View, room: &Room) -> Tag {
    let listed = u32::try_from(room.members.len()).unwrap_or(u32::MAX);
    let others = room.count.saturating_sub(listed);
    let alone = room.count <= 1 && view.state.companion(&room.name).is_none();
    let note = || classed("p", "people-note");
    let mut people = classed("ul", "people-list").with("data-testid", "people");
    for member in room.members.iter() {
        people = people.child(person(view, member).key(member.id.as_str()));
    }
    pane.child(people)
        .maybe((others > 0).then(|| note().text(view.language().and_others(others))))
        .maybe(alone.then(|| note().text(view.text(Text::AlonePeople))))
        .maybe(proof(view, room))
}

/// Whether everything is here that the server has.
fn proof(view: &View, room: &Room) -> Option<Tag> {
    let (class, shape, text) = match room.proof {
        Proof::Unknown | Proof::Whole(0) => return None,
        Proof::Whole(count) => ("proof", Shape::Check, view.language().proven(count).into()),
        Proof::Disproved => {
            ("proof trouble", Shape::Warning, AttrValue::Static(view.text(Text::Disproved)))
        }
    };
    let proof = classed("p", class).with("data-testid", "proof").child(icon(shape));
    Some(proof.child(tag("span").text(text)))
}

fn person(view: &View, member: &Member) -> Tag {
    let named = |place: Tag| {
        let name = classed("span", "person-name").text(copied(member.name.as_str()));
        place.child(avatar(member)).child(name)
    };
    if view.state.me.as_ref().is_some_and(|me| me.id == member.id) {
        let you = classed("span", "person-you").text(view.text(Text::You));
        return named(classed("li", "person")).child(you);
    }
    let talk = classed("button", "person")
        .with("title", view.text(Text::WritePrivately))
        .click(view.on(Intent::Talk(member.clone())));
    tag("li").child(named(talk))
}
