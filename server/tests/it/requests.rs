//! What people ask of the log, and its answers.

use common::{Digest, Position, ServerMessage};
use serde_json::{Value, json};

use crate::stage::Caller;

pub(crate) fn position(position: &Position) -> Value {
    serde_json::to_value(position).unwrap()
}

pub(crate) fn acked(reply: &ServerMessage) -> Position {
    let ServerMessage::Ack { position, .. } = reply else { panic!("not acknowledged: {reply:?}") };
    position.clone()
}

pub(crate) fn edit(of: u64, message_id: &str, body: &str) -> Value {
    json!({ "type": "edit", "room": "general", "message_id": message_id, "of": of, "body": body })
}

pub(crate) fn delete(of: u64, message_id: &str) -> Value {
    json!({ "type": "delete", "room": "general", "message_id": message_id, "of": of })
}

pub(crate) fn react(of: u64, message_id: &str, emoji: &str) -> Value {
    json!({ "type": "react", "room": "general", "message_id": message_id, "of": of, "body": emoji })
}

/// A page of general: its entries, the digest before them, and what changes them later.
pub(crate) struct Page {
    pub(crate) entries: Vec<common::Entry>,
    pub(crate) base: Digest,
    pub(crate) later: Vec<common::Entry>,
}

pub(crate) async fn page(caller: &mut Caller, request: Value) -> Page {
    let reply = caller.requests(request).await;
    let ServerMessage::History { entries, base, later, .. } = reply else {
        panic!("no page: {reply:?}")
    };
    Page { entries, base, later }
}
