//! A running room: the last entries of its log, and reading from a cursor.

use std::{collections::VecDeque, sync::Arc};

use common::{Digest, EntryKind, Epoch, Position, ResyncReason, RoomName, http::Keep};

use crate::{Entry, Presence, RoomRecord, Settings};

/// A room that somebody follows. It holds the tail of its log and who is present.
#[derive(Debug)]
pub struct Room {
    name: RoomName,
    epoch: Epoch,
    head: u64,
    digest: Digest,
    /// A place whose digest is known beside those of the tail: where the log is no longer kept.
    floor: (u64, Digest),
    keep: Keep,
    tail: VecDeque<Arc<Entry>>,
    /// The digest of the entry before the tail, once the tail let go of it.
    before_tail: Option<Digest>,
    tail_bytes: usize,
    tail_entries_max: usize,
    tail_bytes_max: usize,
    /// Who is there.
    pub presence: Presence,
    #[cfg(feature = "mutants")]
    broken: Option<crate::mutant::Mutant>,
}

/// What reading after a position gives.
#[derive(Clone, Debug)]
pub enum Read {
    /// The entries after the position, in order.
    Entries {
        /// None of them at the head.
        entries: Vec<Arc<Entry>>,
        /// The last of them is the head of the log.
        to_the_head: bool,
    },
    /// The tail does not reach back that far: read the log, no further than this room's head.
    /// What was committed and not yet delivered comes with its delivery.
    FurtherBack {
        /// At most so many entries.
        most: usize,
    },
    /// What follows the position cannot be had; go on from the place that `start` names.
    Resync(Start),
}

impl Read {
    /// A page of the log, for a follower whom the tail does not reach.
    #[must_use]
    pub fn of_the_log(entries: Vec<Arc<Entry>>, bytes_max: usize) -> Self {
        Self::Entries { entries: page(entries.into_iter(), bytes_max), to_the_head: false }
    }
}

/// As many of the entries as weigh no more than `bytes_max`, and always the first.
#[must_use]
pub fn page(entries: impl Iterator<Item = Arc<Entry>>, bytes_max: usize) -> Vec<Arc<Entry>> {
    let mut bytes = 0;
    let within = |entry: &Arc<Entry>| {
        let first = bytes == 0;
        bytes += entry.weight();
        first || bytes <= bytes_max
    };
    entries.take_while(within).collect()
}

/// Where a follower begins to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The head of the log.
    pub head: Position,
    /// The entries after this one are to be read.
    pub after: u64,
    /// Everything after the position that was asked for will be read.
    pub recovered: bool,
    /// Why not, when a position was asked for.
    pub resync: Option<ResyncReason>,
    /// The digest at the head.
    pub digest: Digest,
    /// The digest at `after`, where this room has it at hand.
    pub base: Option<Digest>,
    /// Entries up to and including this one are no longer kept.
    pub floor: u64,
}

