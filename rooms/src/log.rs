//! The log of all rooms, in memory: it gives entries their places and knows a message that is
//! said again.
//!
//! What this keeps is lost with the process; every room begins a new epoch then. A durable log
//! answers the same questions.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use common::{Body, Epoch, Member, MessageId, Position, RoomName, Timestamp, UserId, http::Keep};

use crate::{Draft, Entry};

/// Message ids remembered for one author.
const MESSAGE_IDS_PER_AUTHOR: usize = 10_000;

/// All rooms and what was said in them.
#[derive(Debug, Default)]
pub struct MemoryLog {
    rooms: BTreeMap<RoomName, RoomLog>,
    said: BTreeMap<UserId, Said>,
    #[cfg(feature = "mutants")]
    broken: Option<crate::mutant::Mutant>,
}

/// What is known of a room without reading its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRecord {
    /// Its name.
    pub room: RoomName,
    /// The life of its log, and the number of its last entry.
    pub head: Position,
    /// Entries up to and including this one are no longer kept.
    pub floor: u64,
    /// How much of it is kept.
    pub keep: Keep,
    /// Of a private room: who may see it.
    pub members: Option<Vec<Member>>,
}

/// What became of a draft.
#[derive(Clone, Debug)]
pub enum Appended {
    /// It has its place in the log.
    New(Arc<Entry>),
    /// Its author said it before: there is where it stands.
    Repeated(Position),
}

/// Why a draft did not become an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendRefusal {
    /// There is no such room.
    #[error("there is no room {0}")]
    NoSuchRoom(RoomName),
    /// Its author used the message id before, for something else.
    #[error("the message id was used before, at {0:?}")]
    Conflict(Position),
}

/// Why a room cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenRefusal {
    /// There is one of this name.
    #[error("the room exists")]
    Exists,
}

#[derive(Debug)]
struct RoomLog {
    epoch: Epoch,
    head: u64,
    keep: Keep,
    members: Option<Vec<Member>>,
    entries: VecDeque<Arc<Entry>>,
}

/// What one author said, for knowing it again: bounded, oldest forgotten first.
#[derive(Debug, Default)]
struct Said {
    places: BTreeMap<MessageId, Place>,
    order: VecDeque<MessageId>,
}

#[derive(Clone, Debug)]
struct Place {
    room: RoomName,
    position: Position,
    body_hash: u64,
}

impl MemoryLog {
    /// A log without rooms.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a room whose log begins with `epoch`.
    ///
    /// # Errors
    /// A room of this name exists.
    pub fn open(
        &mut self,
        room: RoomName,
        epoch: Epoch,
        keep: Keep,
        members: Option<Vec<Member>>,
    ) -> Result<RoomRecord, OpenRefusal> {
        if self.rooms.contains_key(&room) {
            return Err(OpenRefusal::Exists);
        }
        let log = RoomLog { epoch, head: 0, keep, members, entries: VecDeque::new() };
        let record = log.record(&room);
        self.rooms.insert(room, log);
        Ok(record)
    }

    /// What is known of a room; `None` when there is none.
    #[must_use]
    pub fn room(&self, room: &RoomName) -> Option<RoomRecord> {
        self.rooms.get(room).map(|log| log.record(room))
    }

    /// All rooms, in the order of their names.
    pub fn rooms(&self) -> impl Iterator<Item = RoomRecord> {
        self.rooms.iter().map(|(room, log)| log.record(room))
    }

    /// Gives the draft its place, once: saying it again answers with the place it has.
    ///
    /// # Errors
    /// There is no such room, or the message id stands for something else.
    pub fn append(&mut self, draft: Draft, at: Timestamp) -> Result<Appended, AppendRefusal> {
        let body_hash = hash(&draft.body);
        if let Some(place) = self.place_of(&draft) {
            let same = place.body_hash == body_hash && place.room == draft.room;
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
        log.head += 1;
        let (author, message_id) = (draft.author.id.clone(), draft.message_id.clone());
        let entry = Arc::new(Entry::new(draft, log.epoch.clone(), log.head, at));
        log.keep(Arc::clone(&entry));
        let place = Place { room: entry.room.clone(), position: entry.position(), body_hash };
        self.said.entry(author).or_default().remember(message_id, place);
        Ok(Appended::New(entry))
    }

    /// Entries after `after`, at most `most` of them, oldest first. Empty at the head, in an
    /// unknown room, and where the entries are no longer kept.
    #[must_use]
    pub fn read_after(&self, room: &RoomName, after: u64, most: usize) -> Vec<Arc<Entry>> {
        let Some(log) = self.rooms.get(room) else { return Vec::new() };
        let floor = log.floor();
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
        self.said.get(&draft.author.id)?.places.get(&draft.message_id)
    }

    /// Breaks this log on purpose.
    #[cfg(feature = "mutants")]
    pub fn break_on_purpose(&mut self, mutant: crate::mutant::Mutant) {
        self.broken = Some(mutant);
    }
}

impl RoomLog {
    fn record(&self, room: &RoomName) -> RoomRecord {
        RoomRecord {
            room: room.clone(),
            head: Position { epoch: self.epoch.clone(), seq: self.head },
            floor: self.floor(),
            keep: self.keep,
            members: self.members.clone(),
        }
    }

    fn floor(&self) -> u64 {
        self.head - self.entries.len() as u64
    }

    fn keep(&mut self, entry: Arc<Entry>) {
        self.entries.push_back(entry);
        let most = match self.keep {
            Keep::Forever => usize::MAX,
            Keep::Last(most) => most as usize,
            Keep::None => 0,
        };
        while self.entries.len() > most {
            self.entries.pop_front();
        }
    }
}

impl Said {
    fn remember(&mut self, message_id: MessageId, place: Place) {
        self.order.push_back(message_id.clone());
        self.places.insert(message_id, place);
        if self.order.len() > MESSAGE_IDS_PER_AUTHOR
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
        }
    }
}

/// SipHash with fixed keys: an author who makes two bodies collide deceives only themselves.
fn hash(body: &Body) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.as_str().hash(&mut hasher);
    hasher.finish()
}
