//! What authors said and were promised, and what a reader of a room heard.

use common::{Body, EntryKind, Epoch, MessageId, Position, UserId};

use crate::judge::Finding;

/// One author's messages in one room, in the order in which they were said.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Who said them.
    pub author: UserId,
    /// The messages: each was said only after the one before was acknowledged.
    pub said: Vec<Said>,
}

/// A message, and what the server promised about it.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its name.
    pub message_id: MessageId,
    /// Its text.
    pub body: Body,
    /// The first `ack`.
    pub acked: Option<Acked>,
}

/// A promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acked {
    /// Where the message is said to stand.
    pub position: Position,
    /// Which of the server's lives said so, the first is 1.
    pub life: u32,
}

impl Ledger {
    /// Of an author who has said nothing yet.
    #[must_use]
    pub fn new(author: UserId) -> Self {
        Self { author, said: Vec::new() }
    }

    /// Writes down an `ack` of the message with this number. A second one has to name the same
    /// place: if it does not, that is the finding.
    pub fn acked(&mut self, number: usize, acked: Acked) -> Option<Finding> {
        let said = &mut self.said[number];
        match &said.acked {
            None => {
                said.acked = Some(acked);
                None
            }
            Some(first) if first.position == acked.position => None,
            Some(first) => Some(Finding::TwoPlaces {
                message_id: said.message_id.clone(),
                first: first.clone(),
                second: acked,
            }),
        }
    }

    /// Whether the server has promised anything to this author.
    #[must_use]
    pub fn has_promises(&self) -> bool {
        self.said.iter().any(|said| said.acked.is_some())
    }
}

/// A room's log from its first entry on, as somebody read it.
#[derive(Clone, Debug)]
pub struct Record {
    /// The log's life.
    pub epoch: Epoch,
    /// What was heard, as it came.
    pub lines: Vec<Line>,
}

/// An entry, as far as it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place.
    pub seq: u64,
    /// Who is said to have said it.
    pub author: UserId,
    /// The name its author gave it.
    pub message_id: MessageId,
    /// What it is: authors say posts; whatever else stands there takes up a place.
    pub kind: EntryKind,
    /// Its text.
    pub body: String,
}

impl From<common::Entry> for Line {
    fn from(entry: common::Entry) -> Self {
        let common::Entry { seq, author, message_id, kind, body, .. } = entry;
        Self { seq, author: author.id, message_id, kind, body }
    }
}
