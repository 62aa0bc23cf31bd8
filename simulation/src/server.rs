//! A server without sockets or tasks: it drives `rooms` as the real shell does, in virtual time.
//! What it holds is gone with it; what is on its disk is found again by the next one.

mod commits;
mod requests;
mod writing;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::NonZeroU64,
    sync::Arc,
    time::{Duration, Instant},
};

use common::{
    CloseCode, ConnectionId, Epoch, Member, MessageId, Position, Problem, RoomName, UserId,
    http::{Keep, Unread},
};
use rooms::{
    ConnectionNumber, Conversation, Entry, MemoryLog, NewRoom, People, Room, RoomRecord, Settings,
    conversation::Closing,
};

use crate::{
    Broken, ShellMutant,
    disk::{Change, Disk, Kept},
    plan::{Plan, person},
};

/// How long a ticket is good.
const TICKET_LIVES: Duration = Duration::from_secs(30);

/// Something for one connection.
#[derive(Debug)]
pub(crate) enum Out {
    Frame(String),
    Close(Closing),
}

#[derive(Debug)]
pub(crate) struct Server {
    settings: Arc<Settings>,
    life: u64,
    disk: Disk,
    kept: Kept,
    /// The logs of rooms that keep nothing.
    fleeting: MemoryLog,
    rooms: BTreeMap<RoomName, Room>,
    people: People,
    tickets: BTreeMap<String, (Member, Instant)>,
    made: u64,
    pub(crate) connections: BTreeMap<u64, Connection>,
    /// Said and not yet committed.
    waiting: Vec<Waiting>,
    committing: Vec<Waiting>,
    commits: bool,
    /// Committed, and not yet told to rooms and authors.
    undelivered: Vec<Arc<Entry>>,
    answers: Vec<Answer>,
    /// Said in rooms that keep nothing, and not yet told to the judge.
    fleeting_entries: Vec<Arc<Entry>>,
    /// Messages that are not allowed, the first time they are said.
    pub(crate) forbidden: BTreeSet<MessageId>,
    /// The next commit fails.
    pub(crate) fault: Option<Fault>,
    window: usize,
    broken: Broken,
    out: VecDeque<(u64, Out)>,
    /// Pages that were read from the log.
    pub(crate) pages: u64,
    /// Frames that were not read at once.
    pub(crate) held: u64,
}

/// How a commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing can be written.
    Full,
    /// It is written, and nobody knows whether it is durable.
    NotSynced,
}

#[derive(Debug)]
pub(crate) struct Connection {
    number: ConnectionNumber,
    conversation: Conversation,
    user: Option<UserId>,
    /// Frames that arrived and were not read.
    unread: VecDeque<String>,
    /// Something may be there to be written or read.
    dirty: bool,
    /// Frames written that the other end has not taken.
    written: usize,
    /// When it is given up if the other end takes nothing.
    stalled_at: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    change: Change,
    asker: Asker,
}

/// Who waits for what becomes of a change: a connection with its request, or nobody.
#[derive(Clone, Debug)]
enum Asker {
    Connection { connection: u64, id: u64, room: RoomName },
    Nobody,
}

#[derive(Debug)]
struct Answer {
    connection: u64,
    id: u64,
    room: RoomName,
    answer: Result<Done, Problem>,
}

#[derive(Debug)]
enum Done {
    Appended(MessageId, Position),
    Marked(UserId, Unread),
}

