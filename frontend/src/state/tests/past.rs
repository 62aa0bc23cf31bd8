//! Scrolling back and forth, holes, and what changes afterwards.

use super::*;

/// Ada said so much, and the last fifty of it are here.
fn long_room(head: u64) -> State {
    let mut state = inside();
    joined(&mut state, "a", head);
    (head - 49..=head).for_each(|seq| hears(&mut state, "ada", seq, 0));
    state
}

/// The page comes that the room wants there.
fn loads(state: &mut State, edge: Edge, seqs: std::ops::RangeInclusive<u64>, head: u64) {
    state.apply(Action::Asks(general(), edge.clone()));
    hear(state, page(edge, seqs, head), 0);
}

fn seqs(state: &State) -> Vec<u64> {
    room(state).said().filter_map(|said| said.seq()).collect()
}

#[test]
fn the_document_holds_a_bounded_number_of_rows_and_knows_that_there_is_more() {
    let mut state = inside();
    joined(&mut state, "a", 0);
    let last = ROWS_MAX as u64 + 5;
    (1..=last).for_each(|seq| hears(&mut state, "ada", seq, 0));
    assert_eq!(seqs(&state), (6..=last).collect::<Vec<_>>());
    assert_eq!(shown(&state)[0], "above: More");
    assert_eq!(room(&state).edge_top(), Some(before(6)));
}

#[test]
fn one_reads_back_to_the_beginning_and_forth_to_the_end_without_a_gap() {
    let mut state = long_room(400);
    let mut first = 351;
    while let Some(edge) = room(&state).edge_top() {
        assert_eq!(edge, before(first));
        loads(&mut state, edge, first - 50..=first - 1, 400);
        first -= 50;
        assert_eq!(seqs(&state)[0], first);
        assert!(room(&state).rows() <= ROWS_MAX);
    }
    assert_eq!(seqs(&state), (1..=300).collect::<Vec<_>>());
    assert_eq!(shown(&state)[0], "beginning");
    assert_eq!(room(&state).bottom(), Some(End::More));
    while let Some(edge) = room(&state).edge_below() {
        let Edge::After(at) = &edge else { panic!("{edge:?}") };
        let next = at.seq + 1;
        loads(&mut state, edge, next..=next + 49, 400);
    }
    assert_eq!(seqs(&state), (101..=400).collect::<Vec<_>>());
    hears(&mut state, "ada", 401, 0);
    assert_eq!(seqs(&state).last(), Some(&401));
}

#[test]
fn what_comes_while_the_end_is_not_in_the_document_is_counted_and_not_shown() {
    let mut state = long_room(400);
    for first in (51..=351).rev().step_by(50) {
        loads(&mut state, before(first), first - 50..=first - 1, 400);
    }
    is_told(&mut state, position("a", 400), unread(400, 0));
    hears(&mut state, "ada", 401, 0);
    assert_eq!((seqs(&state).last(), room(&state).unread), (Some(&300), 1));
    loads(&mut state, Edge::Newest, 352..=401, 401);
    assert_eq!(seqs(&state), (352..=401).collect::<Vec<_>>());
    assert!(room(&state).is_attached());
}

#[test]
fn whoever_reads_further_up_loses_no_row_to_what_is_said() {
    let mut state = inside();
    joined(&mut state, "a", 0);
    (1..=ROWS_MAX as u64).for_each(|seq| hears(&mut state, "ada", seq, 0));
    state.apply(Action::Away(general(), true));
    hears(&mut state, "ada", 301, 0);
    assert_eq!((seqs(&state)[0], seqs(&state).len()), (1, ROWS_MAX));
    assert_eq!(room(&state).edge_below(), Some(after(300)));
}

