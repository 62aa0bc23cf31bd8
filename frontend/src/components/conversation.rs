//! One room: its head, what was said, and the composer.

use common::{ErrorCode, RoomName};
use yew::prelude::*;

use crate::{
    courtyard::Intent,
    i18n::Text,
    router::{Link, Route},
    state::{Room, Sheet, Standing},
};

use super::{
    avatar::avatar,
    composer::Composer,
    icon::{Shape, icon},
    messages::Messages,
    view::View,
};

pub(super) fn conversation(view: &View, name: &RoomName) -> Html {
    let room = view.state.rooms.get(name);
    let standing = room.map_or(Standing::Joining, |room| room.standing);
    html! {
        <>
            { head(view, name, room.map(AsRef::as_ref)) }
            { match (standing, room) {
                (Standing::Refused(code), _) => refused(view, name, code),
                (Standing::Joining | Standing::Joined, Some(room)) => html! {
                    <>
                        <Messages key={format!("messages {name}")} room={room.name.clone()} />
                        <Composer key={format!("composer {name}")} room={name.clone()} placeholder={placeholder(view, name)} />
                    </>
                },
                (Standing::Joining | Standing::Joined, None) => Html::default(),
            } }
        </>
    }
}

fn head(view: &View, name: &RoomName, room: Option<&Room>) -> Html {
    let companion = view.state.companion(name);
    let count = room.map_or(0, |room| room.count);
    let leave = (companion.is_none() && room.is_some_and(|room| !room.is_refused()))
        .then(|| view.on(Intent::Leave(name.clone())));
    html! {
        <header class="head">
            <Link to={Route::Home} class={classes!("icon-button", "head-back")} label={view.text(Text::BackToRooms)}>
                { icon(Shape::Back) }
            </Link>
            <div class="head-title">
            if let Some(companion) = companion {
                { avatar(companion, Some("small")) }
                <h1>{ companion.name.to_string() }</h1>
                <span class="head-note">{ icon(Shape::Lock) }{ view.text(Text::Private) }</span>
            } else {
                <span class="head-hash">{ icon(Shape::Hash) }</span>
                <h1>{ name.to_string() }</h1>
            }
            </div>
            if room.is_some_and(|room| room.standing == Standing::Joined) {
                <button class="head-people" title={view.text(Text::ShowPeople)}
                    onclick={view.on(Intent::Sheet(Some(Sheet::People)))}>
                    { icon(Shape::People) }<span>{ count }</span>
                    <span class="visually-hidden">{ view.text(Text::ShowPeople) }</span>
                </button>
            }
            if let Some(onclick) = leave {
                <button class="icon-button" aria-label={view.text(Text::LeaveRoom)} title={view.text(Text::LeaveRoom)} {onclick}>
                    { icon(Shape::Leave) }
                </button>
            }
        </header>
    }
}

fn placeholder(view: &View, name: &RoomName) -> String {
    match view.state.companion(name) {
        Some(companion) => view.language().write_to_person(companion.name.as_str()),
        None => view.language().write_to(&format!("#{name}")),
    }
}

/// A room that cannot be joined says so, and what one may do.
fn refused(view: &View, name: &RoomName, code: ErrorCode) -> Html {
    if code == ErrorCode::NotFound {
        return html! {
            <div class="empty">
                <h2>{ view.language().room_missing(name.as_str()) }</h2>
                <p>{ view.text(Text::RoomMissingHint) }</p>
                <button class="button primary" onclick={view.on(Intent::Create(name.clone()))}>
                    { view.text(Text::CreateIt) }
                </button>
            </div>
        };
    }
    html! {
        <div class="empty">
            <h2>{ view.text(Text::RoomClosedHint) }</h2>
            <p>{ view.language().refusal(code) }</p>
            <Link to={Route::Home} class={classes!("button")}>{ view.text(Text::GoHome) }</Link>
        </div>
    }
}
