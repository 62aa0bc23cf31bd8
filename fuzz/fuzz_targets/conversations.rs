//! Whatever a client says on a connection: the server's half goes on or closes, keeps its bounds,
//! and hands out each log in its order.
//!
//! An input is lines: a frame each; `+` with a number is milliseconds that pass, `~` a ping frame,
//! `!` a binary frame, `-` somebody is sent away from the room `general`.

#![no_main]

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use common::{
    ConnectionId, Epoch, ErrorCode, Member, Problem, RoomName, ServerMessage, Timestamp, UserId,
    UserName,
    http::{Keep, Unread},
};
use libfuzzer_sys::fuzz_target;
use rooms::{
    Appended, Conversation, Frame, MemoryLog, NewRoom, Request, Room, Roster, Settings,
    conversation::{Edge, Page, Wanted},
};

/// Replies that may wait before nothing more is read, and what one frame may add to them.
const REPLIES_MAX: usize = 64 + 4;

struct House {
    conversation: Conversation,
    log: MemoryLog,
    rooms: BTreeMap<RoomName, Room>,
    settings: Arc<Settings>,
    now: Instant,
    /// How far the client has come in each room that it follows.
    told: BTreeMap<RoomName, u64>,
}

fn name(text: &str) -> RoomName {
    RoomName::new(text).expect("it is a name")
}

impl House {
    fn new() -> Self {
        let settings = Arc::new(Settings { tail_entries_max: 3, ..Settings::default() });
        let now = Instant::now();
        let id = ConnectionId::new("c1").expect("it is an id");
        let mut log = MemoryLog::new();
        let mut rooms = BTreeMap::new();
        for room in ["general", "b"] {
            let epoch = Epoch::new("e1").expect("it is an epoch");
            let new = NewRoom { room: name(room), epoch, keep: Keep::Last(5), members: None };
            let record = log.open(new).expect("it is the first of its name");
            rooms.insert(name(room), Room::load(&record, Vec::new(), &settings));
        }
        let conversation = Conversation::new(id, Arc::clone(&settings), 0.5, now);
        Self { conversation, log, rooms, settings, now, told: BTreeMap::new() }
    }

    fn hears(&mut self, line: &str) {
        if let Some(ms) = line.strip_prefix('+') {
            self.now += Duration::from_millis(ms.trim().parse::<u16>().unwrap_or(1).into());
            self.conversation.handle_timeout(self.now);
            assert!(self.conversation.poll_timeout().is_none_or(|at| at > self.now));
        } else if line == "~" {
            self.conversation.handle_control_frame(self.now);
        } else if line == "!" {
            self.conversation.handle_binary();
        } else if line == "-" {
            self.conversation.handle_removed(&name("general"));
        } else if self.conversation.wants_input() {
            self.conversation.handle_inbound_bytes(line.len(), self.now);
            self.conversation.handle_text(line, self.now);
        }
        self.performs();
        self.reads();
        self.writes();
    }

    fn performs(&mut self) {
        while let Some(request) = self.conversation.poll_request() {
            let now = self.now;
            let missing = || Problem::new(ErrorCode::NotFound);
            match request {
                Request::Authenticate { ticket } => {
                    let id = UserId::new("u1").expect("it is an id");
                    let user = Member { id, name: UserName::new("하나").expect("it is a name") };
                    let user = (!ticket.is_empty()).then(|| Arc::new(user));
                    self.conversation.handle_authenticated(user, now);
                }
                Request::Follow { id, room, after, echo } => match self.rooms.get(&room) {
                    Some(running) => {
                        let start = running.start(after.as_ref(), self.settings.page_entries);
                        self.conversation.handle_followed(
                            id,
                            &room,
                            start,
                            Roster::default(),
                            echo,
                        );
                    }
                    None => self.conversation.handle_refused(id, missing(), now),
                },
                Request::Unfollow { .. } => {}
                Request::Append { id, draft } => self.appends(id, draft),
                Request::Page { id, room, wanted } => {
                    let page = self.page(&room, &wanted);
                    self.conversation.handle_page(id, room, page, now);
                }
                Request::Mark { id, room, position } => {
                    let unread = Unread { read: position.seq, ..Unread::default() };
                    self.conversation.handle_marked(Some(id), room, unread);
                }
            }
        }
    }

