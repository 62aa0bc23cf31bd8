//! A server of one thread and no sockets, for talking to in domain words: it performs what the
//! conversations ask, as a shell does.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use common::{
    ClientMessage, CloseCode, ConnectionId, Entry, ErrorCode, Position, Problem, RoomName,
    ServerMessage,
    http::{Keep, Unread},
};
use rooms::{
    Appended, Content, Conversation, Draft, Frame, MemoryLog, NewRoom, People, Read, Request, Room,
    Settings,
    access::{Deed, may},
    conversation::{Edge, Page, Wanted},
};

use super::{at, body, draft_of, member, message_id, new_room, noon, position, room_name};

pub(crate) struct Yard {
    pub(crate) log: MemoryLog,
    pub(crate) rooms: BTreeMap<RoomName, Room>,
    pub(crate) people: People,
    pub(crate) settings: Arc<Settings>,
    pub(crate) ms: u64,
    connections: usize,
}

/// One connection, from the other end.
pub(crate) struct Visitor {
    pub(crate) conversation: Conversation,
    request: u64,
}

impl Yard {
    pub(crate) fn new(settings: Settings) -> Self {
        let mut yard = Self {
            log: MemoryLog::new(),
            rooms: BTreeMap::new(),
            people: People::default(),
            settings: Arc::new(settings),
            ms: 0,
            connections: 0,
        };
        yard.opens("general", Keep::Forever);
        yard
    }

    pub(crate) fn opens(&mut self, name: &str, keep: Keep) {
        self.opens_room(new_room(name, keep));
    }

    pub(crate) fn opens_room(&mut self, new: NewRoom) {
        let record = self.log.open(new).unwrap();
        let room = Room::load(&record, Vec::new(), &self.settings);
        self.rooms.insert(record.room, room);
    }

    pub(crate) fn passes(&mut self, ms: u64) {
        self.ms += ms;
    }

    /// A connection that has shown no ticket.
    pub(crate) fn stranger(&mut self, phase: f64) -> Visitor {
        self.connections += 1;
        let id = ConnectionId::new(format!("c{}", self.connections)).unwrap();
        let conversation = Conversation::new(id, Arc::clone(&self.settings), phase, at(self.ms));
        Visitor { conversation, request: 0 }
    }

    /// A connection whose ticket is good: a ticket is the name of its owner.
    pub(crate) fn guest(&mut self, name: &str) -> Visitor {
        let mut visitor = self.stranger(1.0);
        visitor.says(self, &ClientMessage::Hello { ticket: name.to_owned() });
        let greeting = visitor.hears();
        assert!(matches!(&greeting[..], [ServerMessage::Welcome { .. }]), "{greeting:?}");
        visitor
    }

    /// A guest who is in `general`.
    pub(crate) fn regular(&mut self, name: &str) -> Visitor {
        let mut visitor = self.guest(name);
        visitor.joins(self, "general", None);
        visitor.hears();
        visitor
    }

    /// Performs what the conversation asks.
    pub(crate) fn serve(&mut self, conversation: &mut Conversation) {
        while let Some(request) = conversation.poll_request() {
            match request {
                Request::Authenticate { ticket } => {
                    let user = (ticket != "worthless").then(|| member(&ticket));
                    conversation.handle_authenticated(user.map(Arc::new), at(self.ms));
                }
                Request::Follow { id, room, after, echo } => {
                    self.follow(conversation, id, &room, after.as_ref(), echo);
                }
                Request::Unfollow { room } => {
                    let user = conversation.user().expect("they talked").id.clone();
                    let room = self.rooms.get_mut(&room).expect("it was followed");
                    room.presence.leave(&user, at(self.ms));
                }
                Request::Append { id, draft } => self.append(conversation, id, draft),
                Request::Page { id, room, wanted } => {
                    let page = self.page(&room, &wanted);
                    conversation.handle_page(id, room, Ok(page), at(self.ms));
                }
                Request::Mark { id, room, position } => {
                    let unread = Unread { read: position.seq, ..Unread::default() };
                    conversation.handle_marked(Some(id), room, unread);
                }
            }
        }
    }

