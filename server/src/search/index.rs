//! The index in its file: what every post says, as tokens, and up to where each room was read.
//!
//! It can be derived from the log, so it may lose its last moments in a crash (it then stands at an
//! older position and reads on from there), and a file that cannot be read is begun anew. What was
//! deleted is not found from then on; its tokens leave the file when FTS5 next merges their segment.

use std::{collections::BTreeMap, io, path::Path};

use common::{Epoch, RoomName};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, Transaction, config::DbConfig, params,
};

use super::{Change, ChangeKind, Head, Unreadable, tokens::tokens};

/// What the tables and tokens below look like; a file of another version is begun anew.
const VERSION: i64 = 1;
/// Documents that are taken away in one transaction.
const CLEARED_MAX: i64 = 1_000;

/// FTS5 keeps no text, only where each token stands. Tokens are ours and are not to be judged
/// again, hence the plainest tokenizer. The first characters are indexed as well, so that a syllable
/// and up to three letters are looked up as quickly as a word. A document's id says how new it is.
const SCHEMA: &str = "
    CREATE TABLE rooms (
        id INTEGER PRIMARY KEY,
        -- NULL: what the room was; its documents are being cleared away.
        name TEXT UNIQUE,
        open INTEGER NOT NULL,
        epoch TEXT NOT NULL,
        -- The last entry that was read.
        seq INTEGER NOT NULL,
        -- There are no documents up to here.
        floor INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE docs (
        id INTEGER PRIMARY KEY,
        room INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        UNIQUE (room, seq)
    ) STRICT;
    CREATE VIRTUAL TABLE posts USING fts5 (
        tokens, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '1 2 3'
    );
";

/// Why the index cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// SQLite says no.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The file of another version cannot be taken away.
    #[error(transparent)]
    File(#[from] io::Error),
    /// What is to be indexed cannot be read.
    #[error(transparent)]
    Source(#[from] Unreadable),
}

impl IndexError {
    /// What is in the file is not an index: another attempt gives the same.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(error) => is_damage(error),
            Self::File(_) | Self::Source(_) => false,
        }
    }
}

pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// SQLite has no code of its own for a table or a column that is missing.
fn is_of_other_tables(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::Unknown)
}

/// What the index knows of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Indexed {
    pub(super) id: i64,
    pub(super) open: bool,
    pub(super) epoch: Epoch,
    pub(super) seq: u64,
    pub(super) floor: u64,
}

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Index {
    connection: Connection,
}

impl Index {
    /// Opens the index, or begins one where there is none that can be read.
    pub(super) fn open(path: &Path) -> Result<Self, IndexError> {
        match Self::open_existing(path) {
            Ok(Some(index)) => return Ok(index),
            Ok(None) => {}
            Err(error) if is_damage(&error) || is_of_other_tables(&error) => {
                tracing::warn!(%error, "the search index is damaged and is built again");
            }
            Err(error) => return Err(error.into()),
        }
        for suffix in ["", "-wal", "-shm"] {
            let mut file = path.as_os_str().to_owned();
            file.push(suffix);
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
        }
        let mut index = Self { connection: connect(path)? };
        index.create()?;
        Ok(index)
    }

    /// None where there is no index yet, or one of another version.
    fn open_existing(path: &Path) -> Result<Option<Self>, rusqlite::Error> {
        if !path.exists() {
            return Ok(None);
        }
        let index = Self { connection: connect(path)? };
        let version: i64 =
            index.connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version == VERSION {
            // Damage that shows here need not wait for the first search.
            index.rooms()?;
            return Ok(Some(index));
        }
        tracing::warn!(version, "the search index is of another version and is built again");
        Ok(None)
    }

    fn create(&mut self) -> Result<(), rusqlite::Error> {
        let transaction = self.connection.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()
    }

