//! Logs in memory: what is kept is lost with the process, and every room begins a new epoch then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::{Epoch, Member, RoomName, Timestamp, http::Keep};
use rooms::{AppendRefusal, Appended, Draft, Entry, MemoryLog, OpenRefusal, RoomRecord};

use super::Store;

/// The pure log behind a lock.
#[derive(Debug, Default)]
pub struct MemoryStore {
    log: Mutex<MemoryLog>,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, MemoryLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn append(&self, drafts: Vec<Draft>, at: Timestamp) -> Vec<Result<Appended, AppendRefusal>> {
        let mut log = self.lock();
        drafts.into_iter().map(|draft| log.append(draft, at.clone())).collect()
    }

    fn open(
        &self,
        room: RoomName,
        epoch: Epoch,
        keep: Keep,
        members: Option<Vec<Member>>,
    ) -> Result<RoomRecord, OpenRefusal> {
        self.lock().open(room, epoch, keep, members)
    }

    fn load(&self, room: &RoomName, last: usize) -> Option<(RoomRecord, Vec<Arc<Entry>>)> {
        let log = self.lock();
        let record = log.room(room)?;
        let after = record.head.seq.saturating_sub(last as u64).max(record.floor);
        let entries = log.read_after(room, after, last);
        Some((record, entries))
    }

    fn read_after(&self, room: &RoomName, after: u64, most: usize) -> Vec<Arc<Entry>> {
        self.lock().read_after(room, after, most)
    }

    fn rooms(&self) -> Vec<RoomRecord> {
        self.lock().rooms().collect()
    }
}
