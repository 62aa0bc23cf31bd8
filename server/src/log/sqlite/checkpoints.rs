//! Writing what is in the log into the database proper, so that the log stays short.

use std::path::Path;

use rusqlite::{Connection, wal::CheckpointMode};

/// Pages in the log from which on it is written into the database.
const PAGES: i32 = 4_096;

/// Keeps the log short.
#[derive(Debug)]
pub(super) struct Checkpoints;

impl Checkpoints {
    pub(super) fn start(_path: &Path) -> rusqlite::Result<Self> {
        Ok(Self)
    }

    /// To be called by the writer after each commit. A checkpoint that fails is tried again: until
    /// it succeeds everything is in the log.
    pub(super) fn after_commit(&self, writer: &Connection) {
        let done = writer
            .wal_checkpoint_v2(Some(rusqlite::MAIN_DB), CheckpointMode::NOOP)
            .and_then(|(pages, copied)| {
                if pages - copied < PAGES {
                    return Ok(());
                }
                writer
                    .wal_checkpoint_v2(Some(rusqlite::MAIN_DB), CheckpointMode::PASSIVE)
                    .map(|_| ())
            });
        if let Err(error) = done {
            tracing::error!(%error, "the log of the database could not be written into it");
        }
    }
}
