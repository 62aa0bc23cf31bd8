//! One connection's conversation: its ticket, what bad input gets, following, saying, leaving.

use common::{
    ClientMessage, CloseCode, ErrorCode, FieldFault, ResyncReason, ServerMessage, http::Keep,
};
use rooms::{Settings, conversation::Closing};

use super::{
    at, member, position, room_name,
    yard::{Yard, in_a_small_room},
};

fn yard() -> Yard {
    Yard::new(Settings::default())
}

#[test]
fn a_good_ticket_is_answered_with_a_welcome() {
    let mut yard = yard();
    let mut stranger = yard.stranger(0.5);
    stranger.says(&mut yard, &ClientMessage::Hello { ticket: "hana".into() });
    let heard = stranger.hears();
    let [ServerMessage::Welcome { user, heartbeat, limits, .. }] = &heard[..] else { panic!() };
    assert_eq!(*user, member("hana"));
    assert_eq!((heartbeat.interval_ms, heartbeat.timeout_ms), (30_000, 10_000));
    assert_eq!(
        (limits.text_chars_max, limits.frame_bytes_max, limits.rooms_max),
        (4_000, 65_536, 128)
    );
}

#[test]
fn a_ticket_and_a_room_may_come_with_the_address() {
    let mut yard = yard();
    let mut stranger = yard.stranger(0.5);
    stranger.conversation.handle_ticket("hana".into());
    stranger.conversation.handle_address(room_name("general"));
    yard.serve(&mut stranger.conversation);
    let heard = stranger.hears();
    let [ServerMessage::Welcome { .. }, ServerMessage::Joined { id: None, .. }] = &heard[..] else {
        panic!("{heard:?}")
    };
}

#[test]
fn whatever_is_no_good_ticket_gets_4001_and_nothing_else() {
    let hello = |ticket: &str| common::encode(&ClientMessage::Hello { ticket: ticket.into() });
    for first in [hello("worthless").as_str(), "nonsense", r#"{"type":"ping","id":1}"#, "{}"] {
        let mut yard = yard();
        let mut stranger = yard.stranger(0.5);
        stranger.sends(&mut yard, first);
        assert_eq!(stranger.closed_with(), Some(CloseCode::TicketInvalid), "{first}");
        assert_eq!(stranger.hears(), []);
        stranger.sends(&mut yard, &hello("hana"));
        assert_eq!((stranger.hears(), stranger.conversation.user()), (vec![], None));
    }
}

#[test]
fn a_second_ticket_while_the_first_is_looked_at_is_none() {
    let yard = &mut yard();
    let mut stranger = yard.stranger(0.5);
    stranger.conversation.handle_ticket("hana".into());
    stranger.sends(yard, &common::encode(&ClientMessage::Hello { ticket: "duri".into() }));
    assert_eq!(stranger.closed_with(), Some(CloseCode::TicketInvalid));
}

#[test]
fn whoever_shows_no_ticket_for_ten_seconds_is_stale() {
    let mut yard = yard();
    let mut stranger = yard.stranger(0.5);
    stranger.sits_until(9_999);
    assert_eq!(stranger.closed_with(), None);
    stranger.sits_until(10_000);
    assert_eq!(stranger.closed_with(), Some(CloseCode::Stale));
    assert_eq!(stranger.conversation.poll_timeout(), None);
}

