//! Connecting, backing off, ending.

use std::time::Duration;

use common::{ClientMessage, ErrorCode, Problem};
use session::{EndReason, Event, LinkState, TicketRefusal};

use crate::alice::{Alice, RECONNECT_AFTER, entry, joined, ms, secs, welcome};

fn ended(reason: EndReason) -> LinkState {
    LinkState::Ended(reason)
}

/// The longest wait that many clients get in this situation.
pub(crate) fn longest_wait(situation: impl Fn(&mut Alice)) -> (Duration, Duration) {
    let waits: Vec<Duration> = (0..200)
        .map(|seed| {
            let mut alice = Alice::with_seed(seed);
            situation(&mut alice);
            alice.wait()
        })
        .collect();
    (*waits.iter().min().unwrap(), *waits.iter().max().unwrap())
}

pub(crate) fn assert_spread(situation: impl Fn(&mut Alice), from: Duration, to: Duration) {
    let (shortest, longest) = longest_wait(situation);
    assert!(
        from <= shortest && longest <= to,
        "{shortest:?}..{longest:?} is not in {from:?}..{to:?}"
    );
    assert!(
        longest - shortest >= (to - from).mul_f64(0.8),
        "{shortest:?}..{longest:?} has no jitter"
    );
}

#[test]
fn nothing_happens_before_connect() {
    let mut alice = Alice::new();
    alice.joins("general");
    alice.says("general", "m1");
    alice.wakes();
    assert_eq!(*alice.session.link(), LinkState::Idle);
    assert_eq!(alice.session.poll_timeout(), None);
    assert_eq!(alice.tickets_fetched, 0);
}

#[test]
fn the_ticket_goes_as_the_first_message_and_the_link_opens_with_the_welcome() {
    let mut alice = Alice::new();
    alice.starts();
    assert_eq!(*alice.session.link(), LinkState::Connecting { attempt: 1 });
    alice.gets_a_ticket();
    assert_eq!(alice.sent(), []);
    alice.opens();
    assert_eq!(alice.sent(), [ClientMessage::Hello { ticket: "ticket".to_owned() }]);
    assert_eq!(*alice.session.link(), LinkState::Connecting { attempt: 1 });
    alice.hears(welcome());
    assert_eq!(*alice.session.link(), LinkState::Open);
    assert!(alice.events.iter().any(|event| matches!(event, Event::Welcome { .. })));
}

#[test]
fn connecting_twice_makes_one_attempt() {
    let mut alice = Alice::new();
    alice.starts();
    alice.starts();
    alice.session.reconnect_now(alice.now);
    alice.settles();
    assert_eq!(alice.tickets_fetched, 1);
    alice.gets_in();
    alice.starts();
    assert_eq!(alice.tickets_fetched, 1);
}

#[test]
fn an_attempt_has_ten_seconds_for_everything() {
    for steps in 0..3 {
        let mut alice = Alice::new();
        alice.starts();
        alice.waits(secs(4));
        if steps > 0 {
            alice.gets_a_ticket();
        }
        if steps > 1 {
            alice.opens();
        }
        alice.waits(ms(5_999));
        assert_eq!(*alice.session.link(), LinkState::Connecting { attempt: 1 });
        assert_eq!(alice.disconnects, []);
        let first = alice.generation.unwrap();
        alice.waits(ms(1));
        assert_eq!(alice.disconnects.len(), 1);
        assert_eq!(alice.disconnects[0].0, first);
        alice.waits(ms(500));
        assert_eq!(alice.tickets_fetched, 2, "every attempt has a fresh ticket");
    }
}

#[test]
fn waits_double_with_full_jitter_up_to_thirty_seconds() {
    for (failures, longest) in
        [(1, 500), (2, 1_000), (3, 2_000), (6, 16_000), (7, 30_000), (40, 30_000)]
    {
        let fails = |alice: &mut Alice| {
            alice.starts();
            for _ in 1..failures {
                alice.is_refused_a_ticket(TicketRefusal::Unreachable);
                alice.waits_for_the_attempt();
            }
            alice.is_refused_a_ticket(TicketRefusal::Unreachable);
        };
        assert_spread(fails, Duration::ZERO, ms(longest));
    }
}

#[test]
fn only_thirty_stable_seconds_make_failures_forgotten() {
    let loses_it_again = |alice: &mut Alice, after: Duration| {
        alice.connects();
        for _ in 0..5 {
            alice.loses_the_connection();
            alice.comes_back();
        }
        alice.waits(after);
        alice.loses_the_connection();
    };
    assert_spread(|alice| loses_it_again(alice, ms(29_999)), Duration::ZERO, secs(16));
    assert_spread(|alice| loses_it_again(alice, secs(30)), Duration::ZERO, ms(500));
}

