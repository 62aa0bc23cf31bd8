//! Each way to break the session does break it: a healthy session passes every one of these
//! stories, a broken one fails its own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use common::ResyncReason;
use session::{Edge, LinkState, Mutant};

use crate::alice::{Alice, at, entry, head, name, page, resync, secs, slow_down};

/// Whether the promise that this bug breaks is kept.
fn holds(bug: Mutant, alice: &mut Alice) -> bool {
    match bug {
        Mutant::NoResend => {
            alice.says("general", "m1");
            alice.forgets();
            returns(alice);
            alice.hears_joined("general", ("e1", 3), 3, true);
            alice.waits(secs(20));
            !alice.said().is_empty()
        }
        Mutant::NoDedupe => {
            alice.hears_entries([4, 4]);
            alice.delivered() == [4]
        }
        Mutant::RejoinWithoutPosition => {
            returns(alice);
            alice.join_sent("general").1.is_some()
        }
        Mutant::EpochIgnored => {
            alice.hears(resync(ResyncReason::EpochChanged, ("e2", 2), 0));
            alice.hears_entries([1, 2]);
            alice.delivered() == [1, 2]
        }
        Mutant::HoleIgnored => {
            alice.hears_entries([5]);
            alice.delivered().is_empty()
        }
        Mutant::MissingPongIgnored => {
            alice.waits(secs(600));
            *alice.session.link() != LinkState::Open
        }
        Mutant::NeverReconnects => {
            alice.loses_the_connection();
            alice.waits(secs(600));
            alice.tickets_fetched > 1
        }
        Mutant::StaleActionsAfterClose => {
            let old = alice.generation.unwrap();
            returns(alice);
            alice.hears_joined("general", ("e1", 3), 3, true);
            let late = common::encode(&entry("general", 4, "bob", "b4"));
            alice.session.handle_text(old, &late, alice.now);
            alice.session.handle_closed(old, 1006, alice.now);
            alice.settles();
            alice.delivered().is_empty() && *alice.session.link() == LinkState::Open
        }
        Mutant::ManyInFlight => {
            alice.says("general", "m1");
            alice.says("general", "m2");
            let said = alice.said();
            alice.hears(slow_down(said[0].0, 1_000));
            said.len() == 1
        }
        Mutant::DigestIgnored => {
            alice.hears(entry("general", 4, "bob", "another"));
            alice.hears(head("e1", 4));
            alice.session.stats().disproofs == 1
        }
        Mutant::HistoryUnchecked => {
            alice.session.history(&name("general"), Edge::Before(at("e1", 4)), alice.now);
            alice.settles();
            let id = alice.page_sent();
            alice.hears(page(id, [1, 3], 3));
            alice.session.stats().pages == 0
        }
    }
}

fn returns(alice: &mut Alice) {
    alice.loses_the_connection();
    alice.comes_back();
}

#[test]
fn a_healthy_session_keeps_every_promise_and_each_bug_breaks_its_own() {
    for bug in Mutant::ALL {
        assert!(holds(bug, &mut Alice::in_general_at(3)), "healthy, {bug:?}");
        let mut alice = Alice::in_general_at(3);
        alice.session.break_on_purpose(bug);
        let kept = catch_unwind(AssertUnwindSafe(|| holds(bug, &mut alice))).unwrap_or(false);
        assert!(!kept, "{bug:?} was not noticed");
    }
}