    fn follow(
        &mut self,
        conversation: &mut Conversation,
        id: Option<u64>,
        name: &RoomName,
        after: Option<&Position>,
        echo: bool,
    ) {
        let Some(user) = conversation.user().cloned() else { return };
        let members = self.log.room(name).and_then(|record| record.members.clone());
        let readable = |_: &&mut Room| may(&user.id, Deed::Read, members.as_deref());
        let Some(room) = self.rooms.get_mut(name).filter(readable) else {
            let problem = Problem::new(ErrorCode::NotFound);
            return conversation.handle_refused(id, problem, at(self.ms));
        };
        if conversation.follow(name).is_none() {
            room.presence.join(&user, at(self.ms));
        }
        let start = room.start(after, self.settings.page_entries);
        conversation.handle_followed(id, name, start, room.presence.roster(), echo);
    }

    fn append(&mut self, conversation: &mut Conversation, id: u64, draft: Draft) {
        let (room, message_id) = (draft.room.clone(), draft.message_id.clone());
        let now = at(self.ms);
        if let Err(wait) = self.people.may_say(&draft.author.id, &room, &self.settings, now) {
            return conversation.handle_too_fast(id, &room, wait, now);
        }
        match self.log.append(draft, noon()) {
            Ok(Appended::New(entry)) => {
                let position = entry.position();
                self.rooms.get_mut(&room).expect("it is in the log").append(entry);
                conversation.handle_appended(id, room, message_id, position);
            }
            Ok(Appended::Repeated(position)) => {
                conversation.handle_appended(id, room, message_id, position);
            }
            Err(refusal) => conversation.handle_refused(Some(id), refusal.into(), now),
        }
    }

    /// A membership changes, or whatever else comes from elsewhere than a connection.
    pub(crate) fn takes(&mut self, room: &str, author: &str, id: &str, content: Content) {
        let entry = super::say(&mut self.log, draft_of(room, author, id, content));
        self.rooms.get_mut(&entry.room).expect("it is in the log").append(entry);
    }

    /// The page that is wanted, from the log.
    fn page(&self, name: &RoomName, wanted: &Wanted) -> Page {
        let record = self.log.room(name).expect("only rooms that are followed are paged");
        let before = match &wanted.edge {
            Edge::Head => record.head.seq + 1,
            Edge::Before(position) => position.seq,
            Edge::After(position) => position.seq + 1 + wanted.most as u64,
        };
        let after = before.saturating_sub(wanted.most as u64 + 1).max(record.floor);
        let most = usize::try_from(before.saturating_sub(after + 1)).unwrap();
        let base = self.log.read_after(name, record.floor, usize::MAX);
        let base = base.iter().find(|entry| entry.seq == after).map(|entry| entry.digest);
        let entries = self.log.read_after(name, after, most);
        Page {
            head: record.head.clone(),
            floor: record.floor,
            entries: entries.iter().map(|entry| entry.on_the_wire()).collect(),
            base: base.unwrap_or(record.floor_digest),
            later: Vec::new(),
        }
    }

    /// One read of every followed room.
    pub(crate) fn read(&mut self, conversation: &mut Conversation) -> bool {
        let follows: Vec<_> =
            conversation.follows().map(|f| (f.room.clone(), f.cursor.clone())).collect();
        let mut more = false;
        for (name, cursor) in follows {
            let room = &self.rooms[&name];
            let Settings { read_entries_max, read_bytes_max, page_entries, .. } = *self.settings;
            let read = room.read_after(&cursor, read_entries_max, read_bytes_max, page_entries);
            let read = match read {
                Read::FurtherBack { .. } => {
                    let entries = self.log.read_after(&name, cursor.seq, read_entries_max);
                    Read::Entries { entries, to_the_head: false }
                }
                Read::Entries { .. } | Read::Resync(_) => read,
            };
            more |= !matches!(read, Read::Entries { to_the_head: true, .. });
            conversation.handle_read(&name, read);
        }
        more
    }

    /// Tells a connection what is to be told of presence.
    pub(crate) fn tells(&mut self, visitor: &mut Visitor) {
        let follows: Vec<_> =
            visitor.conversation.follows().map(|f| (f.room.clone(), f.presence)).collect();
        for (name, version) in follows {
            let presence = &self.rooms[&name].presence;
            let news = presence.news_since(version);
            visitor.conversation.handle_news(&name, news, presence.version());
        }
    }
}

impl Visitor {
    pub(crate) fn says(&mut self, yard: &mut Yard, message: &ClientMessage) {
        self.sends(yard, &common::encode(message));
    }

    pub(crate) fn sends(&mut self, yard: &mut Yard, text: &str) {
        self.conversation.handle_text(text, at(yard.ms));
        yard.serve(&mut self.conversation);
    }

