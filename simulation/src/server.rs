//! A server without sockets or tasks: it drives `rooms` as the real shell does, in virtual time.
//! What it holds is gone with it: a new one begins new epochs and knows nobody.

mod commits;
mod writing;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use common::{
    CloseCode, ConnectionId, Epoch, ErrorCode, Member, MessageId, Position, Problem, RoomName,
    UserId, UserName, http::Keep,
};
use rooms::{
    Conversation, Draft, Entry, MemoryLog, People, Request, Room, Settings, conversation::Closing,
    mutant::Mutant,
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
    log: MemoryLog,
    rooms: BTreeMap<RoomName, Room>,
    people: People,
    /// Who is signed in, by their cookie.
    logins: BTreeMap<u64, Member>,
    tickets: BTreeMap<String, (Member, Instant)>,
    made: u64,
    pub(crate) connections: BTreeMap<u64, Connection>,
    /// Said and not yet committed.
    waiting: Vec<Append>,
    committing: Vec<Append>,
    /// Committed, and not yet told to rooms and authors.
    undelivered: Vec<Arc<Entry>>,
    answers: Vec<Answer>,
    /// Messages that are not allowed, the first time they are said.
    pub(crate) forbidden: BTreeSet<MessageId>,
    /// The next commit fails.
    pub(crate) store_away: bool,
    window: usize,
    mutant: Option<Mutant>,
    out: VecDeque<(u64, Out)>,
    /// Pages that were read from the log.
    pub(crate) pages: u64,
    /// Frames that were not read at once.
    pub(crate) held: u64,
}

#[derive(Debug)]
pub(crate) struct Connection {
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
struct Append {
    connection: u64,
    id: u64,
    draft: Draft,
}

#[derive(Debug)]
struct Answer {
    connection: u64,
    id: u64,
    room: RoomName,
    message_id: MessageId,
    answer: Result<Position, Problem>,
}

impl Server {
    pub(crate) fn new(
        life: u64,
        settings: &Settings,
        rooms: &[(RoomName, Keep)],
        window: usize,
        mutant: Option<Mutant>,
    ) -> Self {
        let mut server = Self {
            settings: Arc::new(settings.clone()),
            life,
            log: MemoryLog::new(),
            rooms: BTreeMap::new(),
            people: People::default(),
            logins: BTreeMap::new(),
            tickets: BTreeMap::new(),
            made: 0,
            connections: BTreeMap::new(),
            waiting: Vec::new(),
            committing: Vec::new(),
            undelivered: Vec::new(),
            answers: Vec::new(),
            forbidden: BTreeSet::new(),
            store_away: false,
            window,
            mutant,
            out: VecDeque::new(),
            pages: 0,
            held: 0,
        };
        if let Some(mutant) = mutant {
            server.log.break_on_purpose(mutant);
        }
        for (name, keep) in rooms {
            let epoch = Epoch::new(format!("life-{life}")).expect("a token");
            let record = server.log.open(name.clone(), epoch, *keep, None).expect("a new room");
            let mut room = Room::load(&record, Vec::new(), settings);
            if let Some(mutant) = mutant {
                room.break_on_purpose(mutant);
            }
            server.rooms.insert(name.clone(), room);
        }
        server
    }

    /// A guest names themselves; the answer is their cookie.
    pub(crate) fn sign_in(&mut self, name: &str) -> u64 {
        self.made += 1;
        let cookie = self.life * 1_000_000 + self.made;
        let id = UserId::new(format!("{name}-{cookie}")).expect("a token");
        let name = UserName::new(name).expect("a name");
        self.logins.insert(cookie, Member { id, name });
        cookie
    }

    /// `None`: nobody is signed in with this cookie.
    pub(crate) fn ticket(&mut self, cookie: Option<u64>, now: Instant) -> Option<String> {
        let user = self.logins.get(&cookie?)?.clone();
        self.made += 1;
        let ticket = format!("ticket-{}-{}", self.life, self.made);
        self.tickets.insert(ticket.clone(), (user, now + TICKET_LIVES));
        Some(ticket)
    }

