//! What is read and written by hand, by the page and where a server says most, is what everybody
//! else reads and writes with serde.

use common::{
    Body, ClientMessage, Digest, Entry, EntryKind, ErrorCode, Member, MessageId, Problem, RoomName,
    ServerMessage, Timestamp, UserId, UserName,
    codec::{read::Read, write},
    decode_client, decode_server, encode, encode_server,
    http::{Keep, OpenRoom, RoomInfo, RoomList, SessionInfo, SignIn, Ticket},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{examples, json as any_json};

fn read<T: Read>(json: &Value) -> Option<T> {
    T::read(json)
}

#[test]
fn every_server_example_is_read_the_same() {
    for example in examples("server") {
        let message: Option<ServerMessage> = read(&example);
        assert!(message.is_some(), "{example}");
        assert_eq!(message, decode_server(&example.to_string()), "{example}");
    }
}

#[test]
fn every_damaged_server_example_is_judged_the_same() {
    let wrong = [
        json!(""),
        json!("?!"),
        json!("last"),
        json!(-1),
        json!(1.5),
        json!(5_000_000_000_u64),
        json!(true),
        json!([]),
        json!([7]),
        json!({}),
    ];
    let mut damaged = 0;
    for example in examples("server") {
        for place in places(&example) {
            // A number is no type; serde takes it for the place of one in its list.
            let is_type = place == "/type";
            for wrong in wrong.iter().filter(|wrong| !(is_type && wrong.is_u64())) {
                let mut json = example.clone();
                *json.pointer_mut(&place).unwrap() = wrong.clone();
                assert_eq!(read(&json), decode_server(&json.to_string()), "{json}");
                damaged += 1;
            }
            let json = without(&example, &place);
            assert_eq!(read(&json), decode_server(&json.to_string()), "{json}");
        }
    }
    assert!(damaged > 500, "{damaged}");
}

#[test]
fn null_is_a_missing_field_and_a_strange_one_is_passed_over() {
    for example in examples("server") {
        let message: Option<ServerMessage> = read(&example);
        for place in places(&example) {
            let mut json = example.clone();
            *json.pointer_mut(&place).unwrap() = Value::Null;
            let missing: Option<ServerMessage> = read(&without(&example, &place));
            if example.pointer(parent(&place)).is_some_and(Value::is_object) {
                assert_eq!(read(&json), missing, "{json}");
            }
            let mut json = example.clone();
            if let Some(Value::Object(object)) = json.pointer_mut(&place) {
                object.insert("colour".to_owned(), json!("red"));
                assert_eq!(read(&json), message, "{json}");
            }
        }
    }
    let newer = json!({ "type": "applause", "room": "general" });
    assert_eq!(read(&newer), Some(ServerMessage::Unknown));
}

#[test]
fn every_error_code_is_read_the_same() {
    for code in ErrorCode::ALL {
        let problem = Problem::new(code).retry_after_ms(7);
        assert_eq!(read(&serde_json::to_value(&problem).unwrap()), Some(problem));
    }
    assert_eq!(read(&json!("of_tomorrow")), Some(ErrorCode::Unknown));
}

#[test]
fn the_bodies_of_answers_are_read_the_same() {
    fn check<T: Read + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(json: Value) {
        let by_hand: Option<T> = read(&json);
        assert!(by_hand.is_some(), "{json}");
        assert_eq!(by_hand, serde_json::from_value(json).ok());
    }
    let position = json!({ "epoch": "e1", "seq": 3 });
    let room = json!({ "room": "마당", "position": position, "keep": "forever", "count": 2 });
    check::<SessionInfo>(json!({ "user": { "id": "u1", "name": "하나" }, "guest": true }));
    check::<Ticket>(json!({ "ticket": "q1vI0zW3s8", "expires_in": 30 }));
    check::<RoomInfo>(room.clone());
    check::<RoomList>(json!({ "rooms": [room.clone(), room] }));
    check::<RoomList>(json!({ "rooms": [] }));
}

#[test]
fn every_client_example_is_written_the_same() {
    for example in examples("client") {
        let message = decode_client(&example.to_string()).unwrap();
        assert_eq!(write::client_message(&message), encode(&message));
    }
}

#[test]
fn every_server_example_is_written_the_same() {
    for example in examples("server") {
        let message = decode_server(&example.to_string()).unwrap();
        assert_eq!(encode_server(&message), encode(&message));
    }
}

#[test]
fn the_bodies_of_requests_are_written_the_same() {
    let sign_in = SignIn { name: UserName::new("a \"b\" \\ 하나").unwrap() };
    assert_eq!(write::sign_in(&sign_in), encode(&sign_in));
    let id = |text| UserId::new(text).unwrap();
    for keep in [None, Some(Keep::Forever), Some(Keep::None), Some(Keep::Last(7))] {
        for members in [None, Some(vec![]), Some(vec![id("u1")]), Some(vec![id("u1"), id("u2")])] {
            let open = OpenRoom { room: RoomName::new("마당").unwrap(), keep, members };
            assert_eq!(write::open_room(&open), encode(&open));
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_said_is_written_the_same(text in "\\PC*|[\u{0}-\u{2f}\\\\\u{7f}\u{2028}]*", id: u64) {
        let hello = ClientMessage::Hello { ticket: text.clone() };
        prop_assert_eq!(write::client_message(&hello), encode(&hello));
        if let Ok(body) = Body::new(&text) {
            let room = RoomName::new("general").unwrap();
            let say = ClientMessage::Say { id, room, message_id: MessageId::new("m1").unwrap(), body };
            prop_assert_eq!(write::client_message(&say), encode(&say));
        }
    }

    #[test]
    fn whatever_stands_in_an_entry_is_written_the_same(
        body in "\\PC*|[\u{0}-\u{2f}\\\\\u{7f}\u{2028}]*",
        name in "[^\\pC\\s]{1,40}",
        of: Option<u64>,
        (seq, kind, about, erased) in (0..u64::MAX, 0..EntryKind::ALL.len(), any::<bool>(), any::<bool>()),
    ) {
        let Ok(name) = UserName::new(name) else { return Ok(()) };
        let author = Member { id: UserId::new("u1").unwrap(), name };
        let entry = ServerMessage::Entry(Entry {
            room: RoomName::new("마당").unwrap(),
            seq,
            at: Timestamp::new("2026-11-20T09:00:00.000Z").unwrap(),
            member: about.then(|| author.clone()),
            author,
            message_id: MessageId::new("m1").unwrap(),
            kind: EntryKind::ALL[kind],
            of,
            erased: erased.then(|| Digest::of_body(&body)),
            body,
        });
        prop_assert_eq!(encode_server(&entry), encode(&entry));
    }

    #[test]
    fn no_json_makes_the_reader_panic(json in any_json()) {
        let _: Option<ServerMessage> = read(&json);
        let _: Option<RoomList> = read(&json);
        let _: Option<Problem> = read(&json);
    }
}

/// A pointer to every value below the top.
fn places(json: &Value) -> Vec<String> {
    let below = |key: &str, inner: &Value| {
        let key = format!("/{key}");
        let deeper = places(inner).into_iter().map(|place| format!("{key}{place}"));
        std::iter::once(key.clone()).chain(deeper).collect::<Vec<_>>()
    };
    match json {
        Value::Object(object) => object.iter().flat_map(|(key, inner)| below(key, inner)).collect(),
        Value::Array(list) => {
            let elements = list.iter().enumerate();
            elements.flat_map(|(at, inner)| below(&at.to_string(), inner)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn parent(place: &str) -> &str {
    place.rsplit_once('/').expect("a place has a parent").0
}

fn without(json: &Value, place: &str) -> Value {
    let mut json = json.clone();
    let key = place.rsplit_once('/').expect("a place has a key").1;
    match json.pointer_mut(parent(place)) {
        Some(Value::Object(object)) => drop(object.remove(key)),
        Some(Value::Array(list)) => drop(list.remove(key.parse().expect("a number"))),
        _ => unreachable!("{place}"),
    }
    json
}
