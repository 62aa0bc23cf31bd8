//! Whether what was delivered is what the log says, and that it is told.

use common::{Digest, ResyncReason, ServerMessage};
use session::{Content, Event};

use crate::alice::{Alice, at, bobs_entry, entry, head, joined, name, resync, secs};

fn proven(alice: &Alice) -> Vec<(u64, u64)> {
    let proven = |event: &Event| match event {
        Event::Proven { position, entries, .. } => Some((position.seq, *entries)),
        _ => None,
    };
    alice.events.iter().filter_map(proven).collect()
}

fn disproved(alice: &Alice) -> Vec<u64> {
    let disproved = |event: &Event| match event {
        Event::Disproved { position, .. } => Some(position.seq),
        _ => None,
    };
    alice.events.iter().filter_map(disproved).collect()
}

/// The page that a first join brings: Bob's entries after `after`, up to `head`.
fn joins_at(alice: &mut Alice, after: u64, head: u64) {
    alice.connects();
    alice.joins("general");
    alice.hears_joined("general", ("e1", head), after, false);
    alice.hears_entries(after + 1..=head);
}

#[test]
fn a_first_page_is_proven_when_its_end_is_reached() {
    let mut alice = Alice::new();
    alice.connects();
    alice.joins("general");
    alice.hears_joined("general", ("e1", 12), 10, false);
    alice.hears_entries([11]);
    assert_eq!(proven(&alice), []);
    alice.hears_entries([12]);
    assert_eq!(proven(&alice), [(12, 2)]);
    alice.hears_entries([13]);
    alice.hears(head("e1", 13));
    assert_eq!(proven(&alice), [(12, 2), (13, 3)]);
}

#[test]
fn a_log_is_proven_from_its_beginning_without_the_servers_word_for_it() {
    let mut alice = Alice::new();
    alice.connects();
    alice.joins("general");
    let id = alice.join_sent("general").0;
    let mut reply = joined(id, "general", ("e1", 2), 0, false);
    if let ServerMessage::Joined { base, .. } = &mut reply {
        *base = None;
    }
    alice.hears(reply);
    alice.hears_entries([1, 2]);
    assert_eq!(proven(&alice), [(2, 2)]);
}

#[test]
fn what_was_recovered_is_proven_before_it_is_said_that_nothing_is_missing() {
    let mut alice = Alice::new();
    joins_at(&mut alice, 0, 3);
    alice.loses_the_connection();
    alice.comes_back();
    alice.gets_joined_again(5, 3);
    alice.events.clear();
    alice.hears_entries([4, 5]);
    let said: Vec<_> = alice
        .events
        .iter()
        .filter(|event| matches!(event, Event::Proven { .. } | Event::Recovered { .. }))
        .collect();
    assert!(matches!(
        said[..],
        [Event::Proven { entries: 5, .. }, Event::Recovered { count: 2, .. }]
    ));
}

#[test]
fn an_entry_that_was_changed_is_told_and_the_room_is_asked_for_anew() {
    let mut alice = Alice::new();
    joins_at(&mut alice, 0, 3);
    alice.hears(entry("general", 4, "bob", "another"));
    alice.forgets();
    alice.hears(head("e1", 4));
    assert_eq!((proven(&alice), disproved(&alice)), (vec![], vec![4]));
    let (id, after) = alice.join_sent("general");
    assert_eq!(after, None);
    alice.hears_entries([5]);
    assert_eq!(alice.delivered(), [0; 0], "what comes before the reply is dropped");
    alice.hears(joined(id, "general", ("e1", 5), 2, false));
    alice.hears_entries(3..=5);
    assert_eq!(alice.delivered(), [3, 4, 5]);
    assert_eq!(proven(&alice), [(5, 3)]);
}

#[test]
fn a_recovery_that_is_disproved_does_not_say_that_nothing_is_missing() {
    let mut alice = Alice::new();
    joins_at(&mut alice, 0, 3);
    alice.loses_the_connection();
    alice.comes_back();
    alice.gets_joined_again(4, 3);
    alice.events.clear();
    alice.hears(entry("general", 4, "bob", "another"));
    assert_eq!(disproved(&alice), [4]);
    assert!(!alice.events.iter().any(|event| matches!(event, Event::Recovered { .. })));
}

