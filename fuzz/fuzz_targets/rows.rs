//! Rows that are not what was written: what is read of them is what was said, or nothing.

#![no_main]

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
};

use common::{
    Body, Digest, Emoji, Epoch, Member, MessageId, RoomName, Timestamp, UserId, UserName,
    http::Keep,
};
use fuzz::Input;
use libfuzzer_sys::fuzz_target;
use rooms::{Content, Draft, Entry, NewRoom};
use rusqlite::{Connection, types::Value};
use server::log::{Change, SqliteStore, Store as _};

const HEAD: u64 = 12;
const PLACES: RangeInclusive<u64> = 1..=HEAD;

/// What is damaged, by table: its columns, and what names the row.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("entries", "at", "place"),
    ("entries", "author", "place"),
    ("entries", "message_id", "place"),
    ("entries", "kind", "place"),
    ("entries", "about", "place"),
    ("entries", "member", "place"),
    ("entries", "body", "place"),
    ("entries", "erased", "place"),
    ("entries", "digest", "place"),
    ("names", "person", "id"),
    ("names", "name", "id"),
    ("people", "user", "id"),
    ("said", "place", "message_id"),
    ("said", "fingerprint", "message_id"),
    ("sessions", "user", "session"),
    ("sessions", "begun_ms", "session"),
    ("marks", "seq", "person"),
];

struct Stage {
    store: SqliteStore,
    connection: Connection,
    said: BTreeMap<u64, Arc<Entry>>,
    start: Digest,
}

/// How a row becomes what it was.
struct Undo {
    update: String,
    old: Value,
    key: Value,
}

fn room() -> RoomName {
    RoomName::new("general").expect("it is a name")
}

fn somebody(name: &str) -> Member {
    let id = UserId::new(format!("u-{name}")).expect("it is an id");
    Member { id, name: UserName::new(name).expect("it is a name") }
}

fn said(nth: u64) -> Change {
    let body = |text: &str| Body::new(text).expect("it is a body");
    let content = match nth {
        4 => Content::Edit { of: 1, body: body("otherwise") },
        5 | 9 => Content::Reaction { of: 2, emoji: Emoji::new("👍").expect("it is an emoji") },
        6 => Content::Delete { of: 3 },
        10 => Content::Delete { of: 5 },
        _ => Content::Post(body(&format!("@duri text-{nth}"))),
    };
    let author = somebody(if nth == 9 { "duri" } else { "hana" });
    let message_id = MessageId::new(format!("m{nth}")).expect("it is an id");
    Change::Append(Draft { room: room(), author, message_id, content })
}

impl Stage {
    fn new() -> Self {
        let dir: PathBuf = fuzz::directory("rows");
        let epoch = Epoch::new("first").expect("it is an epoch");
        let store = SqliteStore::open(&dir, || epoch.clone()).expect("a store can be begun");
        let new =
            NewRoom { room: room(), epoch: epoch.clone(), keep: Keep::Forever, members: None };
        let mark = Change::Mark { reader: somebody("duri").id, room: room(), seq: 2 };
        let changes = std::iter::once(Change::Open(new)).chain(PLACES.map(said)).chain([mark]);
        let at = Timestamp::new("2026-11-20T09:00:00.000Z").expect("it is a time");
        store.commit(&Vec::from_iter(changes), &at).expect("it can be written");
        let entries = store.read_after(&room(), 0, usize::MAX, usize::MAX).expect("it can be read");
        assert_eq!(entries.len() as u64, HEAD);
        let connection = Connection::open(dir.join("madang.db")).expect("it is there");
        for (name, value) in [("synchronous", "OFF"), ("foreign_keys", "OFF")] {
            connection.pragma_update(None, name, value).expect("it is a setting");
        }
        let said = entries.into_iter().map(|entry| (entry.seq, entry)).collect();
        Self { store, connection, said, start: Digest::start(&epoch) }
    }

