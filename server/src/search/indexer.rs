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
    ///
    /// # Errors
    /// They cannot be read at the moment.
    fn read_after(
        &self,
        room: &RoomName,
        after: u64,
        most: usize,
    ) -> Result<Vec<Change>, Unreadable>;
}

/// A log cannot be read at the moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what stands behind entry {after} of room {room} cannot be read")]
pub struct Unreadable {
    /// Its room.
    pub room: RoomName,
    /// The last entry that was read.
    pub after: u64,
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
    /// Rooms that could not be read: the others go on before these are tried again.
    unreadable: BTreeMap<RoomName, Unreadable>,
}

impl Indexer {
    pub(super) fn new(index: Index, damaged: Arc<AtomicBool>) -> Result<Self, IndexError> {
        let rooms = index.rooms()?;
        Ok(Self { index, damaged, rooms, last: None, unreadable: BTreeMap::new() })
    }

    /// Reads some entries of the rooms that are behind, each in its turn, in one transaction; where
    /// all are read, takes away some of what is past. False when there was nothing to do. A damaged index is begun anew.
    ///
    /// # Errors
    /// The index cannot be written, or a log cannot be read and there is nothing else to do.
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
        let done =
            self.begin_next(&heads)? || self.read_on(source, &heads)? || self.prune_next(&heads)?;
        if done || cleared || forgotten {
            return Ok(true);
        }
        match std::mem::take(&mut self.unreadable).into_values().next() {
            Some(unreadable) => Err(unreadable.into()),
            None => Ok(false),
        }
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

    /// Begins a room that is not indexed, or was otherwise when it was: who may read it is part of
    /// every document.
    fn begin_next(&mut self, heads: &BTreeMap<RoomName, Head>) -> Result<bool, IndexError> {
        let is_due = |head: &&Head| match self.rooms.get(&head.room) {
            Some(room) => room.epoch != head.epoch || room.open != head.open,
            None => head.seq > head.floor,
        };
        let Some(head) = heads.values().find(is_due) else { return Ok(false) };
        let begun = self.index.begin(head)?;
        self.rooms.insert(head.room.clone(), begun);
        Ok(true)
    }

    /// Reads the rooms that are behind, from the one after that which had the last turn, in a
    /// circle. True when the index got further.
    fn read_on(
        &mut self,
        source: &dyn Source,
        heads: &BTreeMap<RoomName, Head>,
    ) -> Result<bool, IndexError> {
        let last = self.last.take();
        let (later, earlier): (Vec<_>, Vec<_>) =
            heads.values().partition(|head| last.as_ref().is_none_or(|last| head.room > *last));
        let (mut names, mut batch, mut left) = (Vec::new(), Vec::new(), STEP_ENTRIES_MAX);
        for head in later.into_iter().chain(earlier) {
            let Some(room) = self.rooms.get(&head.room) else { continue };
            // What is gone from the log cannot be read.
            let after = room.seq.max(head.floor);
            if after >= head.seq || left == 0 || self.unreadable.contains_key(&head.room) {
                continue;
            }
            let changes = match source.read_after(&head.room, after, left) {
                Ok(changes) => changes,
                Err(unreadable) => {
                    self.unreadable.insert(head.room.clone(), unreadable);
                    continue;
                }
            };
            if !changes.is_empty() {
                left -= changes.len().min(left);
                self.last = Some(head.room.clone());
                names.push(head.room.clone());
                batch.push((room.clone(), changes));
            }
        }
        if batch.is_empty() {
            return Ok(false);
        }
        let mut progressed = false;
        let positions = self.index.apply(&batch)?;
        for ((name, (room, _)), seq) in names.into_iter().zip(batch).zip(positions) {
            progressed |= seq > room.seq;
            self.rooms.insert(name, Indexed { seq, ..room });
        }
        Ok(progressed)
    }

    /// Takes away some of what one room no longer keeps.
    fn prune_next(&mut self, heads: &BTreeMap<RoomName, Head>) -> Result<bool, IndexError> {
        let due = heads.values().find_map(|head| {
            let room = self.rooms.get(&head.room)?;
            (head.floor > room.floor).then_some((head, room.clone()))
        });
        let Some((head, mut room)) = due else { return Ok(false) };
        if self.index.prune(&room, head.floor)? {
            room.floor = head.floor;
            room.seq = room.seq.max(head.floor);
            self.rooms.insert(head.room.clone(), room);
        }
        Ok(true)
    }
}
