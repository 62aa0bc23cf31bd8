//! One running room: its tail, who may read it, who follows it; and how it comes to run.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};

use common::{ConnectionId, EntryKind, Member, Position, Problem, RoomName, UserId, http::Keep};
use rooms::{
    Entry, Room,
    access::{Deed, may},
};

use super::{
    Handed, Live,
    audience::{Audience, Seat, Seated},
    turn::Turn,
};
#[cfg(feature = "mutants")]
use crate::mutant;
use crate::{
    clock,
    contact::{ByConnection, Contact},
    found_by::found_by,
    log::Store,
};

/// Entries that a room is loaded with: the first page of everybody who comes, and what most of
/// those missed who come back.
const LOAD_ENTRIES: usize = 128;
/// Attempts to load a room into which much is said meanwhile; after them it begins with no tail.
const LOAD_ATTEMPTS: usize = 3;

#[derive(Debug)]
pub(super) struct Running {
    name: RoomName,
    /// What is said here is nowhere else.
    pub(super) keeps_nothing: bool,
    state: Mutex<RunningState>,
    /// Its lock is taken under the state's.
    audience: Arc<Audience>,
}

#[derive(Debug)]
pub(super) struct RunningState {
    pub(super) room: Room,
    /// Of a private room: who may see it.
    pub(super) members: Option<Arc<[Member]>>,
    pub(super) followers: HashSet<ByFollower>,
    /// Those followers who do not sit in the audience: what is new, they read by their cursor.
    readers: HashSet<ByConnection>,
    audience: Arc<Audience>,
    pub(super) idle_since: Option<Instant>,
}

/// Where a follower stands beside what they read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// What they were handed, where they were.
    pub(super) handed: Option<Handed>,
    /// What is new will be handed to them, too.
    pub(super) keeps_up: bool,
}

/// Where a follower is while something new comes.
#[derive(Clone, Debug)]
pub(super) enum Follower {
    /// With a cursor of their own.
    Reading(Arc<Contact>),
    /// The same; they stood up from here because they were left behind, and are to be told so.
    Behind(Arc<Seat>),
    /// In the audience: they keep up.
    Sitting(Arc<Seat>),
}

found_by!(
    /// In a table, found by their connection.
    pub(super) ByFollower(Follower), ConnectionId, |follower| &follower.contact().owner().connection
);

impl Live {
    /// A room that runs, or that is loaded for this person.
    pub(super) async fn running(
        &self,
        room: &RoomName,
        user: &UserId,
    ) -> Result<Arc<Running>, Problem> {
        for attempt in 0.. {
            if let Some(running) = self.lock().get(room) {
                return Ok(Arc::clone(running));
            }
            let record = self.record_for(room, user)?;
            let last = if record.keep == Keep::None || attempt >= LOAD_ATTEMPTS {
                Vec::new()
            } else {
                let (room, before) = (room.clone(), record.head.seq + 1);
                let read = move |store: &dyn Store| store.read_before(&room, before, LOAD_ENTRIES);
                // What cannot be read is no reason to keep people from what is live.
                self.log.read(read).await.unwrap_or_default()
            };
            if let Some(running) = self.run(room, user, &last)? {
                return Ok(running);
            }
        }
        unreachable!("a room without a tail can always be run")
    }

    /// Lets a room run with these last entries; `None` when more was said since they were read.
    fn run(
        &self,
        room: &RoomName,
        user: &UserId,
        last: &[Arc<Entry>],
    ) -> Result<Option<Arc<Running>>, Problem> {
        let mut rooms = self.lock();
        if let Some(running) = rooms.get(room) {
            return Ok(Some(Arc::clone(running)));
        }
        // From here on what is committed is delivered to the room: nothing comes between.
        let record = self.record_for(room, user)?;
        if last.last().is_some_and(|entry| entry.seq != record.head.seq) {
            return Ok(None);
        }
        let audience = Arc::<Audience>::default();
        let running = Arc::new(Running {
            name: room.clone(),
            keeps_nothing: record.keep == Keep::None,
            audience: Arc::clone(&audience),
            state: Mutex::new(RunningState {
                room: Room::load(&record, last.to_vec(), &self.settings),
                members: record.members,
                followers: HashSet::new(),
                readers: HashSet::new(),
                audience,
                idle_since: None,
            }),
        });
        rooms.insert(room.clone(), Arc::clone(&running));
        Ok(Some(running))
    }
}

impl Running {
    pub(super) fn name(&self) -> &RoomName {
        &self.name
    }

