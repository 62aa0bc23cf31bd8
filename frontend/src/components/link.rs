//! A link within the page.

use wasm_bindgen::JsCast;
use web_sys::{Event, MouseEvent};
use yew::prelude::*;

use crate::router::{self, Route};

use super::tag::{Tag, classed};

/// A link to what an address shows. Clicks with a modifier stay the browser's.
pub(super) fn link(to: Route, class: &'static str) -> Tag {
    let path = to.path();
    let follow = Callback::from(move |event: Event| {
        if event.dyn_ref::<MouseEvent>().is_some_and(is_plain) {
            event.prevent_default();
            router::go(&to);
        }
    });
    classed("a", class).with("href", path).click(follow)
}

fn is_plain(event: &MouseEvent) -> bool {
    let modified = event.ctrl_key() || event.meta_key() || event.shift_key();
    !modified && event.button() == 0
}