    /// Begins anew, while others have the file open.
    pub(super) fn reset(&mut self) -> Result<(), IndexError> {
        self.connection.flush_prepared_statement_cache();
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, true)?;
        let emptied = self.connection.execute_batch("VACUUM");
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, false)?;
        emptied?;
        Ok(self.create()?)
    }

    /// All rooms that are indexed, and up to where.
    pub(super) fn rooms(&self) -> Result<BTreeMap<RoomName, Indexed>, rusqlite::Error> {
        let mut select = self.connection.prepare(
            "SELECT name, id, open, epoch, seq, floor FROM rooms WHERE name IS NOT NULL",
        )?;
        let rows = select.query_map([], |row| {
            let name = checked(RoomName::new(row.get::<_, String>(0)?))?;
            let indexed = Indexed {
                id: row.get(1)?,
                open: row.get(2)?,
                epoch: checked(Epoch::new(row.get::<_, String>(3)?))?,
                seq: row.get::<_, i64>(4)?.cast_unsigned(),
                floor: row.get::<_, i64>(5)?.cast_unsigned(),
            };
            Ok((name, indexed))
        })?;
        rows.collect()
    }

    /// Begins the index of a room at its floor; what it held of a room of this name is of the past.
    pub(super) fn begin(&mut self, head: &Head) -> Result<Indexed, IndexError> {
        let transaction = self.connection.transaction()?;
        retire(&transaction, &head.room)?;
        transaction.execute(
            "INSERT INTO rooms (name, open, epoch, seq, floor) VALUES (?1, ?2, ?3, ?4, ?4)",
            params![head.room.as_str(), head.open, head.epoch.as_str(), stored(head.floor)],
        )?;
        let id = transaction.last_insert_rowid();
        transaction.commit()?;
        let Head { open, ref epoch, floor, .. } = *head;
        Ok(Indexed { id, open, epoch: epoch.clone(), seq: floor, floor })
    }

    /// Finds nothing in a room from here on.
    pub(super) fn forget(&mut self, room: &RoomName) -> Result<(), IndexError> {
        let transaction = self.connection.transaction()?;
        retire(&transaction, room)?;
        Ok(transaction.commit()?)
    }

    /// Takes what the logs say behind their positions, all in one transaction together with the
    /// positions. What was taken before is passed over. Answers how far each room is indexed.
    ///
    /// # Errors
    /// Nothing of it was taken.
    pub(super) fn apply(
        &mut self,
        batch: &[(Indexed, Vec<Change>)],
    ) -> Result<Vec<u64>, IndexError> {
        let transaction = self.connection.transaction()?;
        let mut positions = Vec::with_capacity(batch.len());
        for (room, changes) in batch {
            positions.push(apply_to(&transaction, room, changes)?);
        }
        transaction.commit()?;
        Ok(positions)
    }

    /// Takes away some documents of a room up to `floor`; true when there are none left.
    pub(super) fn prune(&mut self, room: &Indexed, floor: u64) -> Result<bool, IndexError> {
        let transaction = self.connection.transaction()?;
        let is_pruned = clear(&transaction, room.id, stored(floor))?;
        if is_pruned {
            transaction.execute(
                "UPDATE rooms SET floor = ?2, seq = max(seq, ?2) WHERE id = ?1",
                [room.id, stored(floor)],
            )?;
        }
        transaction.commit()?;
        Ok(is_pruned)
    }

    /// Takes away some documents of what rooms were before; false when there were none.
    pub(super) fn clear_retired(&mut self) -> Result<bool, IndexError> {
        let transaction = self.connection.transaction()?;
        let retired: Option<i64> = transaction
            .prepare_cached("SELECT id FROM rooms WHERE name IS NULL LIMIT 1")?
            .query_row([], |row| row.get(0))
            .optional()?;
        let Some(room) = retired else {
            return Ok(false);
        };
        if clear(&transaction, room, i64::MAX)? {
            transaction.execute("DELETE FROM rooms WHERE id = ?1", [room])?;
        }
        transaction.commit()?;
        Ok(true)
    }
}

/// A connection that reads. It maps no part of the file into memory: there, an error of the disk is
/// a signal that ends the process.
pub(super) fn connect_reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch("PRAGMA mmap_size = 0; PRAGMA cache_size = -1024")?;
    Ok(connection)
}

