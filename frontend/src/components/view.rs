//! What every component may use: the state, and a way to say what the person wants.

use std::rc::Rc;

use web_sys::Event;
use yew::prelude::*;

use crate::{
    courtyard::Intent,
    i18n::{Language, Text},
    state::State,
};

/// The state and the way to change it.
#[derive(Clone)]
pub(super) struct View {
    pub(super) state: Rc<State>,
    pub(super) intend: Callback<Intent>,
}

impl PartialEq for View {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.state, &other.state)
    }
}

impl View {
    pub(super) fn language(&self) -> Language {
        self.state.language
    }

    pub(super) fn text(&self, text: Text) -> &'static str {
        self.state.language.text(text)
    }

    /// A callback that says one thing, whatever happened.
    pub(super) fn on(&self, intent: Intent) -> Callback<Event> {
        says(&self.intend, intent)
    }
}

/// A callback that says one thing, whatever happened.
pub(super) fn says(intend: &Callback<Intent>, intent: Intent) -> Callback<Event> {
    let intend = intend.clone();
    Callback::from(move |_| intend.emit(intent.clone()))
}