#[test]
fn the_page_around_the_first_unread_message_takes_the_place_of_the_last_one() {
    let mut state = inside();
    is_told(&mut state, position("a", 400), unread(100, 300));
    joined(&mut state, "a", 400);
    (351..=400).for_each(|seq| hears(&mut state, "ada", seq, 0));
    let edge = room(&state).edge_unread().unwrap();
    assert_eq!(edge, after(88));
    loads(&mut state, edge, 89..=138, 400);
    assert_eq!(room(&state).edge_unread(), None);
    let shown = shown(&state);
    let line = shown.iter().position(|row| row == "unread").unwrap();
    assert_eq!(shown[line + 1], "> ada says 101");
    assert_eq!(room(&state).edge_below(), Some(after(138)));
}

#[test]
fn a_hole_is_a_row_and_is_filled() {
    let mut state = inside();
    joined(&mut state, "a", 2);
    (1..=2).for_each(|seq| hears(&mut state, "ada", seq, 0));
    let (reason, after) = (ResyncReason::Pruned, position("a", 6));
    hear(&mut state, Event::Resynced { room: general(), reason, after }, 0);
    (7..=8).for_each(|seq| hears(&mut state, "ada", seq, 0));
    let hole = ["beginning", "day", "> ada says 1", "ada says 2", "hole: More", "> ada says 7"];
    assert_eq!(shown(&state)[..6], hole);
    state.apply(Action::Asks(general(), before(7)));
    assert_eq!(shown(&state)[4], "hole: Loading");
    hear(&mut state, page(before(7), 5..=6, 8), 0);
    assert_eq!(shown(&state)[4], "hole: More");
    loads(&mut state, before(5), 1..=4, 8);
    assert_eq!(seqs(&state), (1..=8).collect::<Vec<_>>());
    assert!(!shown(&state).iter().any(|row| row.starts_with("hole")));
}

#[test]
fn a_page_that_cannot_be_had_is_said_and_asked_for_again_when_wanted() {
    let mut state = long_room(400);
    state.apply(Action::Asks(general(), before(351)));
    assert_eq!(room(&state).edge_top(), None);
    let (room, edge) = (general(), before(351));
    let failure = session::PageFailure::NoAnswer;
    hear(&mut state, Event::HistoryFailed { room, edge, failure }, 0);
    assert_eq!(shown(&state)[0], "above: Failed");
    state.apply(Action::Asks(general(), before(351)));
    assert_eq!(shown(&state)[0], "above: Loading");
}

#[test]
fn rows_of_a_log_that_is_gone_go_on_nowhere() {
    let mut state = long_room(400);
    let (reason, after) = (ResyncReason::EpochChanged, position("b", 0));
    hear(&mut state, Event::Resynced { room: general(), reason, after }, 0);
    joined(&mut state, "b", 1);
    hears(&mut state, "ada", 1, 0);
    assert_eq!(room(&state).top(), None);
    assert!(shown(&state).contains(&"break".to_owned()));
}

#[test]
fn what_was_disproved_stands_above_a_row_that_says_so() {
    let mut state = inside();
    joined(&mut state, "a", 2);
    (1..=2).for_each(|seq| hears(&mut state, "ada", seq, 0));
    hear(&mut state, Event::Disproved { room: general(), position: position("a", 2) }, 0);
    assert_eq!(room(&state).proof, Proof::Disproved);
    joined(&mut state, "a", 2);
    (1..=2).for_each(|seq| hears(&mut state, "ada", seq, 0));
    let expected = ["day", "> ada says 1", "ada says 2", "break", "> ada says 1", "ada says 2"];
    assert_eq!(shown(&state), expected);
    let keys: std::collections::BTreeSet<_> =
        room(&state).said().map(|said| said.key.clone()).collect();
    assert_eq!(keys.len(), 4);
}

