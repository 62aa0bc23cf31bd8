//! The rooms: mine, private ones, the others; below them who I am and how the connection is.

use std::rc::Rc;

use common::RoomName;
use yew::prelude::*;

use crate::{
    courtyard::Intent,
    i18n::Text,
    router::{Link, Route},
    state::{Link as LinkState, Room, Sheet},
};

use super::{
    avatar::avatar,
    icon::{Shape, icon, mark},
    view::View,
};

pub(super) fn rooms_pane(view: &View) -> Html {
    let state = &view.state;
    let (private, mine): (Vec<_>, Vec<_>) = state
        .rooms
        .values()
        .filter(|room| !room.is_refused())
        .partition(|room| state.companion(&room.name).is_some());
    let others: Vec<_> = state
        .listed
        .values()
        .filter(|info| !state.rooms.contains_key(&info.room) && info.members.is_none())
        .collect();
    html! {
        <nav class="rooms" aria-label={view.text(Text::Rooms)}>
            <header class="rooms-head">
                { mark() }
                <p class="rooms-title">{ view.text(Text::Product) }</p>
                <button class="icon-button" aria-label={view.text(Text::NewRoom)} title={view.text(Text::NewRoom)}
                    onclick={view.on(Intent::Sheet(Some(Sheet::NewRoom)))}>
                    { icon(Shape::Plus) }
                </button>
            </header>
            <div class="rooms-lists">
                <h2>{ view.text(Text::MyRooms) }</h2>
                <ul>{ for mine.iter().map(|room| my_room(view, room)) }</ul>
                if !private.is_empty() {
                    <h2>{ view.text(Text::PrivateMessages) }</h2>
                    <ul>{ for private.iter().map(|room| my_room(view, room)) }</ul>
                }
                <h2>{ view.text(Text::OtherRooms) }</h2>
                if others.is_empty() {
                    <p class="rooms-none">{ view.text(Text::NoOtherRooms) }</p>
                } else {
                    <ul>{ for others.iter().map(|info| other_room(view, &info.room, info.count)) }</ul>
                }
            </div>
            { me(view) }
        </nav>
    }
}

fn my_room(view: &View, room: &Rc<Room>) -> Html {
    let companion = view.state.companion(&room.name);
    let is_current = view.state.current.as_ref() == Some(&room.name);
    let class = classes!("room", (room.unread > 0).then_some("has-unread"));
    let name = companion.map_or(room.name.as_str(), |companion| companion.name.as_str());
    html! {
        <li key={room.name.as_str()}>
            <Link to={Route::Room(room.name.clone())} {class} {is_current} room={room.name.to_string()}>
                if let Some(companion) = companion {
                    { avatar(companion, Some("small")) }
                } else {
                    { icon(Shape::Hash) }
                }
                <span class="room-name">{ name.to_owned() }</span>
                if room.unread > 0 {
                    <span class="badge" data-testid="unread" role="img"
                        aria-label={view.language().unread(room.unread)}>{ room.unread }</span>
                }
            </Link>
        </li>
    }
}

fn other_room(view: &View, room: &RoomName, count: u32) -> Html {
    html! {
        <li key={room.as_str()}>
            <Link to={Route::Room(room.clone())} class={classes!("room", "other")} room={room.to_string()}>
                { icon(Shape::Hash) }
                <span class="room-name">{ room.to_string() }</span>
                <span class="room-count">{ view.language().present(count) }</span>
                <span class="room-join">{ view.text(Text::Join) }</span>
            </Link>
        </li>
    }
}

/// Who I am, and how the connection is: by shape, by text and by colour.
fn me(view: &View) -> Html {
    let (state, text) = match view.state.link {
        LinkState::Idle | LinkState::Connecting => ("connecting", Text::Connecting),
        LinkState::Open => ("open", Text::Connected),
        LinkState::Waiting { .. } => ("waiting", Text::Disconnected),
        LinkState::Ended(_) => ("ended", Text::Ended),
    };
    html! {
        <footer class="me">
            if let Some(me) = view.state.me.clone() {
                { avatar(&me, None) }
                <p class="me-name">{ me.name.to_string() }</p>
            }
            <p class="link" data-testid="link" data-state={state} role="status">
                <span class="link-mark" aria-hidden="true"></span>{ view.text(text) }
            </p>
            <button class="icon-button" aria-label={view.text(Text::Settings)} title={view.text(Text::Settings)}
                onclick={view.on(Intent::Sheet(Some(Sheet::Settings)))}>
                { icon(Shape::Settings) }
            </button>
        </footer>
    }
}