impl Room {
    /// A room as the log knows it, with the last entries of that log, oldest first.
    #[must_use]
    pub fn load(record: &RoomRecord, last: Vec<Arc<Entry>>, settings: &Settings) -> Self {
        let mut room = Self {
            name: record.room.clone(),
            epoch: record.head.epoch.clone(),
            head: record.head.seq - last.len() as u64,
            digest: record.digest,
            floor: (record.floor, record.floor_digest),
            keep: record.keep,
            tail: VecDeque::new(),
            before_tail: None,
            tail_bytes: 0,
            tail_entries_max: settings.tail_entries_max,
            tail_bytes_max: settings.tail_bytes_max,
            presence: Presence::new(settings),
            #[cfg(feature = "mutants")]
            broken: None,
        };
        for entry in last {
            room.append(entry);
        }
        debug_assert_eq!(room.head, record.head.seq);
        room
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &RoomName {
        &self.name
    }

    /// Where its log ends.
    #[must_use]
    pub fn head(&self) -> Position {
        Position { epoch: self.epoch.clone(), seq: self.head }
    }

    /// Takes an entry that the log has given the next place.
    ///
    /// # Panics
    /// The entry does not follow the head: the log and the room disagree, and going on would show
    /// people a wrong order.
    pub fn append(&mut self, entry: Arc<Entry>) {
        assert_eq!(entry.seq, self.head + 1, "entries reach a room in the order of the log");
        if let (EntryKind::Delete, Some(of)) = (entry.kind, entry.of) {
            self.erase(of);
        }
        self.head = entry.seq;
        self.digest = entry.digest;
        self.tail_bytes += entry.weight();
        self.tail.push_back(entry);
        while self.tail.len() > self.tail_entries_max
            || (self.tail_bytes > self.tail_bytes_max && self.tail.len() > 1)
        {
            let Some(oldest) = self.tail.pop_front() else { break };
            self.tail_bytes -= oldest.weight();
            self.before_tail = Some(oldest.digest);
        }
    }

    /// What was deleted is read without its text from here on.
    fn erase(&mut self, of: u64) {
        #[cfg(feature = "mutants")]
        if self.broken == Some(crate::mutant::Mutant::TextKept) {
            return;
        }
        for entry in self.tail.iter_mut().filter(|entry| entry.goes_with(of)) {
            self.tail_bytes -= entry.weight();
            *entry = Arc::new(entry.erase());
            self.tail_bytes += entry.weight();
        }
    }

    /// Where a follower begins: after the position it names, or a page before the head.
    #[must_use]
    pub fn start(&self, after: Option<&Position>, page_entries: u64) -> Start {
        let start = |after, recovered, resync| Start {
            head: self.head(),
            after,
            recovered,
            resync,
            digest: self.digest,
            base: self.digest_at(after),
            floor: self.floor(),
        };
        let last_page = self.head.saturating_sub(page_entries).max(self.floor());
        let Some(position) = after else { return start(last_page, false, None) };
        match self.cannot_follow(position) {
            Some(reason) => start(last_page, false, Some(reason)),
            None => start(self.resume_after(position.seq), true, None),
        }
    }

    /// Reads after `position`, at most `entries_max` entries of at most `bytes_max` bytes, and
    /// always at least one where there is one.
    ///
    /// A follower that read the log may be ahead of this room: what was committed reaches the log
    /// first. There is nothing for it to read until the room has caught up.
    #[must_use]
    pub fn read_after(
        &self,
        position: &Position,
        entries_max: usize,
        bytes_max: usize,
        page_entries: u64,
    ) -> Read {
        if position.epoch == self.epoch && position.seq > self.head {
            return Read::Entries { entries: Vec::new(), to_the_head: true };
        }
        if self.cannot_follow(position).is_some() {
            return Read::Resync(self.start(Some(position), page_entries));
        }
        if position.seq < self.tail_begins_after() {
            let missed = usize::try_from(self.head - position.seq).unwrap_or(usize::MAX);
            return Read::FurtherBack { most: entries_max.min(missed) };
        }
        let skip = usize::try_from(position.seq - self.tail_begins_after()).unwrap_or(usize::MAX);
        let entries = self.tail.iter().skip(skip).take(entries_max).cloned();
        let entries = page(entries, bytes_max);
        let to_the_head = position.seq + entries.len() as u64 == self.head;
        Read::Entries { entries, to_the_head }
    }

    /// Why nobody can go on from this position; `None` when one can.
    fn cannot_follow(&self, position: &Position) -> Option<ResyncReason> {
        if position.epoch != self.epoch && !self.ignores_epochs() {
            Some(ResyncReason::EpochChanged)
        } else if position.seq > self.head {
            Some(ResyncReason::CursorAhead)
        } else if position.seq < self.floor() {
            Some(ResyncReason::Pruned)
        } else {
            None
        }
    }

    /// Entries up to and including this one are no longer kept anywhere.
    fn floor(&self) -> u64 {
        match self.keep {
            Keep::Forever => 0,
            Keep::Last(most) => self.head.saturating_sub(u64::from(most)),
            // Nothing is kept but the tail, which every follower may still be reading.
            Keep::None => self.tail_begins_after(),
        }
    }

    /// The digest of the log at this place, if it is at hand.
    #[must_use]
    pub fn digest_at(&self, seq: u64) -> Option<Digest> {
        if seq == self.head {
            return Some(self.digest);
        } else if seq == 0 {
            return Some(Digest::start(&self.epoch));
        } else if seq == self.floor.0 {
            return Some(self.floor.1);
        } else if seq == self.tail_begins_after() {
            return self.before_tail;
        }
        let nth = seq.checked_sub(self.tail_begins_after() + 1)?;
        self.tail.get(usize::try_from(nth).ok()?).map(|entry| entry.digest)
    }

    fn tail_begins_after(&self) -> u64 {
        self.head - self.tail.len() as u64
    }

    #[cfg(not(feature = "mutants"))]
    fn resume_after(&self, seq: u64) -> u64 {
        seq
    }

    #[cfg(not(feature = "mutants"))]
    const fn ignores_epochs(&self) -> bool {
        false
    }
}

#[cfg(feature = "mutants")]
impl Room {
    /// Breaks this room on purpose.
    pub fn break_on_purpose(&mut self, mutant: crate::mutant::Mutant) {
        self.broken = Some(mutant);
    }

    fn resume_after(&self, seq: u64) -> u64 {
        let skips = self.broken == Some(crate::mutant::Mutant::SkipOneOnResume);
        if skips { (seq + 1).min(self.head) } else { seq }
    }

    fn ignores_epochs(&self) -> bool {
        self.broken == Some(crate::mutant::Mutant::EpochIgnored)
    }
}
