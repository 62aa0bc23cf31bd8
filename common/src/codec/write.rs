//! What a client sends, written as JSON by hand: for the page, which would carry serde for
//! nothing else. Byte for byte it is what [`super::encode`] writes, which a test holds against it.

use crate::{
    ClientMessage, Position, RoomName, UserId,
    http::{Keep, OpenRoom, SignIn},
};

/// Writes a message as one line of JSON.
#[must_use]
pub fn client_message(message: &ClientMessage) -> String {
    let mut object = Object::default();
    match message {
        ClientMessage::Hello { ticket } => {
            object.text("type", "hello");
            object.text("ticket", ticket);
        }
        ClientMessage::Join { id, room, after, echo } => {
            object.text("type", "join");
            if let Some(id) = id {
                object.number("id", *id);
            }
            object.text("room", room.as_str());
            if let Some(after) = after {
                object.raw("after", &position(after));
            }
            if !echo {
                object.raw("echo", "false");
            }
        }
        ClientMessage::Say { id, room, message_id, body } => {
            object.request("say", *id, room);
            object.text("message_id", message_id.as_str());
            object.text("body", body.as_str());
        }
        ClientMessage::Edit { id, room, message_id, of, body } => {
            object.request("edit", *id, room);
            object.text("message_id", message_id.as_str());
            object.number("of", *of);
            object.text("body", body.as_str());
        }
        ClientMessage::Delete { id, room, message_id, of } => {
            object.request("delete", *id, room);
            object.text("message_id", message_id.as_str());
            object.number("of", *of);
        }
        ClientMessage::React { id, room, message_id, of, body } => {
            object.request("react", *id, room);
            object.text("message_id", message_id.as_str());
            object.number("of", *of);
            object.text("body", body.as_str());
        }
        ClientMessage::Topic { id, room, message_id, body } => {
            object.request("topic", *id, room);
            object.text("message_id", message_id.as_str());
            object.text("body", body.as_str());
        }
        ClientMessage::History { id, room, before, after, limit } => {
            object.request("history", *id, room);
            for (name, at) in [("before", before), ("after", after)] {
                if let Some(at) = at {
                    object.raw(name, &position(at));
                }
            }
            if let Some(limit) = limit {
                object.number("limit", (*limit).into());
            }
        }
        ClientMessage::Mark { id, room, position: at } => {
            object.request("mark", *id, room);
            object.raw("position", &position(at));
        }
        ClientMessage::Leave { id, room } => object.request("leave", *id, room),
        ClientMessage::Ping { id } => {
            object.text("type", "ping");
            object.number("id", *id);
        }
        ClientMessage::Pong {} => object.text("type", "pong"),
    }
    object.end()
}

/// Writes the body of `POST /api/session`.
#[must_use]
pub fn sign_in(sign_in: &SignIn) -> String {
    let mut object = Object::default();
    object.text("name", sign_in.name.as_str());
    object.end()
}

/// Writes the body of `POST /api/rooms`.
#[must_use]
pub fn open_room(open: &OpenRoom) -> String {
    let mut object = Object::default();
    object.text("room", open.room.as_str());
    if let Some(keep) = open.keep {
        object.raw("keep", &self::keep(keep));
    }
    if let Some(members) = &open.members {
        object.raw("members", &list(members));
    }
    object.end()
}

fn position(position: &Position) -> String {
    let mut object = Object::default();
    object.text("epoch", position.epoch.as_str());
    object.number("seq", position.seq);
    object.end()
}

fn keep(keep: Keep) -> String {
    match keep {
        Keep::Forever => r#""forever""#.to_owned(),
        Keep::None => r#""none""#.to_owned(),
        Keep::Last(entries) => {
            let mut object = Object::default();
            object.number("last", entries.into());
            object.end()
        }
    }
}

fn list(members: &[UserId]) -> String {
    let mut json = String::from("[");
    for member in members {
        if json.len() > 1 {
            json.push(',');
        }
        push_text(&mut json, member.as_str());
    }
    json.push(']');
    json
}

/// An object that is being written.
#[derive(Default)]
struct Object(String);

impl Object {
    fn key(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        push_text(&mut self.0, name);
        self.0.push(':');
    }

    /// The fields that every request about a room begins with.
    fn request(&mut self, name: &str, id: u64, room: &RoomName) {
        self.text("type", name);
        self.number("id", id);
        self.text("room", room.as_str());
    }

    fn text(&mut self, name: &str, text: &str) {
        self.key(name);
        push_text(&mut self.0, text);
    }

    fn number(&mut self, name: &str, number: u64) {
        self.raw(name, &number.to_string());
    }

    fn raw(&mut self, name: &str, json: &str) {
        self.key(name);
        self.0.push_str(json);
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A string as RFC 8259 section 7 has it: quotes, backslashes and control characters are escaped.
fn push_text(json: &mut String, text: &str) {
    json.push('"');
    push_escaped(json, text);
    json.push('"');
}

/// Whether JSON writes this text as it is (RFC 8259 section 7).
pub(super) fn is_plain(text: &str) -> bool {
    // All are looked at, also behind one that is found, so that many can be compared at once.
    let special = |c: u8| c < b' ' || c == b'"' || c == b'\\';
    !text.bytes().fold(false, |found, c| found | special(c))
}

/// The same without the quotes around it.
pub(super) fn push_escaped(json: &mut String, text: &str) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    for c in text.chars() {
        let short = match c {
            '"' | '\\' => c,
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\u{8}' => 'b',
            '\u{c}' => 'f',
            '\0'..' ' => {
                json.push_str("\\u00");
                json.push(HEX[c as usize >> 4]);
                json.push(HEX[c as usize & 15]);
                continue;
            }
            _ => {
                json.push(c);
                continue;
            }
        };
        json.push('\\');
        json.push(short);
    }
}
