//! From bytes to messages and back, as JSON. What cannot be read is diagnosed with a pointer.
//!
//! This is serde's way. The page, which has to be light, goes by [`mod@read`] and [`mod@write`]: the
//! same contract by hand; and so goes what a server hears and says most, by `say` and [`tell`].

pub mod read;

mod say;

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
    say::read(text).map_or_else(|| read_any(text), Ok)
}

/// Reads whatever it is, as serde does.
fn read_any(text: &str) -> Result<ClientMessage, DecodeError> {
    serde_json::from_str(text).map_err(|_| diagnose(text))
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

/// Writes what a server sends as one line of JSON: the same as [`encode`], faster.
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
