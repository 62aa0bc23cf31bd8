//! What may happen to the file: it is full, damaged, cut short, lost, or of another version.

use std::{fs::File, os::unix::fs::FileExt as _};

use super::*;
use crate::log::sqlite::verify::{Report, verify};

const NEXT_VERSION: &str = "ALTER TABLE rooms ADD COLUMN color TEXT";

/// A database with so many posts, closed.
fn filled(entries: u32) -> TempDir {
    let dir = TempDir::new();
    let store = dir.store();
    store.opens(new_room("general", Keep::Forever)).unwrap();
    let says = |nth| Change::Append(post("hana", &format!("m{nth}"), &format!("text-{nth}.")));
    let changes: Vec<_> = (1..=entries).map(says).collect();
    store.commit(&changes, &at()).unwrap();
    dir
}

fn refused(dir: &TempDir) -> String {
    let message = dir.opened().map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("madang.db"), "{message}");
    message
}

fn checked(dir: &TempDir) -> Report {
    verify(&opening::read_only(&dir.database()).unwrap(), &dir.database()).unwrap()
}

/// Writes over the one place in the file where these bytes stand.
fn overwrite(path: &Path, found: &[u8], with: &[u8]) {
    let bytes = fs::read(path).unwrap();
    let places: Vec<_> =
        bytes.windows(found.len()).enumerate().filter(|(_, window)| *window == found).collect();
    assert_eq!(places.len(), 1);
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(with, places[0].0 as u64).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let dir = TempDir::new();
    let text = "not a database at all, but long enough to have a header ".repeat(90);
    fs::write(dir.database(), &text).unwrap();
    assert!(refused(&dir).contains("server restore"));
    assert_eq!(fs::read_to_string(dir.database()).unwrap(), text);
}

#[test]
fn a_database_of_something_else_is_refused_and_left_as_it_is() {
    let dir = TempDir::new();
    Connection::open(dir.database()).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap();
    let before = fs::read(dir.database()).unwrap();
    assert!(refused(&dir).contains("no database of Madang"));
    assert_eq!(fs::read(dir.database()).unwrap(), before);
}

#[test]
fn a_database_that_was_cut_short_is_refused() {
    let dir = filled(500);
    let file = File::options().write(true).open(dir.database()).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    assert!(refused(&dir).contains("server restore"));
}

#[test]
fn a_database_that_is_gone_while_its_log_is_there_is_not_begun_anew() {
    let dir = filled(1);
    fs::write(files::beside(&dir.database(), "-wal"), "what was said").unwrap();
    for empty in [true, false] {
        fs::remove_file(dir.database()).unwrap();
        if empty {
            fs::write(dir.database(), "").unwrap();
        }
        assert!(refused(&dir).contains("missing or empty"));
        fs::write(dir.database(), "").unwrap();
    }
    assert!(files::beside(&dir.database(), "-wal").exists());
}

#[test]
fn a_byte_that_changed_is_found_by_room_and_number_and_never_served() {
    let dir = filled(300);
    assert_eq!(checked(&dir).faults, [""; 0]);
    overwrite(&dir.database(), b"text-123.", b"text-124.");
    let faults = checked(&dir).faults;
    assert_eq!(faults, ["entry 123 of room general is damaged: it does not fit its digest"]);
    let store = dir.store();
    let general = room("general");
    assert_eq!(store.read_after(&general, 100, 50, usize::MAX).unwrap_err(), Fault::Unavailable);
    assert_eq!(store.read_before(&general, 124, 1).unwrap_err(), Fault::Unavailable);
    assert_eq!(store.posts(&[(general.clone(), 123)]).unwrap_err(), Fault::Unavailable);
    assert_eq!(store.read_after(&general, 123, 200, usize::MAX).unwrap().len(), 177);
    assert_eq!(store.says(post("hana", "next", "on we go")).unwrap().position().seq, 301);
}

