//! The server's half, pure: rooms as logs, everyone as a cursor, and one connection's conversation.
//!
//! This crate must never do IO, read a clock, draw a random number, take a lock or wait. Time is
//! handed in as `now`, the last parameter; ids, epochs and phases are handed in by whoever makes
//! them; what is to be done comes out of `poll_*`. The shell around it is the `server` crate, and
//! in the tests the `simulation`.
//!
//! Read in this order: [`entry`] (what stands in a log), [`log`] (the log itself, in memory),
//! [`room`] (a running room: its tail, reading from a cursor), [`presence`] (who is there),
//! [`access`] (who may do what), [`rate`] and [`people`] (how much one person may do),
//! [`conversation`] (one connection, from its ticket to its close), [`settings`] (the numbers);
//! [`ConnectionNumber`] is how connections are told apart, `lookup` where hashing is allowed,
//! [`Queue`] what waits in a connection.

#![warn(missing_docs)]

pub mod entry;

pub mod log;

pub mod room;

pub mod presence;

pub mod access;

pub mod rate;

pub mod people;

mod connection;

mod lookup;

mod queue;

pub mod conversation;

pub mod settings;

#[cfg(feature = "mutants")]
pub mod mutant;

pub use connection::ConnectionNumber;
pub use conversation::{Conversation, Frame, Request};
pub use entry::{Content, Draft, Entry, MembershipChange};
pub use log::{AppendRefusal, Appended, MemoryLog, NewRoom, OpenRefusal, RoomRecord};
pub use people::People;
pub use presence::{News, Presence, Roster};
pub use queue::Queue;
pub use room::{Read, Room, Start};
pub use settings::Settings;
