//! Pages of the past: asked for, compared with what is known, never with a silent hole.

use common::{ClientMessage, EntryKind, ErrorCode, ResyncReason, ServerMessage};
use session::{Edge, Event, PageFailure, Proof};

use crate::alice::{
    Alice, at, bobs_entry, digest, error, joined, ms, name, page, post, resync, secs, slow_down,
};

/// Alice with the last three of Bob's ten entries.
fn alice_with_the_last_page() -> Alice {
    let mut alice = Alice::new();
    alice.connects();
    alice.joins("general");
    alice.hears_joined("general", ("e1", 10), 7, false);
    alice.hears_entries(8..=10);
    alice.forgets();
    alice
}

/// The pages that came, each with its first and last entry and its proof.
fn pages(alice: &Alice) -> Vec<(u64, u64, Proof)> {
    let page = |event: &Event| match event {
        Event::History { entries, proof, .. } => {
            let (first, last) = (entries.first()?.seq, entries.last()?.seq);
            Some((first, last, *proof))
        }
        _ => None,
    };
    alice.events.iter().filter_map(page).collect()
}

fn failures(alice: &Alice) -> Vec<PageFailure> {
    let failure = |event: &Event| match event {
        Event::HistoryFailed { failure, .. } => Some(failure.clone()),
        _ => None,
    };
    alice.events.iter().filter_map(failure).collect()
}

#[test]
fn one_page_after_another_is_proven_back_to_the_beginning() {
    let mut alice = alice_with_the_last_page();
    for (before, first, last) in [(8, 5, 7), (5, 1, 4)] {
        alice.asks_for(Edge::Before(at("e1", before)));
        let id = alice.page_sent();
        alice.hears(page(id, first..=last, 10));
    }
    assert_eq!(pages(&alice), [(5, 7, Proof::Proven), (1, 4, Proof::Proven)]);
    alice.hears(crate::alice::head("e1", 10));
    assert!(alice.events.iter().any(|it| matches!(it, Event::Proven { entries: 10, .. })));
}

#[test]
fn a_page_that_was_trimmed_away_and_is_read_again_is_proven() {
    let mut alice = alice_with_the_last_page();
    alice.asks_for(Edge::Before(at("e1", 8)));
    let id = alice.page_sent();
    alice.hears(page(id, 1..=7, 10));
    alice.asks_for(Edge::After(at("e1", 3)));
    let id = alice.page_sent();
    alice.hears(page(id, 4..=6, 10));
    assert_eq!(pages(&alice)[1], (4, 6, Proof::Proven));
}

#[test]
fn a_page_that_touches_nothing_known_is_unproven_until_it_joins() {
    let mut alice = alice_with_the_last_page();
    alice.asks_for(Edge::After(at("e1", 0)));
    let id = alice.page_sent();
    alice.hears(page(id, 1..=3, 10));
    alice.asks_for(Edge::After(at("e1", 3)));
    let id = alice.page_sent();
    alice.hears(page(id, 4..=7, 10));
    assert_eq!(pages(&alice), [(1, 3, Proof::Unproven), (4, 7, Proof::Proven)]);
}

#[test]
fn a_page_with_a_hole_a_double_or_another_word_is_refused() {
    let asks = |change: fn(&mut Vec<common::Entry>)| {
        let mut alice = alice_with_the_last_page();
        alice.asks_for(Edge::Before(at("e1", 8)));
        let ServerMessage::History { id, room, position, floor, mut entries, base, later } =
            page(alice.page_sent(), 4..=7, 10)
        else {
            panic!("a page")
        };
        change(&mut entries);
        alice.hears(ServerMessage::History { id, room, position, floor, entries, base, later });
        (pages(&alice).len(), failures(&alice))
    };
    assert_eq!(asks(|_| {}), (1, vec![]));
    for change in [
        (|entries| drop(entries.remove(1))) as fn(&mut Vec<common::Entry>),
        |entries| drop(entries.remove(3)),
        |entries| drop(entries.remove(0)),
        |entries| entries.insert(1, bobs_entry(4)),
        |entries| entries[2].body.push('!'),
        |entries| entries[2].author = crate::alice::member("eve"),
        |entries| entries.clear(),
    ] {
        assert_eq!(asks(change), (0, vec![PageFailure::Disproved]));
    }
}

#[test]
fn a_later_edit_that_contradicts_what_was_delivered_is_refused() {
    for (body, expected) in [("b", vec![]), ("forged", vec![PageFailure::Disproved])] {
        let mut alice = Alice::in_general_at(0);
        alice.hears_entries([1, 2]);
        let mut edit = post("general", 3, "bob", "b3");
        (edit.kind, edit.of, edit.body) = (EntryKind::Edit, Some(1), "b".to_owned());
        alice.hears(ServerMessage::Entry(edit.clone()));
        alice.asks_for(Edge::After(at("e1", 0)));
        edit.body = body.to_owned();
        let (id, room, position, floor) = (alice.page_sent(), name("general"), at("e1", 3), 0);
        let (entries, base) = (vec![bobs_entry(1)], digest("e1", 0));
        let later = vec![edit];
        alice.hears(ServerMessage::History { id, room, position, floor, entries, base, later });
        assert_eq!(failures(&alice), expected, "{body}");
    }
}