    pub(crate) fn user(&self, cookie: Option<u64>) -> Option<&UserId> {
        self.logins.get(&cookie?).map(|member| &member.id)
    }

    pub(crate) fn accept(&mut self, connection: u64, phase: f64, now: Instant) {
        let id = ConnectionId::new(format!("c{connection}")).expect("a token");
        let settings = Arc::clone(&self.settings);
        let mut conversation = Conversation::new(id, settings, phase, now);
        if let Some(mutant) = self.mutant {
            conversation.break_on_purpose(mutant);
        }
        let (user, unread, stalled_at) = (None, VecDeque::new(), None);
        let fresh = Connection { conversation, user, unread, dirty: true, written: 0, stalled_at };
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
        self.people.disconnect(user, it.conversation.id());
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
        for (name, room) in &mut self.rooms {
            let mut connections = self.connections.values();
            let followed = connections.any(|it| it.conversation.follow(name).is_some());
            if followed || room.presence.count() > 0 {
                continue;
            }
            let record = self.log.room(name).expect("the log knows the room");
            let tail = self.settings.tail_entries_max;
            let after = record.head.seq.saturating_sub(tail as u64).max(record.floor);
            let last = self.log.read_after(name, after, tail);
            *room = Room::load(&record, last, &self.settings);
            if let Some(mutant) = self.mutant {
                room.break_on_purpose(mutant);
            }
        }
        self.people.handle_timeout(&self.settings, now);
        self.tickets.retain(|_, (_, until)| *until > now);
    }

    fn serve(&mut self, connection: u64, now: Instant) {
        // Taken out, so that it can be handed to the rooms.
        let Some(mut it) = self.connections.remove(&connection) else { return };
        while let Some(request) = it.conversation.poll_request() {
            match request {
                Request::Authenticate { ticket } => self.authenticate(&mut it, &ticket, now),
                Request::Follow { id, room, after, echo } => {
                    self.follow(&mut it, id, &room, after.as_ref(), echo, now);
                }
                Request::Unfollow { room } => {
                    if let (Some(user), Some(room)) = (&it.user, self.rooms.get_mut(&room)) {
                        room.presence.leave(user, now);
                    }
                }
                Request::Append { id, draft } => {
                    let (user, room) = (&draft.author.id, &draft.room);
                    match self.people.may_say(user, room, &self.settings, now) {
                        Ok(()) => self.waiting.push(Append { connection, id, draft }),
                        Err(wait) => it.conversation.handle_too_fast(id, room, wait, now),
                    }
                }
            }
        }
        self.connections.insert(connection, it);
    }

    fn authenticate(&mut self, it: &mut Connection, ticket: &str, now: Instant) {
        let good = self.tickets.remove(ticket).filter(|(_, until)| *until > now);
        let user = good.map(|(user, _)| user);
        if let Some(user) = &user {
            it.user = Some(user.id.clone());
            let id = it.conversation.id().clone();
            let oldest = self.people.connect(&user.id, id, &self.settings, now);
            let others = self.connections.values_mut();
            for other in others.filter(|other| Some(other.conversation.id()) == oldest.as_ref()) {
                other.conversation.close(CloseCode::TooManyConnections);
                other.dirty = true;
            }
        }
        it.conversation.handle_authenticated(user, now);
    }

    fn follow(
        &mut self,
        it: &mut Connection,
        id: Option<u64>,
        name: &RoomName,
        after: Option<&Position>,
        echo: bool,
        now: Instant,
    ) {
        let Some(user) = it.conversation.user().cloned() else { return };
        let Some(room) = self.rooms.get_mut(name) else {
            return it.conversation.handle_refused(id, Problem::new(ErrorCode::NotFound), now);
        };
        if it.conversation.follow(name).is_none() {
            room.presence.join(&user, now);
        }
        let start = room.start(after, self.settings.page_entries);
        let present = (room.presence.members(), room.presence.count(), room.presence.version());
        it.conversation.handle_followed(id, name, start, present, echo);
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