    /// Hands what waits to the audience, on up to so many cores. Whoever does not take it reads by
    /// their cursor.
    pub(super) async fn flush(&self, turn: &mut Turn, cores: usize) {
        let behind = self.audience.flush(turn, cores).await;
        if behind.is_empty() {
            return;
        }
        let mut state = self.lock();
        for seat in behind {
            state.is_behind(&seat);
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, RunningState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningState {
    /// Somebody follows, or follows anew; says whether they did not before.
    pub(super) fn follow(&mut self, contact: &Arc<Contact>) -> bool {
        let followed_before = self.unfollow(&contact.owner().connection);
        self.readers.insert(ByConnection(Arc::clone(contact)));
        self.followers.insert(ByFollower(Follower::Reading(Arc::clone(contact))));
        !followed_before
    }

    /// Somebody follows no longer; says whether they did.
    pub(super) fn unfollow(&mut self, connection: &ConnectionId) -> bool {
        self.readers.remove(connection);
        let Some(ByFollower(before)) = self.followers.take(connection) else { return false };
        if let Some(seat) = before.seat() {
            self.audience.stand_up(seat);
        }
        true
    }

    /// A follower who was handed everything up to `at` keeps up from here on: `false` when there
    /// is something to read first.
    pub(super) fn sit(&mut self, connection: &ConnectionId, at: &Position, echo: bool) -> bool {
        let Some(ByFollower(follower)) = self.followers.get(connection) else { return true };
        if follower.seat().is_some() {
            return true;
        }
        if self.room.head() != *at {
            return false;
        }
        let seat = Seat::new(Arc::clone(follower.contact()), echo, at.seq);
        self.audience.sit(&seat);
        self.followers.replace(ByFollower(Follower::Sitting(seat)));
        self.readers.remove(connection);
        true
    }

    /// Where a follower sits who keeps up; what goes to them alone `may_wait` for the next flush.
    pub(super) fn seat(&self, connection: &ConnectionId, may_wait: bool) -> Option<Seated> {
        let seat = self.follower(connection)?.seat()?;
        Some(Seated::new(Arc::clone(&self.audience), Arc::clone(seat), may_wait))
    }

    /// How far a follower was handed what is new, and whether that goes on. Who was left behind
    /// is told so once, and reads by their cursor from there on.
    pub(super) fn standing(&mut self, connection: &ConnectionId) -> Standing {
        let seat = self.follower(connection).and_then(Follower::seat).cloned();
        let keeps_up = seat.as_ref().is_some_and(|seat| seat.is_open());
        let up_to = match seat {
            Some(seat) if keeps_up => Some(seat.at()),
            seat => {
                if let Some(seat) = seat {
                    self.is_behind(&seat);
                }
                self.tell(connection)
            }
        };
        Standing { handed: up_to.map(|seq| (seq, self.room.digest_at(seq))), keeps_up }
    }

    /// A seat was given up because its line did not take everything.
    fn is_behind(&mut self, seat: &Arc<Seat>) {
        let contact = seat.contact();
        let sits = self.follower(&contact.owner().connection).and_then(Follower::seat);
        // Whoever followed anew meanwhile, or knows already, has another cursor.
        if sits.is_some_and(|other| Arc::ptr_eq(other, seat)) {
            self.followers.replace(ByFollower(Follower::Behind(Arc::clone(seat))));
            self.readers.insert(ByConnection(Arc::clone(contact)));
            contact.mailbox().mark(self.room.name());
        }
    }

    /// How far a follower had been handed what is new, where they were left behind and not told
    /// yet.
    fn tell(&mut self, connection: &ConnectionId) -> Option<u64> {
        let Some(Follower::Behind(seat)) = self.follower(connection) else { return None };
        let (at, reading) = (seat.at(), Follower::Reading(Arc::clone(seat.contact())));
        self.followers.replace(ByFollower(reading));
        Some(at)
    }

    fn follower(&self, connection: &ConnectionId) -> Option<&Follower> {
        self.followers.get(connection).map(|ByFollower(follower)| follower)
    }

    /// Takes the next entry of the log and wakes whoever reads; says whether the audience has to be
    /// flushed.
    pub(super) fn take(&mut self, entry: &Arc<Entry>) -> bool {
        self.room.append(Arc::clone(entry));
        if entry.kind == EntryKind::Membership {
            self.change_members(entry);
        }
        for ByConnection(contact) in &self.readers {
            contact.mailbox().mark(self.room.name());
        }
        self.audience.say(entry)
    }

    /// Whoever does not belong to the room any more follows it no longer, from this entry on.
    fn change_members(&mut self, entry: &Entry) {
        let Self { room, members, followers, readers, audience, .. } = self;
        rooms::log::change_members(members, entry);
        followers.retain(|ByFollower(follower)| {
            let stays = may(follower.user(), Deed::Read, members.as_deref());
            #[cfg(feature = "mutants")]
            let stays = stays || mutant::is_chosen(mutant::Breakage::KickNotTold);
            if !stays {
                readers.remove(&follower.contact().owner().connection);
                if let Some(seat) = follower.seat() {
                    audience.stand_up(seat);
                }
                follower.contact().mailbox().removed(room.name());
                room.presence.leave(follower.user(), clock::now());
            }
            stays
        });
        // Somebody whose connection was lost a moment ago would be awaited for a while.
        let gone = entry.member.as_ref().map(|member| &member.id);
        if let Some(gone) = gone.filter(|gone| !may(gone, Deed::Read, members.as_deref())) {
            room.presence.leave(gone, clock::now());
        }
    }

    pub(super) fn contacts(&self) -> Vec<Weak<Contact>> {
        let contacts = self.followers.iter().map(|ByFollower(follower)| follower.contact());
        contacts.map(Arc::downgrade).collect()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.followers.is_empty() && self.room.presence.count() == 0
    }
}

impl Follower {
    fn contact(&self) -> &Arc<Contact> {
        match self {
            Self::Reading(contact) => contact,
            Self::Behind(seat) | Self::Sitting(seat) => seat.contact(),
        }
    }

    fn user(&self) -> &UserId {
        self.contact().user()
    }

    /// Where they sit, while they keep up.
    fn seat(&self) -> Option<&Arc<Seat>> {
        match self {
            Self::Sitting(seat) => Some(seat),
            Self::Reading(_) | Self::Behind(_) => None,
        }
    }
}
