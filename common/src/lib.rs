//! What crosses the wire between Madang's server and its clients: messages, ids, positions,
//! close codes, error codes and the limits that both sides obey.
//!
//! This crate must never do IO, read a clock, hold a lock or decide anything that needs time.
//! It knows serde and nothing of sockets. What both sides check, they check here.
//!
//! Read in this order: [`message`] (the two enums on one screen), [`text`] (ids that check
//! themselves), [`position`], [`entry`], [`digest`] (what shows that nothing is missing), [`mention`],
//! [`close`], [`error`], [`limits`], [`codec`], [`http`] (the bodies of the HTTP addresses).

#![warn(missing_docs)]

#[expect(
    missing_docs,
    reason = "each variant is documented whole; docs/protocol.md lists its fields"
)]
pub mod message;

pub mod text;

pub mod position;

pub mod entry;

pub mod digest;

pub mod mention;

pub mod close;

pub mod error;

pub mod limits;

pub mod codec;

pub mod http;

pub use close::{CloseCode, Reaction};
pub use codec::{DecodeError, decode_client, decode_server, encode, encode_server};
pub use digest::{Covered, Digest};
pub use entry::{Entry, EntryKind, Member};
pub use error::{ErrorCode, FieldError, FieldFault, Problem};
pub use message::{ClientMessage, Heartbeat, ServerMessage, ServerVersion, WireLimits};
pub use position::{Position, ResyncReason};
pub use text::{
    Body, ConnectionId, Emoji, Epoch, MessageId, RoomName, TextError, Timestamp, Topic, UserId,
    UserName,
};

/// The name of the JSON subprotocol, spoken when a client offers none.
pub const SUBPROTOCOL_JSON: &str = "madang.v1.json";
