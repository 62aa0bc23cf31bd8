//! What a person sees. Components show the state and speak of intents; they know nothing of
//! sockets, requests or storage, but for the composer's drafts.
//!
//! A component is what must keep something from one render to the next, or be spared one; all
//! else is a function from the state to elements. Each component, hook and closure is compiled
//! for itself, and the page has a weight that it may not exceed.

mod app;

mod view;

mod tag;

mod hook;

mod keys;

mod link;

mod name_screen;

mod hall;

mod rooms;

mod conversation;

mod messages;

mod scroll;

mod row;

mod composer;

mod people;

mod search;

mod banner;

mod toast;

mod sheet;

mod settings;

mod form;

mod avatar;

mod icon;

pub use app::App;