#[test]
fn the_beginning_and_what_is_no_longer_kept_are_no_holes() {
    let mut alice = alice_with_the_last_page();
    alice.asks_for(Edge::Before(at("e1", 8)));
    let (id, room, position) = (alice.page_sent(), name("general"), at("e1", 10));
    let (entries, base, later) = (vec![], digest("e1", 7), vec![]);
    alice.hears(ServerMessage::History { id, room, position, floor: 7, entries, base, later });
    assert!(matches!(
        &alice.events[..],
        [Event::History { floor: 7, entries, .. }] if entries.is_empty()
    ));
}

#[test]
fn what_was_appended_since_is_left_to_come_by_itself() {
    let mut alice = alice_with_the_last_page();
    alice.asks_for(Edge::Newest);
    let id = alice.page_sent();
    alice.hears(page(id, 9..=12, 12));
    alice.hears_entries([11, 12]);
    assert_eq!(pages(&alice), [(9, 10, Proof::Proven)]);
    assert_eq!(alice.delivered(), [11, 12]);
}

#[test]
fn the_server_is_asked_for_one_page_at_a_time() {
    let mut alice = alice_with_the_last_page();
    alice.joins("tech");
    alice.hears_joined("tech", ("t1", 0), 0, false);
    alice.asks_for(Edge::Before(at("e1", 8)));
    let first = alice.page_sent();
    alice.session.history(&name("tech"), Edge::Newest, alice.now);
    alice.settles();
    assert_eq!(alice.sent(), []);
    alice.hears(page(first, 5..=7, 10));
    alice.page_sent();
}

#[test]
fn a_page_replaces_the_one_asked_for_before() {
    let mut alice = alice_with_the_last_page();
    alice.asks_for(Edge::Before(at("e1", 8)));
    let first = alice.page_sent();
    alice.asks_for(Edge::Newest);
    let second = alice.page_sent();
    alice.hears(page(first, 5..=7, 10));
    assert_eq!(pages(&alice), []);
    alice.hears(page(second, 8..=10, 10));
    assert_eq!(pages(&alice), [(8, 10, Proof::Proven)]);
}

#[test]
fn a_page_that_was_lost_with_the_connection_is_asked_for_again() {
    let mut alice = alice_with_the_last_page();
    alice.asks_for(Edge::Before(at("e1", 8)));
    alice.page_sent();
    alice.loses_the_connection();
    alice.comes_back();
    alice.gets_joined_again(10, 10);
    let id = alice.page_sent();
    alice.hears(page(id, 5..=7, 10));
    assert_eq!(pages(&alice), [(5, 7, Proof::Proven)]);
}

#[test]
fn a_page_that_does_not_come_is_given_up_and_said_to_be() {
    let mut alice = alice_with_the_last_page();
    alice.asks_for(Edge::Before(at("e1", 8)));
    let id = alice.page_sent();
    alice.waits(secs(10));
    assert_eq!(failures(&alice), [PageFailure::NoAnswer]);
    alice.hears(page(id, 5..=7, 10));
    assert_eq!(pages(&alice), [], "it is not waited for any more");
}

#[test]
fn a_refused_page_is_asked_for_again_if_that_can_help() {
    let mut alice = alice_with_the_last_page();
    alice.asks_for(Edge::Before(at("e1", 8)));
    let id = alice.page_sent();
    alice.hears(slow_down(id, 2_000));
    alice.waits(ms(1_999));
    assert_eq!(alice.sent(), []);
    alice.waits(ms(1));
    let id = alice.page_sent();
    alice.hears(error(id, ErrorCode::CursorExpired));
    assert!(matches!(
        &failures(&alice)[..],
        [PageFailure::Refused(problem)] if problem.code == ErrorCode::CursorExpired
    ));
}

#[test]
fn a_place_in_a_log_that_is_gone_is_not_asked_for() {
    let mut alice = alice_with_the_last_page();
    alice.loses_the_connection();
    alice.asks_for(Edge::Before(at("e1", 8)));
    alice.comes_back();
    let id = alice.join_sent("general").0;
    alice.hears(joined(id, "general", ("e2", 3), 0, false));
    assert_eq!(alice.sent(), []);
    assert!(matches!(&failures(&alice)[..], [PageFailure::Refused(_)]));
}

#[test]
fn a_room_that_is_not_followed_has_no_pages() {
    let mut alice = alice_with_the_last_page();
    alice.session.history(&name("tech"), Edge::Newest, alice.now);
    alice.settles();
    assert!(matches!(&failures(&alice)[..], [PageFailure::Refused(_)]));
    assert!(!alice.sent().iter().any(|it| matches!(it, ClientMessage::History { .. })));
}

#[test]
fn a_hole_is_filled_up_to_where_the_rows_ended_and_compared_there() {
    for forged in [false, true] {
        let mut alice = Alice::in_general_at(0);
        let mine = if forged { "another" } else { "b2" };
        alice.hears_entries([1]);
        alice.hears(crate::alice::entry("general", 2, "bob", mine));
        alice.hears(resync(ResyncReason::Pruned, ("e1", 9), 6));
        alice.hears_entries(7..=9);
        alice.asks_for(Edge::Before(at("e1", 7)));
        let id = alice.page_sent();
        alice.hears(page(id, 1..=6, 9));
        let expected = if forged { vec![PageFailure::Disproved] } else { vec![] };
        assert_eq!(failures(&alice), expected);
    }
}