#[test]
fn bad_input_is_answered_with_its_place_and_the_connection_lives() {
    let long = "가".repeat(4_001);
    let table: &[(&str, ErrorCode, &str, FieldFault)] = &[
        ("nonsense", ErrorCode::BadRequest, "", FieldFault::Invalid),
        ("[]", ErrorCode::BadRequest, "", FieldFault::Invalid),
        ("{}", ErrorCode::Validation, "/type", FieldFault::Missing),
        (r#"{"type":"dance","id":7}"#, ErrorCode::Validation, "/type", FieldFault::UnknownType),
        (
            r#"{"type":"ping","id":7,"a/b":1}"#,
            ErrorCode::Validation,
            "/a~1b",
            FieldFault::UnknownField,
        ),
        (r#"{"type":"leave","id":7}"#, ErrorCode::Validation, "/room", FieldFault::Missing),
        (
            r#"{"type":"join","id":7,"room":"A B"}"#,
            ErrorCode::Validation,
            "/room",
            FieldFault::Invalid,
        ),
        (r#"{"type":"ping","id":-7}"#, ErrorCode::Validation, "/id", FieldFault::Invalid),
        (
            r#"{"type":"say","id":7,"room":"general","message_id":"m","body":" "}"#,
            ErrorCode::Validation,
            "/body",
            FieldFault::Empty,
        ),
        (
            r#"{"type":"hello","ticket":"hana"}"#,
            ErrorCode::Validation,
            "/type",
            FieldFault::Invalid,
        ),
    ];
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    for (text, code, pointer, fault) in table {
        hana.sends(&mut yard, text);
        let (id, problem) = hana.refusal();
        assert_eq!(id, text.contains(r#""id":7"#).then_some(7), "{text}");
        assert_eq!(problem.code, *code, "{text}");
        let place = &problem.errors[0];
        assert_eq!((place.pointer.as_str(), place.code), (*pointer, *fault), "{text}");
    }
    let say =
        format!(r#"{{"type":"say","id":7,"room":"general","message_id":"m","body":"{long}"}}"#);
    hana.sends(&mut yard, &say);
    assert_eq!(hana.refusal().1.errors[0].code, FieldFault::TooLong);
    assert_eq!(hana.closed_with(), None);
}

#[test]
fn a_binary_frame_where_text_is_spoken_closes_1003() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    hana.conversation.handle_binary();
    assert_eq!(hana.closed_with(), Some(CloseCode::UnsupportedData));
}

#[test]
fn the_first_reason_to_close_stands_and_nothing_is_heard_after_it() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    hana.conversation.close(CloseCode::ServiceRestart);
    hana.conversation.close(CloseCode::InternalError);
    hana.posts(&mut yard, "general", "m1", "too late");
    let closing = Closing { code: CloseCode::ServiceRestart, abrupt: false };
    assert_eq!(hana.conversation.closing(), Some(closing));
    assert_eq!((hana.hears(), yard.rooms[&room_name("general")].head().seq), (vec![], 0));
    assert!(!hana.conversation.wants_input());
}

#[test]
fn no_answer_is_awaited_of_who_takes_nothing() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    hana.conversation.close(CloseCode::SlowConsumer);
    let closing = Closing { code: CloseCode::SlowConsumer, abrupt: true };
    assert_eq!(hana.conversation.closing(), Some(closing));
}

#[test]
fn what_one_says_the_other_hears_and_the_author_has_an_ack_first() {
    let mut yard = yard();
    let (mut hana, mut duri) = (yard.regular("hana"), yard.regular("duri"));
    hana.posts(&mut yard, "general", "m1", "안녕");
    let heard = hana.hears_all(&mut yard);
    let [ServerMessage::Ack { id, position: place, .. }, ServerMessage::Entry(entry)] = &heard[..]
    else {
        panic!("{heard:?}")
    };
    assert_eq!((*id, place, entry.seq), (2, &position("e1", 1), 1));
    assert_eq!(duri.reads(&mut yard), ["안녕"]);
    assert_eq!(duri.reads(&mut yard), [""; 0], "and once");
}

#[test]
fn whoever_wants_no_echo_hears_the_others_only_and_their_cursor_moves_all_the_same() {
    let mut yard = yard();
    let (mut hana, mut duri) = (yard.guest("hana"), yard.regular("duri"));
    let join =
        ClientMessage::Join { id: Some(1), room: room_name("general"), after: None, echo: false };
    hana.says(&mut yard, &join);
    hana.posts(&mut yard, "general", "m1", "mine");
    duri.posts(&mut yard, "general", "m1", "yours");
    hana.posts(&mut yard, "general", "m2", "mine again");
    assert_eq!(hana.reads(&mut yard), ["yours"]);
    let cursor = &hana.conversation.follow(&room_name("general")).unwrap().cursor;
    assert_eq!(*cursor, position("e1", 3));
}

#[test]
fn what_is_said_again_is_acknowledged_again_and_heard_once() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    for _ in 0..2 {
        hana.posts(&mut yard, "general", "m1", "안녕");
    }
    let heard = hana.hears_all(&mut yard);
    let [ServerMessage::Ack { position: first, .. }, ServerMessage::Ack { position: again, .. }, _] =
        &heard[..]
    else {
        panic!("{heard:?}")
    };
    assert_eq!(first, again);
    hana.posts(&mut yard, "general", "m1", "something else");
    let (_, problem) = hana.refusal();
    assert_eq!((problem.code, problem.position), (ErrorCode::Conflict, Some(position("e1", 1))));
}

#[test]
fn a_room_that_is_not_there_is_not_found_and_one_not_joined_is_not_spoken_in() {
    let mut yard = yard();
    let mut hana = yard.guest("hana");
    hana.joins(&mut yard, "nowhere", None);
    assert_eq!(hana.refusal().1.code, ErrorCode::NotFound);
    assert!(!yard.rooms.contains_key(&room_name("nowhere")), "nothing is made by a slip");
    hana.posts(&mut yard, "general", "m1", "안녕");
    assert_eq!(hana.refusal().1.code, ErrorCode::Forbidden);
}

#[test]
fn whoever_comes_back_hears_exactly_what_was_missed() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    for n in 1..=5 {
        hana.posts(&mut yard, "general", &format!("m{n}"), &format!("{n}"));
    }
    let mut duri = yard.guest("duri");
    duri.joins(&mut yard, "general", Some(("e1", 2)));
    let heard = duri.hears();
    let [ServerMessage::Joined { position: head, after: 2, recovered: true, .. }] = &heard[..]
    else {
        panic!("{heard:?}")
    };
    assert_eq!(*head, position("e1", 5));
    assert_eq!(duri.reads(&mut yard), ["3", "4", "5"]);
}

#[test]
fn whoever_cannot_go_on_is_told_why_before_anything_else() {
    let settings = Settings { page_entries: 2, ..Settings::default() };
    let mut yard = Yard::new(settings);
    yard.opens("small", Keep::Last(3));
    let mut hana = yard.guest("hana");
    for room in ["general", "small"] {
        hana.joins(&mut yard, room, None);
        for n in 1..=5 {
            hana.posts(&mut yard, room, &format!("{room}-{n}"), &format!("{n}"));
        }
    }
    for (room, of, seq, why) in [
        ("general", "e0", 2, ResyncReason::EpochChanged),
        ("general", "e1", 6, ResyncReason::CursorAhead),
        ("small", "e1", 1, ResyncReason::Pruned),
    ] {
        let mut duri = yard.guest("duri");
        duri.joins(&mut yard, room, Some((of, seq)));
        let heard = duri.hears();
        let [
            ServerMessage::Resync { reason, after: 3, position: head, .. },
            ServerMessage::Joined { after: 3, recovered: false, .. },
        ] = &heard[..]
        else {
            panic!("{heard:?}")
        };
        assert_eq!((*reason, head), (why, &position("e1", 5)));
        assert_eq!(duri.reads(&mut yard), ["4", "5"]);
    }
}

#[test]
fn whoever_falls_behind_what_is_kept_is_told() {
    let (mut yard, mut hana, mut duri) = in_a_small_room();
    for n in 1..=4 {
        hana.posts(&mut yard, "small", &format!("m{n}"), &format!("{n}"));
    }
    let heard = duri.hears_all(&mut yard);
    let [
        ServerMessage::Resync { reason: ResyncReason::Pruned, after: 3, .. },
        ServerMessage::Entry(entry),
    ] = &heard[..]
    else {
        panic!("{heard:?}")
    };
    assert_eq!(entry.seq, 4);
}

#[test]
fn joining_again_moves_the_cursor_and_drops_what_was_read_before() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    for n in 1..=4 {
        hana.posts(&mut yard, "general", &format!("m{n}"), &format!("{n}"));
    }
    hana.hears();
    yard.read(&mut hana.conversation);
    assert_eq!(hana.conversation.follow(&room_name("general")).unwrap().cursor.seq, 4);
    hana.joins(&mut yard, "general", Some(("e1", 2)));
    assert_eq!(hana.reads(&mut yard), ["3", "4"]);
    assert_eq!(yard.rooms[&room_name("general")].presence.count(), 1);
    hana.leaves(&mut yard, "general");
    let gone = &mut yard.rooms.get_mut(&room_name("general")).unwrap().presence;
    assert_eq!(gone.count(), 0, "joining twice is being there once");
}