#[test]
fn a_server_that_asks_for_patience_is_given_it() {
    let waits = |alice: &mut Alice| {
        alice.starts();
        alice.is_refused_a_ticket(TicketRefusal::RetryAfter { ms: 20_000 });
    };
    assert_spread(waits, secs(20), ms(20_500));
    let hopes = |alice: &mut Alice| {
        waits(alice);
        alice.wakes();
        alice.session.handle_online(alice.now);
    };
    assert_spread(hopes, secs(20), ms(20_500));
    let mut alice = Alice::new();
    alice.starts();
    alice.is_refused_a_ticket(TicketRefusal::RetryAfter { ms: u64::MAX });
    assert!(alice.wait() <= secs(3_601), "nobody waits for ages");
}

#[test]
fn every_close_code_has_its_reaction() {
    let closed = |code| {
        move |alice: &mut Alice| {
            alice.connects();
            alice.waits(secs(1));
            alice.is_closed(code);
        }
    };
    for code in [1000, 1002, 1003, 1007, 1009, 4004, 4006, 4007, 4042] {
        let mut alice = Alice::new();
        closed(code)(&mut alice);
        assert_eq!(*alice.session.link(), ended(EndReason::Stopped { code }));
        alice.waits(secs(600));
        assert_eq!(alice.tickets_fetched, 1, "{code} is final");
    }
    for code in [4002, 4003] {
        let mut alice = Alice::new();
        closed(code)(&mut alice);
        assert_eq!(*alice.session.link(), ended(EndReason::SignInNeeded));
    }
    let mut alice = Alice::new();
    closed(4005)(&mut alice);
    assert_eq!(*alice.session.link(), ended(EndReason::ReloadNeeded));
    for code in [1001, 1006, 1011, 4101, 4103, 4150, 2999] {
        assert_spread(closed(code), Duration::ZERO, ms(500));
    }
    for (code, least) in [(1008, 30_000), (1013, 5_000), (4108, 10_000)] {
        assert_spread(closed(code), ms(least), ms(least + 500));
    }
    assert_spread(closed(1012), Duration::ZERO, RECONNECT_AFTER);
    assert_spread(closed(4200), Duration::ZERO, secs(1));
    let mut alice = Alice::new();
    closed(4102)(&mut alice);
    assert_eq!(alice.tickets_fetched, 2, "4102 comes back at once");
}

#[test]
fn whoever_is_sent_back_at_once_again_and_again_backs_off() {
    let mut alice = Alice::new();
    alice.connects();
    alice.is_closed(4102);
    alice.gets_in();
    for _ in 0..20 {
        alice.is_closed(4102);
        alice.comes_back();
    }
    let again = |alice: &mut Alice| {
        alice.connects();
        for _ in 0..7 {
            alice.is_closed(4102);
            alice.comes_back();
        }
        alice.is_closed(4102);
    };
    assert_spread(again, Duration::ZERO, secs(30));
}

#[test]
fn a_refused_ticket_is_renewed_once_and_then_the_person_signs_in() {
    let mut alice = Alice::new();
    alice.starts();
    alice.gets_a_ticket();
    alice.opens();
    alice.is_closed(4001);
    assert_eq!(alice.tickets_fetched, 2, "a new one at once");
    alice.gets_a_ticket();
    alice.opens();
    alice.is_closed(4001);
    assert_eq!(*alice.session.link(), ended(EndReason::SignInNeeded));
    assert_eq!(alice.tickets_fetched, 2);
    alice.starts();
    assert!(alice.wait() <= secs(1), "after signing in");
    alice.comes_back();
    alice.loses_the_connection();
    alice.waits_for_the_attempt();
    alice.gets_a_ticket();
    alice.opens();
    alice.is_closed(4001);
    assert!(alice.wait().is_zero(), "a welcome makes the next refusal the first again");
}

#[test]
fn a_refused_ticket_request_ends_or_waits_by_its_reason() {
    let refused = |refusal| {
        let mut alice = Alice::new();
        alice.starts();
        alice.is_refused_a_ticket(refusal);
        alice
    };
    let alice = refused(TicketRefusal::Unauthenticated);
    assert_eq!(*alice.session.link(), ended(EndReason::SignInNeeded));
    let problem = Problem::new(ErrorCode::OriginNotAllowed);
    let alice = refused(TicketRefusal::Refused(problem.clone()));
    assert_eq!(*alice.session.link(), ended(EndReason::Refused(problem)));
    let busy = Problem::new(ErrorCode::Busy).retry_after_ms(7_000);
    let alice = refused(TicketRefusal::Refused(busy));
    assert!(alice.wait() >= secs(7));
}