    /// Puts another value there; answers how it is put back. `None` where the table does not take
    /// it.
    fn damage(
        &self,
        (table, column, key): (&str, &str, &str),
        nth: u8,
        new: &Value,
    ) -> Option<Undo> {
        let count: i64 = self
            .connection
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
            .expect("it can be read");
        let select =
            format!("SELECT {key}, {column} FROM {table} ORDER BY {key} LIMIT 1 OFFSET ?1");
        let place = i64::from(nth) % count.max(1);
        let row = self.connection.query_row(&select, [place], |row| Ok((row.get(0)?, row.get(1)?)));
        let (key_of_row, old): (Value, Value) = row.ok()?;
        let update = format!("UPDATE {table} SET {column} = ?1 WHERE {key} = ?2");
        self.connection.execute(&update, (new, &key_of_row)).ok()?;
        Some(Undo { update, old, key: key_of_row })
    }

    fn repair(&self, Undo { update, old, key }: &Undo) {
        self.connection.execute(update, (old, key)).expect("what was there fits");
    }

    /// Whoever is served an entry is served what was said.
    fn is_served<'a>(&self, entries: impl IntoIterator<Item = &'a Arc<Entry>>) {
        for entry in entries {
            let known = &self.said[&entry.seq];
            let covered = |entry: &Entry| {
                let member = entry.member.as_ref().map(|member| member.id.clone());
                let author = entry.author.id.clone();
                let body = entry.erased.unwrap_or_else(|| Digest::of_body(&entry.body));
                (author, entry.message_id.clone(), entry.kind, entry.of, member, body)
            };
            assert_eq!(covered(entry), covered(known));
            assert_eq!(entry.digest, known.digest);
        }
    }

    fn is_read(&self) {
        let store = &self.store;
        if let Ok(entries) = store.read_after(&room(), 0, 100, usize::MAX) {
            let digest = |before, entry: &Arc<Entry>| entry.digest_after(before);
            let last = entries.last().expect("nothing was taken away").digest;
            assert_eq!(entries.iter().fold(self.start, digest), last);
            self.is_served(&entries);
        }
        for place in PLACES {
            self.is_served(store.read_before(&room(), place + 1, 2).iter().flatten());
            self.is_served(store.read_after(&room(), place, 1, usize::MAX).iter().flatten());
            self.is_served(store.later(&room(), place..=HEAD, 10).iter().flatten());
            let _ = store.digest_at(&room(), place);
            for post in store.posts(&[(room(), place)]).into_iter().flatten() {
                let texts = [&self.said[&place].body, &self.said[&4].body];
                assert!(texts.contains(&&post.body), "{post:?}");
            }
        }
        let _ = store.unread(&room(), &somebody("duri"));
        let _ = store.find(&somebody("hana").id, &MessageId::new("m7").expect("it is an id"));
        let _ = store.sessions();
    }
}

fn value(input: &mut Input<'_>) -> Value {
    let kind = input.byte() % 5;
    match kind {
        0 => Value::Null,
        1 => Value::Integer(input.short() as i64),
        2 => {
            let bytes = input.take(8);
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            Value::Integer(i64::from_le_bytes(eight))
        }
        3 => Value::Text(String::from_utf8_lossy(input.0).into_owned()),
        _ => Value::Blob(input.0.to_vec()),
    }
}

fuzz_target!(|bytes: &[u8]| {
    static STAGE: OnceLock<Mutex<Stage>> = OnceLock::new();
    let mut input = Input(bytes);
    let column = COLUMNS[usize::from(input.byte()) % COLUMNS.len()];
    let (nth, value) = (input.byte(), value(&mut input));
    let stage = STAGE.get_or_init(|| Mutex::new(Stage::new())).lock().expect("nobody panicked");
    if let Some(undo) = stage.damage(column, nth, &value) {
        stage.is_read();
        stage.repair(&undo);
    }
});
