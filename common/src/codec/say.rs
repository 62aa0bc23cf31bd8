//! What a client says most, read as JSON by hand: a message to a room.
//!
//! Where the type may stand anywhere, serde first makes a value of everything else.

use super::write::is_plain;
use crate::{Body, ClientMessage, MessageId, RoomName};

/// Reads a `say` as clients write it, field by field and without a space. What is not exactly this
/// is left to [`super::read_any`], against which a test holds it.
pub(super) fn read(text: &str) -> Option<ClientMessage> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{decode_client, read_any},
        *,
    };

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
            let message = read(&text);
            assert!(message.is_some(), "{text}");
            assert_eq!(message, read_any(&text).ok());
        }
    }
}
