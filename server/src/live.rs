//! The running rooms: append, wake, follow, read.
//!
//! One lock per room, private to this module, never held over an await or a write. Nobody else
//! sees a room: others ask for a follower. Locks are taken in the order people, map, room, mailbox;
//! the store's is taken under people and map only and takes none.

mod mailbox;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use common::{
    ConnectionId, ErrorCode, Member, Position, Problem, RoomName, UserId,
    http::{Keep, RoomInfo},
};
pub use mailbox::{Answer, Mail, Mailbox};
use rooms::{
    Draft, Entry, News, OpenRefusal, People, Read, Room, RoomRecord, Settings, Start,
    access::{Deed, may},
    conversation::Follow,
    people::NoRoom,
};

use crate::{
    clock,
    log::{Committer, Store},
    random,
};

/// A room that nobody follows is dropped from memory after this time.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// All running rooms of this node.
#[derive(Debug)]
pub struct Live {
    settings: Arc<Settings>,
    store: Arc<dyn Store>,
    committer: Committer,
    rooms: Mutex<HashMap<RoomName, Arc<Running>>>,
    people: Mutex<People>,
}

#[derive(Debug)]
struct Running {
    /// Of a private room: who may see it.
    members: Option<Vec<Member>>,
    state: Mutex<RunningState>,
}

#[derive(Debug)]
struct RunningState {
    room: Room,
    followers: HashMap<ConnectionId, Arc<Mailbox>>,
    idle_since: Option<Instant>,
}

/// The answer to following a room.
#[derive(Debug)]
pub struct Followed {
    /// Where to begin reading.
    pub start: Start,
    /// The people present, how many they are, and the version of that.
    pub presence: (Vec<Member>, u32, u64),
}

impl Live {
    /// No room runs.
    #[must_use]
    pub fn new(settings: Arc<Settings>, store: Arc<dyn Store>, committer: Committer) -> Self {
        let (rooms, people) = Default::default();
        Self { settings, store, committer, rooms, people }
    }

    /// The numbers that rooms and conversations live by.
    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Opens a room.
    ///
    /// # Errors
    /// There is one of this name.
    pub fn open(
        &self,
        room: RoomName,
        keep: Keep,
        members: Option<Vec<Member>>,
    ) -> Result<RoomInfo, OpenRefusal> {
        let record = self.store.open(room, random::epoch(), keep, members)?;
        Ok(self.info(record))
    }

    /// Somebody opens a room, within the limits of one person and of the server.
    ///
    /// # Errors
    /// There is one of this name, or a limit is reached.
    pub fn open_for(
        &self,
        opener: &UserId,
        room: RoomName,
        keep: Keep,
        members: Option<Vec<Member>>,
        rooms_max: usize,
    ) -> Result<RoomInfo, Problem> {
        let too_many = |title: &str| Problem::new(ErrorCode::LimitReached).title(title);
        let now = clock::now();
        // Held until the room is open: nobody comes between the question and the deed.
        let mut people = self.people();
        if self.store.rooms().len() >= rooms_max {
            return Err(too_many("there are too many rooms"));
        }
        people.may_open(opener, &self.settings, now).map_err(|refusal| match refusal {
            NoRoom::TooMany => too_many("one person may open no more rooms"),
            NoRoom::TooFast(wait) => {
                let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                Problem::new(ErrorCode::RateLimited).retry_after_ms(wait_ms.saturating_add(1))
            }
        })?;
        let opened = self.open(room, keep, members);
        let info =
            opened.map_err(|_| Problem::new(ErrorCode::Conflict).title("the room exists"))?;
        people.opened(opener, &self.settings, now);
        Ok(info)
    }

    /// The rooms that this person may see, in the order of their names.
    #[must_use]
    pub fn rooms_of(&self, user: &UserId) -> Vec<RoomInfo> {
        let visible = |record: &RoomRecord| may(user, Deed::Read, record.members.as_deref());
        self.store.rooms().into_iter().filter(visible).map(|record| self.info(record)).collect()
    }

    /// A connection follows a room, or moves its cursor in a room that it follows already.
    ///
    /// # Errors
    /// There is no such room for this person.
    pub fn follow(
        &self,
        room: &RoomName,
        user: &Member,
        connection: &ConnectionId,
        mailbox: &Arc<Mailbox>,
        after: Option<&Position>,
    ) -> Result<Followed, Problem> {
        let running = self.running(room).ok_or_else(|| Problem::new(ErrorCode::NotFound))?;
        if !may(&user.id, Deed::Read, running.members.as_deref()) {
            return Err(Problem::new(ErrorCode::NotFound));
        }
        let mut state = running.lock();
        if state.followers.insert(connection.clone(), Arc::clone(mailbox)).is_none() {
            state.room.presence.join(user, clock::now());
            state.idle_since = None;
        }
        let presence = &state.room.presence;
        let presence = (presence.members(), presence.count(), presence.version());
        let start = state.room.start(after, self.settings.page_entries);
        mailbox.mark(room);
        Ok(Followed { start, presence })
    }

