//! One entry of a room's log, and who is in a room.

use serde::{Deserialize, Serialize};

use crate::{MessageId, RoomName, Timestamp, UserId, UserName};

/// One entry of a room's log, as every follower sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The room whose log it stands in.
    pub room: RoomName,
    /// Its place: one more than the entry before it.
    pub seq: u64,
    /// When the server took it.
    pub at: Timestamp,
    /// Who said it; written by the server.
    pub author: Member,
    /// The name its author gave it.
    pub message_id: MessageId,
    /// What it is.
    pub kind: EntryKind,
    /// Its text.
    pub body: String,
}

/// What an entry is. A client that does not know a kind still counts its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Somebody said something.
    Post,
    /// A kind from a newer server.
    #[serde(other)]
    Unknown,
}

/// Somebody, as others see them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// Who they are.
    pub id: UserId,
    /// What they are called.
    pub name: UserName,
}
