//! The log of all rooms, in memory: it gives entries their places and knows a message that is
//! said again.
//!
//! What this keeps is lost with the process; every room begins a new epoch then. A durable log
//! answers the same questions.

use std::{collections::VecDeque, sync::Arc};

use common::{Digest, EntryKind, Position, RoomName, Timestamp};

use super::{AppendRefusal, Appended, NewRoom, OpenRefusal, RoomRecord, check};
use crate::{Content, Draft, Entry, lookup::Lookup};

/// Messages that are remembered, of all authors together: at most 15 MB, in a table of 262,144
/// places with 49 bytes each and a list of their names.
const MESSAGES_MAX: usize = 100_000;

/// All rooms and what was said in them.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    /// In the order in which they were opened. None is ever closed.
    rooms: Vec<RoomLog>,
    /// Which of them has this name.
    named: Lookup<RoomName, u32>,
    said: Said,
    #[cfg(feature = "mutants")]
    broken: Option<crate::mutant::Mutant>,
}

#[derive(Clone, Debug)]
struct RoomLog {
    record: RoomRecord,
    entries: VecDeque<Arc<Entry>>,
}

/// What was said, for knowing it again: bounded, oldest forgotten first. It holds numbers and
/// digests, and so nothing that would have to be looked for in memory when it is forgotten.
#[derive(Clone, Debug, Default)]
struct Said {
    /// By [`Digest::of_name`]: authors choose their messages' names, and could choose two that a
    /// shorter hash takes for one.
    places: Lookup<Digest, Place>,
    order: VecDeque<Digest>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// Which of the rooms.
    room: u32,
    seq: u64,
    what: What,
}

/// Everything that an author decided, but for the room and the name: whoever says the same again
/// has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct What {
    kind: EntryKind,
    digest: Digest,
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
        if self.named.get(&new.room).is_some() {
            return Err(OpenRefusal::Exists);
        }
        let record = RoomRecord::new(new);
        let log = RoomLog { record: record.clone(), entries: VecDeque::new() };
        let nth = u32::try_from(self.rooms.len()).expect("memory holds no more rooms than that");
        self.named.insert(record.room.clone(), nth);
        self.rooms.push(log);
        Ok(record)
    }

    /// What is known of a room; `None` when there is none.
    #[must_use]
    pub fn room(&self, room: &RoomName) -> Option<&RoomRecord> {
        self.log(room).map(|log| &log.record)
    }

    /// All rooms, in the order of their names.
    pub fn rooms(&self) -> impl Iterator<Item = &RoomRecord> {
        let mut records: Vec<_> = self.rooms.iter().map(|log| &log.record).collect();
        records.sort_unstable_by_key(|record| &record.room);
        records.into_iter()
    }

    /// Gives the draft its place, once: saying it again answers with the place it has.
    ///
    /// # Errors
    /// There is no such room for the author, the message id stands for something else, or the draft
    /// breaks a rule of [`check`].
    pub fn append(&mut self, draft: Draft, at: Timestamp) -> Result<Appended, AppendRefusal> {
        let body = draft.body_digest();
        let (what, room) = (What::of(&draft, body), self.named.get(&draft.room).copied());
        let name = Digest::of_name(&draft.author.id, &draft.message_id);
        if let Some(place) = self.place_of(&name) {
            let same = place.what == what && Some(place.room) == room;
            let position = self.position_of(place);
            return if same {
                Ok(Appended::Repeated(position))
            } else {
                Err(AppendRefusal::Conflict(position))
            };
        }
        let Some(room) = room else { return Err(AppendRefusal::NoSuchRoom(draft.room)) };
        let log = &mut self.rooms[room as usize];
        let checked = check(&draft, &log.record, draft.content.of().and_then(|of| log.entry(of)));
        #[cfg(feature = "mutants")]
        let checked = crate::mutant::checked(self.broken, checked);
        checked?;
        if log.has_reaction(&draft) {
            return Err(AppendRefusal::Already);
        }
        let RoomRecord { head, digest, .. } = &log.record;
        let position = Position { epoch: head.epoch.clone(), seq: head.seq + 1 };
        let place = Place { room, seq: position.seq, what };
        let entry = Entry::with_digest(draft, body, position, at, *digest);
        #[cfg(feature = "mutants")]
        let entry = crate::mutant::digested(self.broken, entry, *digest);
        let entry = Arc::new(entry);
        log.keep(Arc::clone(&entry));
        self.said.remember(name, place);
        Ok(Appended::New(entry))
    }

    /// Entries after `after`, at most `most` of them, oldest first. Empty at the head, in an
    /// unknown room, and where the entries are no longer kept.
    #[must_use]
    pub fn read_after(&self, room: &RoomName, after: u64, most: usize) -> Vec<Arc<Entry>> {
        let Some(log) = self.log(room) else { return Vec::new() };
        let floor = log.record.floor;
        if after < floor {
            return Vec::new();
        }
        let skip = usize::try_from(after - floor).unwrap_or(usize::MAX);
        log.entries.iter().skip(skip).take(most).cloned().collect()
    }

    fn log(&self, room: &RoomName) -> Option<&RoomLog> {
        self.named.get(room).map(|room| &self.rooms[*room as usize])
    }

    fn place_of(&self, name: &Digest) -> Option<&Place> {
        #[cfg(feature = "mutants")]
        if self.broken == Some(crate::mutant::Mutant::NoDedupe) {
            return None;
        }
        self.said.places.get(name)
    }

    fn position_of(&self, place: &Place) -> Position {
        let epoch = self.rooms[place.room as usize].record.head.epoch.clone();
        Position { epoch, seq: place.seq }
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
    fn remember(&mut self, name: Digest, place: Place) {
        if self.order.len() >= MESSAGES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
        }
        self.order.push_back(name);
        self.places.insert(name, place);
    }
}

impl What {
    fn of(draft: &Draft, body: Digest) -> Self {
        let (kind, ..) = draft.content.parts();
        let digest = match &draft.content {
            // Nearly all are posts, and a post is nothing beside its text.
            Content::Post(_) => body,
            Content::Edit { .. }
            | Content::Delete { .. }
            | Content::Membership { .. }
            | Content::Topic(_)
            | Content::Reaction { .. } => draft.fingerprint_with(body),
        };
        Self { kind, digest }
    }
}
