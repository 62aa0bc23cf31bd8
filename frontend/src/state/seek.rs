//! The way to a message that was found: the page around it, and what reading there does not say.

use std::rc::Rc;

use common::MessageId;
use session::Edge;

use super::{Room, Said, Standing};

/// Entries before the message that are shown with it: half a page.
const CONTEXT: u64 = 25;

/// A message that a search leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// Its place.
    pub seq: u64,
    /// The name its author gave it.
    pub message_id: MessageId,
    /// How far the way is gone.
    pub seeking: Seeking,
}

/// How far the way to a message is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeking {
    /// It is not in sight yet.
    OnTheWay,
    /// It is in sight, and shown for a moment.
    Shown,
    /// It was seen.
    Over,
    /// The person reads on as if there had been no search.
    Left,
}

impl Room {
    pub(super) fn seeks(&mut self, seeking: Seeking) {
        match seeking {
            Seeking::Left => self.sought = None,
            Seeking::OnTheWay | Seeking::Shown | Seeking::Over => {
                if let Some(sought) = &mut self.sought {
                    sought.seeking = seeking;
                }
            }
        }
    }

    /// The place of a message that is yet to be shown.
    #[must_use]
    pub fn seeks_for(&self) -> Option<u64> {
        let sought = self.sought.as_ref()?;
        (sought.seeking == Seeking::OnTheWay).then_some(sought.seq)
    }

    /// The place of a message that stands out for a moment.
    #[must_use]
    pub fn shows(&self) -> Option<u64> {
        let sought = self.sought.as_ref()?;
        (sought.seeking == Seeking::Shown).then_some(sought.seq)
    }

    /// Whether the message that is sought is among the rows.
    #[must_use]
    pub fn has_sought(&self) -> bool {
        let is_it = |sought: &Sought| {
            let same = |said: &Rc<Said>| {
                said.seq() == Some(sought.seq) && said.message_id == sought.message_id
            };
            self.said().any(same)
        };
        self.sought.as_ref().is_some_and(is_it)
    }

    /// The page around a message that is sought, where it is not among the rows.
    #[must_use]
    pub fn edge_sought(&self) -> Option<Edge> {
        let seq = self.seeks_for().filter(|_| !self.has_sought())?;
        // What a join brings comes first: it says where the log ends.
        let known = self.standing == Standing::Joined && self.last >= self.head;
        let from = seq.saturating_sub(CONTEXT + 1).max(self.floor);
        self.position(from).filter(|_| known).map(Edge::After)
    }

    /// After a search led somewhere: the place up to which the room was read, and whether the
    /// person has seen the message. What is in sight is read only where it goes on from there.
    #[must_use]
    pub fn read_before_seeking(&self) -> Option<(u64, bool)> {
        let sought = self.sought.as_ref()?;
        Some((self.read.unwrap_or(u64::MAX), sought.seeking == Seeking::Over))
    }
}
