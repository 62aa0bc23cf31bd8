//! One running room: its tail, who may read it, who follows it; and how it comes to run.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use common::{EntryKind, Member, Position, Problem, RoomName, UserId, http::Keep};
use rooms::{
    ConnectionNumber, Entry, Room,
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
    /// Followers who sit in the audience: they keep up. Nobody is among these and the others.
    sitting: HashSet<BySeat>,
    /// The others: what is new, they read by their cursor.
    reading: HashMap<ByConnection, LeftSeat>,
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

/// The seat of somebody who was left behind, until they were told how far they had been handed what
/// is new.
type LeftSeat = Option<Arc<Seat>>;

found_by!(
    /// In a table, found by whose it is.
    BySeat(Arc<Seat>), ConnectionNumber, |seat| &seat.contact().owner().connection
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
                sitting: HashSet::new(),
                reading: HashMap::new(),
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
            state.falls_behind(&seat);
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, RunningState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningState {
    /// Somebody follows, or follows anew; says whether they did not before.
    pub(super) fn follow(&mut self, contact: &Arc<Contact>) -> bool {
        let followed_before = self.unfollow(contact.owner().connection);
        self.reading.insert(ByConnection(Arc::clone(contact)), None);
        !followed_before
    }

    /// Whether somebody follows.
    pub(super) fn is_followed_by(&self, connection: ConnectionNumber) -> bool {
        self.sitting.contains(&connection) || self.reading.contains_key(&connection)
    }

    /// Somebody follows no longer; says whether they did.
    pub(super) fn unfollow(&mut self, connection: ConnectionNumber) -> bool {
        let Some(BySeat(seat)) = self.sitting.take(&connection) else {
            return self.reading.remove(&connection).is_some();
        };
        self.audience.stand_up(&seat);
        true
    }

    /// A follower who was handed everything up to `at` keeps up from here on: `false` when there
    /// is something to read first.
    pub(super) fn sit(&mut self, connection: ConnectionNumber, at: &Position, echo: bool) -> bool {
        let reader = self.reading.get_key_value(&connection);
        let Some((ByConnection(contact), _)) = reader else { return true };
        if self.room.head() != *at {
            return false;
        }
        let seat = Seat::new(Arc::clone(contact), echo, at.seq);
        self.audience.sit(&seat);
        self.reading.remove(&connection);
        self.sitting.insert(BySeat(seat));
        true
    }

    /// Where a follower sits who keeps up; what goes to them alone `may_wait` for the next flush.
    pub(super) fn seat(&self, connection: ConnectionNumber, may_wait: bool) -> Option<Seated> {
        let BySeat(seat) = self.sitting.get(&connection)?;
        Some(Seated::new(Arc::clone(&self.audience), Arc::clone(seat), may_wait))
    }

    /// How far a follower was handed what is new, and whether that goes on. Who was left behind
    /// is told so once, and reads by their cursor from there on.
    pub(super) fn standing(&mut self, connection: ConnectionNumber) -> Standing {
        let seat = self.sitting.get(&connection).map(|BySeat(seat)| Arc::clone(seat));
        let keeps_up = seat.as_ref().is_some_and(|seat| seat.is_open());
        let up_to = match seat {
            Some(seat) if keeps_up => Some(seat.at()),
            seat => {
                if let Some(seat) = seat {
                    self.falls_behind(&seat);
                }
                self.take_last_handed(connection)
            }
        };
        Standing { handed: up_to.map(|seq| (seq, self.room.digest_at(seq))), keeps_up }
    }

    /// A seat was given up because its line did not take everything: who sat there reads from here on.
    fn falls_behind(&mut self, seat: &Arc<Seat>) {
        let contact = seat.contact();
        let connection = &contact.owner().connection;
        // Whoever followed anew meanwhile, or knows already, has another cursor.
        if self.sitting.get(connection).is_some_and(|BySeat(other)| Arc::ptr_eq(other, seat)) {
            self.sitting.remove(connection);
            self.reading.insert(ByConnection(Arc::clone(contact)), Some(Arc::clone(seat)));
            contact.mailbox().mark(self.room.name());
        }
    }

    /// How far a follower had been handed what is new, where they were left behind and not told
    /// yet.
    fn take_last_handed(&mut self, connection: ConnectionNumber) -> Option<u64> {
        let seat = self.reading.get_mut(&connection)?.take()?;
        Some(seat.at())
    }

    /// Takes the next entry of the log and wakes whoever reads; says whether the audience has to be
    /// flushed.
    pub(super) fn take(&mut self, entry: &Arc<Entry>) -> bool {
        self.room.append(Arc::clone(entry));
        if entry.kind == EntryKind::Membership {
            self.change_members(entry);
        }
        for ByConnection(contact) in self.reading.keys() {
            contact.mailbox().mark(self.room.name());
        }
        self.audience.say(entry)
    }

    /// Whoever does not belong to the room any more follows it no longer, from this entry on.
    fn change_members(&mut self, entry: &Entry) {
        rooms::log::change_members(&mut self.members, entry);
        let may_read = |user: &UserId| may(user, Deed::Read, self.members.as_deref());
        #[cfg(feature = "mutants")]
        let may_read =
            |user: &UserId| may_read(user) || mutant::is_chosen(mutant::Breakage::KickNotTold);
        let leaving: Vec<_> =
            self.followers().filter(|follower| !may_read(follower.user())).cloned().collect();
        for contact in leaving {
            self.unfollow(contact.owner().connection);
            contact.mailbox().removed(self.room.name());
            self.room.presence.leave(contact.user(), clock::now());
        }
        // Somebody whose connection was lost a moment ago would be awaited for a while.
        let gone = entry.member.as_ref().map(|member| &member.id);
        if let Some(gone) = gone.filter(|gone| !may(gone, Deed::Read, self.members.as_deref())) {
            self.room.presence.leave(gone, clock::now());
        }
    }

    /// All who follow.
    pub(super) fn followers(&self) -> impl Iterator<Item = &Arc<Contact>> {
        let sitting = self.sitting.iter().map(|BySeat(seat)| seat.contact());
        sitting.chain(self.reading.keys().map(|ByConnection(contact)| contact))
    }

    pub(super) fn is_idle(&self) -> bool {
        self.sitting.is_empty() && self.reading.is_empty() && self.room.presence.count() == 0
    }
}
