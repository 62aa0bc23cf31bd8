//! From bytes to messages and back, as JSON. What cannot be read is diagnosed with a pointer.
//!
//! This is serde's way. The page, which has to be light, goes by [`mod@read`] and [`mod@write`]: the same
//! contract by hand; and so goes what a server says most, by [`tell`].

pub mod read;

pub mod tell;

pub mod write;

use serde_json::{Map, Value};

use crate::{
    Body, ClientMessage, Emoji, ErrorCode, FieldFault, MessageId, Position, Problem, RoomName,
    ServerMessage, TextError, Topic,
};

/// Why a frame is not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} at `{pointer}`", code.row().1)]
pub struct DecodeError {
    /// [`ErrorCode::BadRequest`] for what is not a JSON object, else [`ErrorCode::Validation`].
    pub code: ErrorCode,
    /// Where the fault lies: a JSON Pointer (RFC 6901), empty for the whole frame.
    pub pointer: String,
    /// Which rule is broken there.
    pub fault: FieldFault,
    /// The request's id, when it could be read, so that the refusal can repeat it.
    pub id: Option<u64>,
}

impl From<&DecodeError> for Problem {
    fn from(error: &DecodeError) -> Self {
        let field = Problem::field(error.pointer.as_str(), error.fault);
        Problem { errors: field.errors, ..Problem::new(error.code) }
    }
}

/// Reads what a client sent.
///
/// # Errors
/// Says where the text breaks which rule; the cost is bounded by the text's length.
pub fn decode_client(text: &str) -> Result<ClientMessage, DecodeError> {
    read_say(text).map_or_else(|| read_any(text), Ok)
}

fn read_any(text: &str) -> Result<ClientMessage, DecodeError> {
    serde_json::from_str(text).map_err(|_| diagnose(text))
}

