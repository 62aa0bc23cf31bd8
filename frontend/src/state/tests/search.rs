//! Looking for what was said, and the way there.

use super::*;
use crate::state::search::Failure;

fn words(text: &str) -> Rc<str> {
    text.into()
}

fn asks(state: &mut State, number: u32, text: &str) {
    let (words, everywhere, more) = (words(text), false, false);
    state.apply(Action::Search(Step::Ask { number, words, everywhere, more }));
}

fn asks_for_more(state: &mut State, number: u32) {
    let (words, everywhere, more) = (state.search.words.clone(), false, true);
    state.apply(Action::Search(Step::Ask { number, words, everywhere, more }));
}

fn found(seqs: &[u64]) -> Vec<Hit> {
    let hit = |seq: &u64| Hit::new(said("ada", *seq), at_minute(0), "says", str::to_owned);
    seqs.iter().map(hit).collect()
}

fn answers(state: &mut State, number: u32, seqs: &[u64], next: Option<&str>) {
    let answer = Ok((found(seqs), next.map(str::to_owned)));
    state.apply(Action::Search(Step::Answer(number, answer)));
}

fn hits(state: &State) -> Vec<u64> {
    state.search.hits.iter().map(|hit| hit.seq).collect()
}

/// Somebody chose what Ada said there.
fn seeks(state: &mut State, seq: u64) {
    let message_id = said("ada", seq).message_id;
    let sought = Sought { seq, message_id, seeking: Seeking::OnTheWay };
    state.apply(Action::Seek(general(), sought));
}

/// 400 entries, of which the last fifty are here.
fn long_room() -> State {
    let mut state = inside();
    joined(&mut state, "a", 400);
    (351..=400).for_each(|seq| hears(&mut state, "ada", seq, 0));
    state
}

fn loads(state: &mut State, edge: Edge, seqs: std::ops::RangeInclusive<u64>) {
    state.apply(Action::Asks(general(), edge.clone()));
    hear(state, page(edge, seqs, 400), 0);
}

#[test]
fn only_the_answer_to_the_last_question_counts() {
    let mut state = inside();
    asks(&mut state, 1, "tea");
    asks(&mut state, 2, "team");
    answers(&mut state, 1, &[5, 4], None);
    assert_eq!((hits(&state), state.search.progress), (vec![], Progress::Asking));
    answers(&mut state, 2, &[5], None);
    answers(&mut state, 1, &[5, 4], None);
    assert_eq!((hits(&state), state.search.progress), (vec![5], Progress::Answered));
}

#[test]
fn what_was_found_stays_until_the_next_answer() {
    let mut state = inside();
    asks(&mut state, 1, "tea");
    answers(&mut state, 1, &[5, 4], Some("4"));
    asks(&mut state, 2, "teapot");
    assert_eq!(hits(&state), [5, 4]);
    answers(&mut state, 2, &[], None);
    assert_eq!((hits(&state), state.search.next.clone()), (vec![], None));
    asks(&mut state, 3, "");
    assert_eq!(state.search.progress, Progress::Idle);
}

#[test]
fn what_was_found_in_a_room_goes_with_the_right_to_read_it() {
    let mut state = inside();
    joined(&mut state, "a", 5);
    asks(&mut state, 1, "tea");
    answers(&mut state, 1, &[5, 4], None);
    hear(&mut state, Event::Removed { room: RoomName::new("elsewhere").unwrap() }, 0);
    assert_eq!(hits(&state), [5, 4]);
    hear(&mut state, Event::Removed { room: general() }, 0);
    assert!(hits(&state).is_empty());
}

#[test]
fn another_page_is_added_and_says_where_it_begins_and_nothing_stands_twice() {
    let mut state = inside();
    asks(&mut state, 1, "tea");
    answers(&mut state, 1, &[9, 8], Some("8"));
    asks_for_more(&mut state, 2);
    answers(&mut state, 2, &[8, 7], None);
    assert_eq!((hits(&state), state.search.fresh), (vec![9, 8, 7], 2));
    assert_eq!(state.search.next, None);
}

#[test]
fn a_page_that_cannot_be_had_takes_nothing_away_and_can_be_asked_for_again() {
    let mut state = inside();
    asks(&mut state, 1, "tea");
    answers(&mut state, 1, &[9, 8], Some("8"));
    asks_for_more(&mut state, 2);
    let trouble = Trouble::Refused(ErrorCode::RateLimited);
    let why = Failure { trouble, retry_after_ms: Some(400) };
    state.apply(Action::Search(Step::Answer(2, Err(why))));
    assert_eq!(state.search.progress, Progress::Failed(why));
    assert_eq!((hits(&state), state.search.next.as_deref()), (vec![9, 8], Some("8")));
    asks(&mut state, 3, "coffee");
    state.apply(Action::Search(Step::Answer(3, Err(why))));
    assert!(hits(&state).is_empty(), "these were for other words");
}

