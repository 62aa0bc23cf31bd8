//! The page: what a person sees of Madang, and the browser around the pure `session`.
//!
//! State is a value that changes by actions; what a person wants is an intent. Components know
//! both and nothing of sockets: only [`network`] names gloo-net, only [`storage`] keeps things
//! over a reload, only [`clock`] reads a clock.
//! This crate must never decide when to reconnect, resend or resume: `session` does.
//!
//! Read in this order: [`state`] and its parts, [`connection`], [`courtyard`], [`components`].

pub mod state;

pub mod i18n;

pub mod clock;

pub mod network;

pub mod connection;

pub mod storage;

pub mod courtyard;

pub mod router;

pub mod browser;

pub mod calendar;

pub mod components;

pub use components::App;