#[test]
fn what_its_digest_does_not_tell_apart_is_refused_all_the_same() {
    let dir = filled(3);
    let about_nothing = "UPDATE entries SET about = 0 WHERE seq = 2";
    Connection::open(dir.database()).unwrap().execute(about_nothing, []).unwrap();
    let store = dir.store();
    assert_eq!(
        store.read_after(&room("general"), 1, 1, usize::MAX).unwrap_err(),
        Fault::Unavailable
    );
    drop(store);
    let faults = checked(&dir).faults;
    assert_eq!(faults[0], "entry 2 of room general is damaged: it is about no entry");
}

#[test]
fn what_is_about_a_damaged_entry_is_refused_and_stops_nobody_else() {
    for damage in [
        "UPDATE entries SET body = 'other' WHERE seq = 3",
        "UPDATE entries SET digest = x'00' WHERE seq = 3",
        "UPDATE entries SET digest = x'00' WHERE seq = 2",
        "UPDATE entries SET body = CAST(x'ff' AS TEXT) WHERE seq = 3",
    ] {
        let dir = filled(9);
        Connection::open(dir.database()).unwrap().execute(damage, []).unwrap();
        let store = dir.store();
        let body = Body::new("better").unwrap();
        let edit = draft("hana", "e", Content::Edit { of: 3, body });
        let delete = draft("hana", "d", Content::Delete { of: 3 });
        for about in [edit, delete, reaction("duri", "r", 3)] {
            let stranger = post("sena", about.message_id.as_str(), "hi");
            let outcomes =
                store.commit(&[Change::Append(about), Change::Append(stranger)], &at()).unwrap();
            let [about, stranger] = outcomes.try_into().unwrap();
            assert_eq!(appended(about).unwrap_err(), AppendRefusal::NoSuchEntry(3), "{damage}");
            appended(stranger).unwrap();
        }
    }
}