#[test]
fn nothing_of_a_room_is_heard_after_leaving_it() {
    let mut yard = yard();
    let (mut hana, mut duri) = (yard.regular("hana"), yard.regular("duri"));
    duri.posts(&mut yard, "general", "m1", "read, and not yet written");
    yard.read(&mut hana.conversation);
    hana.leaves(&mut yard, "general");
    duri.posts(&mut yard, "general", "m2", "after");
    let heard = hana.hears_all(&mut yard);
    assert!(
        matches!(&heard[..], [ServerMessage::Left { id: Some(2), removed: false, .. }]),
        "{heard:?}"
    );
    yard.tells(&mut hana);
    assert_eq!(hana.hears(), []);
    hana.leaves(&mut yard, "general");
    assert!(
        matches!(&hana.hears()[..], [ServerMessage::Left { id: Some(3), .. }]),
        "leaving twice is harmless"
    );
}

#[test]
fn replies_go_before_entries() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    hana.posts(&mut yard, "general", "m1", "안녕");
    hana.hears();
    yard.read(&mut hana.conversation);
    hana.says(&mut yard, &ClientMessage::Ping { id: 9 });
    let heard = hana.hears();
    let [ServerMessage::Pong { id: 9 }, ServerMessage::Entry(_)] = &heard[..] else {
        panic!("{heard:?}")
    };
}

#[test]
fn presence_is_told_once_to_each() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    let _duri = yard.regular("duri");
    let presence = &mut yard.rooms.get_mut(&room_name("general")).unwrap().presence;
    assert!(presence.handle_timeout(at(200)));
    yard.tells(&mut hana);
    let heard = hana.hears();
    let [ServerMessage::Presence { joined, count: 2, members: None, .. }] = &heard[..] else {
        panic!("{heard:?}")
    };
    assert!(joined.contains(&member("duri")));
    yard.tells(&mut hana);
    assert_eq!(hana.hears(), []);
}
