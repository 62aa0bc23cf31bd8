use std::{fs, path::PathBuf, thread};

use common::http::Keep;

use super::{backup::backup, check::check, export::export, restore::restore};
use crate::{
    log::{
        Store as _,
        sqlite::tests::{TempDir, new_room, post, room},
    },
    random,
};

/// A server's data directory with this said in one room, and the server stopped.
fn said(texts: &[&str]) -> TempDir {
    let dir = TempDir::new();
    let store = dir.store();
    store.opens(new_room("general", Keep::Forever)).unwrap();
    for (nth, text) in texts.iter().enumerate() {
        store.says(post("hana", &format!("m{nth}"), text)).unwrap();
    }
    dir
}

fn backup_of(dir: &TempDir) -> PathBuf {
    let file = dir.path().join("backup.db");
    backup(&dir.database(), &file).unwrap();
    file
}

fn exported(dir: &TempDir) -> Vec<String> {
    let mut out = Vec::new();
    export(&dir.database(), &room("general"), &mut out).unwrap();
    let lines = String::from_utf8(out).unwrap();
    let body = |line: &str| {
        let entry: common::Entry = serde_json::from_str(line).unwrap();
        entry.body
    };
    lines.lines().map(body).collect()
}

#[test]
fn a_backup_while_others_write_is_whole_and_of_one_moment() {
    let dir = said(&["hi"]);
    let store = dir.store();
    let file = dir.path().join("backup.db");
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for nth in 0..300 {
                store.says(post("duri", &format!("d{nth}"), &"text ".repeat(100))).unwrap();
            }
        });
        backup(&dir.database(), &file).unwrap();
        writing.join().unwrap();
    });
    check(&file).unwrap();
    let again = format!("{:#}", backup(&dir.database(), &file).unwrap_err());
    assert!(again.contains("it exists"), "{again}");
}

#[test]
fn a_restore_brings_back_what_was_there_under_new_epochs_and_keeps_the_other() {
    let dir = said(&["one", "two"]);
    let file = backup_of(&dir);
    let before = {
        let store = dir.store();
        store.says(post("hana", "later", "three")).unwrap();
        store.room(&room("general")).unwrap()
    };
    fs::write(dir.path().join("search.db"), "derived").unwrap();
    restore(dir.path(), &file, random::epoch).unwrap();
    check(&dir.database()).unwrap();
    assert_eq!(exported(&dir), ["one", "two"]);
    let record = dir.store().room(&room("general")).unwrap();
    assert_eq!(record.head.seq, 2);
    assert_ne!(record.head.epoch, before.head.epoch);
    assert_ne!(record.digest, before.digest);
    assert!(!dir.path().join("search.db").exists());
    let aside = dir.path().join("madang.db.before-restore-1");
    check(&aside).unwrap();
    let mut out = Vec::new();
    export(&aside, &room("general"), &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("three"));
    // A second one keeps the first's too.
    restore(dir.path(), &file, random::epoch).unwrap();
    assert!(dir.path().join("madang.db.before-restore-2").exists() && aside.exists());
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let dir = said(&["one", "two"]);
    let file = backup_of(&dir);
    let mut bytes = fs::read(&file).unwrap();
    let place = bytes.windows(3).position(|window| window == b"two").unwrap();
    bytes[place] = b'T';
    fs::write(&file, bytes).unwrap();
    let refused = format!("{:#}", restore(dir.path(), &file, random::epoch).unwrap_err());
    assert!(refused.contains("entry 2 of room general"), "{refused}");
    assert_eq!(exported(&dir), ["one", "two"]);
    assert!(!dir.path().join("madang.db.restoring").exists());
    assert!(!dir.path().join("madang.db.before-restore-1").exists());
}

#[test]
fn what_is_damaged_is_replaced_and_kept_with_its_log() {
    let dir = said(&["one"]);
    let file = backup_of(&dir);
    fs::write(dir.database(), "no database").unwrap();
    fs::write(dir.path().join("madang.db-wal"), "no log").unwrap();
    restore(dir.path(), &file, random::epoch).unwrap();
    assert_eq!(exported(&dir), ["one"]);
    assert_eq!(dir.store().room_count(), 1);
    let kept = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(kept("madang.db.before-restore-1"), "no database");
    assert_eq!(kept("madang.db.before-restore-1-wal"), "no log");
}
