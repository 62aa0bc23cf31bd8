//! What stands in a room's log, and what somebody wants to stand there.

use std::sync::OnceLock;

use bytes::Bytes;
use common::{
    Body, EntryKind, Epoch, Member, MessageId, Position, RoomName, ServerMessage, Timestamp,
};

/// What somebody wants to add to a room's log. It has no place in it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The room whose log it is for.
    pub room: RoomName,
    /// Who says it.
    pub author: Member,
    /// The name its author gave it, unique for that author.
    pub message_id: MessageId,
    /// What it says.
    pub body: Body,
}

/// One entry of a room's log, shared by everyone who reads it.
#[derive(Debug)]
pub struct Entry {
    /// The room whose log it stands in.
    pub room: RoomName,
    /// The life of that log.
    pub epoch: Epoch,
    /// Its place: one more than the entry before it; the first is 1.
    pub seq: u64,
    /// When it was taken.
    pub at: Timestamp,
    /// Who said it.
    pub author: Member,
    /// The name its author gave it.
    pub message_id: MessageId,
    /// What it says.
    pub body: Body,
    json: OnceLock<Bytes>,
}

impl Entry {
    /// Gives a draft its place in the log.
    #[must_use]
    pub fn new(draft: Draft, epoch: Epoch, seq: u64, at: Timestamp) -> Self {
        let Draft { room, author, message_id, body } = draft;
        Self { room, epoch, seq, at, author, message_id, body, json: OnceLock::new() }
    }

    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch.clone(), seq: self.seq }
    }

    /// Its frame as JSON, in UTF-8: made once, by whoever needs it first, and shared by all.
    pub fn json(&self) -> &Bytes {
        self.json.get_or_init(|| Bytes::from(common::encode(&self.frame())))
    }

    /// Its frame as a value.
    #[must_use]
    pub fn frame(&self) -> ServerMessage {
        ServerMessage::Entry(common::Entry {
            room: self.room.clone(),
            seq: self.seq,
            at: self.at.clone(),
            author: self.author.clone(),
            message_id: self.message_id.clone(),
            kind: EntryKind::Post,
            body: self.body.as_str().to_owned(),
        })
    }

    /// About how much memory it takes, in bytes; the tail is bounded by it.
    #[must_use]
    pub fn weight(&self) -> usize {
        // The text stands twice: as a body and in the encoded frame. The rest of a frame is names.
        const NAMES_BYTES: usize = 512;
        NAMES_BYTES + 2 * self.body.as_str().len()
    }
}
