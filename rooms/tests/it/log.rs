//! The log in memory: places, dedupe and its window, what is kept.

use common::http::Keep;
use rooms::{AppendRefusal, Appended, MemoryLog, NewRoom, OpenRefusal};

use super::{
    draft, draft_of, edit, epoch, new_room, noon, position, reaction, refused, room_name, say,
    topic,
};

fn log_with(keep: Keep) -> MemoryLog {
    let mut log = MemoryLog::new();
    log.open(new_room("마당", keep)).unwrap();
    log
}

fn seqs(log: &MemoryLog, after: u64, most: usize) -> Vec<u64> {
    log.read_after(&room_name("마당"), after, most).iter().map(|entry| entry.seq).collect()
}

#[test]
fn a_room_is_opened_once() {
    let mut log = log_with(Keep::Forever);
    let other = NewRoom { epoch: epoch("e2"), ..new_room("마당", Keep::None) };
    let again = log.open(other);
    assert_eq!(again, Err(OpenRefusal::Exists));
    assert_eq!(log.room(&room_name("마당")).unwrap().head, position("e1", 0));
    assert_eq!(log.rooms().count(), 1);
    assert_eq!(log.room(&room_name("nowhere")), None);
}

#[test]
fn places_begin_with_one_and_have_no_gaps() {
    let mut log = log_with(Keep::Forever);
    for seq in 1..=5 {
        let entry = say(&mut log, draft("마당", "hana", &format!("m{seq}"), "안녕"));
        assert_eq!(entry.position(), position("e1", seq));
    }
    assert_eq!(seqs(&log, 0, 10), [1, 2, 3, 4, 5]);
    assert_eq!(seqs(&log, 2, 2), [3, 4]);
    assert_eq!(seqs(&log, 5, 10), [0; 0]);
    assert_eq!(seqs(&log, 99, 10), [0; 0]);
}

#[test]
fn what_is_said_again_has_the_place_it_had() {
    let mut log = log_with(Keep::Forever);
    say(&mut log, draft("마당", "hana", "m1", "안녕"));
    say(&mut log, draft("마당", "hana", "m2", "또"));
    let again = log.append(draft("마당", "hana", "m1", "안녕"), noon());
    let Ok(Appended::Repeated(place)) = again else { panic!("{again:?}") };
    assert_eq!(place, position("e1", 1));
    assert_eq!(seqs(&log, 0, 10), [1, 2]);
}

#[test]
fn a_message_id_that_stands_for_something_else_is_a_conflict() {
    let mut log = log_with(Keep::Forever);
    log.open(new_room("tech", Keep::Forever)).unwrap();
    say(&mut log, draft("마당", "hana", "m1", "안녕"));
    let conflict = AppendRefusal::Conflict(position("e1", 1));
    for other in [draft("마당", "hana", "m1", "잘 가"), draft("tech", "hana", "m1", "안녕")] {
        assert_eq!(refused(&mut log, other), conflict);
    }
    // Message ids belong to their author.
    assert_eq!(say(&mut log, draft("마당", "duri", "m1", "잘 가")).seq, 2);
}

#[test]
fn what_is_said_again_is_the_same_in_kind_and_in_what_it_is_about() {
    let mut log = log_with(Keep::Forever);
    for id in ["m1", "m2"] {
        say(&mut log, draft("마당", "hana", id, "👋"));
    }
    let contents =
        || [edit(1, "👋"), edit(2, "👋"), reaction(1, "👋"), reaction(2, "👋"), topic("👋")];
    for (seq, said) in (3..).zip(contents()) {
        let id = format!("m{seq}");
        say(&mut log, draft_of("마당", "hana", &id, said.clone()));
        let again = log.append(draft_of("마당", "hana", &id, said.clone()), noon());
        assert!(matches!(again, Ok(Appended::Repeated(place)) if place == position("e1", seq)));
        assert_eq!(
            refused(&mut log, draft("마당", "hana", &id, "👋")),
            AppendRefusal::Conflict(position("e1", seq))
        );
        for other in contents().into_iter().filter(|other| *other != said) {
            let refusal = refused(&mut log, draft_of("마당", "hana", &id, other));
            assert_eq!(refusal, AppendRefusal::Conflict(position("e1", seq)));
        }
    }
}

#[test]
fn a_message_to_no_room_is_refused_and_not_remembered() {
    let mut log = log_with(Keep::Forever);
    let refusal = refused(&mut log, draft("nowhere", "hana", "m1", "안녕"));
    assert_eq!(refusal, AppendRefusal::NoSuchRoom(room_name("nowhere")));
    assert_eq!(say(&mut log, draft("마당", "hana", "m1", "안녕")).seq, 1);
}

#[test]
fn a_hundred_thousand_message_ids_are_known_again_and_one_more_forgets_the_oldest_of_all() {
    let mut log = log_with(Keep::Last(1));
    for n in 0..100_000 {
        say(&mut log, draft("마당", "hana", &format!("m{n}"), "안녕"));
    }
    let oldest = || draft("마당", "hana", "m0", "안녕");
    assert!(matches!(log.append(oldest(), noon()), Ok(Appended::Repeated(_))));
    say(&mut log, draft("마당", "duri", "one-more", "안녕"));
    assert_eq!(say(&mut log, oldest()).seq, 100_002);
}

#[test]
fn only_so_much_is_kept_as_the_room_says() {
    for (keep, floor, kept) in [
        (Keep::Forever, 0, vec![1, 2, 3, 4]),
        (Keep::Last(3), 1, vec![2, 3, 4]),
        (Keep::None, 4, vec![]),
    ] {
        let mut log = log_with(keep);
        for n in 0..4 {
            say(&mut log, draft("마당", "hana", &format!("m{n}"), "안녕"));
        }
        let record = log.room(&room_name("마당")).unwrap();
        assert_eq!((record.head.seq, record.floor), (4, floor), "{keep:?}");
        assert_eq!(seqs(&log, floor, 10), kept, "{keep:?}");
        if floor > 0 {
            assert_eq!(
                seqs(&log, floor - 1, 10),
                [0; 0],
                "what is not kept leaves no partial list"
            );
        }
    }
}
