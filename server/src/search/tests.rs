//! What is found, by whom, and what a crash leaves of it.

use std::{
    cell::RefCell,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use super::*;

/// Logs in memory, the index over them, and its directory.
struct Stage {
    logs: Logs,
    indexer: Option<Indexer>,
    search: Search,
    dir: PathBuf,
}

#[derive(Default)]
struct Logs {
    rooms: RefCell<Vec<(Head, Vec<Change>)>>,
    /// The rooms that were read, in order.
    read: RefCell<Vec<RoomName>>,
    /// The room that cannot be read.
    broken: RefCell<Option<RoomName>>,
}

impl Source for Logs {
    fn heads(&self) -> Vec<Head> {
        self.rooms.borrow().iter().map(|(head, _)| head.clone()).collect()
    }

    fn read_after(
        &self,
        room: &RoomName,
        after: u64,
        most: usize,
    ) -> Result<Vec<Change>, Unreadable> {
        if self.broken.borrow().as_ref() == Some(room) {
            return Err(Unreadable { room: room.clone(), after });
        }
        self.read.borrow_mut().push(room.clone());
        let rooms = self.rooms.borrow();
        let (head, log) = rooms.iter().find(|(head, _)| head.room == *room).unwrap();
        let kept = log.iter().filter(|change| change.seq > head.floor);
        if after < head.floor {
            return Ok(Vec::new());
        }
        Ok(kept.filter(|change| change.seq > after).take(most).cloned().collect())
    }
}

impl Stage {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "madang-search-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        let (search, indexer) = open(&dir).unwrap();
        let stage = Self { logs: Logs::default(), indexer: Some(indexer), search, dir };
        stage.room("general", true);
        stage
    }

    fn room(&self, name: &str, open: bool) {
        let (room, epoch) = (room(name), Epoch::new("e1").unwrap());
        let head = Head { room, open, epoch, seq: 0, floor: 0 };
        self.logs.rooms.borrow_mut().push((head, Vec::new()));
    }

    fn log<T>(&self, name: &str, change: impl FnOnce(&mut Head, &mut Vec<Change>) -> T) -> T {
        let mut rooms = self.logs.rooms.borrow_mut();
        let (head, log) = rooms.iter_mut().find(|(head, _)| head.room.as_str() == name).unwrap();
        change(head, log)
    }

    fn happens(&self, name: &str, kind: ChangeKind) -> u64 {
        self.log(name, |head, log| {
            head.seq += 1;
            log.push(Change { seq: head.seq, kind });
            head.seq
        })
    }

    fn says(&self, body: &str) -> u64 {
        self.says_in("general", body)
    }

    fn says_in(&self, name: &str, body: &str) -> u64 {
        self.happens(name, ChangeKind::Post { body: body.into() })
    }

    fn step(&mut self) -> bool {
        self.indexer.as_mut().unwrap().step(&self.logs).unwrap()
    }

    fn index(&mut self) {
        let most = 1_000;
        assert!((0..most).any(|_| !self.step()), "the indexer comes to an end");
    }

    /// The process dies and another one begins.
    fn restart(&mut self) {
        self.indexer = None;
        let (search, indexer) = open(&self.dir).unwrap();
        (self.search, self.indexer) = (search, Some(indexer));
    }

    fn page(&self, query: &str, before: Option<Cursor>, limit: usize) -> Page {
        self.search.find(query, &stranger(), None, before, limit).unwrap()
    }

    /// Places of what a stranger finds, the newest first.
    fn finds(&self, query: &str) -> Vec<u64> {
        seqs(&self.page(query, None, PAGE_HITS_MAX))
    }

    fn finds_as(&self, query: &str, readable: &Readable, room: Option<&str>) -> usize {
        let room = room.map(|name| RoomName::new(name).unwrap());
        self.search.find(query, readable, room.as_ref(), None, PAGE_HITS).unwrap().hits.len()
    }

    #[track_caller]
    fn found(&self, query: &str, expected: &[u64]) {
        assert_eq!(self.finds(query), expected, "found by {query:?}");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

fn stranger() -> Readable {
    Readable::OpenAnd(Vec::new())
}

fn seqs(page: &Page) -> Vec<u64> {
    page.hits.iter().map(|hit| hit.position.seq).collect()
}

#[test]
fn ordinary_korean_queries_find_what_they_name() {
    let mut stage = Stage::new();
    let meeting = stage.says("내일 회의실에서 봬요");
    let hello = stage.says("안녕하세요, 처음 뵙겠습니다");
    let deploy = stage.says("Rust로 만든 서버를 배포했습니다");
    let river = stage.says("강 건너 집");
    let lunch = stage.says("점심을 먹을까요? ㅋㅋㅋ");
    stage.index();
    for (query, expected) in [
        ("회의", meeting),
        ("의실", meeting),
        ("회의실", meeting),
        ("내일 회의", meeting),
        ("안녕하세요", hello),
        ("녕하", hello),
        ("처음 안녕", hello),
        ("강", river),
        ("집", river),
        ("배포", deploy),
        ("rust 배포", deploy),
        ("서버 RUS", deploy),
        ("배포 ru", deploy),
        ("점심", lunch),
        ("ㅋㅋ", lunch),
    ] {
        stage.found(query, &[expected]);
    }
    // 요 ends three runs; 봬 stands within one.
    stage.found("요", &[lunch, hello, meeting]);
    stage.found("봬", &[meeting]);
    for nothing in ["의회", "실회", "안녕히", "하세녕", "ru 배포", "점심 회의", "뷁"]
    {
        stage.found(nothing, &[]);
    }
}

#[test]
fn the_pairs_of_two_words_are_no_phrase() {
    let mut stage = Stage::new();
    stage.says("가나 나다");
    let together = stage.says("가나다");
    stage.index();
    stage.found("가나다", &[together]);
}

#[test]
fn composed_and_decomposed_spellings_find_each_other() {
    let (composed, decomposed) = ("회의", "\u{1112}\u{116c}\u{110b}\u{1174}");
    let mut stage = Stage::new();
    let one = stage.says(composed);
    let other = stage.says(decomposed);
    stage.index();
    stage.found(composed, &[other, one]);
    stage.found(decomposed, &[other, one]);
}

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
fn a_private_room_is_found_by_those_who_may_read_it() {
    let mut stage = Stage::new();
    stage.room("secret", false);
    stage.room("other", false);
    stage.says_in("secret", "보물은 여기");
    stage.says_in("other", "보물은 저기");
    stage.says("보물은 없다");
    stage.index();
    let of_secret = Readable::OpenAnd(vec![room("secret"), room("never-heard-of")]);
    let only_secret = Readable::Only(room("secret"));
    for (readable, within, expected) in [
        (&stranger(), None, 1),
        (&stranger(), Some("general"), 1),
        (&stranger(), Some("secret"), 0),
        (&stranger(), Some("never-heard-of"), 0),
        (&of_secret, None, 2),
        (&of_secret, Some("secret"), 1),
        (&of_secret, Some("other"), 0),
        (&of_secret, Some("general"), 1),
        (&only_secret, None, 1),
        (&only_secret, Some("secret"), 1),
        (&only_secret, Some("general"), 0),
        (&Readable::Only(room("never-heard-of")), None, 0),
    ] {
        let found = stage.finds_as("보물", readable, within);
        assert_eq!(found, expected, "{readable:?} within {within:?}");
    }
}

#[test]
fn whoever_belongs_to_very_many_private_rooms_finds_what_is_said_in_all_of_them() {
    let mut stage = Stage::new();
    let rooms: Vec<String> = (0..400).map(|at| format!("room-{at}")).collect();
    for name in &rooms {
        stage.room(name, false);
        stage.says_in(name, "보물");
    }
    stage.index();
    let readable = Readable::OpenAnd(rooms.iter().map(|name| room(name)).collect());
    let (mut found, mut before) = (0, None);
    loop {
        let page = stage.search.find("보물", &readable, None, before, PAGE_HITS_MAX).unwrap();
        found += page.hits.len();
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(found, rooms.len());
}

#[test]
fn what_looks_like_syntax_is_looked_up_like_anything_else() {
    let mut stage = Stage::new();
    stage.room("secret", false);
    stage.says_in("secret", "보물");
    let post = stage.says("near or not: 회의-실 \"quoted\" open r1");
    stage.index();
    for query in [
        "\"회의",
        "회의*",
        "NEAR(회의 실)",
        "near(\"회의\" \"실\", 5)",
        "회의 OR not",
        "NOT 회의",
        "-회의",
        "^회의",
        "tokens:회의 AND",
        "{tokens}: 회의",
        "회의) OR (실",
        "회의; DROP TABLE docs",
        "'회의",
        "회의\0실",
    ] {
        assert!(stage.finds(query).iter().all(|seq| *seq == post), "{query:?}");
    }
    stage.found("\"회의\" * ( -", &[post]);
    stage.found("open r1", &[post]);
    for query in ["§2 보물", "보물\" OR \"§2", "§open 보물", "보물 OR 회의"] {
        stage.found(query, &[]);
    }
    assert!(matches!(
        stage.search.find("\"*()", &stranger(), None, None, PAGE_HITS),
        Err(SearchRefusal::Query(QueryError::Empty))
    ));
}

#[test]
fn pages_hold_every_hit_once_and_in_order_whatever_happens_meanwhile() {
    for limit in [1, 7, 20, 45, 1_000] {
        let mut stage = Stage::new();
        for at in 0..60 {
            stage.says(&format!("공지 {at}"));
            stage.says("잡담");
        }
        stage.index();
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = stage.page("공지", before, limit);
            assert!((1..=limit.min(PAGE_HITS_MAX)).contains(&page.hits.len()));
            all.extend(seqs(&page));
            // Neither what is said later nor what was on an earlier page moves the next one.
            stage.says("공지 나중에");
            stage.happens("general", ChangeKind::Delete { of: all[0] });
            stage.happens("general", ChangeKind::Edit { of: 1, body: "공지 0, 새로".into() });
            stage.index();
            match page.next {
                Some(cursor) => before = Some(cursor.to_string().parse().unwrap()),
                None => break,
            }
        }
        let expected: Vec<u64> = (1..=120).rev().filter(|seq| seq % 2 == 1).collect();
        assert_eq!(all, expected, "pages of {limit}");
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
fn a_file_that_is_no_index_or_an_older_one_is_built_again() {
    let mut stage = Stage::new();
    let post = stage.says("다시");
    stage.index();
    stage.indexer = None;
    std::fs::write(stage.dir.join(FILE), "this is not what it was".repeat(500)).unwrap();
    stage.restart();
    stage.index();
    stage.found("다시", &[post]);

    for change in ["PRAGMA user_version = 0; DELETE FROM docs", "DROP TABLE docs; DROP TABLE rooms"]
    {
        stage.indexer = None;
        let file = Connection::open(stage.dir.join(FILE)).unwrap();
        file.execute_batch(change).unwrap();
        drop(file);
        stage.restart();
        stage.index();
        stage.found("다시", &[post]);
    }
}

#[test]
fn damage_that_shows_later_is_mended_by_building_again() {
    let mut stage = Stage::new();
    for at in 0..2_000 {
        stage.says(&format!("글 {at}"));
    }
    stage.index();
    // What waits beside the file is written into it when the last who uses it leaves.
    (stage.indexer, stage.search.readers) = (None, Arc::default());
    let mut bytes = std::fs::read(stage.dir.join(FILE)).unwrap();
    let page = 4_096;
    let (_, tables) = bytes.split_at_mut(page * 6);
    tables.fill(0x5a);
    std::fs::write(stage.dir.join(FILE), bytes).unwrap();

    let (search, indexer) = open(&stage.dir).unwrap();
    (stage.search, stage.indexer) = (search, Some(indexer));
    assert!(stage.search.find("글", &stranger(), None, None, PAGE_HITS).is_err());
    assert!(stage.step(), "whoever searched tells the indexer");
    stage.says("글 하나 더");
    stage.index();
    assert_eq!(stage.finds("글").len(), PAGE_HITS_MAX);
    stage.found("하나", &[2_001]);
}

#[test]
fn no_error_of_the_disk_ends_the_process() {
    let stage = Stage::new();
    let reader = stage.search.reader().unwrap();
    let mapped: i64 = reader.query_row("PRAGMA mmap_size", [], |row| row.get(0)).unwrap();
    assert_eq!(mapped, 0);
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
