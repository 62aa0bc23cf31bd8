//! What comes out of a conversation: what it asks of the rooms, what it writes, how it ends.

use std::sync::Arc;

use common::{CloseCode, Digest, Position, RoomName, ServerMessage};

use crate::{Draft, Entry};

/// What a conversation asks of the rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Whose ticket is this? Answer with [`crate::Conversation::handle_authenticated`].
    Authenticate {
        /// As the client wrote it.
        ticket: String,
    },
    /// Follow a room. Answer with [`crate::Conversation::handle_followed`] or `handle_refused`.
    Follow {
        /// The client's number for the request.
        id: Option<u64>,
        /// Which room.
        room: RoomName,
        /// What the client has seen of it.
        after: Option<Position>,
        /// Whether its author's own entries are to be sent as well.
        echo: bool,
    },
    /// The room is followed no longer; the client has been told.
    Unfollow {
        /// Which room.
        room: RoomName,
    },
    /// Add to a log. Answer with [`crate::Conversation::handle_appended`] or `handle_refused`.
    Append {
        /// The client's number for the request.
        id: u64,
        /// What to add.
        draft: Draft,
    },
    /// Read a page of a followed room. Answer with [`crate::Conversation::handle_page`] or
    /// `handle_page_refused`; nothing more is read from the connection before.
    Page {
        /// The client's number for the request.
        id: u64,
        /// Which room.
        room: RoomName,
        /// Which of its entries.
        wanted: Wanted,
    },
    /// Everything up to the position was read. Answer with [`crate::Conversation::handle_marked`]
    /// or `handle_refused`.
    Mark {
        /// The client's number for the request.
        id: u64,
        /// Which room.
        room: RoomName,
        /// How far.
        position: Position,
    },
}

/// Which page of a log is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it lies.
    pub edge: Edge,
    /// At most so many entries.
    pub most: usize,
}

/// Which end of a page is fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The last entries.
    Head,
    /// The entries right before this one.
    Before(Position),
    /// The entries right after this one.
    After(Position),
}

/// A page of a log, without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where the log ends.
    pub head: Position,
    /// Entries up to and including this one are no longer kept.
    pub floor: u64,
    /// In their order.
    pub entries: Vec<common::Entry>,
    /// The digest before the first of them.
    pub base: Digest,
    /// Entries behind the page that change what stands in it.
    pub later: Vec<common::Entry>,
}

/// What is to be written next.
#[derive(Clone, Debug)]
pub enum Frame {
    /// A reply or a notice: for this connection alone.
    Message(ServerMessage),
    /// An entry: its encoded form is shared with everyone who reads it.
    Entry(Arc<Entry>),
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Why.
    pub code: CloseCode,
    /// Nobody is at the other end, or takes anything there: do not wait for an answer to the close
    /// frame.
    pub abrupt: bool,
}
