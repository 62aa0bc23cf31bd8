//! What the index makes of what happens in the logs.

use super::*;

#[test]
fn an_edit_replaces_what_a_post_says_and_not_its_place() {
    let mut stage = Stage::new();
    let of = stage.says("배포는 내일");
    let later = stage.says("배포는 모레");
    stage.index();
    stage.happens("general", ChangeKind::Edit { of, body: "배포는 글피".into() });
    stage.index();
    stage.found("내일", &[]);
    stage.found("글피", &[of]);
    stage.found("배포", &[later, of]);
}

#[test]
fn what_was_deleted_is_not_found_and_an_edit_does_not_bring_it_back() {
    let mut stage = Stage::new();
    let of = stage.says("비밀번호는 1234");
    stage.index();
    stage.found("비밀번호", &[of]);
    stage.happens("general", ChangeKind::Delete { of });
    stage.happens("general", ChangeKind::Edit { of, body: "비밀번호는 5678".into() });
    stage.happens("general", ChangeKind::Delete { of: 99 });
    stage.index();
    stage.found("비밀번호", &[]);
}

#[test]
fn entries_that_say_nothing_count_their_places_only() {
    let mut stage = Stage::new();
    (0..700).for_each(|_| {
        stage.happens("general", ChangeKind::Other);
    });
    let post = stage.says("드디어");
    stage.index();
    stage.found("드디어", &[post]);
    assert_eq!(post, 701);
}

#[test]
fn what_is_applied_twice_is_there_once() {
    let stage = Stage::new();
    let mut index = Index::open(&stage.dir.join(FILE)).unwrap();
    let head = Head { seq: 4, ..stage.logs.heads().remove(0) };
    let indexed = index.begin(&head).unwrap();
    let change = |seq, kind| Change { seq, kind };
    let changes = [
        change(1, ChangeKind::Post { body: "하나".into() }),
        change(2, ChangeKind::Post { body: "하나 둘".into() }),
        change(3, ChangeKind::Delete { of: 1 }),
        change(4, ChangeKind::Edit { of: 2, body: "하나 셋".into() }),
    ];
    for _ in 0..2 {
        assert_eq!(index.apply(&[(indexed.clone(), changes.to_vec())]).unwrap(), [4]);
        stage.found("하나", &[2]);
        stage.found("둘", &[]);
    }
}

#[test]
fn a_crash_between_two_steps_loses_nothing_and_repeats_nothing() {
    let mut stage = Stage::new();
    for at in 0..1_200 {
        stage.says(&format!("{at} 번째"));
    }
    assert!(stage.step() && stage.step());
    stage.restart();
    assert_eq!(stage.finds("499"), [500]);
    stage.found("1199", &[]);
    stage.restart();
    stage.index();
    let all: Vec<u64> = (0..24).map(|page| 1_200 - page * 50).collect();
    let mut before = None;
    for newest in all {
        let page = stage.page("번째", before, 50);
        assert_eq!(seqs(&page), Vec::from_iter((newest - 49..=newest).rev()));
        before = page.next;
    }
    assert_eq!(before, None);
}

#[test]
fn a_busy_room_starves_no_other() {
    let mut stage = Stage::new();
    let calm = ["earlier", "later"];
    for at in 0..5_000 {
        stage.says(&format!("말 {at}"));
    }
    for room in calm {
        stage.room(room, true);
        stage.says_in(room, "고요");
    }
    // A step for the beginning of each room, and one for its first entries.
    (0..6).for_each(|_| assert!(stage.step()));
    assert_eq!(stage.finds("고요").len(), 2);
    for room in calm {
        stage.says_in(room, "아직도 고요");
    }
    (0..3).for_each(|_| assert!(stage.step()));
    assert_eq!(stage.finds("고요").len(), 4);
    stage.index();
    // The busy room shares two of its steps with the others, and so needs one more.
    assert_eq!(stage.logs.read.borrow().len(), 11 + 2 * calm.len());
}

#[test]
fn a_log_that_began_anew_is_indexed_anew() {
    let mut stage = Stage::new();
    for at in 0..3_000 {
        stage.says(&format!("옛날 {at}"));
    }
    stage.index();
    stage.log("general", |head, log| {
        (head.epoch, head.seq) = (Epoch::new("e2").unwrap(), 0);
        log.clear();
    });
    stage.says("요즘");
    assert!(stage.step());
    stage.found("옛날", &[]);
    stage.index();
    stage.found("옛날", &[]);
    let page = stage.page("요즘", None, PAGE_HITS);
    let position = Position { epoch: Epoch::new("e2").unwrap(), seq: 1 };
    assert_eq!(page.hits, [Hit { room: room("general"), position }]);
    stage.restart();
    assert!(!stage.step(), "nothing of the past is left to clear away");
}

#[test]
fn a_room_that_was_closed_or_became_private_is_not_found() {
    let mut stage = Stage::new();
    stage.room("brief", true);
    stage.says_in("brief", "잠깐");
    stage.says("잠깐만");
    stage.index();
    assert_eq!(stage.finds("잠깐").len(), 2);
    stage.logs.rooms.borrow_mut().retain(|(head, _)| head.room.as_str() != "brief");
    stage.log("general", |head, _| head.open = false);
    stage.index();
    stage.found("잠깐", &[]);
    assert_eq!(stage.finds_as("잠깐", &Readable::Only(room("general")), None), 1);
}

#[test]
fn what_is_no_longer_kept_is_not_found() {
    let mut stage = Stage::new();
    for at in 0..2_500 {
        stage.says(&format!("글 {at}"));
    }
    stage.index();
    stage.log("general", |head, _| head.floor = 2_499);
    stage.index();
    stage.found("글", &[2_500]);

    // Pruned before it was ever read.
    for at in 0..10 {
        stage.says(&format!("글 나중 {at}"));
    }
    stage.log("general", |head, _| head.floor = 2_505);
    stage.restart();
    stage.index();
    stage.found("글", &[2_510, 2_509, 2_508, 2_507, 2_506]);
}

#[test]
fn a_room_that_cannot_be_read_is_said_after_all_others_were_read_and_tried_again() {
    let mut stage = Stage::new();
    stage.room("other", true);
    stage.says("고장");
    for at in 0..1_200 {
        stage.says_in("other", &format!("고장 {at}"));
    }
    *stage.logs.broken.borrow_mut() = Some(room("general"));
    let step = |stage: &mut Stage| stage.indexer.as_mut().unwrap().step(&stage.logs);
    let outcomes: Vec<_> = (0..6).map(|_| step(&mut stage)).collect();
    assert!(outcomes[..5].iter().all(|outcome| matches!(outcome, Ok(true))), "{outcomes:?}");
    let unreadable = Unreadable { room: room("general"), after: 0 };
    assert_eq!(outcomes[5].as_ref().unwrap_err().to_string(), unreadable.to_string());
    assert_eq!(stage.finds_as("고장", &Readable::Only(room("other")), None), PAGE_HITS);
    *stage.logs.broken.borrow_mut() = None;
    stage.index();
    assert_eq!(stage.finds_as("고장", &Readable::Only(room("general")), None), 1);
}
