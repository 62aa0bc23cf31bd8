//! What comes out of a conversation: what it asks of the rooms, what it writes, how it ends.

use std::sync::Arc;

use common::{CloseCode, Position, RoomName, ServerMessage};

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
    /// Nobody is at the other end: do not wait for an answer to the close frame.
    pub abrupt: bool,
}
