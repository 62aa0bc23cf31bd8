//! The rooms: mine, private ones, the others; below them who I am and how the connection is.

use common::{RoomName, limits::UNREAD_MAX};

use crate::{
    courtyard::Intent,
    i18n::Text,
    router::Route,
    state::{Link as LinkState, Room, Sheet, text::number},
};

use super::{
    avatar::avatar,
    icon::{Shape, icon, icon_button, mark},
    link::link,
    tag::{Tag, classed, copied, tag},
    view::View,
};

pub(super) fn rooms_pane(view: &View) -> Tag {
    let state = &view.state;
    let title = classed("p", "rooms-title").text(view.text(Text::Product));
    let new = view.on(Intent::Sheet(Some(Sheet::NewRoom)));
    // A conversation's head has the same button.
    let search = state.current.is_none().then(|| {
        icon_button(Shape::Search, view.text(Text::Search), view.on(Intent::Search(true)))
    });
    let head = classed("header", "rooms-head")
        .child(mark())
        .child(title)
        .maybe(search)
        .child(icon_button(Shape::Plus, view.text(Text::NewRoom), new));

    let (mut mine, mut private, mut others) = (None::<Tag>, None::<Tag>, None::<Tag>);
    let add = |list: &mut Option<Tag>, room: Tag| {
        *list = Some(list.take().unwrap_or_else(|| tag("ul")).child(room));
    };
    for room in state.rooms.iter().filter(|room| !room.is_refused()) {
        let list = if state.companion(&room.name).is_some() { &mut private } else { &mut mine };
        add(list, my_room(view, room));
    }
    for info in &state.listed {
        if info.members.is_none() && state.room(&info.room).is_none() {
            add(&mut others, other_room(view, &info.room, info.count));
        }
    }
    let none = || classed("p", "rooms-none").text(view.text(Text::NoOtherRooms));
    let heading = |text| tag("h2").text(view.text(text));
    let lists = classed("div", "rooms-lists")
        .maybe(mine.is_some().then(|| heading(Text::MyRooms)))
        .maybe(mine)
        .maybe(private.is_some().then(|| heading(Text::PrivateMessages)))
        .maybe(private)
        .child(heading(Text::OtherRooms))
        .child(others.unwrap_or_else(none));
    let pane = classed("nav", "rooms").label(view.text(Text::Rooms));
    pane.child(head).child(lists).child(me(view))
}

fn my_room(view: &View, room: &Room) -> Tag {
    let companion = view.state.companion(&room.name);
    let (picture, name) = match companion {
        Some(companion) => (avatar(companion), companion.name.as_str()),
        None => (icon(Shape::Hash), room.name.as_str()),
    };
    let unread = room.unread > 0;
    let badge = |class, key, label: String, text: String| {
        classed("span", class)
            .with("data-testid", key)
            .with("role", "img")
            .with("aria-label", label)
            .text(text)
    };
    let language = view.language();
    let mentions = (room.mentions > 0).then(|| {
        let text = ["@", &number(room.mentions)].concat();
        badge("badge mentions", "mentions", language.mentions(room.mentions), text)
    });
    let badge = unread.then(|| {
        let count = number(room.unread);
        let text = if room.unread < UNREAD_MAX { count } else { count + "+" };
        badge("badge", "unread", language.unread(room.unread), text)
    });
    let is_current = view.state.current.as_ref() == Some(&room.name);
    let door = door(&room.name, if unread { "room has-unread" } else { "room" })
        .set("aria-current", is_current.then_some("page".into()))
        .child(picture)
        .child(classed("span", "room-name").text(copied(name)))
        .maybe(mentions)
        .maybe(badge);
    tag("li").key(room.name.as_str()).child(door)
}

fn other_room(view: &View, room: &RoomName, count: u32) -> Tag {
    let door = door(room, "room other")
        .child(icon(Shape::Hash))
        .child(classed("span", "room-name").text(copied(room.as_str())))
        .child(classed("span", "room-count").text(view.language().present(count)))
        .child(classed("span", "room-join").text(view.text(Text::Join)));
    tag("li").key(room.as_str()).child(door)
}

fn door(room: &RoomName, class: &'static str) -> Tag {
    link(Route::Room(room.clone()), class).with("data-room", copied(room.as_str()))
}

/// Who I am, and how the connection is: by shape, by text and by colour.
fn me(view: &View) -> Tag {
    let (state, text) = match view.state.link {
        LinkState::Idle | LinkState::Connecting => ("connecting", Text::Connecting),
        LinkState::Open => ("open", Text::Connected),
        LinkState::Waiting { .. } => ("waiting", Text::Disconnected),
        LinkState::Ended(_) => ("ended", Text::Ended),
    };
    let me = view.state.me.as_ref();
    let name = me.map(|me| classed("p", "me-name").text(copied(me.name.as_str())));
    let mark = classed("span", "link-mark").with("aria-hidden", "true");
    let link = classed("p", "link")
        .fixed(&[("data-testid", "link"), ("role", "status")])
        .with("data-state", state)
        .child(mark)
        .text(view.text(text));
    let settings = view.on(Intent::Sheet(Some(Sheet::Settings)));
    classed("footer", "me").maybe(me.map(avatar)).maybe(name).child(link).child(icon_button(
        Shape::Settings,
        view.text(Text::Settings),
        settings,
    ))
}
