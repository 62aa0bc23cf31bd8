//! One running room: its tail, who may read it, who follows it; and how it comes to run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use common::{ConnectionId, EntryKind, Member, Problem, RoomName, UserId, http::Keep};
use rooms::{
    Entry, Room,
    access::{Deed, may},
};

use super::{Live, Mailbox};
#[cfg(feature = "mutants")]
use crate::mutant;
use crate::{clock, log::Store};

/// Entries that a room is loaded with: the first page of everybody who comes, and what most of
/// those missed who come back.
const LOAD_ENTRIES: usize = 128;
/// Attempts to load a room into which much is said meanwhile; after them it begins with no tail.
const LOAD_ATTEMPTS: usize = 3;

#[derive(Debug)]
pub(super) struct Running {
    pub(super) state: Mutex<RunningState>,
}

#[derive(Debug)]
pub(super) struct RunningState {
    pub(super) room: Room,
    /// Of a private room: who may see it.
    pub(super) members: Option<Arc<[Member]>>,
    pub(super) followers: HashMap<ConnectionId, Follower>,
    pub(super) idle_since: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Follower {
    pub(super) user: UserId,
    pub(super) mailbox: Arc<Mailbox>,
}

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
        let running = Arc::new(Running {
            state: Mutex::new(RunningState {
                room: Room::load(&record, last.to_vec(), &self.settings),
                members: record.members,
                followers: HashMap::new(),
                idle_since: None,
            }),
        });
        rooms.insert(room.clone(), Arc::clone(&running));
        Ok(Some(running))
    }
}

impl Running {
    pub(super) fn lock(&self) -> MutexGuard<'_, RunningState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningState {
    /// Takes the next entry of the log, and wakes whoever follows.
    pub(super) fn take(&mut self, entry: &Arc<Entry>) {
        self.room.append(Arc::clone(entry));
        if entry.kind == EntryKind::Membership {
            self.change_members(entry);
        }
        self.mark_followers();
    }

    /// Whoever does not belong to the room any more follows it no longer, from this entry on.
    fn change_members(&mut self, entry: &Entry) {
        let Self { room, members, followers, .. } = self;
        rooms::log::change_members(members, entry);
        followers.retain(|_, follower| {
            let stays = may(&follower.user, Deed::Read, members.as_deref());
            #[cfg(feature = "mutants")]
            let stays = stays || mutant::is_chosen(mutant::Breakage::KickNotTold);
            if !stays {
                follower.mailbox.removed(room.name());
                room.presence.leave(&follower.user, clock::now());
            }
            stays
        });
        // Somebody whose connection was lost a moment ago would be awaited for a while.
        let gone = entry.member.as_ref().map(|member| &member.id);
        if let Some(gone) = gone.filter(|gone| !may(gone, Deed::Read, members.as_deref())) {
            room.presence.leave(gone, clock::now());
        }
    }

    pub(super) fn mark_followers(&self) {
        for follower in self.followers.values() {
            follower.mailbox.mark(self.room.name());
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.followers.is_empty() && self.room.presence.count() == 0
    }
}