#[test]
fn a_last_entry_that_is_damaged_is_found_at_the_start() {
    let dir = filled(300);
    overwrite(&dir.database(), b"text-300.", b"text-301.");
    let message = refused(&dir);
    for part in ["entry 300 of room general", "server check", "server restore"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_check_names_what_does_not_belong_together() {
    for (sql, fault) in [
        ("DELETE FROM entries WHERE seq = 7", "entry 7 of room general is damaged: it is missing"),
        (
            "UPDATE said SET place = place - 1 WHERE message_id = 'm5'",
            "entry 4 of room general is not",
        ),
        ("UPDATE entries SET author = 99 WHERE seq = 3", "names nothing in the table names"),
        ("UPDATE entries SET about = place + 1 WHERE seq = 3", "entry 3 of room general is about"),
        ("UPDATE rooms SET id = 9", "names nothing in the table rooms"),
    ] {
        let dir = filled(9);
        let connection = Connection::open(dir.database()).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        assert!(connection.execute(sql, []).unwrap() > 0);
        let faults = checked(&dir).faults;
        assert!(faults.iter().any(|found| found.contains(fault)), "{sql}: {faults:?}");
    }
}

#[test]
fn a_full_disk_is_said_and_once_there_is_room_the_store_goes_on() {
    let dir = filled(3);
    let store = dir.store();
    let pages = |pages: i64| {
        let writer = store.writer.lock().unwrap();
        let set =
            writer.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
        set.unwrap();
    };
    let before = store.rooms();
    pages(1);
    let long = |nth| Change::Append(post("duri", &format!("l{nth}"), &"a".repeat(4_000)));
    let mut changes = vec![
        Change::Append(post("sena", "short", "hi")),
        Change::Open(new_room("other", Keep::Forever)),
    ];
    changes.extend((0..100).map(long));
    assert_eq!(store.commit(&changes, &at()).unwrap_err(), Fault::Full);
    assert_eq!(store.rooms(), before);
    assert_eq!(store.texts("general").len(), 3);
    assert_eq!(store.find(&somebody("sena").id, &MessageId::new("short").unwrap()).unwrap(), None);
    pages(100_000);
    let outcomes = store.commit(&changes, &at()).unwrap();
    assert!(matches!(outcomes[0], Outcome::Appended(Ok(Appended::New(_)))));
    drop(store);
    assert_eq!(dir.store().texts("general").len(), 3 + 101);
    assert_eq!(checked(&dir).faults, [""; 0]);
}

#[test]
fn what_was_edited_deleted_and_pruned_passes_the_check() {
    let dir = TempDir::new();
    let store = dir.store();
    store.opens(new_room("general", Keep::Last(20))).unwrap();
    for nth in (1..=600_u64).step_by(4) {
        store.says(post("hana", &format!("m{nth}"), "hi")).unwrap();
        let body = Body::new("hello").unwrap();
        store.says(draft("hana", &format!("e{nth}"), Content::Edit { of: nth, body })).unwrap();
        store.says(reaction("duri", &format!("r{nth}"), nth)).unwrap();
        store.says(draft("hana", &format!("d{nth}"), Content::Delete { of: nth })).unwrap();
    }
    drop(store);
    let Report { rooms, entries, messages, faults, .. } = checked(&dir);
    assert_eq!(faults, [""; 0]);
    assert_eq!((rooms, messages), (1, 600));
    assert!((20..20 + 64 + 1).contains(&entries), "{entries}");
}

#[test]
fn a_database_that_somebody_reads_is_opened_where_all_of_its_log_can_be_copied() {
    let before = TempDir::new();
    let store = before.store();
    store.opens(new_room("general", Keep::Forever)).unwrap();
    store.says(post("hana", "m1", "one")).unwrap();
    // What a process that was killed leaves.
    let dir = TempDir::new();
    for ending in ["", "-wal"] {
        let from = files::beside(&before.database(), ending);
        fs::copy(from, files::beside(&dir.database(), ending)).unwrap();
    }
    let reader = opening::read_only(&dir.database()).unwrap();
    let moment = reader.unchecked_transaction().unwrap();
    let count = || moment.query_row("SELECT count(*) FROM entries", [], |row| row.get::<_, i64>(0));
    assert_eq!(count().unwrap(), 1);
    let store = dir.store();
    store.says(post("hana", "m2", "two")).unwrap();
    assert_eq!(count().unwrap(), 1);

    let writer = store.writer.lock().unwrap();
    let durable =
        || opening::make_durable(&writer.connection, &dir.database(), std::time::Duration::ZERO);
    let message = durable().unwrap_err().to_string();
    assert!(message.contains("another program reads"), "{message}");
    moment.rollback().unwrap();
    durable().unwrap();
}

#[test]
fn an_older_database_is_copied_before_it_is_changed() {
    let dir = filled(5);
    let next = [schema::MIGRATIONS, &[NEXT_VERSION]].concat();
    let copy = schema::copy_of(&dir.database(), schema::MIGRATIONS.len() + 1);
    let store = SqliteStore::open_with(dir.path(), &next, || epoch("drawn")).unwrap();
    assert_eq!(store.texts("general").len(), 5);
    drop(store);
    let report = verify(&opening::read_only(&copy).unwrap(), &copy).unwrap();
    assert_eq!((report.entries, report.faults.len()), (5, 0));
    // A step that was not made after its copy was is made at the next start.
    let connection = Connection::open(dir.database()).unwrap();
    let back = format!(
        "ALTER TABLE rooms DROP COLUMN color; PRAGMA user_version = {}",
        schema::MIGRATIONS.len()
    );
    connection.execute_batch(&back).unwrap();
    drop(connection);
    SqliteStore::open_with(dir.path(), &next, || epoch("drawn")).unwrap();
    assert!(copy.exists() && files::beside(&copy, "-2").exists());
    // This server does not know the next version.
    let message = refused(&dir);
    assert!(message.contains("newer server"), "{message}");
    // A second start changes nothing more, and a first one makes no copy.
    SqliteStore::open_with(dir.path(), &next, || epoch("drawn")).unwrap();
    let fresh = TempDir::new();
    SqliteStore::open_with(fresh.path(), &next, || epoch("drawn")).unwrap();
    assert!(!schema::copy_of(&fresh.database(), schema::MIGRATIONS.len() + 1).exists());
}
