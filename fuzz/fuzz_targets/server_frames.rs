//! What a server says: the page, which reads by hand, and everybody else, who reads with serde,
//! come to the same verdict.

#![no_main]

use common::{ServerMessage, codec::read::Read, decode_server, encode};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Of a value only what the pattern has too: by hand, strange fields are passed over and `null` is
/// a missing field.
fn known_of(value: &Value, pattern: &Value) -> Value {
    match (value, pattern) {
        (Value::Object(fields), Value::Object(known)) => {
            let both = fields.iter().filter_map(|(name, field)| {
                Some((name.clone(), known_of(field, known.get(name)?)))
            });
            Value::Object(both.collect())
        }
        (Value::Array(list), Value::Array(known)) => {
            list.iter().zip(known).map(|(value, pattern)| known_of(value, pattern)).collect()
        }
        _ => value.clone(),
    }
}

fuzz_target!(|text: &str| {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        assert_eq!(decode_server(text), None);
        return;
    };
    // A number is no type; serde takes it for the place of one in its list.
    if value.get("type").is_some_and(Value::is_number) || value.is_array() {
        return;
    }
    let by_hand = ServerMessage::read(&value);
    let with_serde = decode_server(&value.to_string());
    if with_serde.is_some() {
        assert_eq!(by_hand, with_serde, "{value}");
    }
    if let Some(message) = by_hand.filter(|message| *message != ServerMessage::Unknown) {
        let written: Value = serde_json::from_str(&encode(&message)).expect("it was written");
        let known = known_of(&value, &written).to_string();
        assert_eq!(decode_server(&known), Some(message), "{value}");
    }
});
