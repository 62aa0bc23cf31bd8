//! The server's half from outside, in virtual time: every limit at the limit and one over it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod conversation;
mod limits;
mod log;
mod people;
mod presence;
mod room;
mod yard;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use common::{Body, Epoch, Member, MessageId, Position, RoomName, Timestamp, UserId, UserName};
use rooms::{Appended, Draft, Entry, MemoryLog};

/// The moment at which every test begins, later by so many milliseconds.
fn at(ms: u64) -> Instant {
    #[expect(clippy::disallowed_methods, reason = "virtual time needs one real moment to begin at")]
    fn begin() -> Instant {
        static BEGIN: OnceLock<Instant> = OnceLock::new();
        *BEGIN.get_or_init(Instant::now)
    }
    begin() + Duration::from_millis(ms)
}

fn room_name(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

fn epoch(name: &str) -> Epoch {
    Epoch::new(name).unwrap()
}

fn message_id(name: impl AsRef<str>) -> MessageId {
    MessageId::new(name).unwrap()
}

fn user_id(name: impl AsRef<str>) -> UserId {
    UserId::new(name).unwrap()
}

fn body(text: impl AsRef<str>) -> Body {
    Body::new(text).unwrap()
}

fn noon() -> Timestamp {
    Timestamp::new("2026-11-20T12:00:00.000Z").unwrap()
}

fn member(name: &str) -> Member {
    Member { id: user_id(name), name: UserName::new(name).unwrap() }
}

fn position(of: &str, seq: u64) -> Position {
    Position { epoch: epoch(of), seq }
}

fn draft(room: &str, author: &str, id: &str, text: &str) -> Draft {
    Draft {
        room: room_name(room),
        author: member(author),
        message_id: message_id(id),
        body: body(text),
    }
}

/// Says it into the log, and expects it to be new.
fn say(log: &mut MemoryLog, draft: Draft) -> std::sync::Arc<Entry> {
    match log.append(draft, noon()) {
        Ok(Appended::New(entry)) => entry,
        other => panic!("{other:?}"),
    }
}
