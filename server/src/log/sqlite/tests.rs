//! The store against the model of every log, and against what may happen to its file.

mod damage;
mod model;
mod unread;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use common::{
    Body, Digest, Emoji, Epoch, Member, MessageId, Position, RoomName, Timestamp, UserId, UserName,
    http::{Keep, Unread},
};
use rooms::{AppendRefusal, Appended, Content, Draft, MembershipChange, NewRoom, OpenRefusal};

use super::*;
use crate::accounts::Hashed;

/// A directory of a test's own, gone with it.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("madang-store-{}-{nth}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Opens the store; rooms that keep nothing get this epoch.
    pub(crate) fn store(&self) -> SqliteStore {
        self.opened().unwrap()
    }

    fn opened(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&self.0, || epoch("drawn"))
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join(FILE_NAME)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

fn epoch(text: &str) -> Epoch {
    Epoch::new(text).unwrap()
}

pub(crate) fn somebody(name: &str) -> Member {
    Member { id: UserId::new(format!("u-{name}")).unwrap(), name: UserName::new(name).unwrap() }
}

fn at() -> Timestamp {
    Timestamp::new("2026-11-20T09:00:00.000Z").unwrap()
}

pub(crate) fn post(author: &str, id: &str, text: &str) -> Draft {
    draft(author, id, Content::Post(Body::new(text).unwrap()))
}

pub(crate) fn draft(author: &str, id: &str, content: Content) -> Draft {
    let message_id = MessageId::new(id).unwrap();
    Draft { room: room("general"), author: somebody(author), message_id, content }
}

fn reaction(author: &str, id: &str, of: u64) -> Draft {
    draft(author, id, Content::Reaction { of, emoji: Emoji::new("👍").unwrap() })
}

pub(crate) fn new_room(name: &str, keep: Keep) -> NewRoom {
    NewRoom { room: room(name), epoch: epoch("first"), keep, members: None }
}

impl SqliteStore {
    pub(crate) fn make(&self, change: Change) -> Outcome {
        self.commit(&[change], &at()).unwrap().remove(0)
    }

    pub(crate) fn opens(&self, new: NewRoom) -> Result<RoomRecord, OpenRefusal> {
        let outcome = self.make(Change::Open(new));
        let Outcome::Opened(opened) = outcome else { panic!("{outcome:?}") };
        opened
    }

    pub(crate) fn says(&self, draft: Draft) -> Result<Appended, AppendRefusal> {
        appended(self.make(Change::Append(draft)))
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let entries = self.read_after(&room(name), 0, usize::MAX, usize::MAX).unwrap();
        entries.iter().map(|entry| entry.body.clone()).collect()
    }
}

fn appended(outcome: Outcome) -> Result<Appended, AppendRefusal> {
    let Outcome::Appended(appended) = outcome else { panic!("{outcome:?}") };
    appended
}

fn first(seq: u64) -> Position {
    Position { epoch: epoch("first"), seq }
}

#[test]
fn what_was_said_is_there_after_a_restart_and_known_when_it_is_said_again() {
    let dir = TempDir::new();
    {
        let store = dir.store();
        store.opens(new_room("general", Keep::Forever)).unwrap();
        let said = store.says(post("hana", "m1", "안녕")).unwrap();
        assert_eq!(said.position(), first(1));
    }
    let store = dir.store();
    assert_eq!(store.texts("general"), ["안녕"]);
    assert_eq!(store.room(&room("general")).unwrap().head, first(1));
    let again = store.says(post("hana", "m1", "안녕")).unwrap();
    assert!(matches!(again, Appended::Repeated(position) if position == first(1)));
    let otherwise = store.says(post("hana", "m1", "bye")).unwrap_err();
    assert_eq!(otherwise, AppendRefusal::Conflict(first(1)));
    // Somebody else may use the same id.
    assert_eq!(store.says(post("duri", "m1", "bye")).unwrap().position(), first(2));
    assert_eq!(store.opens(new_room("general", Keep::None)), Err(OpenRefusal::Exists));
}

