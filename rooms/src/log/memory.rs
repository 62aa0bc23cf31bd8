//! The log of all rooms, in memory: it gives entries their places and knows a message that is
//! said again.
//!
//! What this keeps is lost with the process; every room begins a new epoch then. A durable log
//! answers the same questions.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use common::{Digest, EntryKind, MessageId, Position, RoomName, Timestamp, UserId};

use super::{AppendRefusal, Appended, NewRoom, OpenRefusal, RoomRecord, check};
use crate::{Content, Draft, Entry, lookup::Lookup};

/// Message ids that are remembered, of all authors together: at most 40 MB, in a table of
/// 262,144 places with 100 bytes each and the ids themselves.
const MESSAGE_IDS_MAX: usize = 100_000;

/// All rooms and what was said in them.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    rooms: BTreeMap<RoomName, RoomLog>,
    said: Said,
    #[cfg(feature = "mutants")]
    broken: Option<crate::mutant::Mutant>,
}

#[derive(Clone, Debug)]
struct RoomLog {
    record: RoomRecord,
    entries: VecDeque<Arc<Entry>>,
}

/// What was said, for knowing it again: bounded, oldest forgotten first.
#[derive(Clone, Debug, Default)]
struct Said {
    places: Lookup<(UserId, MessageId), Place>,
    order: VecDeque<(UserId, MessageId)>,
}

#[derive(Clone, Debug)]
struct Place {
    room: RoomName,
    position: Position,
    fingerprint: Digest,
}

impl MemoryLog {
    /// A log without rooms.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a room.
    ///
    /// # Errors
    /// A room of this name exists.
    pub fn open(&mut self, new: NewRoom) -> Result<RoomRecord, OpenRefusal> {
        if self.rooms.contains_key(&new.room) {
            return Err(OpenRefusal::Exists);
        }
        let record = RoomRecord::new(new);
        let log = RoomLog { record: record.clone(), entries: VecDeque::new() };
        self.rooms.insert(record.room.clone(), log);
        Ok(record)
    }

    /// What is known of a room; `None` when there is none.
    #[must_use]
    pub fn room(&self, room: &RoomName) -> Option<&RoomRecord> {
        self.rooms.get(room).map(|log| &log.record)
    }

    /// All rooms, in the order of their names.
    pub fn rooms(&self) -> impl Iterator<Item = &RoomRecord> {
        self.rooms.values().map(|log| &log.record)
    }

    /// Gives the draft its place, once: saying it again answers with the place it has.
    ///
    /// # Errors
    /// There is no such room for the author, the message id stands for something else, or the draft
    /// breaks a rule of [`check`].
    pub fn append(&mut self, draft: Draft, at: Timestamp) -> Result<Appended, AppendRefusal> {
        let fingerprint = draft.fingerprint();
        if let Some(place) = self.place_of(&draft) {
            let same = place.fingerprint == fingerprint && place.room == draft.room;
            let position = place.position.clone();
            return if same {
                Ok(Appended::Repeated(position))
            } else {
                Err(AppendRefusal::Conflict(position))
            };
        }
        let Some(log) = self.rooms.get_mut(&draft.room) else {
            return Err(AppendRefusal::NoSuchRoom(draft.room));
        };
        let checked = check(&draft, &log.record, draft.content.of().and_then(|of| log.entry(of)));
        #[cfg(feature = "mutants")]
        let checked = crate::mutant::checked(self.broken, checked);
        checked?;
        if log.has_reaction(&draft) {
            return Err(AppendRefusal::Already);
        }
        let (author, message_id) = (draft.author.id.clone(), draft.message_id.clone());
        let RoomRecord { head, digest, .. } = &log.record;
        let entry = Entry::new(draft, head.epoch.clone(), head.seq + 1, at, *digest);
        #[cfg(feature = "mutants")]
        let entry = crate::mutant::digested(self.broken, entry, *digest);
        let entry = Arc::new(entry);
        log.keep(Arc::clone(&entry));
        let place = Place { room: entry.room.clone(), position: entry.position(), fingerprint };
        self.said.remember((author, message_id), place);
        Ok(Appended::New(entry))
    }

    /// Entries after `after`, at most `most` of them, oldest first. Empty at the head, in an
    /// unknown room, and where the entries are no longer kept.
    #[must_use]
    pub fn read_after(&self, room: &RoomName, after: u64, most: usize) -> Vec<Arc<Entry>> {
        let Some(log) = self.rooms.get(room) else { return Vec::new() };
        let floor = log.record.floor;
        if after < floor {
            return Vec::new();
        }
        let skip = usize::try_from(after - floor).unwrap_or(usize::MAX);
        log.entries.iter().skip(skip).take(most).cloned().collect()
    }

    fn place_of(&self, draft: &Draft) -> Option<&Place> {
        #[cfg(feature = "mutants")]
        if self.broken == Some(crate::mutant::Mutant::NoDedupe) {
            return None;
        }
        self.said.places.get(&(draft.author.id.clone(), draft.message_id.clone()))
    }

    /// Breaks this log on purpose.
    #[cfg(feature = "mutants")]
    pub fn break_on_purpose(&mut self, mutant: crate::mutant::Mutant) {
        self.broken = Some(mutant);
        if mutant == crate::mutant::Mutant::DedupeForgotten {
            self.said = Said::default();
        }
    }
}

impl RoomLog {
    fn entry(&self, seq: u64) -> Option<&Entry> {
        let nth = seq.checked_sub(self.record.floor + 1)?;
        self.entries.get(usize::try_from(nth).ok()?).map(Arc::as_ref)
    }

    /// Whether the same author has put the same sign on the same post.
    fn has_reaction(&self, draft: &Draft) -> bool {
        let Content::Reaction { of, emoji } = &draft.content else { return false };
        self.entries.iter().any(|entry| {
            entry.kind == EntryKind::Reaction
                && entry.of == Some(*of)
                && entry.is_by(&draft.author.id)
                && entry.body == emoji.as_str()
        })
    }

    fn keep(&mut self, entry: Arc<Entry>) {
        if let (EntryKind::Delete, Some(of)) = (entry.kind, entry.of) {
            for kept in self.entries.iter_mut().filter(|kept| kept.goes_with(of)) {
                *kept = Arc::new(kept.erase());
            }
        }
        self.record.advance(&entry);
        self.entries.push_back(entry);
        while self.entries.len() as u64 > self.record.keeps() {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.record.floor = oldest.seq;
            self.record.floor_digest = oldest.digest;
        }
    }
}

impl Said {
    fn remember(&mut self, name: (UserId, MessageId), place: Place) {
        if self.order.len() >= MESSAGE_IDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
        }
        self.order.push_back(name.clone());
        self.places.insert(name, place);
    }
}
