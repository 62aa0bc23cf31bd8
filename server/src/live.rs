//! The running rooms: append, wake, follow, read.
//!
//! One lock per room, private to this module, never held over an await or a write. Nobody else
//! sees a room: others ask for a follower. Locks are taken in the order people, map, room, an
//! audience's seats, line, what waits in an audience; a mailbox's and the fleeting log's under a
//! room's; a lane's and the store's own are taken under any and take none.

mod audience;
mod catalogue;
mod flushing;
mod history;
mod mailbox;
mod markers;
mod running;
mod turn;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

pub use audience::Seated;
use common::{Digest, ErrorCode, Position, Problem, RoomName, UserId};
pub use flushing::hand_out;
pub use mailbox::{Answer, Asked, Mail, Mailbox, Marked};
use rooms::{
    Appended, ConnectionNumber, Draft, Entry, MemoryLog, News, People, Read, Roster, Settings,
    Start,
    access::{Deed, may},
    conversation::Follow,
};
use running::{Running, Standing};

use crate::{
    clock,
    contact::Contact,
    log::{Log, Store},
};

/// A room that nobody follows is dropped from memory after this time.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// All running rooms of this node.
#[derive(Debug)]
pub struct Live {
    settings: Arc<Settings>,
    log: Log,
    /// The logs of rooms that keep nothing: they never reach the store.
    fleeting: Mutex<MemoryLog>,
    rooms: Mutex<HashMap<RoomName, Arc<Running>>>,
    flushing: flushing::Flushing,
    people: Mutex<People>,
}

/// The answer to following a room.
#[derive(Debug)]
pub struct Followed {
    /// The room's name: one for all its followers.
    pub room: RoomName,
    /// Where to begin reading.
    pub start: Start,
    /// Who is present.
    pub roster: Roster,
}

/// How far a connection was handed what is new, and the log's digest there, where it is at hand.
pub type Handed = (u64, Option<Digest>);

/// What reading at a connection's cursor gave.
#[derive(Debug)]
pub struct Reading {
    /// Where the cursor stood, when the connection was handed what is new before.
    pub handed: Option<Handed>,
    /// What follows.
    pub read: Read,
    /// What is new of the presence.
    pub news: News,
    /// The version of that.
    pub version: u32,
}

impl Live {
    /// No room runs.
    #[must_use]
    pub fn new(settings: Arc<Settings>, log: Log) -> Self {
        let mut fleeting = MemoryLog::new();
        for record in log.store().rooms() {
            catalogue::open_fleeting(&mut fleeting, &record);
        }
        let (rooms, people) = Default::default();
        let flushing = flushing::Flushing::new();
        Self { settings, log, fleeting: Mutex::new(fleeting), rooms, flushing, people }
    }

    /// The numbers that rooms and conversations live by.
    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The way to the store.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// A connection follows a room, or moves its cursor in a room that it follows already.
    ///
    /// # Errors
    /// There is no such room for this person, or it cannot be loaded.
    pub async fn follow(
        &self,
        room: &RoomName,
        contact: &Arc<Contact>,
        after: Option<&Position>,
    ) -> Result<Followed, Problem> {
        let user = &contact.owner().signed_in.user;
        let running = self.running(room, &user.id).await?;
        let mut followed = {
            let mut state = running.lock();
            // Who may read it may have changed while it was loaded.
            if !may(&user.id, Deed::Read, state.members.as_deref()) {
                return Err(Problem::new(ErrorCode::NotFound));
            }
            if state.follow(contact) {
                state.room.presence.join(user, clock::now());
                state.idle_since = None;
            }
            Followed {
                room: running.name().clone(),
                start: state.room.start(after, self.settings.page_entries),
                roster: state.room.presence.roster(),
            }
        };
        contact.mailbox().mark(room);
        let start = &mut followed.start;
        // Whoever begins to read has to know the digest there, also where the entries of a page are
        // so large that the tail does not hold them all.
        if start.base.is_none() && !start.recovered {
            let (room, after) = (room.clone(), start.after);
            let base = self.log.read(move |store| store.digest_at(&room, after)).await;
            start.base = base.ok().flatten();
        }
        Ok(followed)
    }

    /// A connection follows a room no longer: it left `on_purpose`, or it was lost.
    pub fn unfollow(
        &self,
        room: &RoomName,
        user: &UserId,
        connection: ConnectionNumber,
        on_purpose: bool,
    ) {
        let Some(running) = self.lock().get(room).cloned() else { return };
        let mut state = running.lock();
        if state.unfollow(connection) {
            let presence = &mut state.room.presence;
            let leave = if on_purpose { rooms::Presence::leave } else { rooms::Presence::lose };
            leave(presence, user, clock::now());
        }
    }

