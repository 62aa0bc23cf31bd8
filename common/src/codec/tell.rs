//! What a server says for each message, an entry and an acknowledgement, written as JSON by hand.
//! Byte for byte it is what [`super::encode`] writes, which a test holds against it.
//!
//! serde looks at each character of each text. Here what cannot hold a quote is copied, and what
//! can is searched as a whole. The texts come out as long as they are: an entry's is kept.

use std::borrow::Cow;

use super::write::{is_plain, push_escaped};
use crate::{Digest, EntryKind, Member, MessageId, Position, RoomName, Timestamp};

/// An [`crate::Entry`] whose parts are somebody else's.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each field is one of `Entry`, and documented there")]
pub struct Entry<'a> {
    pub room: &'a RoomName,
    pub seq: u64,
    pub at: &'a Timestamp,
    pub author: &'a Member,
    pub message_id: &'a MessageId,
    pub kind: EntryKind,
    pub of: Option<u64>,
    pub member: Option<&'a Member>,
    pub body: &'a str,
    pub erased: Option<Digest>,
}

/// Writes [`crate::ServerMessage::Entry`] as one line of JSON.
#[must_use]
pub fn entry(entry: &Entry<'_>) -> String {
    let Entry { room, seq, at, author, message_id, kind, of, member, body, erased } = *entry;
    let of = of.map_or_else(String::new, |of| format!(r#","of":{of}"#));
    let member = member.map_or_else(String::new, |Member { id, name }| {
        format!(r#","member":{{"id":"{id}","name":"{}"}}"#, escaped(name.as_str()))
    });
    let erased = erased.map_or_else(String::new, |erased| format!(r#","erased":"{erased}""#));
    [
        r#"{"type":"entry","room":""#,
        room.as_str(),
        r#"","seq":"#,
        &seq.to_string(),
        r#","at":""#,
        at.as_str(),
        r#"","author":{"id":""#,
        author.id.as_str(),
        r#"","name":""#,
        &escaped(author.name.as_str()),
        r#""},"message_id":""#,
        message_id.as_str(),
        r#"","kind":""#,
        kind.name(),
        r#"""#,
        &of,
        &member,
        r#","body":""#,
        &escaped(body),
        r#"""#,
        &erased,
        "}",
    ]
    .concat()
}

/// Writes [`crate::ServerMessage::Ack`] as one line of JSON.
#[must_use]
pub fn ack(id: u64, room: &RoomName, message_id: &MessageId, position: &Position) -> String {
    [
        r#"{"type":"ack","id":"#,
        &id.to_string(),
        r#","room":""#,
        room.as_str(),
        r#"","message_id":""#,
        message_id.as_str(),
        r#"","position":{"epoch":""#,
        position.epoch.as_str(),
        r#"","seq":"#,
        &position.seq.to_string(),
        "}}",
    ]
    .concat()
}

/// What people write may hold anything. Names of rooms, ids and moments hold nothing to escape.
fn escaped(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut json = String::with_capacity(text.len() + text.len() / 8);
    push_escaped(&mut json, text);
    Cow::Owned(json)
}
