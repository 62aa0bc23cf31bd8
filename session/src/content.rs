//! What a person wants to stand in a room's log.

use common::{Body, ClientMessage, Emoji, MessageId, Position, RoomName, Topic};

/// What a person wants to stand in a room's log.
///
/// An entry that is changed is named with its epoch: it may wait over a reload, and a place in
/// another log is another entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Something that is said.
    Post(Body),
    /// One of one's own posts, otherwise.
    Edit {
        /// Where the post stands.
        of: Position,
        /// What it is to say.
        body: Body,
    },
    /// A post or a reaction is taken back.
    Delete {
        /// Where it stands.
        of: Position,
    },
    /// A sign on a post.
    Reaction {
        /// Where the post stands.
        of: Position,
        /// The sign.
        emoji: Emoji,
    },
    /// What the room is about.
    Topic(Topic),
}

impl Content {
    /// The entry that it changes.
    #[must_use]
    pub fn of(&self) -> Option<&Position> {
        match self {
            Self::Post(_) | Self::Topic(_) => None,
            Self::Edit { of, .. } | Self::Delete { of } | Self::Reaction { of, .. } => Some(of),
        }
    }

    /// Its text; empty for a deletion.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Post(body) | Self::Edit { body, .. } => body.as_str(),
            Self::Delete { .. } => "",
            Self::Reaction { emoji, .. } => emoji.as_str(),
            Self::Topic(topic) => topic.as_str(),
        }
    }

    /// The request that puts it there.
    pub(crate) fn request(self, id: u64, room: RoomName, message_id: MessageId) -> ClientMessage {
        match self {
            Self::Post(body) => ClientMessage::Say { id, room, message_id, body },
            Self::Edit { of, body } => {
                ClientMessage::Edit { id, room, message_id, of: of.seq, body }
            }
            Self::Delete { of } => ClientMessage::Delete { id, room, message_id, of: of.seq },
            Self::Reaction { of, emoji: body } => {
                ClientMessage::React { id, room, message_id, of: of.seq, body }
            }
            Self::Topic(body) => ClientMessage::Topic { id, room, message_id, body },
        }
    }
}