/// A `say` as clients write it, field by field and without a space: nearly all that comes. Where
/// the type may stand anywhere, serde first makes a value of everything else. What is not exactly
/// this is left to [`read_any`], against which a test holds it.
fn read_say(text: &str) -> Option<ClientMessage> {
    let (id, rest) = text.strip_prefix(r#"{"type":"say","id":"#)?.split_once(',')?;
    let (room, rest) = rest.strip_prefix(r#""room":""#)?.split_once('"')?;
    let (message_id, rest) = rest.strip_prefix(r#","message_id":""#)?.split_once('"')?;
    let body = rest.strip_prefix(r#","body":"#)?.strip_suffix('}')?;
    let plain = body.strip_prefix('"')?.strip_suffix('"').filter(|text| is_plain(text));
    Some(ClientMessage::Say {
        // A zero in front is no JSON, and a sign is none of ours.
        id: id.starts_with(|c| matches!(c, '1'..='9')).then(|| id.parse().ok())??,
        // Names and ids hold nothing that JSON would write otherwise.
        room: RoomName::new(room).ok()?,
        message_id: MessageId::new(message_id).ok()?,
        body: plain.map_or_else(|| serde_json::from_str(body).ok(), |text| Body::new(text).ok())?,
    })
}

/// Whether JSON writes this text as it is (RFC 8259 section 7).
fn is_plain(text: &str) -> bool {
    // Without a way out in between, so that many bytes are compared at once.
    let special = |c: u8| c < b' ' || c == b'"' || c == b'\\';
    !text.bytes().fold(false, |found, c| found | special(c))
}

/// Reads what the server sent; `None` for what is no message at all. A type from a newer server
/// is [`ServerMessage::Unknown`].
#[must_use]
pub fn decode_server(text: &str) -> Option<ServerMessage> {
    serde_json::from_str(text).ok()
}

/// Writes a message, from either side, as one line of JSON.
#[must_use]
pub fn encode<M: serde::Serialize>(message: &M) -> String {
    serde_json::to_string(message).expect("messages have string keys and no failing serializer")
}

/// Writes what a server sends as one line of JSON: the same as [`encode`], sooner.
#[must_use]
pub fn encode_server(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Ack { id, room, message_id, position } => {
            tell::ack(*id, room, message_id, position)
        }
        ServerMessage::Entry(entry) => tell::entry(&entry.parts()),
        ServerMessage::Welcome { .. }
        | ServerMessage::Joined { .. }
        | ServerMessage::Head { .. }
        | ServerMessage::History { .. }
        | ServerMessage::Marked { .. }
        | ServerMessage::Left { .. }
        | ServerMessage::Presence { .. }
        | ServerMessage::Resync { .. }
        | ServerMessage::Opened { .. }
        | ServerMessage::Ping {}
        | ServerMessage::Pong { .. }
        | ServerMessage::Error { .. }
        | ServerMessage::Unknown => encode(message),
    }
}

/// One field that a client message may have.
struct Field {
    name: &'static str,
    required: bool,
    check: fn(&Value) -> Result<(), FieldFault>,
}

const fn required(name: &'static str, check: fn(&Value) -> Result<(), FieldFault>) -> Field {
    Field { name, required: true, check }
}

const fn optional(name: &'static str, check: fn(&Value) -> Result<(), FieldFault>) -> Field {
    Field { name, required: false, check }
}

/// The fields of each type: the same contract as the derive on [`ClientMessage`], which a test
/// holds against this table.
fn fields(message_type: &str) -> Option<&'static [Field]> {
    const HELLO: &[Field] = &[required("ticket", string)];
    const JOIN: &[Field] = &[
        optional("id", number),
        required("room", text::<RoomName>),
        optional("after", position),
        optional("echo", boolean),
    ];
    const SAY: &[Field] = &[
        required("id", number),
        required("room", text::<RoomName>),
        required("message_id", text::<MessageId>),
        required("body", text::<Body>),
    ];
    const EDIT: &[Field] = &[
        required("id", number),
        required("room", text::<RoomName>),
        required("message_id", text::<MessageId>),
        required("of", number),
        required("body", text::<Body>),
    ];
    const DELETE: &[Field] = &[
        required("id", number),
        required("room", text::<RoomName>),
        required("message_id", text::<MessageId>),
        required("of", number),
    ];
    const REACT: &[Field] = &[
        required("id", number),
        required("room", text::<RoomName>),
        required("message_id", text::<MessageId>),
        required("of", number),
        required("body", text::<Emoji>),
    ];
    const TOPIC: &[Field] = &[
        required("id", number),
        required("room", text::<RoomName>),
        required("message_id", text::<MessageId>),
        required("body", text::<Topic>),
    ];
    const HISTORY: &[Field] = &[
        required("id", number),
        required("room", text::<RoomName>),
        optional("before", position),
        optional("after", position),
        optional("limit", small_number),
    ];
    const MARK: &[Field] = &[
        required("id", number),
        required("room", text::<RoomName>),
        required("position", position),
    ];
    const LEAVE: &[Field] = &[required("id", number), required("room", text::<RoomName>)];
    const PING: &[Field] = &[required("id", number)];
    const PONG: &[Field] = &[];
    match message_type {
        "hello" => Some(HELLO),
        "join" => Some(JOIN),
        "say" => Some(SAY),
        "edit" => Some(EDIT),
        "delete" => Some(DELETE),
        "react" => Some(REACT),
        "topic" => Some(TOPIC),
        "history" => Some(HISTORY),
        "mark" => Some(MARK),
        "leave" => Some(LEAVE),
        "ping" => Some(PING),
        "pong" => Some(PONG),
        _ => None,
    }
}

/// Finds out why a text is not a client message. Only refused frames pay for it.
fn diagnose(text: &str) -> DecodeError {
    let Ok(Value::Object(object)) = serde_json::from_str(text) else {
        let (code, pointer, fault) = (ErrorCode::BadRequest, String::new(), FieldFault::Invalid);
        return DecodeError { code, pointer, fault, id: None };
    };
    // What serde refuses and the table does not is a key that stands twice.
    let (pointer, fault) = first_fault(&object).unwrap_or((String::new(), FieldFault::Invalid));
    let id = object.get("id").and_then(Value::as_u64);
    DecodeError { code: ErrorCode::Validation, pointer, fault, id }
}

fn first_fault(object: &Map<String, Value>) -> Option<(String, FieldFault)> {
    let Some(message_type) = object.get("type") else {
        return Some(("/type".to_owned(), FieldFault::Missing));
    };
    let Some(fields) = message_type.as_str().and_then(fields) else {
        return Some(("/type".to_owned(), FieldFault::UnknownType));
    };
    let known = |key: &str| key == "type" || fields.iter().any(|field| field.name == key);
    if let Some(stranger) = object.keys().find(|key| !known(key)) {
        return Some((pointer_to(stranger), FieldFault::UnknownField));
    }
    fields.iter().find_map(|field| {
        let fault = match object.get(field.name) {
            None if field.required => FieldFault::Missing,
            None => return None,
            Some(value) => (field.check)(value).err()?,
        };
        Some((pointer_to(field.name), fault))
    })
}

/// RFC 6901 section 3 escapes, and a bound: a refusal must not repeat a long key at length.
fn pointer_to(key: &str) -> String {
    const KEY_CHARS_MAX: usize = 64;
    let key: String = key.chars().take(KEY_CHARS_MAX).collect();
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

trait CheckedText: Sized {
    fn check(text: &str) -> Result<Self, TextError>;
}

macro_rules! checked {
    ($($name:ident),*) => {
        $(impl CheckedText for $name {
            fn check(text: &str) -> Result<Self, TextError> {
                Self::new(text)
            }
        })*
    };
}

checked!(RoomName, MessageId, Body, Emoji, Topic);

fn text<T: CheckedText>(value: &Value) -> Result<(), FieldFault> {
    let text = value.as_str().ok_or(FieldFault::Invalid)?;
    T::check(text)?;
    Ok(())
}

fn string(value: &Value) -> Result<(), FieldFault> {
    value.is_string().then_some(()).ok_or(FieldFault::Invalid)
}

fn number(value: &Value) -> Result<(), FieldFault> {
    value.is_u64().then_some(()).ok_or(FieldFault::Invalid)
}

fn small_number(value: &Value) -> Result<(), FieldFault> {
    let small = value.as_u64().is_some_and(|number| u32::try_from(number).is_ok());
    small.then_some(()).ok_or(FieldFault::Invalid)
}

fn boolean(value: &Value) -> Result<(), FieldFault> {
    value.is_boolean().then_some(()).ok_or(FieldFault::Invalid)
}

fn position(value: &Value) -> Result<(), FieldFault> {
    serde_json::from_value::<Position>(value.clone()).map(drop).map_err(|_| FieldFault::Invalid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One thing that may stand in a frame, right or wrong.
    fn piece() -> impl Strategy<Value = String> {
        prop::sample::select(vec![
            r#""type":"say""#,
            r#""type":2"#,
            r#""id":0"#,
            r#""id":01"#,
            r#""id":+1"#,
            r#""id": 1"#,
            r#""id":1x"#,
            r#""type":{"say":null}"#,
            r#""id":1"#,
            r#""id":18446744073709551615"#,
            r#""id":18446744073709551616"#,
            r#""id":-0"#,
            r#""id":1.0"#,
            r#""id":1e2"#,
            r#""id":-1"#,
            r#""id":null"#,
            r#""\u0069d":3"#,
            r#""room":"general""#,
            r#""room":"\ub9c8당""#,
            r#""room":"마당""#,
            r#""room":"General""#,
            r#""room":7"#,
            r#""message_id":"m1""#,
            r#""message_id":"m 1""#,
            r#""message_id":["m1"]"#,
            r#""body":"안녕""#,
            r#""body":"\"\n\ud83d\udc4b""#,
            r#""body":"\ud83d""#,
            r#""body":"\u0000""#,
            r#""body":" ""#,
            r#""body":"a"b""#,
            r#""body":"a\""#,
            r#""body":"a","of":1"#,
            r#""body":"a" "#,
            r#""body": "a""#,
            r#""body":["a"]"#,
            r#""body":"a"}"#,
            r#""of":1"#,
            "\"body\":\"a\nb\"",
            "",
            "]",
        ])
        .prop_map(str::to_owned)
    }

    fn right() -> impl Strategy<Value = Vec<String>> {
        let pieces =
            [r#""id":1"#, r#""room":"general""#, r#""message_id":"m1""#, r#""body":"안녕""#];
        let pieces = Just(pieces.map(str::to_owned).to_vec());
        prop_oneof![3 => pieces.clone(), 1 => pieces.prop_shuffle()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn a_say_is_read_the_same_at_once_and_by_serde(
            right in right(),
            wrong in prop::collection::vec((0..4_usize, any::<bool>(), piece()), 0..3),
            behind in prop::sample::select(vec!["", " ", "}", ",", "\u{0}"]),
        ) {
            let mut pieces = right;
            for (at, instead, piece) in wrong {
                pieces.splice(at..at + usize::from(instead), [piece]);
            }
            let text = format!(r#"{{"type":"say",{}}}{behind}"#, pieces.join(","));
            prop_assert_eq!(decode_client(&text), read_any(&text), "{}", text);
        }

        #[test]
        fn whatever_follows_the_type_is_read_the_same(rest in "\\PC*") {
            let text = format!(r#"{{"type":"say",{rest}"#);
            prop_assert_eq!(decode_client(&text), read_any(&text));
        }
    }

    #[test]
    fn a_say_as_clients_write_it_is_read_at_once() {
        for body in ["안녕", r#"a \"b\"\n\\"#, "}"] {
            let text = format!(
                r#"{{"type":"say","id":10,"room":"마당","message_id":"m1","body":"{body}"}}"#
            );
            let message = read_say(&text);
            assert!(message.is_some(), "{text}");
            assert_eq!(message, read_any(&text).ok());
        }
    }
}