    /// Whether a connection follows a room.
    #[must_use]
    pub fn is_followed(&self, room: &RoomName, connection: ConnectionNumber) -> bool {
        let running = self.lock().get(room).cloned();
        running.is_some_and(|running| running.lock().is_followed_by(connection))
    }

    /// What follows a connection's cursor in a room, and what is new of its presence; `None` when
    /// the connection follows it no longer. What the tail does not hold is to be read with
    /// [`Self::read_further_back`].
    #[must_use]
    pub fn read(&self, follow: &Follow, connection: ConnectionNumber) -> Option<Reading> {
        let running = self.lock().get(&follow.room).cloned()?;
        let Settings { read_entries_max, read_bytes_max, page_entries, .. } = *self.settings;
        let mut state = running.lock();
        // Whoever was sent away reads nothing of what came after.
        if !state.is_followed_by(connection) {
            return None;
        }
        let Standing { handed, keeps_up } = state.standing(connection);
        let room = &state.room;
        let (news, version) = (room.presence.news_since(follow.presence), room.presence.version());
        let mut cursor = follow.cursor.clone();
        cursor.seq = handed.map_or(cursor.seq, |(seq, _)| seq);
        let read = if keeps_up {
            Read::Entries { entries: Vec::new(), to_the_head: true }
        } else {
            room.read_after(&cursor, read_entries_max, read_bytes_max, page_entries)
        };
        Some(Reading { handed, read, news, version })
    }

    /// How far a connection was handed what is new in a room, beside what it read, and the log's
    /// digest there.
    #[must_use]
    pub fn handed(&self, room: &RoomName, connection: ConnectionNumber) -> Option<Handed> {
        let running = self.lock().get(room).cloned()?;
        running.lock().standing(connection).handed
    }

    /// A connection has read everything, and its line took it: what is new is handed to that line
    /// from here on. `false` when there is something to read first.
    pub fn keep_up(&self, follow: &Follow, connection: ConnectionNumber) -> bool {
        let Some(running) = self.lock().get(&follow.room).cloned() else { return true };
        let mut state = running.lock();
        state.sit(connection, &follow.cursor, follow.echo)
    }

    /// Where a connection sits that keeps up with a room.
    #[must_use]
    pub fn seat(&self, room: &RoomName, connection: ConnectionNumber) -> Option<Seated> {
        let running = self.lock().get(room).cloned()?;
        let may_wait = self.flushing.is_busy(room);
        running.lock().seat(connection, may_wait)
    }