#[test]
fn edits_deletions_and_signs_change_what_stands() {
    let mut state = inside();
    joined(&mut state, "a", 0);
    hears(&mut state, "ada", 1, 0);
    hears(&mut state, "ada", 2, 0);
    for entry in [
        changes(EntryKind::Edit, "ada", 3, 1, "better"),
        changes(EntryKind::Reaction, "bo", 4, 1, "👍"),
        changes(EntryKind::Reaction, "me", 5, 1, "👍"),
        changes(EntryKind::Delete, "bo", 6, 4, ""),
        changes(EntryKind::Delete, "ada", 7, 2, ""),
        changes(EntryKind::Edit, "ada", 8, 2, "too late"),
    ] {
        hear(&mut state, Event::Entry { entry }, 0);
    }
    assert_eq!(shown(&state), ["beginning", "day", "> better", "(deleted)"]);
    let first = room(&state).said().next().unwrap().clone();
    assert_eq!(first.edit, 3);
    assert_eq!(first.signs.iter().map(|sign| sign.seq).collect::<Vec<_>>(), [5]);
    assert_eq!(room(&state).unread, 2, "a change is nothing to be read");
}

#[test]
fn a_page_shows_what_changed_since_and_an_older_one_loses_no_change() {
    let mut state = long_room(60);
    let change = changes(EntryKind::Edit, "ada", 61, 3, "newest");
    hear(&mut state, Event::Entry { entry: change }, 0);
    let edge = before(11);
    state.apply(Action::Asks(general(), edge.clone()));
    let Event::History { room, edge, head, floor, mut entries, proof, .. } = page(edge, 1..=10, 60)
    else {
        panic!("a page")
    };
    let later = vec![
        changes(EntryKind::Edit, "ada", 40, 2, "edited"),
        changes(EntryKind::Edit, "ada", 41, 3, "older"),
    ];
    entries[3].erased = Some(common::Digest::of_body("gone"));
    entries[3].body = String::new();
    hear(&mut state, Event::History { room, edge, head, floor, entries, later, proof }, 0);
    let expected = ["> ada says 1", "edited", "newest", "(deleted)", "ada says 5"];
    assert_eq!(shown(&state)[2..7], expected);
}

#[test]
fn an_edit_is_seen_before_the_server_has_it_and_stays_when_it_has() {
    let mut state = inside();
    joined(&mut state, "a", 0);
    hears(&mut state, "me", 1, 0);
    let content = Content::Edit { of: position("a", 1), body: Body::new("better").unwrap() };
    state.apply(Action::Outbox(vec![waits("e1", content)]));
    assert_eq!(shown(&state), ["beginning", "day", "> better (waits)"]);
    let message_id = MessageId::new("e1").unwrap();
    hear(&mut state, Event::Acked { room: general(), message_id, position: position("a", 2) }, 0);
    state.apply(Action::Outbox(Vec::new()));
    assert_eq!(shown(&state), ["beginning", "day", "> better"]);
}

#[test]
fn the_last_message_of_mine_that_stands_is_the_one_to_say_otherwise() {
    let mut state = inside();
    joined(&mut state, "a", 0);
    for (author, seq) in [("me", 1), ("me", 2), ("ada", 3)] {
        hears(&mut state, author, seq, 0);
    }
    let entry = changes(EntryKind::Delete, "me", 4, 2, "");
    hear(&mut state, Event::Entry { entry }, 0);
    state.apply(Action::EditLast(general()));
    let editing = state.editing.clone().unwrap();
    assert_eq!((editing.of, &*editing.text), (position("a", 1), "me says 1"));
    state.apply(Action::Shows(None));
    assert_eq!(state.editing, None);
}

#[test]
fn the_topic_is_the_newest_that_is_known() {
    let mut state = inside();
    joined(&mut state, "a", 0);
    let entry = Entry { kind: EntryKind::Topic, body: "dinner".into(), ..said("ada", 9) };
    hear(&mut state, Event::Entry { entry }, 0);
    is_told(&mut state, position("a", 3), None);
    assert_eq!(&*room(&state).topic, "dinner");
    is_told(&mut state, position("a", 12), None);
    assert_eq!(&*room(&state).topic, "lunch");
    assert_eq!(shown(&state).last().unwrap(), "done: dinner");
}
