//! Writing what is in the log into the database proper, so that the log stays short.
//!
//! A thread with a connection of its own copies and syncs while commits go on at the end of the
//! log. When nearly all is copied, the writer copies the little that is left between two commits:
//! only when nothing is left does SQLite begin the log anew. A log that begins anew is written over:
//! that is cheaper than one that grows, for the file system as well.
//!
//! SQLite syncs the database only in the checkpoint that copies the last page, for all that copied
//! before it. The thread has synced it before, so that this last sync, for which a commit waits,
//! finds little to write. When a sync fails, the kernel takes the pages for written, and the next
//! one says nothing of them: then the log would begin anew over pages that are nowhere. So the first
//! checkpoint that fails is the last one of this process ([`Asked::copy`]), and the log keeps
//! everything. Recovery at the next start forgets what was copied, copies all of it and syncs it.

use std::{
    fs::File,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError},
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, ErrorCode, config::DbConfig, wal::CheckpointMode};

use super::{StoreError, opening};

const BOUNDS: Bounds = Bounds { begin: 1_024, few: 512, all: 16_384 };
/// How often the thread copies what was added while it copied.
const ROUNDS_MAX: u32 = 8;

/// When somebody copies, in pages of 4 KiB.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// So many are left, and the thread begins to copy.
    begin: i32,
    /// So few are left, and the writer copies them itself: it takes about as long as a commit that
    /// changes as many.
    few: i32,
    /// So long is the log, and the writer copies what is left itself, however long it takes.
    all: i32,
}

/// Keeps the log short.
#[derive(Debug)]
pub(super) struct Checkpoints {
    bounds: Bounds,
    asked: Arc<Asked>,
    thread: Option<JoinHandle<()>>,
    /// For syncing. To be closed after all connections: with the first handle of a file that a
    /// process closes, POSIX takes all its locks on it.
    /// <https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_>
    _database: Arc<File>,
}

/// The log, in pages.
#[derive(Clone, Copy, Debug)]
struct Length {
    all: i32,
    /// Of them, those that are not copied.
    left: i32,
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
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let database = File::open(path)
            .map_err(|source| StoreError::File { path: path.to_owned(), source })?;
        let database = Arc::new(database);
        let connection = connect(path).map_err(|error| StoreError::of(path, error))?;
        let asked = Arc::new(Asked::default());
        let (copying, syncing) = (Arc::clone(&asked), Arc::clone(&database));
        let thread = thread::Builder::new()
            .name("checkpoints".to_owned())
            .spawn(move || copying.run(&connection, &syncing));
        if let Err(error) = &thread {
            tracing::warn!(%error, "there is no thread for checkpoints; commits wait for them");
        }
        Ok(Self { bounds: BOUNDS, asked, thread: thread.ok(), _database: database })
    }

    /// To be called by the writer after each commit. After a checkpoint that failed there is no
    /// other: everything stays in the log.
    pub(super) fn after_commit(&self, writer: &Connection) {
        if self.asked.has_failed() {
            leave_the_log(writer);
            return;
        }
        let Some(Length { all, left }) = length(writer) else { return };
        let mut state = self.asked.lock();
        let Bounds { begin, few, all: most } = self.bounds;
        let few = *state == State::NearlyDone && left <= 2 * few;
        let long = left > 0 && all >= if self.thread.is_some() { most } else { begin };
        if few || long {
            drop(state);
            self.asked.copy(writer);
            state = self.asked.lock();
            if *state == State::NearlyDone {
                *state = State::Idle;
            }
        } else if left >= begin && matches!(*state, State::Idle | State::NearlyDone) {
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
    fn run(&self, connection: &Connection, database: &File) {
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
            let copied = self.copy_nearly_all(connection, database);
            let mut state = self.lock();
            if *state == State::Copying {
                *state = if copied { State::NearlyDone } else { State::Idle };
            }
        }
    }

    /// Copies and syncs, then what was added meanwhile, and so on: each time it is less. Ends where
    /// nothing more can be copied, because somebody reads an older state.
    fn copy_nearly_all(&self, connection: &Connection, database: &File) -> bool {
        let copied = || length(connection).map(|Length { all, left }| all - left);
        for _ in 0..ROUNDS_MAX {
            let before = copied();
            self.copy(connection);
            if self.has_failed() || copied() == before {
                return false;
            }
            self.sync(connection, database);
            if length(connection).is_some_and(|log| log.left <= BOUNDS.few) {
                return !self.has_failed();
            }
        }
        false
    }

    /// Syncs what was copied.
    fn sync(&self, connection: &Connection, database: &File) {
        if let Err(error) = database.sync_data() {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            fail(&mut failed, connection, &error);
        }
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
            _ => fail(&mut failed, connection, &error),
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

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = opening::connect(path)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// How long the log is; `None` where nobody can tell at the moment.
fn length(connection: &Connection) -> Option<Length> {
    let counted = connection.wal_checkpoint_v2(Some(rusqlite::MAIN_DB), CheckpointMode::NOOP);
    let (all, copied) = counted.ok()?;
    Some(Length { all, left: all - copied })
}

/// There is no checkpoint after this one.
fn fail(failed: &mut bool, connection: &Connection, error: &dyn std::fmt::Display) {
    *failed = true;
    leave_the_log(connection);
    tracing::error!(
        %error,
        "the log could not be copied into the database: nothing is lost, and it grows from here \
         on; look at the disk, and restart the server while no backup or check runs"
    );
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
    fn a_log_that_is_always_added_to_begins_anew_all_the_same() {
        /// Pages that one of these commits changes at most.
        const COMMIT: i32 = 16;
        let dir = TempDir::new();
        let mut store = dir.store();
        // The thread is never done in time.
        store.checkpoints.bounds = Bounds { begin: i32::MAX, few: -1, all: 4 * COMMIT };
        store.opens(new_room("general", Keep::Forever)).unwrap();
        let mut longest = 0;
        for nth in 0..100 {
            store.says(post("hana", &format!("m{nth}"), &"가".repeat(1_000))).unwrap();
            longest = longest.max(length(&store.writer.lock().unwrap().connection).unwrap().all);
        }
        assert!((4 * COMMIT..=5 * COMMIT).contains(&longest), "{longest} pages");
        drop(store);
        assert_eq!(
            dir.store().read_after(&room("general"), 0, 200, usize::MAX).unwrap().len(),
            100
        );
    }

    #[test]
    fn what_cannot_be_synced_is_a_checkpoint_that_failed() {
        let dir = TempDir::new();
        let store = dir.store();
        store.opens(new_room("general", Keep::Forever)).unwrap();
        let writer = store.writer.lock().unwrap();
        let left = || length(&writer.connection).unwrap().left;
        let before = left();
        assert!(before > 0);
        // It is refused to sync this one.
        let nothing = File::open("/dev/null").unwrap();
        store.checkpoints.asked.sync(&writer.connection, &nothing);
        store.checkpoints.asked.copy(&writer.connection);
        assert_eq!(left(), before);
    }

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
            length(&writer.connection).unwrap().left
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
        assert_eq!(store.read_after(&room("general"), 0, 9, usize::MAX).unwrap().len(), 2);
        assert_eq!(left_of(&store), 0);
    }
}