    fn appends(&mut self, id: u64, draft: rooms::Draft) {
        let (room, message_id) = (draft.room.clone(), draft.message_id.clone());
        let at = Timestamp::new("2026-11-20T09:00:00.000Z").expect("it is a time");
        match self.log.append(draft, at) {
            Ok(appended) => {
                if let (Appended::New(entry), Some(running)) =
                    (&appended, self.rooms.get_mut(&room))
                {
                    running.append(Arc::clone(entry));
                }
                self.conversation.handle_appended(id, room, message_id, appended.position());
            }
            Err(_) => {
                let problem = Problem::new(ErrorCode::Conflict);
                self.conversation.handle_refused(Some(id), problem, self.now);
            }
        }
    }

    fn page(&self, room: &RoomName, Wanted { edge, most }: &Wanted) -> Result<Page, Problem> {
        assert!((1..=100).contains(most));
        let record = self.log.room(room).ok_or_else(|| Problem::new(ErrorCode::NotFound))?;
        let after = match edge {
            Edge::Head => record.head.seq.saturating_sub(*most as u64),
            Edge::Before(position) => position.seq.saturating_sub(1 + *most as u64),
            Edge::After(position) => position.seq,
        };
        let entries = self.log.read_after(room, after, *most);
        let entries = entries.iter().map(|entry| entry.on_the_wire()).collect();
        let (floor, later) = (record.floor, Vec::new());
        Ok(Page { head: record.head.clone(), floor, entries, base: record.digest, later })
    }

    fn reads(&mut self) {
        let follows: Vec<_> = self.conversation.follows().cloned().collect();
        for follow in follows {
            let Some(room) = self.rooms.get(&follow.room) else { continue };
            let read = room.read_after(&follow.cursor, 2, 1_000, self.settings.page_entries);
            let read = match read {
                rooms::Read::FurtherBack { most } => {
                    let entries = self.log.read_after(&follow.room, follow.cursor.seq, most);
                    rooms::Read::of_the_log(entries, 1_000)
                }
                read @ (rooms::Read::Entries { .. } | rooms::Read::Resync(_)) => read,
            };
            self.conversation.handle_read(&follow.room, read);
        }
    }

    fn writes(&mut self) {
        let mut replies = 0;
        while let Some(frame) = self.conversation.poll_frame() {
            let message = match frame {
                Frame::Message(message) => {
                    replies += 1;
                    message
                }
                Frame::Entry(entry) => ServerMessage::Entry(entry.on_the_wire()),
            };
            assert_eq!(common::decode_server(&common::encode(&message)).as_ref(), Some(&message));
            self.is_in_order(message);
        }
        assert!(replies <= REPLIES_MAX, "{replies} replies waited");
    }

    fn is_in_order(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Joined { room, after, .. }
            | ServerMessage::Resync { room, after, .. } => {
                self.told.insert(room, after);
            }
            ServerMessage::Left { room, .. } => {
                self.told.remove(&room);
            }
            ServerMessage::Entry(entry) => {
                let told = self.told.get_mut(&entry.room).expect("only what is followed is sent");
                assert!(entry.seq > *told, "{} behind {told}", entry.seq);
                *told = entry.seq;
            }
            ServerMessage::Welcome { .. }
            | ServerMessage::Ack { .. }
            | ServerMessage::Head { .. }
            | ServerMessage::History { .. }
            | ServerMessage::Marked { .. }
            | ServerMessage::Presence { .. }
            | ServerMessage::Opened { .. }
            | ServerMessage::Ping {}
            | ServerMessage::Pong { .. }
            | ServerMessage::Error { .. }
            | ServerMessage::Unknown => {}
        }
    }
}

fuzz_target!(|text: &str| {
    let mut house = House::new();
    for line in text.lines().take(256) {
        house.hears(line);
    }
});
