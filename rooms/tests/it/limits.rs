//! Every limit of one connection, at the limit and one over it.

use common::{ClientMessage, CloseCode, ErrorCode, ServerMessage, http::Keep};
use rooms::{Settings, rate::Rate};

use super::{
    at, room_name,
    yard::{Visitor, Yard, seconds},
};

fn yard() -> Yard {
    Yard::new(Settings::default())
}

#[test]
fn a_connection_follows_128_rooms_and_not_one_more() {
    let mut yard = yard();
    for n in 0..129 {
        yard.opens(&format!("room-{n}"), Keep::Forever);
    }
    let mut hana = yard.guest("hana");
    for n in 0..128 {
        hana.joins(&mut yard, &format!("room-{n}"), None);
    }
    assert_eq!(hana.conversation.follows().count(), 128);
    hana.hears();
    hana.joins(&mut yard, "room-128", None);
    assert_eq!(hana.refusal().1.code, ErrorCode::LimitReached);
    hana.joins(&mut yard, "room-0", None);
    assert!(matches!(&hana.hears()[..], [ServerMessage::Joined { .. }]), "one that is followed");
    hana.leaves(&mut yard, "room-0");
    hana.hears();
    hana.joins(&mut yard, "room-128", None);
    assert!(matches!(&hana.hears()[..], [ServerMessage::Joined { .. }]), "a place is free");
}

#[test]
fn twenty_refusals_are_answered_and_one_more_closes_1008() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    for _ in 0..20 {
        hana.sends(&mut yard, "nonsense");
    }
    assert_eq!(hana.closed_with(), None);
    assert_eq!(hana.hears().len(), 20);
    hana.sends(&mut yard, "nonsense");
    assert_eq!(hana.closed_with(), Some(CloseCode::PolicyViolation));
}

#[test]
fn two_refusals_a_second_go_on_for_ever() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    for _ in 0..200 {
        hana.sends(&mut yard, "nonsense");
        yard.passes(500);
        hana.hears();
    }
    assert_eq!(hana.closed_with(), None);
}

#[test]
fn forty_control_frames_at_once_are_answered_and_one_more_closes_1008() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    for id in 0..20 {
        hana.says(&mut yard, &ClientMessage::Ping { id });
        hana.conversation.handle_control_frame(at(0));
    }
    assert_eq!(hana.closed_with(), None);
    assert_eq!(hana.hears().len(), 20, "pings of the protocol are answered by the shell");
    hana.conversation.handle_control_frame(at(0));
    assert_eq!(hana.closed_with(), Some(CloseCode::PolicyViolation));
}

#[test]
fn a_connection_is_read_until_it_owes_something_and_again_when_that_is_paid() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    hana.conversation.handle_inbound_bytes(256 * 1024, at(0));
    assert!(hana.conversation.wants_input());
    hana.conversation.handle_inbound_bytes(64 * 1024, at(0));
    assert!(!hana.conversation.wants_input());
    assert_eq!(hana.conversation.poll_timeout(), Some(at(1_000)));
    hana.sits_until(999);
    assert!(!hana.conversation.wants_input());
    hana.sits_until(1_000);
    assert!(hana.conversation.wants_input());
}

#[test]
fn nothing_more_is_read_while_sixty_four_replies_wait() {
    let settings =
        Settings { control_frames: Rate { per_second: 1e9, burst: 1e9 }, ..Settings::default() };
    let mut yard = Yard::new(settings);
    let mut hana = yard.regular("hana");
    for id in 0..64 {
        assert!(hana.conversation.wants_input(), "{id}");
        hana.says(&mut yard, &ClientMessage::Ping { id });
    }
    assert!(!hana.conversation.wants_input());
    assert!(hana.conversation.poll_frame().is_some());
    assert!(hana.conversation.wants_input());
}

#[test]
fn a_hint_of_a_new_room_is_dropped_when_much_else_waits() {
    let mut yard = yard();
    let info = common::http::RoomInfo {
        room: room_name("new"),
        position: super::position("e1", 0),
        keep: Keep::Forever,
        count: 0,
        members: None,
        topic: None,
        unread: None,
    };
    let mut stranger = yard.stranger(1.0);
    stranger.conversation.handle_opened(info.clone());
    assert_eq!(stranger.hears(), [], "strangers are told nothing");
    let mut hana = yard.regular("hana");
    for _ in 0..65 {
        hana.conversation.handle_opened(info.clone());
    }
    assert_eq!(hana.hears().len(), 64);
}

/// Says so many things at once; the wait that the last refusal told, if there was one.
fn bursts(hana: &mut Visitor, yard: &mut Yard, says: u64, name: &str) -> Option<u64> {
    for n in 0..says {
        hana.posts(yard, "general", &format!("{name}-{n}"), "안녕");
    }
    let refused = hana.hears().into_iter().filter_map(|message| {
        let ServerMessage::Error { error, .. } = message else { return None };
        assert_eq!((error.code, error.retryable), (ErrorCode::RateLimited, true));
        error.retry_after_ms
    });
    refused.last()
}

#[test]
fn twenty_says_at_once_are_taken_and_one_more_is_told_to_wait() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    assert_eq!(bursts(&mut hana, &mut yard, 20, "a"), None);
    let wait = bursts(&mut hana, &mut yard, 1, "b").expect("one over the limit");
    assert_eq!(wait, 201, "rounded up");
    yard.passes(wait);
    assert_eq!(bursts(&mut hana, &mut yard, 1, "b"), None);
    assert_eq!(yard.rooms[&room_name("general")].head().seq, 21);
}

#[test]
fn whoever_waits_as_long_as_told_is_never_sent_away() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    bursts(&mut hana, &mut yard, 20, "a");
    for n in 0..600 {
        let wait = bursts(&mut hana, &mut yard, 1, &format!("b{n}"));
        yard.passes(wait.unwrap_or(n % 7));
        assert_eq!(hana.closed_with(), None);
    }
}

#[test]
fn one_burst_is_no_reason_to_be_sent_away() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    bursts(&mut hana, &mut yard, 60, "a");
    assert_eq!(hana.closed_with(), None);
}

#[test]
fn going_on_all_the_same_three_times_within_a_minute_closes_4108() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    // The first offence is told, what follows it at once is the first strike.
    bursts(&mut hana, &mut yard, 22, "a");
    for n in 0..2 {
        assert_eq!(hana.closed_with(), None);
        yard.passes(1_000);
        bursts(&mut hana, &mut yard, 8, &format!("b{n}"));
    }
    assert_eq!(hana.closed_with(), Some(CloseCode::RateLimited));
}

#[test]
fn strikes_are_forgotten_after_a_minute() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    for n in 0..20 {
        bursts(&mut hana, &mut yard, 22, &format!("a{n}"));
        yard.passes(seconds(31).as_millis() as u64);
        assert_eq!(hana.closed_with(), None, "two in any minute");
    }
}

#[test]
fn what_is_the_servers_fault_costs_the_client_nothing() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    for id in 0..100 {
        let away = common::Problem::new(ErrorCode::StoreUnavailable);
        hana.conversation.handle_refused(Some(id), away, at(0));
    }
    assert_eq!((hana.hears().len(), hana.closed_with()), (100, None));
}
