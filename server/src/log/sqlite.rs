//! The logs, read markers and sessions in one SQLite database: what was acknowledged is there
//! after `kill -9` and after a power cut.
//!
//! One connection writes (`writer`); others read and wait for nobody (`readers`, `queries`).
//! What is known of the rooms is in memory as well, and changes only after a commit. Read on in
//! `schema` (the tables) and `opening` (what a start asks of the file).

mod checkpoints;
mod compact;
pub(crate) mod epochs;
pub(crate) mod files;
mod floor;
mod forgetting;
pub(crate) mod opening;
mod people;
mod queries;
mod readers;
mod rows;
pub(crate) mod schema;
pub(crate) mod verify;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::BTreeMap,
    fmt, io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use common::{
    Digest, Epoch, Member, MessageId, Position, RoomName, Timestamp, UserId, http::Unread,
};
use rooms::{Entry, RoomRecord};
use rusqlite::{Connection, ErrorCode};

use self::{
    checkpoints::Checkpoints, readers::Readers, rows::ReadError, rows::Reading, writer::Writer,
};
use super::store::{Change, Fault, Outcome, SavedSession, Store};

/// The database's name in the data directory.
pub const FILE_NAME: &str = "madang.db";

/// The logs in a database.
pub struct SqliteStore {
    path: PathBuf,
    rooms: RwLock<Rooms>,
    // The last connection that is closed, and that may write, takes the log away: readers go first.
    readers: Readers,
    writer: Mutex<Writer>,
    checkpoints: Checkpoints,
    /// Something was changed or read since it was asked to rest.
    is_busy: AtomicBool,
}

/// A room and what stands for it in the tables.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) id: i64,
    pub(crate) record: RoomRecord,
    /// There are no rows up to this entry: at most the record's floor.
    pruned: u64,
}

impl Known {
    /// Reading it through this connection.
    pub(crate) fn reading<'a>(&'a self, connection: &'a Connection) -> Reading<'a> {
        Reading::new(connection, self)
    }
}

pub(crate) type Rooms = BTreeMap<RoomName, Known>;

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something else has this name.
    #[error(
        "{path} is no database of Madang: move it away, or name another directory with --data-dir"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The log of changes is there, and what it belongs to is not.
    #[error(
        "{path} is missing or empty, and {path}-wal holds changes of it: put the file back, or \
         put a backup in its place with `server restore FILE`"
    )]
    Lost {
        /// The file.
        path: PathBuf,
    },
    /// A newer server made it.
    #[error(
        "{path} is of version {version}, and this server knows versions up to {known}: start the \
         newer server, or put an older backup in its place with `server restore FILE`"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: usize,
        /// The last version that this server knows.
        known: usize,
    },
    /// An older server made it, or none did yet.
    #[error(
        "{path} is of version {version}, and this needs version {known}: start the server once, \
         which brings it there"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its version; 0 where nothing is in it.
        version: usize,
        /// The version that is needed.
        known: usize,
    },
    /// What is in it is not what was written.
    #[error(
        "{path} is damaged: {cause}; `server check` names what is wrong, and \
         `server restore FILE` puts a backup in its place"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        cause: String,
    },
    /// Somebody reads it as it was before the last changes, which therefore cannot be made durable.
    #[error(
        "another program reads {path}, a backup or a check perhaps: start the server when it is done"
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// SQLite cannot use it at the moment.
    #[error("{path} cannot be used: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: rusqlite::Error,
    },
    /// The operating system refuses.
    #[error("{path} cannot be used: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
}

impl StoreError {
    pub(crate) fn of(path: &Path, source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path: path.to_owned(), cause: source.to_string() }
            }
            _ => Self::Sqlite { path: path.to_owned(), source },
        }
    }

    pub(crate) fn of_read(path: &Path, error: ReadError) -> Self {
        match error {
            ReadError::Sqlite(source) => Self::of(path, source),
            ReadError::Damaged { .. } => {
                Self::Damaged { path: path.to_owned(), cause: error.to_string() }
            }
        }
    }
}

impl SqliteStore {
    /// Opens the database in this directory, or begins one. Rooms that keep nothing get a new
    /// epoch. Whoever calls it holds the data directory.
    ///
    /// # Errors
    /// What is there cannot be used; nothing is begun in its place.
    pub fn open(data_dir: &Path, new_epoch: impl FnMut() -> Epoch) -> Result<Self, StoreError> {
        Self::open_with(data_dir, schema::MIGRATIONS, new_epoch)
    }

    fn open_with(
        data_dir: &Path,
        migrations: &[&str],
        new_epoch: impl FnMut() -> Epoch,
    ) -> Result<Self, StoreError> {
        let path = data_dir.join(FILE_NAME);
        let (connection, rooms) = opening::open(&path, migrations, new_epoch)?;
        let checkpoints = Checkpoints::start(&path)?;
        Ok(Self {
            writer: Mutex::new(Writer::new(connection, path.clone())),
            readers: Readers::new(path.clone()),
            rooms: RwLock::new(rooms),
            checkpoints,
            is_busy: AtomicBool::new(false),
            path,
        })
    }

