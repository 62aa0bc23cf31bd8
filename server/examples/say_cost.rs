//! What one message costs the server's pure half, without sockets: from a client's bytes to the
//! frame that everybody in the room is handed, and to the author's acknowledgement.
//!
//! 2,000 authors in 200 rooms that keep nothing say 256 bytes each, in turn. The argument is how
//! many messages there are. From 100,000 on each makes the log forget another: the difference of
//! two runs is what messages cost where tables are full. docs/decisions/0013 has the command.

use std::{
    env,
    num::NonZeroU64,
    sync::Arc,
    time::{Duration, Instant},
};

use common::{
    ConnectionId, Epoch, Member, RoomName, Timestamp, UserId, UserName, encode_server, http::Keep,
};
use rooms::{
    Appended, ConnectionNumber, Conversation, Draft, Entry, Frame, MemoryLog, NewRoom, People,
    Request, Room, RoomRecord, Roster, Settings,
};
use websocket::{Decoder, Incoming, Limits, Opcode, write_frame};

const ROOMS: usize = 200;
const AUTHORS: usize = 2_000;
const BODY_BYTES: usize = 256;
const MESSAGE_ID_DIGITS: usize = 36;
/// Between two messages: slow enough that nobody speaks too fast.
const PAUSE: Duration = Duration::from_micros(200);
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const LIMITS: Limits = Limits {
    message_bytes_max: common::limits::FRAME_BYTES_MAX,
    fragments_max: 64,
    message_time_max: Duration::from_secs(10),
};

/// A client, and its connection on the server.
struct Author {
    conversation: Conversation,
    decoder: Decoder,
    /// What the client writes: head and masked payload.
    frame: Vec<u8>,
    /// Where in the frame the number of the message is, and where in the payload.
    digits: (usize, usize),
}

/// What all connections share.
struct Yard {
    settings: Arc<Settings>,
    log: MemoryLog,
    people: People,
    rooms: Vec<Room>,
    /// The frames of a room, and what else is written.
    out: Vec<u8>,
}

fn main() {
    let messages = env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10 * AUTHORS);
    #[expect(clippy::disallowed_methods, reason = "virtual time needs one real moment to begin at")]
    let mut now = Instant::now();
    let mut yard = Yard::new();
    let mut authors: Vec<Author> =
        (0..AUTHORS).map(|nth| Author::comes(nth, &mut yard, now)).collect();
    let mut bytes = 0;
    for number in 0..messages {
        now += PAUSE;
        let nth = number % AUTHORS;
        let author = &mut authors[nth];
        author.writes(number);
        bytes += yard.takes(author, nth % ROOMS, now);
    }
    #[expect(clippy::print_stdout, reason = "whoever runs it is told that it did what it should")]
    {
        println!("{bytes}");
    }
}

impl Yard {
    fn new() -> Self {
        let settings = Arc::new(Settings::default());
        let mut log = MemoryLog::new();
        let rooms = (0..ROOMS).map(|nth| Room::load(&opened(&mut log, nth), Vec::new(), &settings));
        let rooms = rooms.collect();
        Self { settings, log, people: People::default(), rooms, out: Vec::new() }
    }

    /// One message, by its parts. Answers how many bytes the server writes.
    fn takes(&mut self, author: &mut Author, room: usize, now: Instant) -> usize {
        self.out.clear();
        let text = read_frame(author, now);
        let (id, draft) = hear(&mut author.conversation, &text, now);
        drop(text);
        ask_limits(&mut self.people, &draft, &self.settings, now);
        let entry = append(&mut self.log, draft);
        let position = entry.position();
        let (name, message_id) = (entry.room.clone(), entry.message_id.clone());
        take_into_tail(&mut self.rooms[room], &entry);
        write_entry(&entry, &mut self.out);
        author.conversation.handle_appended(id, name, message_id, position);
        write_ack(&mut author.conversation, &mut self.out);
        self.out.len()
    }
}

#[inline(never)]
fn read_frame(author: &mut Author, now: Instant) -> String {
    author.conversation.handle_inbound_bytes(author.frame.len(), now);
    author.decoder.feed(&author.frame, &LIMITS, now);
    let Ok(Some(Incoming::Text(text))) = author.decoder.next(now) else {
        panic!("a frame is a whole message");
    };
    assert_eq!(author.decoder.next(now), Ok(None));
    text
}