#[test]
fn a_message_is_known_after_its_entry_is_gone() {
    let dir = TempDir::new();
    let store = dir.store();
    store.opens(new_room("general", Keep::Last(3))).unwrap();
    for nth in 1..=200 {
        store.says(post("hana", &format!("m{nth}"), "hi")).unwrap();
    }
    let record = store.room(&room("general")).unwrap();
    assert_eq!((record.head.seq, record.floor), (200, 197));
    drop(store);
    let store = dir.store();
    assert_eq!(store.room(&room("general")).unwrap(), record);
    let again = store.says(post("hana", "m1", "hi")).unwrap();
    assert!(matches!(again, Appended::Repeated(position) if position == first(1)));
    assert_eq!(
        store.find(&somebody("hana").id, &MessageId::new("m1").unwrap()).unwrap(),
        Some((room("general"), first(1)))
    );
}

#[test]
fn a_refused_change_leaves_the_others_of_its_batch_as_they_are() {
    let dir = TempDir::new();
    let store = dir.store();
    let batch = [
        Change::Open(new_room("general", Keep::Forever)),
        Change::Append(post("hana", "m1", "hi")),
        Change::Append(reaction("duri", "r1", 7)),
        Change::Append(reaction("duri", "r2", 1)),
        Change::Append(reaction("duri", "r3", 1)),
        Change::Append(post("hana", "m1", "hi")),
    ];
    let outcomes = store.commit(&batch, &at()).unwrap();
    let Outcome::Opened(Ok(_)) = &outcomes[0] else { panic!("{outcomes:?}") };
    let answers: Vec<_> = outcomes
        .into_iter()
        .skip(1)
        .map(|outcome| appended(outcome).map(Appended::position))
        .collect();
    let expected = [
        Ok(first(1)),
        Err(AppendRefusal::NoSuchEntry(7)),
        Ok(first(2)),
        Err(AppendRefusal::Already),
        Ok(first(1)),
    ];
    assert_eq!(answers, expected);
}

#[test]
fn an_entry_that_is_deleted_is_erased_with_its_edits() {
    let dir = TempDir::new();
    let store = dir.store();
    store.opens(new_room("general", Keep::Forever)).unwrap();
    store.says(post("hana", "m1", "a secret")).unwrap();
    let edit = Content::Edit { of: 1, body: Body::new("the same secret").unwrap() };
    store.says(draft("hana", "m2", edit)).unwrap();
    store.says(draft("hana", "m3", Content::Delete { of: 1 })).unwrap();
    assert_eq!(store.texts("general"), ["", "", ""]);
    assert_eq!(store.posts(&[(room("general"), 1)]).unwrap(), []);
    drop(store);
    let store = dir.store();
    let entries = store.read_after(&room("general"), 0, 10, usize::MAX).unwrap();
    assert_eq!(entries[0].erased, Some(Digest::of_body("a secret")));
    drop(store);
    for file in fs::read_dir(dir.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let holds = bytes.windows(6).any(|window| window == b"secret");
        assert!(!holds, "{} holds what was erased", path.display());
    }
}

