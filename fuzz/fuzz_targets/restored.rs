//! A backup that is not what was backed up: it is refused and nothing is touched, or what is put
//! in place is whole.

#![no_main]

use std::{
    fs,
    path::PathBuf,
    sync::{Mutex, OnceLock},
};

use clap::Parser as _;
use common::{Body, Epoch, Member, MessageId, RoomName, Timestamp, UserId, UserName, http::Keep};
use fuzz::Input;
use libfuzzer_sys::fuzz_target;
use rooms::{Content, Draft, NewRoom};
use server::{
    Config,
    commands::{self, Command},
    log::{Change, SqliteStore, Store as _},
};

struct Stage {
    /// A data directory, and what is in it.
    data: PathBuf,
    backup: Vec<u8>,
    present: Vec<u8>,
}

fn general() -> RoomName {
    RoomName::new("general").expect("it is a name")
}

fn epoch(text: &str) -> Epoch {
    Epoch::new(text).expect("it is an epoch")
}

/// A database in which so many posts were said, closed.
fn database(dir: &PathBuf, posts: u32) -> Vec<u8> {
    fs::create_dir_all(dir).expect("it can be made");
    let store = SqliteStore::open(dir, || epoch("drawn")).expect("it can be begun");
    let members = None;
    let new = NewRoom { room: general(), epoch: epoch("first"), keep: Keep::Forever, members };
    let id = UserId::new("u-hana").expect("it is an id");
    let author = Member { id, name: UserName::new("hana").expect("it is a name") };
    let says = |nth| {
        let message_id = MessageId::new(format!("m{nth}")).expect("it is an id");
        let content = Content::Post(Body::new(format!("text-{nth}")).expect("it is a body"));
        Change::Append(Draft { room: general(), author: author.clone(), message_id, content })
    };
    let changes = std::iter::once(Change::Open(new)).chain((0..posts).map(says));
    let at = Timestamp::new("2026-11-20T09:00:00.000Z").expect("it is a time");
    store.commit(&Vec::from_iter(changes), &at).expect("it can be written");
    drop(store);
    fs::read(dir.join("madang.db")).expect("it is there")
}

impl Stage {
    fn new() -> Self {
        let dir = fuzz::directory("restored");
        let backup = database(&dir.join("backup"), 9);
        let data = dir.join("data");
        let present = database(&data, 3);
        Self { data, backup, present }
    }

    fn config(&self) -> Config {
        Config::parse_from(["server", "--data-dir", self.data.to_str().expect("it is text")])
    }

    fn is_restored(&self, backup: &[u8]) {
        let (database, file) = (self.data.join("madang.db"), self.data.join("backup.db"));
        fs::write(&file, backup).expect("it can be written");
        let config = self.config();
        let restored = commands::run(Command::Restore { file }, &config);
        let there = fs::read(&database).expect("it is there at any moment");
        assert!(!self.data.join("madang.db.restoring").exists());
        if restored.is_err() {
            assert!(there == self.present, "what was refused changed what is there");
            return;
        }
        commands::run(Command::Check, &config).expect("what was put in place is whole");
        let store = SqliteStore::open(&self.data, || epoch("drawn")).expect("it can be opened");
        for room in store.rooms() {
            assert_ne!(room.head.epoch, epoch("first"));
            let entries = store.read_after(&room.room, room.floor, usize::MAX, usize::MAX);
            assert_eq!(entries.expect("it can be read").len() as u64, room.head.seq - room.floor);
        }
        drop(store);
        for entry in fs::read_dir(&self.data).expect("it is there").flatten() {
            let _ = fs::remove_file(entry.path());
        }
        fs::write(&database, &self.present).expect("it can be written");
    }
}

fuzz_target!(|bytes: &[u8]| {
    static STAGE: OnceLock<Mutex<Stage>> = OnceLock::new();
    let mut input = Input(bytes);
    let stage = STAGE.get_or_init(|| Mutex::new(Stage::new())).lock().expect("nobody panicked");
    let mut backup = stage.backup.clone();
    if input.byte() == 255 {
        let length = (input.short() << 8 | usize::from(input.byte())) % (backup.len() + 1);
        backup.truncate(length);
    }
    while !input.0.is_empty() {
        let place = input.short() << 8 | usize::from(input.byte());
        let length = input.byte() % 32;
        for (nth, byte) in input.take(length.into()).iter().enumerate() {
            if let Some(there) = backup.get_mut(place + nth) {
                *there = *byte;
            }
        }
    }
    stage.is_restored(&backup);
});