    pub(crate) fn joins(&mut self, yard: &mut Yard, room: &str, after: Option<(&str, u64)>) {
        let after = after.map(|(epoch, seq)| position(epoch, seq));
        let id = self.next_request();
        self.says(yard, &ClientMessage::Join { id, room: room_name(room), after, echo: true });
    }

    pub(crate) fn leaves(&mut self, yard: &mut Yard, room: &str) {
        let id = self.next_request().expect("always some");
        self.says(yard, &ClientMessage::Leave { id, room: room_name(room) });
    }

    pub(crate) fn posts(&mut self, yard: &mut Yard, room: &str, name: &str, text: &str) {
        let id = self.next_request().expect("always some");
        let (room, message_id, body) = (room_name(room), message_id(name), body(text));
        self.says(yard, &ClientMessage::Say { id, room, message_id, body });
    }

    pub(crate) fn marks(&mut self, yard: &mut Yard, room: &str, seq: u64) {
        let id = self.next_request().expect("always some");
        let (room, position) = (room_name(room), position("e1", seq));
        self.says(yard, &ClientMessage::Mark { id, room, position });
    }

    /// Asks for a page: `edges` are what it is to stand before and after.
    pub(crate) fn pages(
        &mut self,
        yard: &mut Yard,
        room: &str,
        edges: (Option<u64>, Option<u64>),
        limit: Option<u32>,
    ) {
        let id = self.next_request().expect("always some");
        let (before, after) = edges;
        let (before, after) =
            (before.map(|it| position("e1", it)), after.map(|it| position("e1", it)));
        let room = room_name(room);
        self.says(yard, &ClientMessage::History { id, room, before, after, limit });
    }

    /// Everything that is written to this connection, in order, without reading the rooms.
    pub(crate) fn hears(&mut self) -> Vec<ServerMessage> {
        let frames = std::iter::from_fn(|| self.conversation.poll_frame());
        frames.map(message).collect()
    }

    /// Everything up to the head of every room.
    pub(crate) fn hears_all(&mut self, yard: &mut Yard) -> Vec<ServerMessage> {
        let mut heard = self.hears();
        for _ in 0..1_000 {
            let more = yard.read(&mut self.conversation);
            heard.extend(self.hears());
            if !more {
                return heard;
            }
        }
        panic!("reading does not come to rest");
    }

    /// The bodies of the entries up to the head.
    pub(crate) fn reads(&mut self, yard: &mut Yard) -> Vec<String> {
        entries(self.hears_all(yard)).into_iter().map(|entry| entry.body).collect()
    }

    /// The one refusal that was heard.
    pub(crate) fn refusal(&mut self) -> (Option<u64>, Problem) {
        let mut heard = self.hears();
        let Some(ServerMessage::Error { id, error }) = heard.pop() else { panic!("{heard:?}") };
        assert_eq!(heard, []);
        (id, error)
    }

    pub(crate) fn closed_with(&self) -> Option<CloseCode> {
        self.conversation.closing().map(|closing| closing.code)
    }

    /// Lets virtual time pass until `ms`, waking the conversation whenever it wants.
    pub(crate) fn sits_until(&mut self, ms: u64) {
        for _ in 0..10_000 {
            match self.conversation.poll_timeout() {
                Some(due) if due <= at(ms) => self.conversation.handle_timeout(due),
                Some(_) | None => return,
            }
        }
        panic!("waiting does not come to rest");
    }

    fn next_request(&mut self) -> Option<u64> {
        self.request += 1;
        Some(self.request)
    }
}

/// Two people who follow a room that keeps two entries; a page of it has one.
pub(crate) fn in_a_small_room() -> (Yard, Visitor, Visitor) {
    let mut yard = Yard::new(Settings { page_entries: 1, ..Settings::default() });
    yard.opens("small", Keep::Last(2));
    let (mut hana, mut duri) = (yard.guest("hana"), yard.guest("duri"));
    for visitor in [&mut hana, &mut duri] {
        visitor.joins(&mut yard, "small", None);
        visitor.hears();
    }
    (yard, hana, duri)
}

pub(crate) fn message(frame: Frame) -> ServerMessage {
    match frame {
        Frame::Message(message) => message,
        Frame::Entry(entry) => {
            let frame = ServerMessage::Entry(entry.on_the_wire());
            assert_eq!(&entry.json()[..], common::encode(&frame).as_bytes());
            frame
        }
    }
}

pub(crate) fn entries(messages: Vec<ServerMessage>) -> Vec<Entry> {
    let entry =
        |message| if let ServerMessage::Entry(entry) = message { Some(entry) } else { None };
    messages.into_iter().filter_map(entry).collect()
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
