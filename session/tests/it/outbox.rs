//! What was said is neither lost nor reordered.

use common::{Body, ErrorCode, limits::OUTBOX_MESSAGES_MAX};
use session::{Content, Event, OutboxFull, Pending, PendingState};

use crate::alice::{Alice, ack, entry, error, id, ms, name, secs, slow_down};

fn rejoins(alice: &mut Alice) {
    alice.hears_joined("general", ("e1", 3), 3, true);
}

#[test]
fn one_message_of_a_room_is_on_the_wire_at_a_time() {
    let mut alice = Alice::in_general_at(3);
    alice.says("general", "m1");
    alice.says("general", "m2");
    assert_eq!(alice.outbox(), [("m1".into(), "sending"), ("m2".into(), "queued")]);
    let request = alice.said_only("m1");
    alice.hears(ack(request, "general", "m1", 4));
    assert!(alice.events.contains(&Event::Acked {
        room: name("general"),
        message_id: id("m1"),
        position: crate::alice::at("e1", 4),
    }));
    alice.said_only("m2");
    assert_eq!(alice.outbox(), [("m2".into(), "sending")]);
}

#[test]
fn rooms_do_not_wait_for_each_other() {
    let mut alice = Alice::in_general_at(3);
    alice.joins("tech");
    alice.hears_joined("tech", ("t1", 0), 0, false);
    alice.says("general", "m1");
    alice.says("tech", "m2");
    assert_eq!(alice.said().len(), 2);
}

#[test]
fn messages_wait_until_their_room_is_joined() {
    let mut alice = Alice::new();
    alice.says("general", "m1");
    alice.connects();
    alice.joins("general");
    let (request, _) = alice.join_sent("general");
    assert!(alice.has("m1", "queued"));
    alice.hears(crate::alice::joined(request, "general", ("e1", 3), 3, false));
    alice.said_only("m1");
}

#[test]
fn hearing_oneself_confirms_and_hearing_another_does_not() {
    let mut alice = Alice::in_general_at(3);
    alice.says("general", "m1");
    alice.says("general", "m2");
    alice.said_only("m1");
    alice.hears(entry("general", 4, "bob", "m1"));
    assert!(alice.has("m1", "sending"), "another author may use the same id");
    alice.hears(entry("general", 5, "alice", "m1"));
    alice.said_only("m2");
    assert_eq!(alice.outbox(), [("m2".into(), "sending")]);
}

#[test]
fn what_was_on_the_wire_is_sent_again_first_after_a_reconnect() {
    let mut alice = Alice::in_general_at(3);
    for message in ["m1", "m2", "m3"] {
        alice.says("general", message);
    }
    alice.said_only("m1");
    for _ in 0..5 {
        alice.loses_the_connection();
        assert!(alice.has("m1", "queued"));
        alice.comes_back();
        rejoins(&mut alice);
        alice.said_only("m1");
    }
    alice.hears(entry("general", 4, "alice", "m1"));
    let request = alice.said_only("m2");
    alice.hears(ack(request, "general", "m2", 5));
    alice.said_only("m3");
    assert_eq!(alice.session.stats().resends, 5);
}

#[test]
fn a_retryable_error_holds_the_room_back_and_keeps_the_order() {
    let mut alice = Alice::in_general_at(3);
    alice.says("general", "m1");
    alice.says("general", "m2");
    let request = alice.said_only("m1");
    alice.hears(slow_down(request, 4_000));
    assert!(alice.has("m1", "queued"));
    alice.waits(ms(3_999));
    assert_eq!(alice.said(), []);
    alice.waits(ms(1));
    let request = alice.said_only("m1");
    alice.hears(error(request, ErrorCode::StoreUnavailable));
    alice.waits(ms(999));
    assert_eq!(alice.said(), []);
    alice.waits(ms(1));
    alice.said_only("m1");
}

#[test]
fn another_error_fails_the_message_and_the_next_goes_on() {
    let mut alice = Alice::in_general_at(3);
    alice.says("general", "m1");
    alice.says("general", "m2");
    let request = alice.said_only("m1");
    alice.hears(error(request, ErrorCode::Forbidden));
    assert_eq!(alice.outbox(), [("m1".into(), "failed"), ("m2".into(), "sending")]);
    let request = alice.said_only("m2");
    alice.retries("m1");
    assert_eq!(alice.said(), [], "m2 is on the wire");
    alice.hears(ack(request, "general", "m2", 4));
    alice.said_only("m1");
}

#[test]
fn a_message_without_an_answer_is_sent_again_and_one_ack_settles_it() {
    let mut alice = Alice::in_general_at(3);
    alice.says("general", "m1");
    alice.says("general", "m2");
    let request = alice.said_only("m1");
    alice.waits(ms(9_999));
    assert_eq!(alice.said(), []);
    alice.waits(ms(1));
    assert_eq!(alice.said_only("m1"), request);
    alice.hears(ack(request, "general", "m1", 4));
    alice.said_only("m2");
    alice.hears(ack(request, "general", "m1", 4));
    assert_eq!(alice.outbox(), [("m2".into(), "sending")]);
}

#[test]
fn an_ack_that_comes_after_a_failure_still_counts() {
    let mut alice = Alice::in_general_at(3);
    alice.says("general", "m1");
    let request = alice.said_only("m1");
    alice.waits(secs(10));
    alice.hears(error(request, ErrorCode::Forbidden));
    assert!(alice.has("m1", "failed"));
    alice.hears(ack(request, "general", "m1", 4));
    assert_eq!(alice.outbox(), []);
}