#[test]
fn connecting_after_an_end_still_backs_off() {
    let signs_in_again = |alice: &mut Alice| {
        alice.starts();
        for _ in 0..6 {
            alice.is_refused_a_ticket(TicketRefusal::Unreachable);
            alice.waits_for_the_attempt();
        }
        alice.is_refused_a_ticket(TicketRefusal::Unauthenticated);
        alice.starts();
    };
    assert_spread(signs_in_again, Duration::ZERO, secs(30));
}

#[test]
fn the_person_may_come_back_at_once() {
    let mut alice = Alice::new();
    alice.starts();
    alice.is_refused_a_ticket(TicketRefusal::RetryAfter { ms: 60_000 });
    alice.session.reconnect_now(alice.now);
    alice.settles();
    assert_eq!(*alice.session.link(), LinkState::Connecting { attempt: 2 });
    alice.gets_in();
}

#[test]
fn what_an_older_connection_reports_is_dropped() {
    let mut alice = Alice::in_general_at(3);
    let old = alice.generation.unwrap();
    alice.loses_the_connection();
    alice.comes_back();
    alice.hears_joined_again();
    let (link, fetched) = (alice.session.link().clone(), alice.tickets_fetched);
    let text = common::encode(&entry("general", 4, "bob", "b4"));
    alice.session.handle_text(old, &text, alice.now);
    alice.session.handle_open(old, alice.now);
    alice.session.handle_ticket(old, Err(TicketRefusal::Unauthenticated), alice.now);
    alice.session.handle_closed(old, 4004, alice.now);
    alice.settles();
    assert_eq!(*alice.session.link(), link);
    assert_eq!(alice.tickets_fetched, fetched);
    assert_eq!(alice.delivered(), [0; 0]);
    assert_eq!(alice.sent(), []);
}

#[test]
fn actions_queued_for_a_lost_connection_are_dropped() {
    let mut alice = Alice::in_general_at(3);
    alice.session.say_three(alice.now);
    alice.session.handle_closed(alice.generation.unwrap(), 4002, alice.now);
    assert_eq!(alice.session.poll_action(), None);
    alice.session.connect(alice.now);
    alice.settles();
    assert_eq!(alice.sent(), []);
}

#[test]
fn after_the_end_nothing_is_done() {
    let mut alice = Alice::in_general_at(3);
    alice.says("general", "m1");
    alice.is_closed(4004);
    alice.forgets();
    alice.joins("tech");
    alice.leaves("general");
    alice.says("tech", "m2");
    alice.retries("m1");
    alice.wakes();
    alice.session.handle_online(alice.now);
    alice.session.reconnect_now(alice.now);
    alice.waits(secs(3_600));
    assert_eq!(alice.sent(), []);
    assert_eq!((alice.tickets_fetched, alice.disconnects.len()), (1, 0));
    assert_eq!(alice.session.poll_timeout(), None);
}

#[test]
fn leaving_the_server_closes_and_forgets() {
    let mut alice = Alice::in_general_at(3);
    alice.says("general", "m1");
    alice.forgets();
    alice.session.leave_server(alice.now);
    alice.settles();
    assert_eq!(alice.disconnects, [(alice.generation.unwrap(), 1000)]);
    assert_eq!(*alice.session.link(), ended(EndReason::Left));
    assert_eq!(alice.outbox(), []);
    assert_eq!(alice.session.position(&crate::alice::name("general")), None);
    alice.is_closed(1006);
    assert_eq!(*alice.session.link(), ended(EndReason::Left));
    alice.starts();
    alice.comes_back();
    assert_eq!(alice.sent(), [], "no room is joined");
}

trait Says {
    fn say_three(&mut self, now: web_time::Instant);
}

impl Says for session::Session {
    fn say_three(&mut self, now: web_time::Instant) {
        for message in ["m1", "m2", "m3"] {
            let content = session::Content::Post(common::Body::new(message).unwrap());
            let (room, id) = (crate::alice::name("general"), crate::alice::id(message));
            self.write(room, id, content, now).unwrap();
        }
    }
}

impl Alice {
    fn hears_joined_again(&mut self) {
        let (id, after) = self.join_sent("general");
        self.hears(joined(id, "general", ("e1", 3), after.unwrap().seq, true));
        self.forgets();
    }
}
