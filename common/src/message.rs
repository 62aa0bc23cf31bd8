//! The two message enums: everything a client may say and everything a server may answer.
//!
//! A request carries an `id` chosen by the client; its reply repeats it. `docs/protocol.md` says
//! the same in prose and `tests/wire.json` shows every variant as it stands on the wire.

use serde::{Deserialize, Serialize};

use crate::{
    Body, ConnectionId, Digest, Emoji, Entry, Member, MessageId, Position, Problem, ResyncReason,
    RoomName, Topic, http::Unread,
};

/// From a client to the server. A field the server does not know is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first message of a connection that brought no ticket in its address.
    Hello { ticket: String },
    /// Follow a room. Without `after` the last page comes; with it, everything that was missed.
    /// On a room that is followed already, `join` moves the cursor to `after`.
    Join {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        room: RoomName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Position>,
        /// `false` leaves out the connection's own author's entries: their acks carry the positions.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        echo: bool,
    },
    /// Say something. `message_id` is unique for its author, so that saying it again is harmless.
    Say { id: u64, room: RoomName, message_id: MessageId, body: Body },
    /// Say one of one's own posts, the one at `of`, otherwise.
    Edit { id: u64, room: RoomName, message_id: MessageId, of: u64, body: Body },
    /// Take a post or a reaction back.
    Delete { id: u64, room: RoomName, message_id: MessageId, of: u64 },
    /// Put a sign on the post at `of`.
    React { id: u64, room: RoomName, message_id: MessageId, of: u64, body: Emoji },
    /// Say what the room is about.
    Topic { id: u64, room: RoomName, message_id: MessageId, body: Topic },
    /// Read a page of a room that is followed: the entries right before `before`, or right after
    /// `after`, or without either the last ones.
    History {
        id: u64,
        room: RoomName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Position>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Position>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
    },
    /// Everything up to the position was read. It never goes back.
    Mark { id: u64, room: RoomName, position: Position },
    /// Stop following a room, and be seen to have left it.
    Leave { id: u64, room: RoomName },
    /// Ask for a sign of life; the server answers `pong` with the same id.
    Ping { id: u64 },
    /// The answer to the server's `ping`.
    Pong {},
}

/// From the server to a client. A client passes over types and fields that it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The first message: who the connection is, and the numbers it lives by.
    Welcome {
        connection: ConnectionId,
        user: Member,
        heartbeat: Heartbeat,
        limits: WireLimits,
        server: ServerVersion,
    },
    /// The room is followed. `position` is its head; the entries after `after` follow at once.
    Joined {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        room: RoomName,
        position: Position,
        /// The entries that follow begin with `after + 1`.
        after: u64,
        /// The client named a position, and everything after it will come.
        recovered: bool,
        /// The people present, at most [`crate::limits::MEMBERS_LISTED_MAX`] of them.
        members: Vec<Member>,
        /// How many people are present.
        count: u32,
        /// The digest of the log at `position`.
        digest: Digest,
        /// The digest at `after`, where the server has it at hand; it has when nothing was named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base: Option<Digest>,
        /// Entries up to this one are no longer kept.
        floor: u64,
    },
    /// What was said stands in the log at `position`.
    Ack { id: u64, room: RoomName, message_id: MessageId, position: Position },
    /// One entry of a room's log.
    Entry(Entry),
    /// Where the log stands, from time to time: everything up to `position` was sent.
    Head { room: RoomName, position: Position, digest: Digest },
    /// A page of a room.
    History {
        id: u64,
        room: RoomName,
        /// Where the log ends.
        position: Position,
        /// Entries up to this one are no longer kept.
        floor: u64,
        /// In their order, without a gap.
        entries: Vec<Entry>,
        /// The digest before the first of them.
        base: Digest,
        /// Entries behind the page that change what stands in it: the last edit of each post, and
        /// its reactions.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        later: Vec<Entry>,
    },
    /// How far this user has read a room, on whichever connection, and what is behind that.
    Marked {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        room: RoomName,
        unread: Unread,
    },
    /// The room is no longer followed.
    Left {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        room: RoomName,
        /// It was not asked for: the user may no longer read the room.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        removed: bool,
    },
    /// Who came and who went, as users and not as tabs. With `members` it is the whole state.
    Presence {
        room: RoomName,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        joined: Vec<Member>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<crate::UserId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        members: Option<Vec<Member>>,
        count: u32,
    },
    /// What was missed cannot be had. `position` is the head; the entries after `after` follow.
    Resync {
        room: RoomName,
        reason: ResyncReason,
        position: Position,
        after: u64,
        /// The digest of the log at `position`.
        digest: Digest,
        /// The digest at `after`, where the server has it at hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base: Option<Digest>,
    },
    /// A room that this user may read was opened.
    Opened { room: crate::http::RoomInfo },
    /// A sign of life is asked for, within the heartbeat's timeout.
    Ping {},
    /// The answer to the client's `ping`.
    Pong { id: u64 },
    /// A request, or the frame itself, was refused. The connection lives, unless a close follows.
    Error {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        error: Problem,
    },
    /// A type from a newer server.
    #[serde(other)]
    Unknown,
}

/// The numbers of the heartbeat, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// A `ping` comes this often.
    pub interval_ms: u32,
    /// A sign of life is due this long after a `ping`.
    pub timeout_ms: u32,
    /// After close code 1012 a client comes back at a random moment within this time.
    pub reconnect_after_ms: u32,
}

/// The limits that a client can keep to by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireLimits {
    /// Characters (Unicode scalar values) of a text.
    pub text_chars_max: u32,
    /// Bytes of a frame, and of a message.
    pub frame_bytes_max: u32,
    /// Rooms that one connection may follow.
    pub rooms_max: u32,
}

/// What the server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerVersion {
    /// The release, as in `Cargo.toml`.
    pub version: String,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_yes(echo: &bool) -> bool {
    *echo
}