#[inline(never)]
fn hear(conversation: &mut Conversation, text: &str, now: Instant) -> (u64, Draft) {
    conversation.handle_text(text, now);
    let Some(Request::Append { id, draft }) = conversation.poll_request() else {
        panic!("what is said is asked for");
    };
    assert_eq!(conversation.poll_request(), None);
    (id, draft)
}

#[inline(never)]
fn ask_limits(people: &mut People, draft: &Draft, settings: &Settings, now: Instant) {
    let may = people.may_say(&draft.author.id, &draft.room, settings, now);
    may.expect("nobody speaks too fast");
}

#[inline(never)]
fn append(log: &mut MemoryLog, draft: Draft) -> Arc<Entry> {
    let at = Timestamp::new("2026-11-20T12:00:00.000Z").expect("it is a moment");
    match log.append(draft, at) {
        Ok(Appended::New(entry)) => entry,
        other => panic!("{other:?}"),
    }
}

#[inline(never)]
fn take_into_tail(room: &mut Room, entry: &Arc<Entry>) {
    room.append(Arc::clone(entry));
}

#[inline(never)]
fn write_entry(entry: &Entry, out: &mut Vec<u8>) {
    write_frame(out, Opcode::Text, entry.json());
}

#[inline(never)]
fn write_ack(conversation: &mut Conversation, out: &mut Vec<u8>) {
    while let Some(frame) = conversation.poll_frame() {
        match frame {
            Frame::Message(message) => {
                write_frame(out, Opcode::Text, encode_server(&message).as_bytes())
            }
            Frame::Entry(entry) => write_frame(out, Opcode::Text, entry.json()),
        }
    }
}

impl Author {
    /// Somebody connects and joins their room.
    fn comes(nth: usize, yard: &mut Yard, now: Instant) -> Self {
        let connection = ConnectionId::new(format!("c{nth:015}")).expect("a token");
        let id = UserId::new(format!("u{nth:020}")).expect("a token");
        let name = UserName::new(format!("guest {nth}")).expect("a name");
        let settings = Arc::clone(&yard.settings);
        let mut conversation = Conversation::new(connection, settings, 0.5, now);
        let number = ConnectionNumber(NonZeroU64::MIN.saturating_add(nth as u64));
        yard.people.connect(&id, number, &yard.settings);
        conversation.handle_ticket("ticket".to_owned());
        conversation.handle_authenticated(Some(Arc::new(Member { id, name })), now);
        let room = &yard.rooms[nth % ROOMS];
        let start = room.start(None, yard.settings.page_entries);
        conversation.handle_followed(None, room.name(), start, Roster::default(), true);
        while conversation.poll_request().is_some() || conversation.poll_frame().is_some() {}
        let before = format!(r#"{{"type":"say","id":7,"room":"{}","message_id":""#, room.name());
        let body = "x".repeat(BODY_BYTES);
        let payload = format!(r#"{before}{:0MESSAGE_ID_DIGITS$}","body":"{body}"}}"#, 0);
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend_from_slice(&u16::try_from(payload.len()).expect("it is short").to_be_bytes());
        frame.extend_from_slice(&MASK);
        let digits = (frame.len() + before.len(), before.len());
        frame.extend(payload.bytes().zip(MASK.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
        Self { conversation, decoder: Decoder::new(), frame, digits }
    }

    /// The frame of another message.
    #[inline(never)]
    fn writes(&mut self, number: usize) {
        let (in_frame, in_payload) = self.digits;
        let mut left = number;
        for nth in (0..MESSAGE_ID_DIGITS).rev().take(8) {
            let digit = b'0' + (left % 10) as u8;
            self.frame[in_frame + nth] = digit ^ MASK[(in_payload + nth) % MASK.len()];
            left /= 10;
        }
    }
}

fn opened(log: &mut MemoryLog, nth: usize) -> RoomRecord {
    let room = RoomName::new(format!("room-{nth:03}")).expect("a name");
    let epoch = Epoch::new(format!("{nth:016}")).expect("a token");
    log.open(NewRoom { room, epoch, keep: Keep::None, members: None }).expect("it is new")
}