    /// A connection follows a room no longer: it left `on_purpose`, or it was lost.
    pub fn unfollow(
        &self,
        room: &RoomName,
        user: &UserId,
        connection: &ConnectionId,
        on_purpose: bool,
    ) {
        let Some(running) = self.lock().get(room).cloned() else { return };
        let mut state = running.lock();
        if state.followers.remove(connection).is_some() {
            let presence = &mut state.room.presence;
            let leave = if on_purpose { rooms::Presence::leave } else { rooms::Presence::lose };
            leave(presence, user, clock::now());
        }
    }

    /// What follows a connection's cursor in a room, and what is new of its presence.
    #[must_use]
    pub fn read(&self, follow: &Follow) -> (Read, News, u64) {
        let gone = || (Read::FurtherBack { most: 0 }, News::None, follow.presence);
        let Some(running) = self.lock().get(&follow.room).cloned() else { return gone() };
        let Settings { read_entries_max, read_bytes_max, page_entries, .. } = *self.settings;
        let state = running.lock();
        let presence = &state.room.presence;
        let (news, version) = (presence.news_since(follow.presence), presence.version());
        let read =
            state.room.read_after(&follow.cursor, read_entries_max, read_bytes_max, page_entries);
        drop(state);
        match read {
            Read::FurtherBack { most } => {
                let entries = self.store.read_after(&follow.room, follow.cursor.seq, most);
                (Read::of_the_log(entries, read_bytes_max), news, version)
            }
            read @ (Read::Entries { .. } | Read::Resync(_)) => (read, news, version),
        }
    }

    /// Hands a draft to the committer; the answer comes into the mailbox.
    ///
    /// # Errors
    /// The author may not, or too much waits.
    pub fn append(&self, id: u64, draft: Draft, mailbox: &Arc<Mailbox>) -> Result<(), Problem> {
        let running = self.running(&draft.room).ok_or_else(|| Problem::new(ErrorCode::NotFound))?;
        if !may(&draft.author.id, Deed::Say, running.members.as_deref()) {
            return Err(Problem::new(ErrorCode::NotFound));
        }
        self.committer.append(id, draft, Arc::clone(mailbox))
    }

    /// An entry was committed: its room's followers are woken. A room that nobody runs needs
    /// nothing; one that was loaded after the commit holds the entry already.
    pub fn deliver(&self, entry: &Arc<Entry>) {
        let Some(running) = self.lock().get(&entry.room).cloned() else { return };
        let mut state = running.lock();
        if entry.seq > state.room.head().seq {
            state.room.append(Arc::clone(entry));
            state.mark_followers();
        }
    }

    /// A connection of this person begins; answers the one that has to make place for it.
    pub fn connect(&self, user: &UserId, connection: &ConnectionId) -> Option<ConnectionId> {
        self.people().connect(user, connection.clone(), &self.settings, clock::now())
    }

    /// A connection of this person ended.
    pub fn disconnect(&self, user: &UserId, connection: &ConnectionId) {
        self.people().disconnect(user, connection);
    }

    /// Whether this person may say something at this moment.
    ///
    /// # Errors
    /// Too fast; how long to wait.
    pub fn may_say(&self, user: &UserId, room: &RoomName) -> Result<(), Duration> {
        self.people().may_say(user, room, &self.settings, clock::now())
    }

    /// A room that runs, or that is loaded for it.
    fn running(&self, room: &RoomName) -> Option<Arc<Running>> {
        let mut rooms = self.lock();
        if let Some(running) = rooms.get(room) {
            return Some(Arc::clone(running));
        }
        let (record, last) = self.store.load(room, self.settings.tail_entries_max)?;
        let state = RunningState {
            room: Room::load(&record, last, &self.settings),
            followers: HashMap::new(),
            idle_since: None,
        };
        let running = Arc::new(Running { members: record.members, state: Mutex::new(state) });
        rooms.insert(room.clone(), Arc::clone(&running));
        Some(running)
    }

    fn info(&self, record: RoomRecord) -> RoomInfo {
        let running = self.lock().get(&record.room).cloned();
        let count = running.map_or(0, |running| running.lock().room.presence.count());
        let RoomRecord { room, head, keep, members, .. } = record;
        RoomInfo { room, position: head, keep, count, members }
    }

    fn handle_timeout(&self, now: Instant) {
        self.people().handle_timeout(&self.settings, now);
        let mut rooms = self.lock();
        rooms.retain(|_, running| {
            let mut state = running.lock();
            if state.room.presence.handle_timeout(now) {
                state.mark_followers();
            }
            // Whoever is about to follow holds the room as well.
            let needed = Arc::strong_count(running) > 1 || !state.is_idle();
            if needed {
                state.idle_since = None;
                return true;
            }
            now < *state.idle_since.get_or_insert(now) + IDLE_MAX
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomName, Arc<Running>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn people(&self) -> MutexGuard<'_, People> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, RunningState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningState {
    fn mark_followers(&self) {
        for mailbox in self.followers.values() {
            mailbox.mark(self.room.name());
        }
    }

    fn is_idle(&self) -> bool {
        self.followers.is_empty() && self.room.presence.count() == 0
    }
}

/// Looks after presence and idle rooms, for ever.
pub async fn keep_time(live: Arc<Live>) {
    /// Short enough that nobody waits for the coalesced presence longer than they notice.
    const EVERY: Duration = Duration::from_millis(101);
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        live.handle_timeout(clock::now());
    }
}
