//! Fills a data directory with a room that has a past, to measure what a server does with it.
//!
//! `cargo run --release -p server --example fill -- DIRECTORY [ENTRIES]`

use std::path::PathBuf;

use common::{Body, Epoch, Member, MessageId, RoomName, Timestamp, UserId, UserName, http::Keep};
use rooms::{Content, Draft, NewRoom};
use server::log::{Change, Outcome, SqliteStore, Store};

/// Entries of one transaction.
const BATCH: usize = 1_000;
/// People who talk.
const AUTHORS: usize = 100;
/// What they talk about.
const WORDS: [&str; 12] = [
    "회의",
    "점심",
    "배포",
    "오늘",
    "내일",
    "마당",
    "release",
    "버그",
    "고양이",
    "커피",
    "review",
    "저녁",
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().expect("a directory is named"));
    let entries: usize = arguments.next().map_or(1_000_000, |text| text.parse().expect("a number"));
    std::fs::create_dir_all(&directory).expect("the directory can be made");
    let epoch = || Epoch::new("6f1d0c2a9b3e4d58").expect("a token");
    let store = SqliteStore::open(&directory, epoch).expect("the directory can be used");
    let at = Timestamp::new("2026-11-21T09:00:00.000Z").expect("a timestamp");
    let room = RoomName::new("general").expect("a name");
    if store.room(&room).is_none() {
        let new =
            NewRoom { room: room.clone(), epoch: epoch(), keep: Keep::Forever, members: None };
        store.commit(&[Change::Open(new)], &at).expect("a room can be opened");
    }
    let begun = store.room(&room).expect("it was opened").head.seq;
    for first in (0..entries).step_by(BATCH) {
        let batch = first..entries.min(first + BATCH);
        let changes: Vec<Change> =
            batch.map(|nth| Change::Append(post(&room, begun, nth))).collect();
        let outcomes = store.commit(&changes, &at).expect("there is room on the disk");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Appended(Ok(_)))));
    }
}

fn post(room: &RoomName, begun: u64, nth: usize) -> Draft {
    let author = Member {
        id: UserId::new(format!("u{}", nth % AUTHORS)).expect("a token"),
        name: UserName::new(format!("손님 {}", nth % AUTHORS)).expect("a name"),
    };
    let word = |step: usize| {
        WORDS[nth.wrapping_mul(2_654_435_761).wrapping_add(step * 97) / 7 % WORDS.len()]
    };
    let body = format!("{} {} {}에서 {nth}번째 이야기", word(1), word(2), word(3));
    Draft {
        room: room.clone(),
        author,
        message_id: MessageId::new(format!("{begun:016x}-{nth:016x}")).expect("a token"),
        content: Content::Post(Body::new(body).expect("a body")),
    }
}
