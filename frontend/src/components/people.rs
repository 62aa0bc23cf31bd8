//! Who is here.

use std::rc::Rc;

use common::Member;
use yew::prelude::*;

use crate::{
    courtyard::Intent,
    i18n::Text,
    state::{Room, Standing},
};

use super::{avatar::avatar, sheet::Floating, view::View};

/// Beside the conversation, where there is room for it.
pub(super) fn people_pane(view: &View) -> Html {
    let Some(room) = shown(view) else { return Html::default() };
    html! {
        <aside class="people" aria-label={view.text(Text::People)}>
            <h2>{ view.text(Text::PeopleHere) }<span class="people-count">{ room.count }</span></h2>
            { list(view, &room) }
        </aside>
    }
}

/// Above the conversation, on narrow screens.
pub(super) fn people_sheet(view: &View) -> Html {
    let Some(room) = shown(view) else { return Html::default() };
    html! {
        <Floating title={view.text(Text::PeopleHere)}>{ list(view, &room) }</Floating>
    }
}

fn shown(view: &View) -> Option<Rc<Room>> {
    let room = view.state.current_room().cloned();
    room.filter(|room| room.standing == Standing::Joined)
}

fn list(view: &View, room: &Room) -> Html {
    let listed = u32::try_from(room.members.len()).unwrap_or(u32::MAX);
    let others = room.count.saturating_sub(listed);
    let alone = room.count <= 1 && view.state.companion(&room.name).is_none();
    html! {
        <>
            <ul class="people-list" data-testid="people">
                { for room.members.iter().map(|member| person(view, member)) }
            </ul>
            if others > 0 {
                <p class="people-note">{ view.language().and_others(others) }</p>
            }
            if alone {
                <p class="people-note">{ view.text(Text::AlonePeople) }</p>
            }
        </>
    }
}

fn person(view: &View, member: &Member) -> Html {
    let name = member.name.to_string();
    if view.state.me.as_ref().is_some_and(|me| me.id == member.id) {
        return html! {
            <li key={member.id.as_str()} class="person">
                { avatar(member, None) }
                <span class="person-name">{ name }</span>
                <span class="person-you">{ view.text(Text::You) }</span>
            </li>
        };
    }
    let title = view.text(Text::WritePrivately);
    html! {
        <li key={member.id.as_str()}>
            <button class="person" {title} onclick={view.on(Intent::Talk(member.clone()))}>
                { avatar(member, None) }
                <span class="person-name">{ name }</span>
            </button>
        </li>
    }
}