impl Server {
    /// A process begins on this disk. Answers every entry that it found there, in order.
    pub(crate) fn start(
        life: u64,
        mut disk: Disk,
        plan: &Plan,
        broken: Broken,
    ) -> (Self, Vec<Arc<Entry>>) {
        let (kept, entries) = disk.recover(broken);
        let mut server = Self {
            settings: Arc::new(plan.settings.clone()),
            life,
            disk,
            kept,
            fleeting: MemoryLog::new(),
            rooms: BTreeMap::new(),
            people: People::default(),
            tickets: BTreeMap::new(),
            made: 0,
            connections: BTreeMap::new(),
            waiting: Vec::new(),
            committing: Vec::new(),
            commits: false,
            undelivered: Vec::new(),
            answers: Vec::new(),
            fleeting_entries: Vec::new(),
            forbidden: BTreeSet::new(),
            fault: None,
            window: plan.window,
            broken,
            out: VecDeque::new(),
            pages: 0,
            held: 0,
        };
        if let Some(mutant) = broken.server() {
            server.fleeting.break_on_purpose(mutant);
        }
        for room in &plan.rooms {
            if room.keep == Keep::None {
                server.open_fleeting(room.clone());
            }
            let running = server.load(&room.room);
            server.rooms.insert(room.room.clone(), running);
        }
        (server, entries)
    }

    /// The process is gone: what is left of it.
    pub(crate) fn into_disk(self) -> Disk {
        self.disk
    }

    /// Somebody copies what is kept.
    pub(crate) fn backs_up(&mut self) {
        self.disk.backs_up();
    }

    /// How many changes a power cut would take.
    pub(crate) fn unsynced(&self) -> usize {
        self.disk.unsynced()
    }

    fn open_fleeting(&mut self, room: NewRoom) {
        let life = if self.broken.is_shell(ShellMutant::EpochKept) { 0 } else { self.life };
        let epoch = Epoch::new(format!("life-{life}")).expect("a token");
        self.fleeting.open(NewRoom { epoch, ..room }).expect("a new room");
    }

    /// The log in which a room stands.
    fn log(&self, room: &RoomName) -> &MemoryLog {
        if self.fleeting.room(room).is_some() { &self.fleeting } else { &self.kept.log }
    }

    fn record(&self, room: &RoomName) -> Option<&RoomRecord> {
        self.log(room).room(room)
    }

    /// A room as its log has it, with the last entries.
    fn load(&self, name: &RoomName) -> Room {
        let record = self.record(name).expect("the log knows the room");
        let tail = self.settings.tail_entries_max;
        let after = record.head.seq.saturating_sub(tail as u64).max(record.floor);
        let last = self.log(name).read_after(name, after, tail);
        let mut room = Room::load(record, last, &self.settings);
        if let Some(mutant) = self.broken.server() {
            room.break_on_purpose(mutant);
        }
        room
    }

    /// The person in front of this browser signs in; the answer is their cookie.
    pub(crate) fn sign_in(&mut self, browser: usize) -> u64 {
        self.made += 1;
        let cookie = self.life * 1_000_000 + self.made;
        self.disk.logins.insert(cookie, person(browser));
        cookie
    }

    /// `None`: nobody is signed in with this cookie.
    pub(crate) fn ticket(&mut self, cookie: Option<u64>, now: Instant) -> Option<String> {
        let user = self.disk.logins.get(&cookie?)?.clone();
        self.made += 1;
        let ticket = format!("ticket-{}-{}", self.life, self.made);
        self.tickets.insert(ticket.clone(), (user, now + TICKET_LIVES));
        Some(ticket)
    }

    pub(crate) fn user(&self, cookie: Option<u64>) -> Option<&UserId> {
        self.disk.logins.get(&cookie?).map(|member| &member.id)
    }

    pub(crate) fn accept(&mut self, connection: u64, phase: f64, now: Instant) {
        let id = ConnectionId::new(format!("c{connection}")).expect("a token");
        let settings = Arc::clone(&self.settings);
        let mut conversation = Conversation::new(id, settings, phase, now);
        if let Some(mutant) = self.broken.server() {
            conversation.break_on_purpose(mutant);
        }
        let number = ConnectionNumber(NonZeroU64::MIN.saturating_add(connection));
        let (user, unread, stalled_at) = (None, VecDeque::new(), None);
        let fresh =
            Connection { number, conversation, user, unread, dirty: true, written: 0, stalled_at };
        self.connections.insert(connection, fresh);
    }

