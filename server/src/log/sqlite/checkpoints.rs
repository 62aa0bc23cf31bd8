//! Writing what is in the log into the database proper, so that the log stays short.
//!
//! A thread with a connection of its own copies and syncs while commits go on at the end of the
//! log. When nearly all is copied, the writer copies the little that is left between two commits:
//! only when nothing is left does SQLite begin the log anew.

use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, ErrorCode, wal::CheckpointMode};

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

    /// To be called by the writer after each commit. A checkpoint that fails is tried again: until
    /// it succeeds, everything is in the log.
    pub(super) fn after_commit(&self, writer: &Connection) {
        let Some(left) = checkpoint(writer, CheckpointMode::NOOP) else { return };
        let mut state = self.asked.lock();
        let few = *state == State::NearlyDone && left <= 2 * FEW_PAGES;
        let many = left >= if self.thread.is_some() { PAGES_MAX } else { PAGES };
        if few || many {
            drop(state);
            checkpoint(writer, CheckpointMode::PASSIVE);
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
                return;
            }
            let copied = copy_nearly_all(connection);
            let mut state = self.lock();
            if *state == State::Copying {
                *state = if copied { State::NearlyDone } else { State::Idle };
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies, then what was added meanwhile, and so on: each time it is less.
fn copy_nearly_all(connection: &Connection) -> bool {
    (0..ROUNDS_MAX).any(|_| {
        checkpoint(connection, CheckpointMode::PASSIVE);
        checkpoint(connection, CheckpointMode::NOOP).is_some_and(|left| left <= FEW_PAGES)
    })
}

/// How many pages are left to be copied; `None` when it failed.
fn checkpoint(connection: &Connection, mode: CheckpointMode) -> Option<i32> {
    match connection.wal_checkpoint_v2(Some(rusqlite::MAIN_DB), mode) {
        Ok((pages, copied)) => Some(pages - copied),
        // The other connection copies.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => None,
        Err(error) => {
            tracing::warn!(%error, "the log could not be copied into the database yet");
            None
        }
    }
}