/// The mark that every document of a room begins with. No token holds a `§`.
pub(super) fn mark_of(room: i64) -> String {
    format!("§{room}")
}

/// The mark of all documents that everybody may read.
pub(super) const OPEN_MARK: &str = "§open";

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -4096",
    )?;
    Ok(connection)
}

fn apply_to(
    transaction: &Transaction<'_>,
    room: &Indexed,
    changes: &[Change],
) -> Result<u64, rusqlite::Error> {
    let read: i64 = transaction
        .prepare_cached("SELECT seq FROM rooms WHERE id = ?1")?
        .query_row([room.id], |row| row.get(0))?;
    let mut position = read.cast_unsigned();
    for change in changes {
        if change.seq > position {
            take(transaction, room, change)?;
            position = change.seq;
        }
    }
    transaction
        .prepare_cached("UPDATE rooms SET seq = ?2 WHERE id = ?1")?
        .execute([room.id, stored(position)])?;
    Ok(position)
}

fn take(
    transaction: &Transaction<'_>,
    room: &Indexed,
    change: &Change,
) -> Result<(), rusqlite::Error> {
    match &change.kind {
        ChangeKind::Post { body } => {
            transaction
                .prepare_cached("INSERT INTO docs (room, seq) VALUES (?1, ?2)")?
                .execute([room.id, stored(change.seq)])?;
            let id = transaction.last_insert_rowid();
            transaction
                .prepare_cached("INSERT INTO posts (rowid, tokens) VALUES (?1, ?2)")?
                .execute(params![id, document(room, body)])?;
        }
        ChangeKind::Edit { of, body } => {
            if let Some(id) = document_id(transaction, room, *of)? {
                transaction
                    .prepare_cached("UPDATE posts SET tokens = ?2 WHERE rowid = ?1")?
                    .execute(params![id, document(room, body)])?;
            }
        }
        ChangeKind::Delete { of } => {
            if let Some(id) = document_id(transaction, room, *of)? {
                delete(transaction, id)?;
            }
        }
        ChangeKind::Other => {}
    }
    Ok(())
}

/// Who may read it, and what it says.
fn document(room: &Indexed, body: &str) -> String {
    let open = if room.open { OPEN_MARK } else { "" };
    format!("{open} {} {}", mark_of(room.id), tokens(body))
}

fn document_id(
    transaction: &Transaction<'_>,
    room: &Indexed,
    seq: u64,
) -> Result<Option<i64>, rusqlite::Error> {
    transaction
        .prepare_cached("SELECT id FROM docs WHERE room = ?1 AND seq = ?2")?
        .query_row([room.id, stored(seq)], |row| row.get(0))
        .optional()
}

fn delete(transaction: &Transaction<'_>, id: i64) -> Result<(), rusqlite::Error> {
    transaction.prepare_cached("DELETE FROM posts WHERE rowid = ?1")?.execute([id])?;
    transaction.prepare_cached("DELETE FROM docs WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// True when there are none left up to `floor`.
fn clear(transaction: &Transaction<'_>, room: i64, floor: i64) -> Result<bool, rusqlite::Error> {
    let ids: Vec<i64> = transaction
        .prepare_cached("SELECT id FROM docs WHERE room = ?1 AND seq <= ?2 LIMIT ?3")?
        .query_map([room, floor, CLEARED_MAX], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for id in &ids {
        delete(transaction, *id)?;
    }
    Ok(i64::try_from(ids.len()).is_ok_and(|count| count < CLEARED_MAX))
}

fn retire(transaction: &Transaction<'_>, room: &RoomName) -> Result<(), rusqlite::Error> {
    transaction.execute("UPDATE rooms SET name = NULL WHERE name = ?1", [room.as_str()])?;
    Ok(())
}

/// SQLite's integers have a sign.
fn stored(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// A name that breaks our own rules was not written by us.
pub(super) fn checked<T>(name: Result<T, common::TextError>) -> Result<T, rusqlite::Error> {
    name.map_err(|error| {
        let damage = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        rusqlite::Error::SqliteFailure(damage, Some(error.to_string()))
    })
}
