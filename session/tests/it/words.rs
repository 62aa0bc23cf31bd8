//! What the server says, and the names in it.

use common::{
    ConnectionId, Digest, Entry, EntryKind, Epoch, ErrorCode, Heartbeat, Member, MessageId,
    Position, Problem, ResyncReason, RoomName, ServerMessage, ServerVersion, Timestamp, UserId,
    UserName, WireLimits,
};

use crate::alice::RECONNECT_AFTER;

pub(crate) fn name(room: &str) -> RoomName {
    RoomName::new(room).unwrap()
}

pub(crate) fn id(message_id: &str) -> MessageId {
    MessageId::new(message_id).unwrap()
}

pub(crate) fn at(epoch: &str, seq: u64) -> Position {
    Position { epoch: Epoch::new(epoch).unwrap(), seq }
}

pub(crate) fn member(name: &str) -> Member {
    Member { id: UserId::new(name).unwrap(), name: UserName::new(name).unwrap() }
}

pub(crate) fn welcome() -> ServerMessage {
    let reconnect_after_ms = u32::try_from(RECONNECT_AFTER.as_millis()).unwrap();
    ServerMessage::Welcome {
        connection: ConnectionId::new("c1").unwrap(),
        user: member("alice"),
        heartbeat: Heartbeat { interval_ms: 30_000, timeout_ms: 10_000, reconnect_after_ms },
        limits: WireLimits { text_chars_max: 4_000, frame_bytes_max: 65_536, rooms_max: 128 },
        server: ServerVersion { version: "0.1.0".to_owned() },
    }
}

pub(crate) fn joined(
    id: u64,
    room: &str,
    (epoch, head): (&str, u64),
    after: u64,
    recovered: bool,
) -> ServerMessage {
    let (position, digest, base) = (at(epoch, head), digest(epoch, head), digest(epoch, after));
    let (room, members) = (name(room), vec![member("alice")]);
    let base = Some(base);
    let (id, count, floor) = (Some(id), 1, 0);
    ServerMessage::Joined {
        id,
        room,
        position,
        after,
        recovered,
        members,
        count,
        digest,
        base,
        floor,
    }
}

pub(crate) fn resync(
    reason: ResyncReason,
    (epoch, head): (&str, u64),
    after: u64,
) -> ServerMessage {
    let (room, position, digest, base) =
        (name("general"), at(epoch, head), digest(epoch, head), digest(epoch, after));
    ServerMessage::Resync { room, reason, position, after, digest, base: Some(base) }
}

pub(crate) fn head(epoch: &str, seq: u64) -> ServerMessage {
    ServerMessage::Head {
        room: name("general"),
        position: at(epoch, seq),
        digest: digest(epoch, seq),
    }
}

/// The digest of a log in which Bob alone speaks, as in [`Alice::hears_entries`]; of one that
/// would be very long, any.
pub(crate) fn digest(epoch: &str, seq: u64) -> Digest {
    let start = Digest::start(&Epoch::new(epoch).unwrap());
    let by_bob = (1..=seq.min(1_000)).map(bobs_entry);
    by_bob.fold(start, |before, entry| entry.digest_after(before))
}

pub(crate) fn bobs_entry(seq: u64) -> Entry {
    post("general", seq, "bob", &format!("b{seq}"))
}

/// A page with these of Bob's entries, while his log ends at `head`.
pub(crate) fn page(id: u64, seqs: impl IntoIterator<Item = u64>, head: u64) -> ServerMessage {
    let entries: Vec<Entry> = seqs.into_iter().map(bobs_entry).collect();
    let before = entries.first().map_or(head, |first| first.seq - 1);
    let (room, position, base) = (name("general"), at("e1", head), digest("e1", before));
    ServerMessage::History { id, room, position, floor: 0, entries, base, later: vec![] }
}

pub(crate) fn entry(room: &str, seq: u64, author: &str, message_id: &str) -> ServerMessage {
    ServerMessage::Entry(post(room, seq, author, message_id))
}

pub(crate) fn post(room: &str, seq: u64, author: &str, message_id: &str) -> Entry {
    Entry {
        room: name(room),
        seq,
        at: Timestamp::new("2026-11-20T09:00:00.000Z").unwrap(),
        author: member(author),
        message_id: id(message_id),
        kind: EntryKind::Post,
        of: None,
        member: None,
        body: "안녕".to_owned(),
        erased: None,
    }
}

pub(crate) fn ack(request: u64, room: &str, message_id: &str, seq: u64) -> ServerMessage {
    let (room, message_id) = (name(room), id(message_id));
    ServerMessage::Ack { id: request, room, message_id, position: at("e1", seq) }
}

pub(crate) fn error(request: u64, code: ErrorCode) -> ServerMessage {
    ServerMessage::Error { id: Some(request), error: Problem::new(code) }
}

pub(crate) fn slow_down(request: u64, retry_after_ms: u64) -> ServerMessage {
    let error = Problem::new(ErrorCode::RateLimited).retry_after_ms(retry_after_ms);
    ServerMessage::Error { id: Some(request), error }
}
