//! What the page is told. State of the link and of the outbox is read from the session; events
//! say that it is worth reading again.

use common::{
    Entry, Heartbeat, Member, MessageId, Position, Problem, ResyncReason, RoomName, ServerVersion,
    UserId, WireLimits, http::RoomInfo,
};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// [`crate::Session::link`] is another.
    LinkChanged,
    /// The server greeted this connection.
    Welcome {
        /// Who this person is.
        user: Member,
        /// The numbers of the heartbeat.
        heartbeat: Heartbeat,
        /// The limits to keep to.
        limits: WireLimits,
        /// What the server is.
        server: ServerVersion,
    },
    /// The room is followed on this connection. Without `recovered` and without a
    /// [`Event::Resynced`] before it, it is followed for the first time since it was joined.
    Joined {
        /// The room.
        room: RoomName,
        /// Where its log ends.
        position: Position,
        /// How many entries were missed and are coming; `None` on a first join and after a
        /// [`Event::Resynced`].
        recovered: Option<u64>,
        /// People present, perhaps not all.
        members: Vec<Member>,
        /// How many people are present.
        count: u32,
    },
    /// All entries that were missed have been delivered, none is missing.
    Recovered {
        /// The room.
        room: RoomName,
        /// How many they were.
        count: u64,
    },
    /// What stands before is not continued: the entries that follow begin a new piece.
    Resynced {
        /// The room.
        room: RoomName,
        /// Why.
        reason: ResyncReason,
    },
    /// An entry, exactly once and in order.
    Entry {
        /// The entry.
        entry: Entry,
    },
    /// Who came and who went.
    Presence {
        /// The room.
        room: RoomName,
        /// They came.
        joined: Vec<Member>,
        /// They went.
        left: Vec<UserId>,
        /// The whole state, in place of what was known.
        members: Option<Vec<Member>>,
        /// How many people are present.
        count: u32,
    },
    /// The room is not followed any more.
    Left {
        /// The room.
        room: RoomName,
    },
    /// The room cannot be joined and is not tried again.
    JoinRefused {
        /// The room.
        room: RoomName,
        /// Why.
        problem: Problem,
    },
    /// Somebody opened a room.
    Opened {
        /// The room.
        room: RoomInfo,
    },
    /// A message was queued, is on its way, failed or is gone: read the outbox and keep it.
    OutboxChanged {
        /// The message.
        message_id: MessageId,
    },
    /// A message stands in the log for good.
    Acked {
        /// The room.
        room: RoomName,
        /// The message.
        message_id: MessageId,
        /// Where it stands.
        position: Position,
    },
}