#[test]
fn a_message_that_was_too_big_for_the_server_is_never_sent_again() {
    let mut alice = Alice::in_general_at(3);
    alice.joins("tech");
    alice.hears_joined("tech", ("t1", 0), 0, false);
    alice.says("tech", "short");
    let long = Body::new("long ".repeat(700)).unwrap();
    alice.writes("general", "m1", Content::Post(long));
    alice.is_closed(1009);
    assert_eq!(alice.outbox(), [("short".into(), "queued"), ("m1".into(), "failed")]);
    alice.forgets();
    alice.starts();
    alice.comes_back();
    let joins = alice.sent();
    for message in joins {
        if let common::ClientMessage::Join { id: Some(id), room, .. } = message {
            let epoch = if room.as_str() == "tech" { ("t1", 0) } else { ("e1", 3) };
            alice.hears(crate::alice::joined(id, room.as_str(), epoch, epoch.1, true));
        }
    }
    alice.retries("m1");
    alice.said_only("short");
    assert!(alice.has("m1", "failed"));
}

#[test]
fn a_message_over_the_announced_frame_limit_is_not_sent_at_all() {
    let mut alice = Alice::in_general_at(3);
    let escapes = Body::new(format!("a{}", "\u{1}".repeat(3_999))).unwrap();
    alice.writes("general", "fits", Content::Post(escapes));
    let request = alice.said_only("fits");
    alice.hears(ack(request, "general", "fits", 4));

    let mut alice = Alice::new();
    alice.starts();
    alice.gets_a_ticket();
    alice.opens();
    let welcome = common::encode(&crate::alice::welcome()).replace("65536", "300");
    alice.hears_text(&welcome);
    alice.joins("general");
    alice.hears_joined("general", ("e1", 3), 3, false);
    let long = Body::new("long ".repeat(70)).unwrap();
    alice.writes("general", "m1", Content::Post(long));
    alice.says("general", "m2");
    assert_eq!(alice.outbox(), [("m1".into(), "failed"), ("m2".into(), "sending")]);
    alice.said_only("m2");
}

#[test]
fn only_what_is_not_on_the_wire_can_be_discarded() {
    let mut alice = Alice::in_general_at(3);
    for message in ["m1", "m2", "m3"] {
        alice.says("general", message);
    }
    let request = alice.said_only("m1");
    alice.session.discard(&id("m1"));
    alice.session.discard(&id("m2"));
    assert_eq!(alice.outbox(), [("m1".into(), "sending"), ("m3".into(), "queued")]);
    alice.hears(slow_down(request, 60_000));
    alice.session.discard(&id("m1"));
    alice.waits(ms(0));
    alice.said_only("m3");
}

#[test]
fn an_outbox_kept_over_a_reload_goes_first_and_in_order() {
    let kept = |message: &str, state| Pending {
        room: name("general"),
        message_id: id(message),
        content: Content::Post(Body::new("hi").unwrap()),
        state,
    };
    let problem = common::Problem::new(ErrorCode::Forbidden);
    let mut alice = Alice::new();
    alice.says("general", "m4");
    alice.session.restore(vec![
        kept("m1", PendingState::Sending),
        kept("m2", PendingState::Failed(problem)),
        kept("m3", PendingState::Queued),
        kept("m4", PendingState::Queued),
    ]);
    let states = ["queued", "failed", "queued", "queued"];
    assert_eq!(alice.outbox().iter().map(|(_, state)| *state).collect::<Vec<_>>(), states);
    alice.connects();
    alice.joins("general");
    alice.hears_joined("general", ("e1", 3), 3, false);
    for message in ["m1", "m3", "m4"] {
        let said: Vec<_> = alice
            .session
            .outbox()
            .filter(|it| it.state == PendingState::Sending)
            .map(|it| it.message_id.to_string())
            .collect();
        assert_eq!(said, [message]);
        alice.hears(ack(0, "general", message, 4));
    }
}

#[test]
fn the_outbox_is_bounded_and_says_so() {
    let mut alice = Alice::new();
    for n in 0..OUTBOX_MESSAGES_MAX {
        alice.says("general", &format!("m{n}"));
    }
    assert_eq!(alice.tries_to_say("general", "one-more"), Err(OutboxFull));
    alice.session.discard(&id("m3"));
    assert_eq!(alice.tries_to_say("general", "one-more"), Ok(()));
    assert_eq!(alice.outbox().len(), OUTBOX_MESSAGES_MAX);
}

#[test]
fn a_message_said_twice_under_one_id_is_one_message() {
    let mut alice = Alice::new();
    alice.says("general", "m1");
    alice.says("general", "m1");
    assert_eq!(alice.outbox().len(), 1);
}

#[test]
fn leaving_a_room_keeps_what_was_said_there_until_it_is_joined_again() {
    let mut alice = Alice::in_general_at(3);
    alice.says("general", "m1");
    alice.says("general", "m2");
    alice.said_only("m1");
    alice.leaves("general");
    assert_eq!(alice.outbox(), [("m1".into(), "queued"), ("m2".into(), "queued")]);
    alice.waits(secs(20));
    assert_eq!(alice.said(), []);
    alice.joins("general");
    alice.hears_joined("general", ("e1", 9), 3, false);
    alice.said_only("m1");
}
