//! A server without sockets or tasks: it drives `rooms` as the real shell does, in virtual time.
//! What it holds is gone with it: a new one begins new epochs and knows nobody.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use common::{
    CloseCode, ConnectionId, Epoch, ErrorCode, Member, MessageId, Position, Problem, RoomName,
    Timestamp, UserId, UserName, http::Keep,
};
use rooms::{
    AppendRefusal, Appended, Conversation, Draft, Entry, Frame, MemoryLog, People, Read, Request,
    Room, Settings, conversation::Closing, mutant::Mutant,
};

use crate::judge::{Verdict, broken};

/// How long a ticket is good.
const TICKET_LIVES: Duration = Duration::from_secs(30);
/// A peer that takes nothing for this long while something waits is sent away.
const STALL_MAX: Duration = Duration::from_secs(15);
/// Rounds of one turn with one connection; more means that it never ends.
const ROUNDS_MAX: usize = 10_000;

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

    /// Whether a commit can begin; what waits is in it.
    pub(crate) fn begin_commit(&mut self) -> bool {
        let idle = self.committing.is_empty() && self.answers.is_empty();
        let begins = idle && !self.waiting.is_empty();
        if begins {
            self.committing = std::mem::take(&mut self.waiting);
        }
        begins
    }

    /// The commit is done: what is new has its place in the log, and nobody knows of it yet.
    pub(crate) fn commit(&mut self) -> Vec<Arc<Entry>> {
        let away = std::mem::take(&mut self.store_away);
        let mut new = Vec::new();
        for Append { connection, id, draft } in std::mem::take(&mut self.committing) {
            let (room, message_id) = (draft.room.clone(), draft.message_id.clone());
            let answer = if away {
                Err(Problem::new(ErrorCode::StoreUnavailable))
            } else if self.forbidden.remove(&message_id) {
                Err(Problem::new(ErrorCode::Forbidden))
            } else {
                self.append(draft, &mut new)
            };
            self.answers.push(Answer { connection, id, room, message_id, answer });
        }
        self.undelivered.clone_from(&new);
        new
    }

    /// Rooms and authors hear what became of the commit.
    pub(crate) fn deliver(&mut self, now: Instant) {
        for entry in std::mem::take(&mut self.undelivered) {
            let room = self.rooms.get_mut(&entry.room).expect("the log knows the room");
            // A room that was loaded since the commit holds it already.
            if entry.seq > room.head().seq {
                mark(&mut self.connections, &entry.room);
                room.append(entry);
            }
        }
        for Answer { connection, id, room, message_id, answer } in std::mem::take(&mut self.answers)
        {
            let Some(it) = self.connections.get_mut(&connection) else { continue };
            it.dirty = true;
            match answer {
                Ok(position) => it.conversation.handle_appended(id, room, message_id, position),
                Err(problem) => it.conversation.handle_refused(Some(id), problem, now),
            }
        }
    }

    fn append(&mut self, draft: Draft, new: &mut Vec<Arc<Entry>>) -> Result<Position, Problem> {
        let at = Timestamp::new("2026-11-20T09:00:00.000Z").expect("a timestamp");
        match self.log.append(draft, at) {
            Ok(Appended::New(entry)) => {
                let position = entry.position();
                new.push(entry);
                Ok(position)
            }
            Ok(Appended::Repeated(position)) => Ok(position),
            Err(AppendRefusal::Conflict(position)) => {
                Err(Problem { position: Some(position), ..Problem::new(ErrorCode::Conflict) })
            }
            Err(AppendRefusal::NoSuchRoom(_)) => Err(Problem::new(ErrorCode::NotFound)),
        }
    }

    /// Writes to every connection what its buffers take.
    pub(crate) fn write(&mut self, now: Instant) -> Result<VecDeque<(u64, Out)>, String> {
        let dirty = self.connections.iter().filter(|(_, it)| it.dirty);
        let dirty: Vec<u64> = dirty.map(|(connection, _)| *connection).collect();
        for connection in dirty {
            self.write_to(connection, now)?;
        }
        Ok(std::mem::take(&mut self.out))
    }

    fn write_to(&mut self, connection: u64, now: Instant) -> Verdict {
        for _ in 0..ROUNDS_MAX {
            let Some(it) = self.connections.get_mut(&connection) else { return Ok(()) };
            it.dirty = false;
            if !it.unread.is_empty() && it.conversation.wants_input() {
                self.listen(connection, now);
                continue;
            }
            while it.written < self.window
                && let Some(frame) = it.conversation.poll_frame()
            {
                it.written += 1;
                self.out.push_back((connection, Out::Frame(text(frame))));
            }
            if let Some(closing) = it.conversation.closing() {
                self.out.push_back((connection, Out::Close(closing)));
                self.lose(connection, now);
                return Ok(());
            }
            if it.written >= self.window {
                it.stalled_at.get_or_insert(now + STALL_MAX);
                return Ok(());
            }
            let read = read(&mut it.conversation, &self.rooms, &self.log, &self.settings);
            self.pages += read.pages;
            let listens = !it.unread.is_empty() && it.conversation.wants_input();
            if !read.anything && !listens {
                return Ok(());
            }
        }
        broken!("writing to connection {connection} does not come to rest")
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

/// What one round of reading came to.
#[derive(Default)]
struct Round {
    anything: bool,
    pages: u64,
}

/// One page of every followed room, and news of who is there.
fn read(
    conversation: &mut Conversation,
    rooms: &BTreeMap<RoomName, Room>,
    log: &MemoryLog,
    settings: &Settings,
) -> Round {
    let Settings { read_entries_max, read_bytes_max, page_entries, .. } = *settings;
    let follows = conversation.follows();
    let follows: Vec<_> = follows.map(|f| (f.room.clone(), f.cursor.clone(), f.presence)).collect();
    let mut round = Round::default();
    for (name, cursor, known) in follows {
        let Some(room) = rooms.get(&name) else { continue };
        let read = match room.read_after(&cursor, read_entries_max, read_bytes_max, page_entries) {
            Read::FurtherBack => {
                round.pages += 1;
                let entries = log.read_after(&name, cursor.seq, read_entries_max);
                Read::Entries { entries, to_the_head: false }
            }
            read @ (Read::Entries { .. } | Read::Resync(_)) => read,
        };
        round.anything |= match &read {
            Read::Entries { entries, .. } => !entries.is_empty(),
            Read::Resync(_) | Read::FurtherBack => true,
        };
        conversation.handle_read(&name, read);
        if known != room.presence.version() {
            round.anything = true;
            let news = room.presence.news_since(known);
            conversation.handle_news(&name, news, room.presence.version());
        }
    }
    round
}

fn text(frame: Frame) -> String {
    match frame {
        Frame::Message(message) => common::encode(&message),
        Frame::Entry(entry) => String::from_utf8(entry.json().to_vec()).expect("JSON is UTF-8"),
    }
}