#[test]
fn a_server_that_contradicts_itself_is_not_asked_again_and_again() {
    let mut alice = Alice::in_general_at(0);
    for seq in 1..=20 {
        alice.hears_entries([seq]);
        let (room, digest) = (name("general"), Digest::of_body("nonsense"));
        alice.hears(ServerMessage::Head { room, position: at("e1", seq), digest });
        for message in alice.sent() {
            if let common::ClientMessage::Join { id: Some(id), .. } = message {
                alice.hears(joined(id, "general", ("e1", seq), 0, false));
                alice.hears_entries(1..=seq);
            }
        }
        alice.waits(secs(1));
    }
    assert!(alice.session.stats().disproofs > 10);
    assert!(alice.session.stats().entries < 100, "{:?}", alice.session.stats());
}

#[test]
fn a_head_beyond_the_last_entry_is_a_hole_and_is_filled() {
    let mut alice = Alice::new();
    joins_at(&mut alice, 0, 3);
    alice.hears(head("e1", 5));
    let (id, after) = alice.join_sent("general");
    assert_eq!(after, Some(at("e1", 3)));
    alice.hears(joined(id, "general", ("e1", 5), 3, true));
    alice.forgets();
    alice.hears_entries([4, 5]);
    assert_eq!(proven(&alice), [(5, 5)]);
    assert_eq!(alice.session.stats().holes, 1);
}

#[test]
fn a_head_of_another_log_says_nothing() {
    let mut alice = Alice::in_general_at(3);
    alice.hears(head("e2", 9));
    assert_eq!((alice.sent(), disproved(&alice)), (vec![], vec![]));
}

#[test]
fn deleted_texts_are_proven_by_the_digest_of_what_they_said() {
    let mut alice = Alice::in_general_at(0);
    let mut erased = bobs_entry(1);
    erased.erased = Some(Digest::of_body(&erased.body));
    erased.body = String::new();
    alice.hears(ServerMessage::Entry(erased));
    alice.hears(head("e1", 1));
    assert_eq!(proven(&alice).last(), Some(&(1, 1)));
}

#[test]
fn an_entry_of_a_newer_kind_counts_its_place_and_proof_begins_behind_it() {
    let mut alice = Alice::new();
    joins_at(&mut alice, 0, 3);
    alice.forgets();
    let text = common::encode(&entry("general", 4, "bob", "b4"));
    alice.hears_text(&text.replace(r#""kind":"post""#, r#""kind":"poll""#));
    assert_eq!(alice.delivered(), [4]);
    alice.hears(head("e1", 4));
    assert_eq!((proven(&alice), disproved(&alice)), (vec![], vec![]));
    alice.hears_entries([5]);
    alice.hears(head("e1", 5));
    assert_eq!(proven(&alice), [(5, 1)]);
}

#[test]
fn a_log_that_began_anew_is_proven_for_itself() {
    let mut alice = Alice::in_general_at(41);
    alice.loses_the_connection();
    alice.comes_back();
    let id = alice.join_sent("general").0;
    alice.forgets();
    alice.hears(resync(ResyncReason::EpochChanged, ("e2", 2), 0));
    assert!(matches!(&alice.events[..], [Event::Resynced { after, .. }] if *after == at("e2", 0)));
    alice.hears(joined(id, "general", ("e2", 2), 0, false));
    alice.hears_entries([1, 2]);
    assert_eq!((proven(&alice), disproved(&alice)), (vec![(2, 2)], vec![]));
}

#[test]
fn what_changes_an_entry_of_a_log_that_is_gone_fails() {
    let mut alice = Alice::in_general_at(3);
    let of = at("e0", 2);
    for (message, of) in [("m1", of), ("m2", at("e1", 2))] {
        alice.writes("general", message, Content::Delete { of });
    }
    assert_eq!(alice.outbox(), [("m1".into(), "failed"), ("m2".into(), "sending")]);
    assert!(matches!(alice.sent()[..], [common::ClientMessage::Delete { of: 2, .. }]));
}
