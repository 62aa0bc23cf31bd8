//! What stands in a room's log, and what somebody wants to stand there.

use std::sync::OnceLock;

use bytes::Bytes;
use common::{
    Body, Covered, Digest, Emoji, EntryKind, Epoch, Member, MessageId, Position, RoomName,
    Timestamp, Topic, UserId, codec::tell,
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
    pub content: Content,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Something.
    Post(Body),
    /// A post of the same author, otherwise.
    Edit {
        /// The post's place.
        of: u64,
        /// What it is to say.
        body: Body,
    },
    /// A post or a reaction is taken back.
    Delete {
        /// Its place.
        of: u64,
    },
    /// Who belongs to a private room.
    Membership {
        /// What becomes of it.
        change: MembershipChange,
        /// Whom it is about.
        member: Member,
    },
    /// What the room is about.
    Topic(Topic),
    /// A sign on a post.
    Reaction {
        /// The post's place.
        of: u64,
        /// The sign.
        emoji: Emoji,
    },
}

/// What becomes of somebody's membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembershipChange {
    /// They belong to the room from here on.
    Joined,
    /// They went.
    Left,
    /// Somebody sent them away.
    Kicked,
}

/// One entry of a room's log, shared by everyone who reads it.
#[derive(Clone, Debug)]
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
    /// What it is.
    pub kind: EntryKind,
    /// The entry that it is about.
    pub of: Option<u64>,
    /// Whom it is about.
    pub member: Option<Member>,
    /// Its text; empty for a deletion and for what was erased.
    pub body: String,
    /// Its text was erased; this is the digest of what it said.
    pub erased: Option<Digest>,
    /// The digest of the log up to and including this entry.
    pub digest: Digest,
    /// The encoded frame, once somebody has needed it.
    pub json: OnceLock<Bytes>,
}

impl Draft {
    /// A digest of everything that the author decided, except the room: whoever says the same
    /// again under the same message id has the same one.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint_with(self.body_digest())
    }

    /// The same for whoever knows [`Self::body_digest`] already.
    #[must_use]
    pub fn fingerprint_with(&self, body: Digest) -> Digest {
        let (kind, of, member, _) = self.content.parts();
        Digest::of_body("").then(&Covered {
            seq: 0,
            author: &self.author.id,
            message_id: &self.message_id,
            kind,
            of,
            member: member.map(|member| &member.id),
            body,
        })
    }

    /// The digest of what it says.
    #[must_use]
    pub fn body_digest(&self) -> Digest {
        let (_, _, _, body) = self.content.parts();
        Digest::of_body(body)
    }
}

impl Content {
    /// Kind, the entry it is about, whom it is about, and the text, as they stand in the log.
    #[must_use]
    pub fn parts(&self) -> (EntryKind, Option<u64>, Option<&Member>, &str) {
        match self {
            Self::Post(body) => (EntryKind::Post, None, None, body.as_str()),
            Self::Edit { of, body } => (EntryKind::Edit, Some(*of), None, body.as_str()),
            Self::Delete { of } => (EntryKind::Delete, Some(*of), None, ""),
            Self::Membership { change, member } => {
                (EntryKind::Membership, None, Some(member), change.name())
            }
            Self::Topic(topic) => (EntryKind::Topic, None, None, topic.as_str()),
            Self::Reaction { of, emoji } => (EntryKind::Reaction, Some(*of), None, emoji.as_str()),
        }
    }

    /// The entry that has to stand in the log for this to make sense.
    #[must_use]
    pub fn of(&self) -> Option<u64> {
        self.parts().1
    }
}

impl MembershipChange {
    /// Its name in the log and on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Left => "left",
            Self::Kicked => "kicked",
        }
    }

    /// Whether somebody belongs to the room after the change of this name.
    #[must_use]
    pub fn belongs(name: &str) -> bool {
        name == Self::Joined.name()
    }
}

impl Entry {
    /// Gives a draft its place in the log, behind an entry with the digest `before`.
    #[must_use]
    pub fn new(draft: Draft, epoch: Epoch, seq: u64, at: Timestamp, before: Digest) -> Self {
        let body = draft.body_digest();
        Self::with_digest(draft, body, Position { epoch, seq }, at, before)
    }

    /// The same for whoever knows [`Draft::body_digest`] already.
    #[must_use]
    pub fn with_digest(
        draft: Draft,
        body_digest: Digest,
        Position { epoch, seq }: Position,
        at: Timestamp,
        before: Digest,
    ) -> Self {
        let Draft { room, author, message_id, content } = draft;
        let (kind, of, member, body) = content.parts();
        let digest = before.then(&Covered {
            seq,
            author: &author.id,
            message_id: &message_id,
            kind,
            of,
            member: member.map(|member| &member.id),
            body: body_digest,
        });
        let (member, body) = (member.cloned(), body.to_owned());
        let (erased, json) = (None, OnceLock::new());
        Self {
            room,
            epoch,
            seq,
            at,
            author,
            message_id,
            kind,
            of,
            member,
            body,
            erased,
            digest,
            json,
        }
    }

    /// The digest of the log up to this entry, when `before` is that of the entry before it:
    /// computed, whatever [`Self::digest`] says.
    #[must_use]
    pub fn digest_after(&self, before: Digest) -> Digest {
        before.then(&Covered {
            seq: self.seq,
            author: &self.author.id,
            message_id: &self.message_id,
            kind: self.kind,
            of: self.of,
            member: self.member.as_ref().map(|member| &member.id),
            body: self.body_digest(),
        })
    }

    /// The digest of what it says, or said.
    #[must_use]
    pub(crate) fn body_digest(&self) -> Digest {
        self.erased.unwrap_or_else(|| Digest::of_body(&self.body))
    }

    /// The same entry without its text.
    #[must_use]
    pub fn erase(&self) -> Self {
        Self {
            body: String::new(),
            erased: Some(self.body_digest()),
            json: OnceLock::new(),
            ..self.clone()
        }
    }

    /// Whether deleting the entry at `of` erases this one: it is that entry, or an edit of it.
    #[must_use]
    pub fn goes_with(&self, of: u64) -> bool {
        self.seq == of || (self.kind == EntryKind::Edit && self.of == Some(of))
    }

    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch.clone(), seq: self.seq }
    }

    /// Whether this person said it.
    #[must_use]
    pub(crate) fn is_by(&self, user: &UserId) -> bool {
        self.author.id == *user
    }

    /// Its frame as JSON, in UTF-8: made once, by whoever needs it first, and shared by all.
    pub fn json(&self) -> &Bytes {
        self.json.get_or_init(|| {
            Bytes::from(tell::entry(&tell::Entry {
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
            }))
        })
    }

    /// As a client is told it.
    #[must_use]
    pub fn on_the_wire(&self) -> common::Entry {
        common::Entry {
            room: self.room.clone(),
            seq: self.seq,
            at: self.at.clone(),
            author: self.author.clone(),
            message_id: self.message_id.clone(),
            kind: self.kind,
            of: self.of,
            member: self.member.clone(),
            body: self.body.clone(),
            erased: self.erased,
        }
    }

    /// About how much memory it takes, in bytes; the tail is bounded by it.
    #[must_use]
    pub fn weight(&self) -> usize {
        // The text stands twice: as a body and in the encoded frame. The rest of a frame is names.
        const NAMES_BYTES: usize = 512;
        NAMES_BYTES + 2 * self.body.len()
    }
}
