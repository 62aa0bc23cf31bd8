//! Signs of life: heartbeats, dead servers, sleep, and reasons to hope.

use std::time::Duration;

use common::{ClientMessage, ServerMessage};
use session::{LinkState, TicketRefusal};

use crate::{
    alice::{Alice, ms, secs},
    link::{assert_spread, longest_wait},
};

#[test]
fn a_ping_is_answered_at_once() {
    let mut alice = Alice::in_general_at(0);
    alice.hears(ServerMessage::Ping {});
    assert_eq!(alice.sent(), [ClientMessage::Pong {}]);
}

#[test]
fn a_server_that_is_silent_for_forty_five_seconds_is_dead() {
    let mut alice = Alice::in_general_at(0);
    let generation = alice.generation.unwrap();
    for _ in 0..3 {
        alice.waits(ms(44_999));
        alice.hears_text("any frame is a sign of life");
    }
    alice.waits(ms(44_999));
    assert_eq!(*alice.session.link(), LinkState::Open);
    alice.waits(ms(1));
    assert_eq!(alice.disconnects, [(generation, 4103)]);
    alice.waits(ms(500));
    assert_eq!(*alice.session.link(), LinkState::Connecting { attempt: 2 });
}

#[test]
fn a_quiet_world_never_reconnects() {
    let mut alice = Alice::in_general_at(0);
    for _ in 0..1_000 {
        alice.waits(secs(40));
        alice.hears(ServerMessage::Ping {});
    }
    assert_eq!((alice.tickets_fetched, alice.disconnects.len()), (1, 0));
}

#[test]
fn waking_up_probes_the_server_with_three_seconds_to_answer() {
    let mut alice = Alice::in_general_at(0);
    alice.waits(secs(20));
    alice.wakes();
    let [ClientMessage::Ping { id }] = alice.sent()[..] else { panic!("no probe") };
    alice.wakes();
    assert_eq!(alice.sent(), [], "one probe at a time");
    alice.waits(ms(2_999));
    alice.hears(ServerMessage::Pong { id });
    assert_eq!(alice.session.stats().round_trip, Some(ms(2_999)));
    alice.waits(secs(10));
    assert_eq!(*alice.session.link(), LinkState::Open);

    alice.wakes();
    alice.waits(secs(3));
    assert_eq!(alice.disconnects.len(), 1, "nothing came");
}

#[test]
fn after_a_long_sleep_the_link_is_dead_at_once_and_comes_back_soon() {
    let sleeps = |alice: &mut Alice| {
        alice.connects();
        alice.sleeps(secs(3_600));
        alice.wakes();
        assert_eq!(alice.disconnects.len(), 1);
    };
    assert_spread(sleeps, Duration::ZERO, secs(2));
}

#[test]
fn an_attempt_that_was_slept_through_is_given_up() {
    let mut alice = Alice::new();
    alice.starts();
    alice.sleeps(secs(60));
    alice.wakes();
    assert_eq!(alice.disconnects.len(), 1);
    assert!(alice.wait() <= secs(2));
}

#[test]
fn whoever_waits_comes_back_within_two_seconds_of_hope() {
    let hopes = |alice: &mut Alice| {
        alice.starts();
        for _ in 0..9 {
            alice.is_refused_a_ticket(TicketRefusal::Unreachable);
            alice.waits_for_the_attempt();
        }
        alice.is_refused_a_ticket(TicketRefusal::Unreachable);
        alice.session.handle_online(alice.now);
        alice.settles();
    };
    let (_, longest) = longest_wait(hopes);
    assert!(longest <= secs(2) && longest > ms(1_600), "{longest:?}");
    let mut alice = Alice::in_general_at(0);
    alice.session.handle_online(alice.now);
    alice.settles();
    assert!(matches!(alice.sent()[..], [ClientMessage::Ping { .. }]), "an open link is probed");
}
