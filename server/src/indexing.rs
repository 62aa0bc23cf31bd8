//! Lets the search index follow the logs: beside everything else, at its own pace.

use std::{sync::Arc, time::Duration};

use common::{EntryKind, RoomName, http::Keep};

use crate::{
    live::Live,
    log::Store,
    search::{Change, ChangeKind, Head, Indexer, Source},
};

/// What is said within this time is read together: a transaction for each message would take as
/// much as the log itself, and nobody looks for what was said in this moment.
const GATHER: Duration = Duration::from_millis(50);
/// After a failure the index is tried again this much later.
const RETRY: Duration = Duration::from_secs(5);

/// The logs as the index reads them.
#[derive(Debug)]
struct Logs<'a>(&'a dyn Store);

/// Keeps the index for ever: whenever something was committed, it reads on.
pub(crate) async fn keep(mut indexer: Indexer, live: Arc<Live>) {
    loop {
        let logs = Arc::clone(&live);
        let caught_up = tokio::task::spawn_blocking(move || {
            let done = catch_up(&mut indexer, logs.log().store());
            (indexer, done)
        });
        let Ok((kept, done)) = caught_up.await else {
            tracing::error!("the search index panicked; nothing new is found until a restart");
            return std::future::pending().await;
        };
        indexer = kept;
        if done {
            live.something_committed().await;
            tokio::time::sleep(GATHER).await;
        } else {
            tokio::time::sleep(RETRY).await;
        }
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