#[test]
fn what_was_deleted_or_edited_meanwhile_does_not_go_on_standing() {
    let mut state = inside();
    joined(&mut state, "a", 9);
    asks(&mut state, 1, "says");
    answers(&mut state, 1, &[9, 8], None);
    let delete = changes(EntryKind::Delete, "ada", 10, 9, "");
    hear(&mut state, Event::Entry { entry: delete }, 0);
    let edit = changes(EntryKind::Edit, "ada", 11, 8, "better");
    hear(&mut state, Event::Entry { entry: edit }, 0);
    assert_eq!(hits(&state), [8]);
    assert_eq!(state.search.hits[0].parts, [("better".into(), false)]);
}

#[test]
fn what_was_found_in_one_room_is_not_shown_in_another() {
    let mut state = inside();
    state.apply(Action::Search(Step::Open));
    asks(&mut state, 1, "tea");
    answers(&mut state, 1, &[9], None);
    state.apply(Action::Shows(None));
    assert_eq!((hits(&state), &*state.search.words), (vec![], "tea"));
    answers(&mut state, 1, &[9], None);
    assert!(hits(&state).is_empty(), "the answer came too late");
    assert!(state.search.opened > 0);
}

#[test]
fn the_page_around_a_hit_takes_the_place_of_the_newest_and_the_newest_comes_back() {
    let mut state = long_room();
    seeks(&mut state, 100);
    assert_eq!(room(&state).edge_sought(), Some(after(74)));
    loads(&mut state, after(74), 75..=124);
    assert!(room(&state).has_sought());
    assert_eq!(room(&state).edge_sought(), None);
    assert_eq!(
        (room(&state).edge_top(), room(&state).edge_below()),
        (Some(before(75)), Some(after(124)))
    );
    loads(&mut state, Edge::Newest, 351..=400);
    assert!(room(&state).is_attached() && room(&state).sought.is_none());
}

#[test]
fn a_hit_that_stands_already_needs_no_page() {
    let mut state = long_room();
    seeks(&mut state, 360);
    assert_eq!((room(&state).seeks_for(), room(&state).edge_sought()), (Some(360), None));
    state.apply(Action::Sought(general(), Seeking::Shown));
    assert_eq!(room(&state).seeks_for(), None);
}

#[test]
fn a_hit_in_a_room_that_was_not_open_waits_for_what_the_join_brings() {
    let mut state = inside();
    seeks(&mut state, 100);
    assert_eq!(room(&state).edge_sought(), None);
    joined(&mut state, "a", 400);
    hears(&mut state, "ada", 351, 0);
    assert_eq!(room(&state).edge_sought(), None);
    (352..=400).for_each(|seq| hears(&mut state, "ada", seq, 0));
    assert_eq!(room(&state).edge_sought(), Some(after(74)));
}

#[test]
fn a_hit_that_is_not_there_is_said_and_given_up() {
    let mut state = long_room();
    let seeking = Seeking::OnTheWay;
    let message_id = MessageId::new("of-another-log").unwrap();
    state.apply(Action::Seek(general(), Sought { seq: 100, message_id, seeking }));
    loads(&mut state, after(74), 75..=124);
    assert_eq!(room(&state).sought, None);
    assert_eq!(state.trouble, Some(Trouble::Refused(ErrorCode::CursorExpired)));

    seeks(&mut state, 200);
    let (name, edge) = (general(), after(174));
    state.apply(Action::Asks(name.clone(), edge.clone()));
    let failure = session::PageFailure::NoAnswer;
    hear(&mut state, Event::HistoryFailed { room: name, edge, failure }, 0);
    assert_eq!(room(&state).sought, None);
    assert_eq!(state.trouble, Some(Trouble::Unreachable));
}

#[test]
fn what_was_read_before_a_search_is_known_until_the_person_leaves_the_place() {
    let mut state = inside();
    is_told(&mut state, position("a", 400), unread(10, 390));
    joined(&mut state, "a", 400);
    (351..=400).for_each(|seq| hears(&mut state, "ada", seq, 0));
    assert_eq!(room(&state).read_before_seeking(), None);
    for leaves in [
        Action::Sought(general(), Seeking::Left),
        Action::Asks(general(), Edge::Newest),
        Action::Spoke(general()),
        Action::Shows(None),
    ] {
        state.apply(Action::Shows(Some(general())));
        seeks(&mut state, 399);
        assert_eq!(room(&state).read_before_seeking().map(|(_, seen)| seen), Some(false));
        state.apply(Action::Sought(general(), Seeking::Over));
        assert_eq!(room(&state).read_before_seeking().map(|(_, seen)| seen), Some(true));
        state.apply(leaves);
        assert_eq!(room(&state).read_before_seeking(), None);
    }
}