    /// A page of the log behind a cursor that the tail does not reach, at most `most` entries.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn read_further_back(&self, follow: &Follow, most: usize) -> Result<Read, Problem> {
        let (room, after) = (follow.room.clone(), follow.cursor.seq);
        let bytes_max = self.settings.read_bytes_max;
        let read = move |store: &dyn Store| store.read_after(&room, after, most, bytes_max);
        let entries = self.log.read(read).await?;
        Ok(Read::of_the_log(entries, bytes_max))
    }

    /// Adds a draft to its room's log. Answers what became of it where that is known at once;
    /// otherwise the answer comes into the mailbox.
    ///
    /// # Errors
    /// The author may not, or too much waits.
    pub fn append(
        &self,
        id: u64,
        draft: Draft,
        contact: &Arc<Contact>,
    ) -> Result<Option<Answer>, Problem> {
        let (room, message_id) = (draft.room.clone(), draft.message_id.clone());
        let asked = Asked { id, room, message_id };
        let running = self.lock().get(&draft.room).cloned();
        let keeps = running.as_ref().map(|running| !running.keeps_nothing);
        if !keeps.unwrap_or_else(|| self.keeps(&draft.room)) {
            return Ok(Some(Answer { asked, outcome: self.append_fleeting(draft, running) }));
        }
        let record = self.record_for(&draft.room, &draft.author.id)?;
        if !may(&draft.author.id, Deed::Say, record.members.as_deref()) {
            return Err(Problem::new(ErrorCode::Forbidden));
        }
        self.log.append(draft, Arc::downgrade(contact), asked)?;
        Ok(None)
    }

    /// What is said in a room that keeps nothing waits for no disk.
    fn append_fleeting(
        &self,
        draft: Draft,
        running: Option<Arc<Running>>,
    ) -> Result<Position, Problem> {
        // Taken first, so that entries reach the room in the order of the log.
        let mut state = running.as_ref().map(|running| running.lock());
        let appended = self.fleeting().append(draft, clock::wall())?;
        let mut flush_is_due = None;
        if let (Appended::New(entry), Some(state)) = (&appended, &mut state) {
            flush_is_due = Some(state.take(entry));
        }
        drop(state);
        if let (Some(running), Some(is_due)) = (running, flush_is_due) {
            self.flushing.said(running, is_due);
        }
        Ok(appended.position())
    }

    /// An entry was committed: its room's followers are woken. A room that nobody runs needs
    /// nothing; one that was loaded after the commit holds the entry already.
    pub fn deliver(&self, entry: &Arc<Entry>) {
        let Some(running) = self.lock().get(&entry.room).cloned() else { return };
        let mut state = running.lock();
        if entry.seq <= state.room.head().seq {
            return;
        }
        let flush_is_due = state.take(entry);
        drop(state);
        self.flushing.said(running, flush_is_due);
    }

    /// A connection of this person begins; answers the one that has to make place for it.
    pub fn connect(&self, user: &UserId, connection: ConnectionNumber) -> Option<ConnectionNumber> {
        self.people().connect(user, connection, &self.settings)
    }

    /// A connection of this person ended.
    pub fn disconnect(&self, user: &UserId, connection: ConnectionNumber) {
        self.people().disconnect(user, connection);
    }

    /// Whether this person may say something at this moment.
    ///
    /// # Errors
    /// Too fast; how long to wait.
    pub fn may_say(&self, user: &UserId, room: &RoomName) -> Result<(), Duration> {
        self.people().may_say(user, room, &self.settings, clock::now())
    }

    /// Whether this person may search at this moment.
    ///
    /// # Errors
    /// Too fast; when to come again.
    pub fn may_search(&self, user: &UserId) -> Result<(), Problem> {
        let may = self.people().may_search(user, &self.settings, clock::now());
        may.map_err(Problem::rate_limited)
    }

    /// Whether this person may read a page of the past, outside of a connection, at this moment.
    ///
    /// # Errors
    /// Too fast; when to come again.
    pub fn may_read_page(&self, user: &UserId) -> Result<(), Problem> {
        let may = self.people().may_read_page(user, &self.settings, clock::now());
        may.map_err(Problem::rate_limited)
    }

    /// Answers who is to be told of whose coming and going.
    fn handle_timeout(&self, now: Instant) -> Vec<(RoomName, Vec<Weak<Contact>>)> {
        let (mut rooms, mut to_tell) = (self.lock(), Vec::new());
        rooms.retain(|name, running| {
            let mut state = running.lock();
            if state.room.presence.handle_timeout(now) {
                to_tell.push((name.clone(), state.followers().map(Arc::downgrade).collect()));
            }
            // Whoever is about to follow holds the room as well.
            let needed = Arc::strong_count(running) > 1 || !state.is_idle();
            if needed {
                state.idle_since = None;
                return true;
            }
            now < *state.idle_since.get_or_insert(now) + IDLE_MAX
        });
        to_tell
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomName, Arc<Running>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn people(&self) -> MutexGuard<'_, People> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fleeting(&self) -> MutexGuard<'_, MemoryLog> {
        self.fleeting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks after presence, idle rooms and what people have spent, for ever.
pub async fn keep_time(live: Arc<Live>) {
    /// Short enough that nobody waits for the coalesced presence longer than they notice.
    const EVERY: Duration = Duration::from_millis(101);
    /// What people have spent makes no difference once it has come back: it is only memory.
    const FORGET_EVERY: Duration = Duration::from_secs(10);
    /// So many read what they are told before the next are told: else every mailbox of a large room
    /// would be full at the same moment.
    const TOLD_AT_ONCE: usize = 128;
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut forget_at = clock::now() + FORGET_EVERY;
    loop {
        interval.tick().await;
        let now = clock::now();
        for (room, contacts) in live.handle_timeout(now) {
            for some in contacts.chunks(TOLD_AT_ONCE) {
                some.iter().filter_map(Weak::upgrade).for_each(|one| one.mailbox().mark(&room));
                tokio::task::yield_now().await;
            }
        }
        if forget_at <= now {
            forget_at = now + FORGET_EVERY;
            live.people().handle_timeout(now);
        }
    }
}
