//! One entry of a room's log, and who is in a room.

use serde::{Deserialize, Serialize};

use crate::{Covered, Digest, MessageId, RoomName, Timestamp, UserId, UserName, codec::tell};

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
    /// The entry that an edit, a deletion or a reaction is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// Whom a change of membership is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Member>,
    /// Its text: what a post or an edit says, a room's topic, a reaction's emoji, and of a change
    /// of membership `joined`, `left` or `kicked`. Empty for a deletion and for what was erased.
    pub body: String,
    /// The entry was deleted and its text erased; this is the digest of what it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Digest>,
}

impl Entry {
    /// Its parts, to be written.
    pub(crate) fn parts(&self) -> tell::Entry<'_> {
        tell::Entry {
            room: &self.room,
            seq: self.seq,
            at: &self.at,
            author: &self.author,
            message_id: &self.message_id,
            kind: self.kind,
            of: self.of,
            member: self.member.as_ref(),
            body: &self.body,
            erased: self.erased,
        }
    }

    /// The digest of the log up to this entry, when `before` is that of the entry before it.
    #[must_use]
    pub fn digest_after(&self, before: Digest) -> Digest {
        before.then(&Covered {
            seq: self.seq,
            author: &self.author.id,
            message_id: &self.message_id,
            kind: self.kind,
            of: self.of,
            member: self.member.as_ref().map(|member| &member.id),
            body: self.erased.unwrap_or_else(|| Digest::of_body(&self.body)),
        })
    }
}

/// What an entry is. A client that does not know a kind still counts its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Somebody said something.
    Post,
    /// The author of a post says it otherwise.
    Edit,
    /// A post, with all its edits, or a reaction is taken back; its text is erased.
    Delete,
    /// Somebody belongs to the room for good, or does no longer.
    Membership,
    /// What the room is about.
    Topic,
    /// A sign put on a post.
    Reaction,
    /// A kind from a newer server.
    #[serde(other)]
    Unknown,
}

impl EntryKind {
    /// Every kind that an entry can be of.
    pub const ALL: [Self; 6] =
        [Self::Post, Self::Edit, Self::Delete, Self::Membership, Self::Topic, Self::Reaction];

    /// Its name on the wire and under the digest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::Membership => "membership",
            Self::Topic => "topic",
            Self::Reaction => "reaction",
            Self::Unknown => "unknown",
        }
    }
}

/// Somebody, as others see them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// Who they are.
    pub id: UserId,
    /// What they are called.
    pub name: UserName,
}
