//! Which address shows what: `/` the rooms, `/rooms/{room}` one of them.

use common::RoomName;
use wasm_bindgen::JsValue;

use crate::browser::{self, window};

/// What an address shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The rooms.
    Home,
    /// One room.
    Room(RoomName),
    /// Nothing.
    Unknown,
}

impl Route {
    /// The route of a path.
    #[must_use]
    pub fn from_path(path: &str, decode: impl Fn(&str) -> Option<String>) -> Self {
        let room = |text: &str| RoomName::new(decode(text)?).ok();
        match path.trim_matches('/').split('/').collect::<Vec<_>>()[..] {
            [""] => Self::Home,
            ["rooms", text] => room(text).map_or(Self::Unknown, Self::Room),
            _ => Self::Unknown,
        }
    }

    /// The route's address.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Home | Self::Unknown => "/".to_owned(),
            Self::Room(room) => {
                format!("/rooms/{}", String::from(js_sys::encode_uri_component(room.as_str())))
            }
        }
    }
}

/// The present route.
#[must_use]
pub fn current() -> Route {
    let decode = |text: &str| {
        js_sys::decode_uri_component(text).ok().map(|text| browser::composed(&String::from(text)))
    };
    Route::from_path(&window().location().pathname().unwrap_or_default(), decode)
}

/// Goes there; the browser's "back" comes back.
pub fn go(route: &Route) {
    if current() != *route {
        let _ = history().push_state_with_url(&JsValue::NULL, "", Some(&route.path()));
        announce();
    }
}

/// Goes there in place of the present address.
pub fn replace(route: &Route) {
    let _ = history().replace_state_with_url(&JsValue::NULL, "", Some(&route.path()));
    announce();
}

fn history() -> web_sys::History {
    window().history().expect("a window has a history")
}

fn announce() {
    if let Ok(event) = web_sys::PopStateEvent::new("popstate") {
        let _ = window().dispatch_event(&event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_shows_a_room_or_nothing() {
        let as_it_is = |text: &str| Some(text.to_owned());
        let room = |name| Route::Room(RoomName::new(name).unwrap());
        for (path, expected) in [
            ("/", Route::Home),
            ("/rooms/general", room("general")),
            ("/rooms/마당/", room("마당")),
            ("/rooms/No Room", Route::Unknown),
            ("/rooms", Route::Unknown),
            ("/rooms/a/b", Route::Unknown),
        ] {
            assert_eq!(Route::from_path(path, as_it_is), expected, "{path}");
        }
    }
}