#[test]
fn many_reactions_hide_no_edit() {
    let dir = TempDir::new();
    let store = dir.store();
    store.opens(new_room("general", Keep::Forever)).unwrap();
    store.says(post("hana", "m1", "one")).unwrap();
    store.says(post("hana", "m2", "two")).unwrap();
    for nth in 0..5 {
        store.says(reaction(&format!("friend{nth}"), &format!("r{nth}"), 1)).unwrap();
    }
    for (id, of) in [("e1", 1), ("e2", 2)] {
        let body = Body::new("better").unwrap();
        store.says(draft("hana", id, Content::Edit { of, body })).unwrap();
    }
    let later = |most| -> Vec<u64> {
        let entries = store.later(&room("general"), 1..=2, most).unwrap();
        entries.iter().map(|entry| entry.seq).collect()
    };
    assert_eq!(later(100), [3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(later(4), [3, 4, 8, 9]);
    assert_eq!(later(2), [8, 9]);
    assert_eq!(later(1), [8]);
}

#[test]
fn a_page_ends_with_the_entry_with_which_it_weighs_enough_and_goes_on_behind_it() {
    let dir = TempDir::new();
    let store = dir.store();
    store.opens(new_room("general", Keep::Forever)).unwrap();
    for nth in 1..=9 {
        store.says(post("hana", &format!("m{nth}"), &"가".repeat(1_000))).unwrap();
    }
    let read = |after, bytes_max| {
        let page = store.read_after(&room("general"), after, 100, bytes_max).unwrap();
        page.iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    assert_eq!(read(0, 1), [1]);
    let weight = store.read_after(&room("general"), 0, 1, 1).unwrap()[0].weight();
    assert_eq!(read(1, weight), [2]);
    assert_eq!(read(2, 2 * weight + 1), [3, 4, 5]);
    assert_eq!(read(5, usize::MAX), [6, 7, 8, 9]);
}

#[test]
fn what_was_taken_away_since_the_room_was_looked_up_is_not_called_damaged() {
    let dir = TempDir::new();
    let store = dir.store();
    store.opens(new_room("general", Keep::Last(5))).unwrap();
    for nth in 1..=10 {
        store.says(post("hana", &format!("m{nth}"), "hi")).unwrap();
    }
    let known = store.known(&room("general")).unwrap();
    assert_eq!(known.record.floor, 5);
    for nth in 11..=200 {
        store.says(post("hana", &format!("m{nth}"), "hi")).unwrap();
    }
    let read =
        |after| store.read(|connection| known.reading(connection).after(after, 3, usize::MAX));
    assert_eq!(read(5).unwrap().len(), 0);
    let before = |seq| store.read(|connection| known.reading(connection).before(seq, 3));
    assert_eq!(before(11).unwrap().len(), 0);
}

#[test]
fn sessions_members_and_topics_outlive_a_restart_and_what_is_not_kept_begins_anew() {
    let dir = TempDir::new();
    let saved = SavedSession {
        session: Hashed::from_bytes([7; 32]),
        user: somebody("hana"),
        begun_ms: 1,
        used_ms: 2,
    };
    let over = SavedSession { session: Hashed::from_bytes([8; 32]), ..saved.clone() };
    let record = {
        let store = dir.store();
        store.make(Change::SignIn(saved.clone()));
        store.make(Change::SignIn(over.clone()));
        store.make(Change::SignIn(SavedSession { used_ms: 3, ..saved.clone() }));
        store.make(Change::SignOut(over.session));
        store.opens(new_room("passing", Keep::None)).unwrap();
        let members = Some(vec![somebody("hana"), somebody("duri")]);
        store.opens(NewRoom { members, ..new_room("general", Keep::Last(9)) }).unwrap();
        for (nth, (change, who)) in [
            (MembershipChange::Joined, "sena"),
            (MembershipChange::Left, "hana"),
            (MembershipChange::Joined, "nari"),
        ]
        .into_iter()
        .enumerate()
        {
            let author = if nth == 1 { "hana" } else { "duri" };
            let content = Content::Membership { change, member: somebody(who) };
            store.says(draft(author, &format!("c{nth}"), content)).unwrap();
        }
        let topic = common::Topic::new("마당").unwrap();
        store.says(draft("duri", "t", Content::Topic(topic))).unwrap();
        store.room(&room("general")).unwrap()
    };
    let names: Vec<_> = record
        .members
        .iter()
        .flat_map(|all| all.iter())
        .map(|member| member.name.as_str())
        .collect();
    assert_eq!(names, ["duri", "sena", "nari"]);
    let store = dir.store();
    assert_eq!(store.room(&room("general")).unwrap(), record);
    assert_eq!(store.sessions().unwrap(), [SavedSession { used_ms: 3, ..saved }]);
    let passing = store.room(&room("passing")).unwrap();
    assert_eq!(passing.head, Position { epoch: epoch("drawn"), seq: 0 });
    assert_eq!(passing.digest, Digest::start(&epoch("drawn")));
}

#[test]
fn a_reaction_and_a_deletion_look_at_no_reactions_of_others() {
    let dir = TempDir::new();
    let store = dir.store();
    let writer = store.writer.lock().unwrap();
    for (sql, lookup) in [
        (rows::HAS_REACTION, "INDEX entries_reactions (about=? AND author=? AND body=?)"),
        (rows::TO_ERASE, "INDEX entries_edits (about=?)"),
    ] {
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        let mut statement = writer.connection.prepare(&sql).unwrap();
        let mut rows = statement.raw_query();
        let mut plan = String::new();
        while let Some(row) = rows.next().unwrap() {
            plan += &row.get::<_, String>(3).unwrap();
            plan += "; ";
        }
        assert!(plan.contains(lookup) && !plan.contains("SCAN entries"), "{plan}");
    }
}