    /// Breaks this store on purpose, to see whether a test notices.
    ///
    /// # Errors
    /// SQLite does not take the setting.
    #[cfg(feature = "mutants")]
    pub fn break_on_purpose(&self, breakage: crate::mutant::Breakage) -> Result<(), StoreError> {
        use crate::mutant::Breakage;
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match breakage {
            Breakage::SynchronousNormal => {
                let set = writer.connection.pragma_update(None, "synchronous", "NORMAL");
                set.map_err(|error| StoreError::of(&self.path, error))?;
            }
            Breakage::NoDedupe => writer.forgets_messages = true,
            Breakage::AckBeforeCommit => writer.answers_early = true,
            Breakage::RulesIgnored => writer.ignores_rules = true,
            Breakage::KickNotTold
            | Breakage::SearchDoesNotAsk
            | Breakage::PageDoesNotAsk
            | Breakage::ListDoesNotAsk
            | Breakage::SignOutNotTold => {}
        }
        Ok(())
    }

    fn known(&self, room: &RoomName) -> Option<Known> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).get(room).cloned()
    }

    /// Answers a question about a room; what there is no room for is answered with nothing.
    fn ask<T: Default>(
        &self,
        room: &RoomName,
        question: impl FnOnce(&Reading<'_>) -> Result<T, ReadError>,
    ) -> Result<T, Fault> {
        let Some(known) = self.known(room) else { return Ok(T::default()) };
        self.read(|connection| question(&Reading::new(connection, &known)))
    }

    fn read<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, Fault> {
        self.is_busy.store(true, Ordering::Relaxed);
        self.readers.with(question).map_err(|error| {
            tracing::error!(path = %self.path.display(), %error, "the logs cannot be read");
            Fault::Unavailable
        })
    }
}

impl Store for SqliteStore {
    fn commit(&self, changes: &[Change], at: &Timestamp) -> Result<Vec<Outcome>, Fault> {
        self.is_busy.store(true, Ordering::Relaxed);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let made = {
            let rooms = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
            writer.make(changes, at, &rooms)
        };
        let made = made.map_err(|error| self.fault(&error))?;
        {
            let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
            rooms.extend(made.rooms);
        }
        self.checkpoints.after_commit(&writer.connection);
        Ok(made.outcomes)
    }

    fn rooms(&self) -> Vec<RoomRecord> {
        let rooms = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        rooms.values().map(|known| known.record.clone()).collect()
    }

    fn room(&self, room: &RoomName) -> Option<RoomRecord> {
        self.known(room).map(|known| known.record)
    }

    fn room_count(&self) -> usize {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn read_after(
        &self,
        room: &RoomName,
        after: u64,
        most: usize,
        bytes_max: usize,
    ) -> Result<Vec<Arc<Entry>>, Fault> {
        self.ask(room, |reading| reading.after(after, most, bytes_max))
    }

    fn read_before(
        &self,
        room: &RoomName,
        before: u64,
        most: usize,
    ) -> Result<Vec<Arc<Entry>>, Fault> {
        self.ask(room, |reading| reading.before(before, most))
    }

    fn later(
        &self,
        room: &RoomName,
        places: RangeInclusive<u64>,
        most: usize,
    ) -> Result<Vec<Arc<Entry>>, Fault> {
        self.ask(room, |reading| reading.later(&places, most))
    }

    fn posts(&self, places: &[(RoomName, u64)]) -> Result<Vec<common::Entry>, Fault> {
        let mut posts = Vec::new();
        for (room, seq) in places {
            posts.extend(self.ask(room, |reading| reading.post(*seq))?);
        }
        Ok(posts)
    }

    fn digest_at(&self, room: &RoomName, seq: u64) -> Result<Option<Digest>, Fault> {
        self.ask(room, |reading| reading.digest_at(seq))
    }

    fn unread(&self, room: &RoomName, reader: &Member) -> Result<Option<Unread>, Fault> {
        self.ask(room, |reading| reading.unread(reader))
    }

    fn find(
        &self,
        author: &UserId,
        message_id: &MessageId,
    ) -> Result<Option<(RoomName, Position)>, Fault> {
        let found = self.read(|connection| queries::find(connection, author, message_id))?;
        let Some(place) = found else { return Ok(None) };
        let rooms = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        let room = rooms.values().find(|known| known.id == rows::room_of(place));
        Ok(room.filter(|known| rows::seq_of(place) <= known.record.head.seq).map(|known| {
            let epoch = known.record.head.epoch.clone();
            (known.record.room.clone(), Position { epoch, seq: rows::seq_of(place) })
        }))
    }

    fn sessions(&self) -> Result<Vec<SavedSession>, Fault> {
        self.read(queries::sessions)
    }

    fn release_memory_if_idle(&self) {
        if self.is_busy.swap(false, Ordering::Relaxed) {
            return;
        }
        // Pages that were read: whoever works at this moment needs them.
        if let Ok(writer) = self.writer.try_lock() {
            let _ = writer.connection.release_memory();
        }
        self.readers.release_memory();
    }
}

impl SqliteStore {
    /// What a failed commit is called, and the one line that is logged of it.
    fn fault(&self, error: &ReadError) -> Fault {
        let sqlite = match error {
            ReadError::Sqlite(error) => error.sqlite_error(),
            ReadError::Damaged { .. } => None,
        };
        let full = sqlite.is_some_and(|failure| {
            // Not every write that finds no room is told so.
            let failed = failure.code == ErrorCode::SystemIoFailure;
            failure.code == ErrorCode::DiskFull || (failed && files::is_full(&self.path))
        });
        let path = self.path.display();
        tracing::error!(%path, %error, full, "nothing was kept of a commit");
        if full { Fault::Full } else { Fault::Unavailable }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}
