//! Writing what is in the log into the database proper, so that the log stays short.
//!
//! A thread with a connection of its own copies and syncs while commits go on at the end of the
//! log. When nearly all is copied, the writer copies the little that is left between two commits:
//! only when nothing is left does SQLite begin the log anew.
//!
//! SQLite syncs the database only in the checkpoint that copies the last page, for all that copied
//! before it. When that sync fails, the kernel takes the pages for written, and the next one says
//! nothing of them: then the log would begin anew over pages that are nowhere. So the first
//! checkpoint that fails is the last one of this process ([`Asked::copy`]), and the log keeps
//! everything. Recovery at the next start forgets what was copied, copies all of it and syncs it.

use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError},
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, ErrorCode, config::DbConfig, wal::CheckpointMode};

use super::opening;

/// Pages in the log from which on they are copied: 4 MiB.
const PAGES: i32 = 1_024;
/// So few pages the writer copies itself: it takes about as long as a commit.
const FEW_PAGES: i32 = 192;
/// So many pages, 64 MiB, and the writer copies all of them itself, however long it takes.
const PAGES_MAX: i32 = 16_384;
/// How often the thread copies what was added while it copied.
const ROUNDS_MAX: u32 = 8;

/// Keeps the log short.
#[derive(Debug)]
pub(super) struct Checkpoints {
    asked: Arc<Asked>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Asked {
    state: Mutex<State>,
    changed: Condvar,
    /// Whoever holds it copies. True: a checkpoint failed.
    failed: Mutex<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// The log is short.
    #[default]
    Idle,
    /// The thread copies.
    Copying,
    /// The thread has copied nearly everything.
    NearlyDone,
    /// The store is closed.
    Closed,
}

impl Checkpoints {
    /// Starts the thread.
    pub(super) fn start(path: &Path) -> rusqlite::Result<Self> {
        let connection = opening::connect(path)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        let asked = Arc::new(Asked::default());
        let copying = Arc::clone(&asked);
        let thread = thread::Builder::new()
            .name("checkpoints".to_owned())
            .spawn(move || copying.run(&connection));
        if let Err(error) = &thread {
            tracing::warn!(%error, "there is no thread for checkpoints; commits wait for them");
        }
        Ok(Self { asked, thread: thread.ok() })
    }

    /// To be called by the writer after each commit. After a checkpoint that failed there is no
    /// other: everything stays in the log.
    pub(super) fn after_commit(&self, writer: &Connection) {
        if self.asked.has_failed() {
            leave_the_log(writer);
            return;
        }
        let Some(left) = left(writer) else { return };
        let mut state = self.asked.lock();
        let few = *state == State::NearlyDone && left <= 2 * FEW_PAGES;
        let many = left >= if self.thread.is_some() { PAGES_MAX } else { PAGES };
        if few || many {
            drop(state);
            self.asked.copy(writer);
            state = self.asked.lock();
            if *state == State::NearlyDone {
                *state = State::Idle;
            }
        } else if left >= PAGES && matches!(*state, State::Idle | State::NearlyDone) {
            *state = State::Copying;
            self.asked.changed.notify_one();
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        *self.asked.lock() = State::Closed;
        self.asked.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of it was reported where it happened.
            drop(thread.join());
        }
    }
}

impl Asked {
    fn run(&self, connection: &Connection) {
        loop {
            let waits = |state: &mut State| matches!(state, State::Idle | State::NearlyDone);
            let state = self.changed.wait_while(self.lock(), waits);
            let state = *state.unwrap_or_else(PoisonError::into_inner);
            if state == State::Closed {
                // The writer is closed before: closing this connection would copy what is left.
                if *self.failed.lock().unwrap_or_else(PoisonError::into_inner) {
                    leave_the_log(connection);
                }
                return;
            }
            let copied = self.copy_nearly_all(connection);
            let mut state = self.lock();
            if *state == State::Copying {
                *state = if copied { State::NearlyDone } else { State::Idle };
            }
        }
    }

    /// Copies, then what was added meanwhile, and so on: each time it is less.
    fn copy_nearly_all(&self, connection: &Connection) -> bool {
        (0..ROUNDS_MAX).any(|_| {
            self.copy(connection);
            !self.has_failed() && left(connection).is_some_and(|left| left <= FEW_PAGES)
        })
    }

    /// Copies what nobody reads in an older state. Does nothing where somebody else copies, or
    /// where a checkpoint failed.
    fn copy(&self, connection: &Connection) {
        let mut failed = match self.failed.try_lock() {
            Ok(failed) => failed,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if *failed {
            return;
        }
        let copied = connection.wal_checkpoint_v2(Some(rusqlite::MAIN_DB), CheckpointMode::PASSIVE);
        let Err(error) = copied else { return };
        match error.sqlite_error_code() {
            // Another process copies.
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {}
            _ => {
                *failed = true;
                leave_the_log(connection);
                tracing::error!(
                    %error,
                    "the log could not be copied into the database: nothing is lost, and it grows \
                     from here on; look at the disk, and restart the server while no backup or \
                     check runs"
                );
            }
        }
    }

    /// Whether a checkpoint failed; one that is under way did not yet.
    fn has_failed(&self) -> bool {
        match self.failed.try_lock() {
            Ok(failed) => *failed,
            Err(TryLockError::Poisoned(poisoned)) => *poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many pages are left to be copied; `None` where nobody can tell at the moment.
fn left(connection: &Connection) -> Option<i32> {
    let counted = connection.wal_checkpoint_v2(Some(rusqlite::MAIN_DB), CheckpointMode::NOOP);
    let (pages, copied) = counted.ok()?;
    Some(pages - copied)
}

/// The last connection that is closed copies the log into the database and takes it away: this one
/// does not.
fn leave_the_log(connection: &Connection) {
    let set = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    set.expect("SQLite knows the setting since 3.16");
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::FileExt as _};

    use common::http::Keep;

    use super::super::{
        files,
        tests::{TempDir, new_room, post, room},
    };
    use super::*;
    use crate::log::Store as _;

    #[test]
    fn after_a_checkpoint_that_failed_there_is_no_other_and_everything_stays_in_the_log() {
        let dir = TempDir::new();
        let store = dir.store();
        store.opens(new_room("general", Keep::Forever)).unwrap();
        store.says(post("hana", "m1", "one")).unwrap();
        let log = files::beside(&dir.database(), "-wal");
        let bytes = fs::read(&log).unwrap();
        let file = fs::File::options().write(true).open(&log).unwrap();
        let left_of = |store: &super::super::SqliteStore| {
            let writer = store.writer.lock().unwrap();
            store.checkpoints.asked.copy(&writer.connection);
            left(&writer.connection).unwrap()
        };

        // The log cannot be read for a moment.
        file.set_len(40).unwrap();
        let before = left_of(&store);
        assert!(before > 0);
        file.write_all_at(&bytes, 0).unwrap();
        assert_eq!(left_of(&store), before);

        store.says(post("hana", "m2", "two")).unwrap();
        assert!(left_of(&store) > before);
        drop(store);
        assert!(fs::metadata(&log).unwrap().len() > bytes.len() as u64);
        let store = dir.store();
        assert_eq!(store.read_after(&room("general"), 0, 9).unwrap().len(), 2);
        assert_eq!(left_of(&store), 0);
    }
}
