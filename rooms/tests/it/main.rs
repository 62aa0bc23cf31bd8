//! The server's half from outside, in virtual time: every limit at the limit and one over it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod conversation;
mod digest;
mod erasing;
mod flood;
mod heads;
mod history;
mod limits;
mod log;
mod membership;
mod people;
mod presence;
mod pulse;
mod room;
mod rules;
mod yard;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use common::{
    Body, Emoji, Epoch, Member, MessageId, Position, RoomName, Timestamp, Topic, UserId, UserName,
    http::Keep,
};
use rooms::{AppendRefusal, Appended, Content, Draft, Entry, MembershipChange, MemoryLog, NewRoom};

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

/// A room of the epoch `e1`, open to all.
fn new_room(name: &str, keep: Keep) -> NewRoom {
    NewRoom { room: room_name(name), epoch: epoch("e1"), keep, members: None }
}

/// A room of the epoch `e1` that only these people may see.
fn private_room(name: &str, members: &[&str]) -> NewRoom {
    let members = members.iter().map(|name| member(name)).collect();
    NewRoom { members: Some(members), ..new_room(name, Keep::Forever) }
}

fn post(text: &str) -> Content {
    Content::Post(body(text))
}

fn edit(of: u64, text: &str) -> Content {
    Content::Edit { of, body: body(text) }
}

fn delete(of: u64) -> Content {
    Content::Delete { of }
}

fn reaction(of: u64, emoji: &str) -> Content {
    Content::Reaction { of, emoji: Emoji::new(emoji).unwrap() }
}

fn topic(text: &str) -> Content {
    Content::Topic(Topic::new(text).unwrap())
}

fn membership(change: MembershipChange, name: &str) -> Content {
    Content::Membership { change, member: member(name) }
}

fn draft_of(room: &str, author: &str, id: &str, content: Content) -> Draft {
    let (room, author, message_id) = (room_name(room), member(author), message_id(id));
    Draft { room, author, message_id, content }
}

fn draft(room: &str, author: &str, id: &str, text: &str) -> Draft {
    draft_of(room, author, id, post(text))
}

/// Says it into the log, and expects it to be new.
fn say(log: &mut MemoryLog, draft: Draft) -> std::sync::Arc<Entry> {
    match log.append(draft, noon()) {
        Ok(Appended::New(entry)) => entry,
        other => panic!("{other:?}"),
    }
}

/// Says it into the log, and expects it to be refused.
fn refused(log: &mut MemoryLog, draft: Draft) -> AppendRefusal {
    match log.append(draft, noon()) {
        Err(refusal) => refusal,
        Ok(appended) => panic!("{appended:?}"),
    }
}
