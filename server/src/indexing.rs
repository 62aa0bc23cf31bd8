//! Lets the search index follow the logs: beside everything else, at its own pace.

use std::{
    sync::mpsc::{self, Receiver, SyncSender},
    time::Duration,
};

use common::{EntryKind, RoomName, http::Keep};

use crate::{
    log::Store,
    search::{Change, ChangeKind, Head, Indexer, Source},
};

/// What is said within this time is read together: a transaction for each message would take as
/// much as the log itself, and nobody looks for what was said in this moment.
const GATHER: Duration = Duration::from_millis(50);
/// After a failure the index is tried again this much later.
const RETRY: Duration = Duration::from_secs(5);
/// How much the index steps back behind everybody else who wants a processor (nice(2)): under
/// full load it gets about a tenth of what they get, and catches up when they rest.
const NICENESS: i32 = 10;

/// The logs as the index reads them.
#[derive(Debug)]
struct Logs<'a>(&'a dyn Store);

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
    loop {
        if catch_up(&mut indexer, store) {
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
fn catch_up(indexer: &mut Indexer, store: &dyn Store) -> bool {
    loop {
        match indexer.step(&Logs(store)) {
            Ok(true) => {}
            Ok(false) => return true,
            Err(error) => {
                tracing::error!(%error, "the search index cannot be written");
                return false;
            }
        }
    }
}

impl Source for Logs<'_> {
    fn heads(&self) -> Vec<Head> {
        let rooms = self.0.rooms().into_iter().filter(|record| record.keep != Keep::None);
        let heads = rooms.map(|record| Head {
            room: record.room,
            open: record.members.is_none(),
            epoch: record.head.epoch,
            seq: record.head.seq,
            floor: record.floor,
        });
        heads.collect()
    }

    fn read_after(&self, room: &RoomName, after: u64, most: usize) -> Vec<Change> {
        // What cannot be read is read later: the position stays where it is.
        let entries = self.0.read_after(room, after, most).unwrap_or_default();
        entries.iter().map(|entry| change(entry)).collect()
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
