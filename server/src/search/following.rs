//! Lets the search index follow the logs: beside everything else, at its own pace.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::mpsc::{self, Receiver, SyncSender},
    time::Duration,
};

use common::{EntryKind, RoomName, http::Keep};

use super::{Change, ChangeKind, Head, Indexer, Source, Unreadable};
use crate::log::Store;

/// What is said within this time is read together: a transaction for each message would take as
/// much as the log itself, and nobody looks for what was said in this moment.
const GATHER: Duration = Duration::from_millis(50);
/// After a failure the index is tried again this much later.
const RETRY: Duration = Duration::from_secs(5);
/// How much the index steps back behind everybody else who wants a processor (nice(2)): under
/// full load it gets about a tenth of what they get, and catches up when they rest.
const NICENESS: i32 = 10;

/// Bytes of entries that are read at a time.
const READ_BYTES_MAX: usize = 1024 * 1024;
/// How often a damaged entry is tried before the index passes over it.
const TRIES: u32 = 3;

/// The logs as the index reads them.
#[derive(Debug)]
struct Logs<'a> {
    store: &'a dyn Store,
    /// Where a room could not be read on, and how often it was tried.
    tried: RefCell<BTreeMap<RoomName, (u64, u32)>>,
}

/// Tells the index that something was committed.
#[derive(Debug)]
pub(crate) struct Waker(SyncSender<()>);

/// Waits for something to be committed.
#[derive(Debug)]
pub(crate) struct Woken(Receiver<()>);

/// A waker, and who is woken by it.
pub(crate) fn waker() -> (Waker, Woken) {
    let (sender, receiver) = mpsc::sync_channel(1);
    (Waker(sender), Woken(receiver))
}

impl Waker {
    /// Something was committed. It is enough to say so once.
    pub(crate) fn wake(&self) {
        let _ = self.0.try_send(());
    }
}

/// Keeps the index until nobody can commit anything more: whenever something was committed, it
/// reads on. To be run on a thread of its own.
pub(crate) fn keep(mut indexer: Indexer, store: &dyn Store, woken: &Woken) {
    step_back();
    let logs = Logs::of(store);
    loop {
        if catch_up(&mut indexer, &logs) {
            if woken.0.recv().is_err() {
                return;
            }
            rest(GATHER);
        } else {
            rest(RETRY);
        }
    }
}

fn rest(pause: Duration) {
    #[expect(clippy::disallowed_methods, reason = "the thread is there to be slow")]
    std::thread::sleep(pause);
}

/// On Linux niceness belongs to a thread.
fn step_back() {
    let this = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(this), NICENESS) {
        tracing::debug!(%error, "the search index keeps its priority");
    }
}

/// Whether the index has everything.
fn catch_up(indexer: &mut Indexer, logs: &Logs<'_>) -> bool {
    loop {
        match indexer.step(logs) {
            Ok(true) => {}
            Ok(false) => return true,
            Err(error) => {
                tracing::error!(%error, "the search index cannot go on yet");
                return false;
            }
        }
    }
}

impl Source for Logs<'_> {
    fn heads(&self) -> Vec<Head> {
        let rooms = self.store.rooms().into_iter().filter(|record| record.keep != Keep::None);
        let heads = rooms.map(|record| Head {
            room: record.room,
            open: record.members.is_none(),
            epoch: record.head.epoch,
            seq: record.head.seq,
            floor: record.floor,
        });
        heads.collect()
    }

    fn read_after(
        &self,
        room: &RoomName,
        after: u64,
        most: usize,
    ) -> Result<Vec<Change>, Unreadable> {
        let changes = match self.store.read_after(room, after, most, READ_BYTES_MAX) {
            Ok(entries) => entries.iter().map(|entry| change(entry)).collect(),
            Err(_) => self.up_to_the_damage(room, after, most),
        };
        if !changes.is_empty() || !self.is_kept(room, after) {
            self.tried.borrow_mut().remove(room);
            return Ok(changes);
        }
        self.pass_over(room, after)
    }
}

