//! The wire as a committed file of examples, and decoders that nothing makes panic.

mod by_hand;
mod digest;

use std::collections::BTreeSet;

use common::{
    ClientMessage, ErrorCode, FieldFault, Problem, ServerMessage, decode_client, decode_server,
    encode,
};
use proptest::prelude::*;
use serde_json::Value;

fn wire() -> Value {
    serde_json::from_str(include_str!("../wire.json")).expect("wire.json is JSON")
}

fn examples(direction: &str) -> Vec<Value> {
    wire()[direction].as_array().expect("a list of examples").clone()
}

#[test]
fn every_client_example_reads_and_writes_back_the_same() {
    for example in examples("client") {
        let message = decode_client(&example.to_string()).expect("an example is valid");
        let written: Value = serde_json::from_str(&encode(&message)).unwrap();
        assert_eq!(written, example);
    }
}

#[test]
fn every_server_example_reads_and_writes_back_the_same() {
    for example in examples("server") {
        let message = decode_server(&example.to_string()).expect("an example is valid");
        assert_ne!(message, ServerMessage::Unknown, "{example}");
        let written: Value = serde_json::from_str(&encode(&message)).unwrap();
        assert_eq!(written, example);
    }
}

#[test]
fn every_variant_has_an_example() {
    fn client_type(message: &ClientMessage) -> &'static str {
        match message {
            ClientMessage::Hello { .. } => "hello",
            ClientMessage::Join { .. } => "join",
            ClientMessage::Say { .. } => "say",
            ClientMessage::Edit { .. } => "edit",
            ClientMessage::Delete { .. } => "delete",
            ClientMessage::React { .. } => "react",
            ClientMessage::Topic { .. } => "topic",
            ClientMessage::History { .. } => "history",
            ClientMessage::Mark { .. } => "mark",
            ClientMessage::Leave { .. } => "leave",
            ClientMessage::Ping { .. } => "ping",
            ClientMessage::Pong {} => "pong",
        }
    }
    fn server_type(message: &ServerMessage) -> &'static str {
        match message {
            ServerMessage::Welcome { .. } => "welcome",
            ServerMessage::Joined { .. } => "joined",
            ServerMessage::Ack { .. } => "ack",
            ServerMessage::Entry(_) => "entry",
            ServerMessage::Head { .. } => "head",
            ServerMessage::History { .. } => "history",
            ServerMessage::Marked { .. } => "marked",
            ServerMessage::Left { .. } => "left",
            ServerMessage::Presence { .. } => "presence",
            ServerMessage::Resync { .. } => "resync",
            ServerMessage::Opened { .. } => "opened",
            ServerMessage::Ping {} => "ping",
            ServerMessage::Pong { .. } => "pong",
            ServerMessage::Error { .. } => "error",
            ServerMessage::Unknown => "unknown",
        }
    }
    let clients: BTreeSet<_> = examples("client")
        .iter()
        .map(|example| client_type(&decode_client(&example.to_string()).unwrap()))
        .collect();
    assert_eq!(clients.len(), 12, "{clients:?}");
    let servers: BTreeSet<_> = examples("server")
        .iter()
        .map(|example| server_type(&decode_server(&example.to_string()).unwrap()))
        .collect();
    assert_eq!(servers.len(), 14, "{servers:?}");
}

#[test]
fn a_refused_frame_says_where_and_why() {
    for example in examples("refused") {
        let frame = &example["frame"];
        let frame = frame.as_str().map_or_else(|| frame.to_string(), str::to_owned);
        let error = decode_client(&frame).expect_err("the example is refused");
        let problem = serde_json::to_value(Problem::from(&error)).unwrap();
        assert_eq!(problem["code"], example["code"], "{frame}");
        assert_eq!(problem["errors"][0]["pointer"], example["pointer"], "{frame}");
        assert_eq!(problem["errors"][0]["code"], example["fault"], "{frame}");
        assert_eq!(serde_json::to_value(error.id).unwrap(), example["id"], "{frame}");
    }
}

#[test]
fn a_client_passes_over_what_a_newer_server_adds() {
    let newer = r#"{"type":"applause","room":"general"}"#;
    assert_eq!(decode_server(newer), Some(ServerMessage::Unknown));
    let newer = r#"{"type":"pong","id":1,"server_time":"later"}"#;
    assert_eq!(decode_server(newer), Some(ServerMessage::Pong { id: 1 }));
    let newer = r#"{"type":"resync","room":"a","reason":"moved","position":{"epoch":"e","seq":1},"after":1,"digest":"00112233445566778899aabbccddeeff"}"#;
    assert!(matches!(decode_server(newer), Some(ServerMessage::Resync { .. })));
}

#[test]
fn every_error_code_has_a_class_of_its_own_and_is_documented() {
    let protocol = include_str!("../../../docs/protocol.md");
    for code in ErrorCode::ALL {
        let name = serde_json::to_value(code).unwrap();
        let name = name.as_str().expect("a code is a string");
        assert!(protocol.contains(&format!("`{name}`")), "docs/protocol.md lacks {name}");
        assert!((400..600).contains(&code.status()));
    }
    for close in common::CloseCode::ALL {
        let row = format!("| {} | `{}` |", close.code(), close.reason());
        assert!(protocol.contains(&row), "docs/protocol.md lacks the row {row}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_decoder_panic(text in "\\PC*") {
        let _ = decode_client(&text);
        let _ = decode_server(&text);
    }

    #[test]
    fn no_json_makes_a_decoder_panic(value in json(), kind in 0..8usize) {
        let kinds = ["hello", "join", "say", "leave", "ping", "pong", "entry", "joined"];
        let mut value = value;
        if let Value::Object(object) = &mut value {
            object.insert("type".into(), kinds[kind].into());
        }
        if let Err(error) = decode_client(&value.to_string()) {
            prop_assert!(error.pointer.len() <= 300);
            prop_assert_ne!(error.fault, FieldFault::Unknown);
        }
        let _ = decode_server(&value.to_string());
    }
}

/// Small JSON values whose keys are often those of real messages.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z가-힣/~ ]{0,8}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("id".to_owned()),
        Just("room".to_owned()),
        Just("after".to_owned()),
        Just("epoch".to_owned()),
        Just("body".to_owned()),
        "[a-z/~]{0,200}",
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
