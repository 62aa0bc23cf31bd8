//! What the page is told. State of the link and of the outbox is read from the session; events
//! say that it is worth reading again.

use common::{
    Entry, Heartbeat, Member, MessageId, Position, Problem, ResyncReason, RoomName, ServerVersion,
    UserId, WireLimits,
    http::{RoomInfo, Unread},
};

use crate::history::{Edge, PageFailure, Proof};

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
        /// Entries up to this one are no longer kept.
        floor: u64,
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
        /// The entries that follow come after this place.
        after: Position,
    },
    /// What was delivered is what the log says up to this place: the digests are the same.
    Proven {
        /// The room.
        room: RoomName,
        /// How far.
        position: Position,
        /// How many entries without a gap that covers, back from there.
        entries: u64,
    },
    /// What was delivered is not what the log says: something is missing, doubled or changed. The
    /// entries that follow begin a new piece.
    Disproved {
        /// The room.
        room: RoomName,
        /// Where it was noticed.
        position: Position,
    },
    /// A page that was asked for.
    History {
        /// The room.
        room: RoomName,
        /// Which page it is.
        edge: Edge,
        /// Where the log ended then.
        head: Position,
        /// Entries up to this one are no longer kept.
        floor: u64,
        /// In their order and without a gap, also towards the edge; none behind the last entry
        /// that was delivered.
        entries: Vec<Entry>,
        /// Entries behind the page that change what stands in it.
        later: Vec<Entry>,
        /// What is known of its truth.
        proof: Proof,
    },
    /// A page that was asked for cannot be had.
    HistoryFailed {
        /// The room.
        room: RoomName,
        /// Which page.
        edge: Edge,
        /// Why.
        failure: PageFailure,
    },
    /// How far this person has read a room, here or elsewhere, and what is behind that.
    Marked {
        /// The room.
        room: RoomName,
        /// How far, and how much is unread.
        unread: Unread,
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
    /// The person may no longer read the room. It is not followed any more.
    Removed {
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