    /// A frame arrived.
    pub(crate) fn hear(&mut self, connection: u64, text: String, now: Instant) {
        let Some(it) = self.connections.get_mut(&connection) else { return };
        it.unread.push_back(text);
        self.listen(connection, now);
        let Some(it) = self.connections.get(&connection) else { return };
        self.held += u64::from(!it.unread.is_empty());
    }

    /// Reads as many frames as the conversation wants.
    fn listen(&mut self, connection: u64, now: Instant) {
        loop {
            let Some(it) = self.connections.get_mut(&connection) else { return };
            if !it.conversation.wants_input() {
                return;
            }
            let Some(text) = it.unread.pop_front() else { return };
            it.conversation.handle_inbound_bytes(text.len(), now);
            it.conversation.handle_text(&text, now);
            it.dirty = true;
            self.serve(connection, now);
        }
    }

    /// The other end took a frame.
    pub(crate) fn taken(&mut self, connection: u64) {
        if let Some(it) = self.connections.get_mut(&connection) {
            it.written = it.written.saturating_sub(1);
            it.stalled_at = None;
            it.dirty = true;
        }
    }

    /// The connection is lost, or closed by the other end.
    pub(crate) fn lose(&mut self, connection: u64, now: Instant) {
        let Some(it) = self.connections.remove(&connection) else { return };
        let Some(user) = &it.user else { return };
        self.people.disconnect(user, it.number);
        for follow in it.conversation.follows() {
            if let Some(room) = self.rooms.get_mut(&follow.room) {
                room.presence.lose(user, now);
            }
        }
    }

    /// Everybody is asked to come back.
    pub(crate) fn drain(&mut self) {
        for it in self.connections.values_mut() {
            it.conversation.close(CloseCode::ServiceRestart);
            it.dirty = true;
        }
    }

    /// Time passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for it in self.connections.values_mut() {
            if it.conversation.poll_timeout().is_some_and(|due| due <= now) {
                it.conversation.handle_timeout(now);
                it.dirty = true;
            }
            if it.stalled_at.is_some_and(|due| due <= now) {
                it.stalled_at = None;
                it.conversation.close(CloseCode::SlowConsumer);
                it.dirty = true;
            }
        }
        for (name, room) in &mut self.rooms {
            if room.presence.handle_timeout(now) {
                mark(&mut self.connections, name);
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let connections = self.connections.values();
        let each = connections.flat_map(|it| [it.conversation.poll_timeout(), it.stalled_at]);
        let presences = self.rooms.values().map(|room| room.presence.poll_timeout());
        each.chain(presences).flatten().min()
    }

    /// Forgets what makes no difference. A room that nobody is in is loaded again from its log.
    pub(crate) fn sweep(&mut self, now: Instant) {
        let names: Vec<RoomName> = self.rooms.keys().cloned().collect();
        for name in names {
            let mut connections = self.connections.values();
            let followed = connections.any(|it| it.conversation.follow(&name).is_some());
            if !followed && self.rooms[&name].presence.count() == 0 {
                let room = self.load(&name);
                self.rooms.insert(name, room);
            }
        }
        self.people.handle_timeout(now);
        self.tickets.retain(|_, (_, until)| *until > now);
    }

    pub(crate) fn heads(&self) -> impl Iterator<Item = (&RoomName, Position)> {
        self.rooms.iter().map(|(name, room)| (name, room.head()))
    }

    /// Everybody in the room, as the server knows it.
    pub(crate) fn present(&self, room: &RoomName) -> BTreeSet<UserId> {
        self.rooms[room].presence.members().into_iter().map(|member| member.id).collect()
    }

    pub(crate) fn follows(&self) -> usize {
        self.connections.values().map(|it| it.conversation.follows().count()).sum()
    }

    pub(crate) fn people(&self) -> usize {
        self.people.count()
    }
}

/// Everybody who follows the room has something to read.
fn mark(connections: &mut BTreeMap<u64, Connection>, room: &RoomName) {
    for it in connections.values_mut() {
        it.dirty |= it.conversation.follow(room).is_some();
    }
}
