//! Whatever is sent, in whatever order: nothing panics, and the replies stay bounded.

use common::http::Keep;
use proptest::prelude::*;
use rooms::Settings;

use super::{
    at,
    yard::{Yard, entries},
};

fn any_frame() -> impl Strategy<Value = String> {
    let room = prop::sample::select(vec!["general", "small", "nowhere", "A B"]);
    prop_oneof![
        ".{0,40}",
        (room.clone(), 0..9_u64, 0..4_u8).prop_map(|(room, seq, epoch)| format!(
            r#"{{"type":"join","id":1,"room":"{room}","after":{{"epoch":"e{epoch}","seq":{seq}}}}}"#
        )),
        (room.clone(), 0..9_u8).prop_map(|(room, m)| format!(
            r#"{{"type":"say","id":1,"room":"{room}","message_id":"m{m}","body":"b{}"}}"#,
            m % 4
        )),
        (room.clone(), 0..9_u8, 0..9_u64).prop_map(|(room, m, of)| format!(
            r#"{{"type":"{}","id":1,"room":"{room}","message_id":"m{m}","of":{of}{}}}"#,
            ["edit", "delete", "react"][usize::from(m % 3)],
            if m % 3 == 1 { "" } else { r#","body":"b""# },
        )),
        (room.clone(), 0..9_u64, 0..120_u32).prop_map(|(room, seq, limit)| format!(
            r#"{{"type":"history","id":1,"room":"{room}","before":{{"epoch":"e1","seq":{seq}}},"limit":{limit}}}"#
        )),
        (room.clone(), 0..9_u64).prop_map(|(room, seq)| format!(
            r#"{{"type":"mark","id":1,"room":"{room}","position":{{"epoch":"e1","seq":{seq}}}}}"#
        )),
        room.prop_map(|room| format!(r#"{{"type":"leave","id":1,"room":"{room}"}}"#)),
        Just(r#"{"type":"ping","id":1}"#.to_owned()),
        Just(r#"{"type":"hello","ticket":"hana"}"#.to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_frames_make_it_panic_and_the_replies_stay_bounded(
        frames in proptest::collection::vec((any_frame(), 0..2_000_u64, 0..12_u8), 0..250),
        greeted in prop::bool::weighted(0.9),
    ) {
        let mut yard = Yard::new(Settings::default());
        yard.opens("small", Keep::Last(3));
        let mut visitor = if greeted { yard.guest("hana") } else { yard.stranger(0.3) };
        for (frame, pause, deed) in frames {
            // The peer reads nothing at all, most of the time.
            if visitor.conversation.wants_input() {
                visitor.sends(&mut yard, &frame);
                visitor.conversation.handle_inbound_bytes(frame.len(), at(yard.ms));
            }
            if deed == 0 {
                yard.passes(pause);
                visitor.sits_until(yard.ms);
            }
            let waiting = std::iter::from_fn(|| visitor.conversation.poll_frame());
            if deed == 1 {
                let heard: Vec<_> = waiting.map(super::yard::message).collect();
                let replies = heard.len() - entries(heard).len();
                prop_assert!(replies <= 64 + 8, "{} replies", replies);
                // Nothing more is read for a connection before everything was written.
                yard.read(&mut visitor.conversation);
            }
        }
    }
}
