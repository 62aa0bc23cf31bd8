//! What a person sees. Components show the state and speak of intents; they know nothing of
//! sockets, requests or storage, but for the composer's drafts.

mod app;

mod view;

mod name_screen;

mod hall;

mod rooms;

mod conversation;

mod messages;

mod scroll;

mod row;

mod composer;

mod people;

mod banner;

mod toast;

mod sheet;

mod settings;

mod avatar;

mod icon;

pub use app::App;