impl<'a> Logs<'a> {
    fn of(store: &'a dyn Store) -> Self {
        Self { store, tried: RefCell::default() }
    }

    /// What stands before the entry that cannot be read.
    fn up_to_the_damage(&self, room: &RoomName, after: u64, most: usize) -> Vec<Change> {
        let mut changes = Vec::new();
        for after in (after..).take(most) {
            match self.store.read_after(room, after, 1, READ_BYTES_MAX).as_deref() {
                Ok([entry]) => changes.push(change(entry)),
                Ok(_) | Err(_) => break,
            }
        }
        changes
    }

    /// Whether the entry behind this one should be there.
    fn is_kept(&self, room: &RoomName, after: u64) -> bool {
        let record = self.store.room(room);
        record.is_some_and(|record| (record.floor..record.head.seq).contains(&after))
    }

    /// Passes over the entry behind `after` where it was tried often enough and is what is wrong:
    /// while the file cannot be read at all, nothing is passed over.
    fn pass_over(&self, room: &RoomName, after: u64) -> Result<Vec<Change>, Unreadable> {
        let mut tried = self.tried.borrow_mut();
        let (at, times) = tried.entry(room.clone()).or_default();
        *times = if *at == after { *times + 1 } else { 1 };
        *at = after;
        let seq = after + 1;
        if *times < TRIES || self.store.digest_at(room, seq).is_err() {
            return Err(Unreadable { room: room.clone(), after });
        }
        tried.remove(room);
        tracing::error!(%room, seq, "the entry is damaged and is not in the search index");
        Ok(vec![Change { seq, kind: ChangeKind::Other }])
    }
}

fn change(entry: &rooms::Entry) -> Change {
    let kind = match (entry.kind, entry.of) {
        (EntryKind::Post, _) => ChangeKind::Post { body: entry.body.clone() },
        (EntryKind::Edit, Some(of)) => ChangeKind::Edit { of, body: entry.body.clone() },
        (EntryKind::Delete, Some(of)) => ChangeKind::Delete { of },
        (EntryKind::Edit | EntryKind::Delete, None)
        | (
            EntryKind::Membership | EntryKind::Topic | EntryKind::Reaction | EntryKind::Unknown,
            _,
        ) => ChangeKind::Other,
    };
    Change { seq: entry.seq, kind }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::{
        log::sqlite::tests::{TempDir, new_room, post, room},
        search::{self, PAGE_HITS, Readable},
    };

    #[test]
    fn a_damaged_entry_holds_the_index_up_for_some_tries_and_not_for_ever() {
        for damage in [
            "UPDATE entries SET body = 'other' WHERE seq IN (4, 5)",
            "DELETE FROM entries WHERE seq = 4",
        ] {
            let dir = TempDir::new();
            let store = dir.store();
            store.opens(new_room("general", Keep::Forever)).unwrap();
            for nth in 1..=9 {
                store.says(post("hana", &format!("m{nth}"), "마당")).unwrap();
            }
            let file = Connection::open(dir.database()).unwrap();
            file.execute(damage, []).unwrap();
            let (search, mut indexer) = search::open(dir.path()).unwrap();
            let logs = Logs::of(&store);
            let found = || {
                let readable = Readable::Only(room("general"));
                let page = search.find("마당", &readable, None, None, PAGE_HITS).unwrap();
                page.hits.iter().map(|hit| hit.position.seq).collect::<Vec<_>>()
            };
            assert!(!catch_up(&mut indexer, &logs));
            assert_eq!(found(), [3, 2, 1], "{damage}");
            let tries = (0..10).take_while(|_| !catch_up(&mut indexer, &logs)).count();
            assert!(tries > 0, "{damage}");
            assert!(tries < 10, "{damage}");
            assert!(found().starts_with(&[9, 8, 7, 6]), "{damage}: {:?}", found());
        }
    }
}
