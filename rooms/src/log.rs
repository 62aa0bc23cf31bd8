//! The log of all rooms, in memory: it gives entries their places and knows a message that is
//! said again.
//!
//! What this keeps is lost with the process; every room begins a new epoch then. A durable log
//! answers the same questions.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use common::{
    Digest, EntryKind, Epoch, Member, MessageId, Position, RoomName, Timestamp, Topic, UserId,
    http::Keep,
};

use crate::{
    Content, Draft, Entry,
    access::{Deed, may},
    entry::MembershipChange,
};

/// Message ids that are remembered, of all authors together: about 20 MB.
const MESSAGE_IDS_MAX: usize = 100_000;

/// All rooms and what was said in them.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    rooms: BTreeMap<RoomName, RoomLog>,
    said: Said,
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
    /// The digest of its log at the head.
    pub digest: Digest,
    /// Entries up to and including this one are no longer kept.
    pub floor: u64,
    /// The digest of its log at the floor.
    pub floor_digest: Digest,
    /// How much of it is kept.
    pub keep: Keep,
    /// Of a private room: who may see it. Shared: a record is copied for every question about it.
    pub members: Option<Arc<[Member]>>,
    /// What it is about, if anybody has said so.
    pub topic: Option<Topic>,
}

/// A room that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRoom {
    /// Its name.
    pub room: RoomName,
    /// The life of its log.
    pub epoch: Epoch,
    /// How much of it is kept.
    pub keep: Keep,
    /// Of a private room: who may see it. The first of them opens it.
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
    /// There is no such room, or not for the author.
    #[error("there is no room {0}")]
    NoSuchRoom(RoomName),
    /// Its author used the message id before, for something else.
    #[error("the message id was used before, at {0:?}")]
    Conflict(Position),
    /// What it is about does not stand in the log.
    #[error("there is no entry {0}")]
    NoSuchEntry(u64),
    /// What it is about is nothing that this can be done to.
    #[error("entry {0} is of another kind")]
    WrongKind(u64),
    /// The author may not do this.
    #[error("the author may not do this")]
    Forbidden,
    /// What it is about was deleted before.
    #[error("entry {0} was deleted")]
    Deleted(u64),
    /// It would change nothing.
    #[error("it is so already")]
    Already,
}

/// Why a room cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenRefusal {
    /// There is one of this name.
    #[error("the room exists")]
    Exists,
}

/// Whether the draft may be added to this room, when `target` is the entry that it is about: the
/// rules that every log obeys. Whether it was said before is asked first.
///
/// # Errors
/// Says which rule it breaks.
pub fn check(
    draft: &Draft,
    room: &RoomRecord,
    target: Option<&Entry>,
) -> Result<(), AppendRefusal> {
    let members = room.members.as_deref();
    let user = &draft.author.id;
    if !may(user, Deed::Read, members) {
        return Err(AppendRefusal::NoSuchRoom(draft.room.clone()));
    }
    let allowed = |deed| may(user, deed, members).then_some(()).ok_or(AppendRefusal::Forbidden);
    match &draft.content {
        Content::Post(_) | Content::Topic(_) => allowed(Deed::Say),
        Content::Reaction { of, .. } => {
            let post = standing(*of, target, &[EntryKind::Post])?;
            allowed(Deed::Say)?;
            not_deleted(post)
        }
        Content::Edit { of, .. } => {
            let post = standing(*of, target, &[EntryKind::Post])?;
            allowed(Deed::Edit { author: &post.author.id })?;
            not_deleted(post)
        }
        Content::Delete { of } => {
            let entry = standing(*of, target, &[EntryKind::Post, EntryKind::Reaction])?;
            allowed(Deed::Delete { author: &entry.author.id })?;
            not_deleted(entry)
        }
        Content::Membership { change, member } => {
            let belongs = members.is_some_and(|all| all.iter().any(|one| one.id == member.id));
            match change {
                MembershipChange::Joined => allowed(Deed::Admit)?,
                MembershipChange::Left | MembershipChange::Kicked => {
                    allowed(Deed::Remove { member: &member.id })?;
                }
            }
            let belonged = matches!(change, MembershipChange::Left | MembershipChange::Kicked);
            if belongs == belonged { Ok(()) } else { Err(AppendRefusal::Already) }
        }
    }
}

fn standing<'a>(
    of: u64,
    target: Option<&'a Entry>,
    kinds: &[EntryKind],
) -> Result<&'a Entry, AppendRefusal> {
    let entry = target.ok_or(AppendRefusal::NoSuchEntry(of))?;
    if !kinds.contains(&entry.kind) {
        return Err(AppendRefusal::WrongKind(of));
    }
    Ok(entry)
}

fn not_deleted(entry: &Entry) -> Result<(), AppendRefusal> {
    if entry.erased.is_some() { Err(AppendRefusal::Deleted(entry.seq)) } else { Ok(()) }
}

/// The members of a private room after this entry.
pub fn change_members(members: &mut Option<Arc<[Member]>>, entry: &Entry) {
    if let (Some(members), Some(member)) = (members, &entry.member) {
        let others = members.iter().filter(|one| one.id != member.id);
        let joined = MembershipChange::belongs(&entry.body).then_some(member);
        *members = others.chain(joined).cloned().collect();
    }
}

impl Appended {
    /// Where it stands.
    #[must_use]
    pub fn position(self) -> Position {
        match self {
            Self::New(entry) => entry.position(),
            Self::Repeated(position) => position,
        }
    }
}

impl RoomRecord {
    /// What is known of a room that was opened just then.
    #[must_use]
    pub fn new(new: NewRoom) -> Self {
        let NewRoom { room, epoch, keep, members } = new;
        let digest = Digest::start(&epoch);
        Self {
            room,
            head: Position { epoch, seq: 0 },
            digest,
            floor: 0,
            floor_digest: digest,
            keep,
            members: members.map(Arc::from),
            topic: None,
        }
    }

    /// The entry was added to its log: head, digest, members and topic follow.
    pub fn advance(&mut self, entry: &Entry) {
        self.head.seq = entry.seq;
        self.digest = entry.digest;
        if entry.kind == EntryKind::Topic {
            self.topic = Topic::new(&entry.body).ok().filter(|topic| !topic.as_str().is_empty());
        }
        change_members(&mut self.members, entry);
    }

    /// How many of the last entries are kept.
    #[must_use]
    pub fn keeps(&self) -> u64 {
        match self.keep {
            Keep::Forever => u64::MAX,
            Keep::Last(most) => u64::from(most),
            Keep::None => 0,
        }
    }
}

#[derive(Clone, Debug)]
struct RoomLog {
    record: RoomRecord,
    entries: VecDeque<Arc<Entry>>,
}

/// What was said, for knowing it again: bounded, oldest forgotten first.
#[derive(Clone, Debug, Default)]
struct Said {
    places: BTreeMap<(UserId, MessageId), Place>,
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
        self.order.push_back(name.clone());
        self.places.insert(name, place);
        if self.order.len() > MESSAGE_IDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
        }
    }
}
