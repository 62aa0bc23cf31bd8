//! The follower of the logs that keeps the index.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use common::{Epoch, RoomName};

use super::{
    IndexError,
    index::{Index, Indexed},
};

/// Entries that are read and indexed in one step.
const STEP_ENTRIES_MAX: usize = 500;

/// The logs, as the indexer sees them.
pub trait Source {
    /// Every room that exists. What is not among them is forgotten.
    fn heads(&self) -> Vec<Head>;

    /// Entries after `after`, at most `most`, oldest first and without gaps: an entry that says
    /// nothing is [`ChangeKind::Other`]. None where they are no longer kept.
    fn read_after(&self, room: &RoomName, after: u64, most: usize) -> Vec<Change>;
}

/// A room and how far its log reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its name.
    pub room: RoomName,
    /// Everybody may read it.
    pub open: bool,
    /// Which life of the log.
    pub epoch: Epoch,
    /// The last entry.
    pub seq: u64,
    /// The last entry that is no longer kept.
    pub floor: u64,
}

/// An entry of a log, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its place.
    pub seq: u64,
    /// What it does to what can be found.
    pub kind: ChangeKind,
}

/// What an entry does to what can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// A post; its text is empty where it was erased.
    Post {
        /// What it says.
        body: String,
    },
    /// A post says something else.
    Edit {
        /// The place of the post.
        of: u64,
        /// What it says after it.
        body: String,
    },
    /// A post is taken back.
    Delete {
        /// The place of the post. A place where no post is changes nothing.
        of: u64,
    },
    /// Nothing: only its place counts.
    Other,
}

/// Follows all logs at its own pace, from a position in each that is stored with the index.
///
/// It is meant for a thread of its own, since every step reads and writes files: call [`step`]
/// until it answers that there was nothing to do, then wait until the committer has added
/// something, and begin again. Nobody waits for it, so the thread may have a low priority. A step
/// that fails has changed nothing and may be tried again after a while (the disk is full, say).
///
/// [`step`]: Indexer::step
#[derive(Debug)]
pub struct Indexer {
    index: Index,
    /// Set by those who search when they found damage.
    damaged: Arc<AtomicBool>,
    rooms: BTreeMap<RoomName, Indexed>,
    /// The room that had its turn.
    last: Option<RoomName>,
}

impl Indexer {
    pub(super) fn new(index: Index, damaged: Arc<AtomicBool>) -> Result<Self, IndexError> {
        let rooms = index.rooms()?;
        Ok(Self { index, damaged, rooms, last: None })
    }

    /// Reads some entries of one room that is behind, each room in its turn, and takes away some
    /// of what is past. False when there was nothing to do. A damaged index is begun anew.
    ///
    /// # Errors
    /// The index cannot be written.
    pub fn step(&mut self, source: &dyn Source) -> Result<bool, IndexError> {
        if self.damaged.load(Ordering::Relaxed) {
            return self.begin_anew();
        }
        match self.advance(source) {
            Err(error) if error.is_damage() => {
                tracing::warn!(%error, "the search index is damaged");
                self.begin_anew()
            }
            outcome => outcome,
        }
    }

    fn begin_anew(&mut self) -> Result<bool, IndexError> {
        tracing::warn!("the search index is built again");
        self.index.reset()?;
        self.rooms.clear();
        self.damaged.store(false, Ordering::Relaxed);
        Ok(true)
    }

    fn advance(&mut self, source: &dyn Source) -> Result<bool, IndexError> {
        let heads: BTreeMap<RoomName, Head> =
            source.heads().into_iter().map(|head| (head.room.clone(), head)).collect();
        let cleared = self.index.clear_retired()?;
        let forgotten = self.forget_all_but(&heads)?;
        Ok(self.follow_next(source, &heads)? || cleared || forgotten)
    }

    fn forget_all_but(&mut self, heads: &BTreeMap<RoomName, Head>) -> Result<bool, IndexError> {
        let gone: BTreeSet<RoomName> =
            self.rooms.keys().filter(|room| !heads.contains_key(*room)).cloned().collect();
        for room in &gone {
            self.index.forget(room)?;
            self.rooms.remove(room);
        }
        Ok(!gone.is_empty())
    }

    /// The next room after the one that had its turn, in a circle.
    fn follow_next(
        &mut self,
        source: &dyn Source,
        heads: &BTreeMap<RoomName, Head>,
    ) -> Result<bool, IndexError> {
        let last = self.last.take();
        let (later, earlier): (Vec<_>, Vec<_>) =
            heads.iter().partition(|(room, _)| last.as_ref().is_none_or(|last| *room > last));
        for (room, head) in later.into_iter().chain(earlier) {
            if self.follow(source, head)? {
                self.last = Some(room.clone());
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// True when something was done for this room.
    fn follow(&mut self, source: &dyn Source, head: &Head) -> Result<bool, IndexError> {
        let known = self.rooms.get(&head.room);
        // Who may read it is part of every document.
        let same = known.filter(|room| room.epoch == head.epoch && room.open == head.open);
        let Some(room) = same else {
            if known.is_none() && head.seq == head.floor {
                return Ok(false);
            }
            let begun = self.index.begin(head)?;
            self.rooms.insert(head.room.clone(), begun);
            return Ok(true);
        };
        let mut room = room.clone();
        let mut progressed = false;
        if head.floor > room.floor {
            progressed = true;
            if self.index.prune(&room, head.floor)? {
                room.floor = head.floor;
                room.seq = room.seq.max(head.floor);
            }
        }
        if room.seq < head.seq {
            let changes = source.read_after(&head.room, room.seq, STEP_ENTRIES_MAX);
            if !changes.is_empty() {
                let seq = self.index.apply(&room, &changes)?;
                progressed |= seq > room.seq;
                room.seq = seq;
            }
        }
        self.rooms.insert(head.room.clone(), room);
        Ok(progressed)
    }
}
