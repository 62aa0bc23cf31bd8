//! What a start asks of the database before anything is served from it.

use std::{fs, io::ErrorKind, path::Path, sync::Arc, time::Duration};

use common::{Digest, Epoch, Member, Position, RoomName, Topic, http::Keep};
use rooms::RoomRecord;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, Row, config::DbConfig, params, wal::CheckpointMode,
};

use super::{
    Known, Rooms, StoreError, files,
    rows::{Reading, SEQ_MAX, member, place, seq_of, stored_digest},
    schema,
};

/// The first SQLite without the defect that can damage a database when its log begins anew.
/// <https://sqlite.org/wal.html#the_wal_reset_bug>
const SQLITE_MIN: i32 = 3_051_003;
/// What is left of the log's file when it begins anew: as much as it grows to where nobody holds
/// an old moment, for a file that is written over costs less than one that grows.
const LOG_BYTES_MAX: i64 = 68 * 1_024 * 1_024;
/// How long the writer waits for another process, such as a backup that begins.
const BUSY: Duration = Duration::from_secs(5);
/// Memory for pages that the writer has read, in KiB.
const CACHE_KIB: i64 = 4 * 1_024;
/// Prepared statements that the writer keeps.
const STATEMENTS_MAX: usize = 64;

/// Opens the database for writing, makes it one of the last version and reads what is known of
/// the rooms.
pub(super) fn open(
    path: &Path,
    migrations: &[&str],
    new_epoch: impl FnMut() -> Epoch,
) -> Result<(Connection, Rooms), StoreError> {
    assert!(
        rusqlite::version_number() >= SQLITE_MIN,
        "SQLite {} may damage a database",
        rusqlite::version()
    );
    let named = |error| StoreError::of(path, error);
    refuse_what_is_lost(path)?;
    let mut connection = connect(path).map_err(named)?;
    schema::version(&connection, path)?;
    use_log(&connection).map_err(named)?;
    // A process that was killed between writing and syncing leaves changes in the log of which
    // nobody knows whether they are on the disk: the operating system may still have them in
    // memory only, or a sync of them failed and will not be tried again. A message in them would
    // be answered as one that was said before. So they are made durable first: a checkpoint syncs
    // the log, writes its pages into the database, syncs that, and begins the log anew. The name
    // of a file that was just created is made durable with its directory.
    make_durable(&connection, path, BUSY)?;
    let file = |source| StoreError::File { path: path.to_owned(), source };
    files::sync_directory_of(path).map_err(file)?;
    schema::migrate(&mut connection, path, migrations)?;
    renew_epochs(&mut connection, new_epoch).map_err(named)?;
    let rooms = load(&connection, path)?;
    Ok((connection, rooms))
}

/// Copies the log into the database and syncs it. Where another program reads the file, the log
/// cannot begin anew; it is enough then that all of it is copied, for SQLite syncs the database
/// with the last page.
pub(super) fn make_durable(
    connection: &Connection,
    path: &Path,
    patience: Duration,
) -> Result<(), StoreError> {
    let named = |error| StoreError::of(path, error);
    for wait in [Duration::ZERO, patience] {
        connection.busy_timeout(wait).map_err(named)?;
        let copied =
            [CheckpointMode::TRUNCATE, CheckpointMode::PASSIVE].into_iter().find_map(|mode| {
                match connection.wal_checkpoint_v2(Some(rusqlite::MAIN_DB), mode) {
                    Ok((pages, copied)) => (pages == copied).then_some(Ok(())),
                    Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                        None
                    }
                    Err(error) => Some(Err(named(error))),
                }
            });
        if let Some(copied) = copied {
            connection.busy_timeout(BUSY).map_err(named)?;
            return copied;
        }
    }
    Err(StoreError::InUse { path: path.to_owned() })
}

/// A database that is missing while its log is there was not begun by nobody: a new one would
/// hide what is lost.
fn refuse_what_is_lost(path: &Path) -> Result<(), StoreError> {
    let length = |path: &Path| match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(source) => Err(StoreError::File { path: path.to_owned(), source }),
    };
    if length(path)? == 0 && length(&files::beside(path, "-wal"))? > 0 {
        return Err(StoreError::Lost { path: path.to_owned() });
    }
    Ok(())
}

pub(crate) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // A damaged schema is no reason to run what stands in it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(connection)
}

fn use_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // Every commit is synced before it is acknowledged.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // A log that grew while somebody held an old moment is cut when it begins anew.
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    // What is erased is overwritten.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(())
}

/// What was said in rooms that keep nothing is gone with the process.
fn renew_epochs(
    connection: &mut Connection,
    mut new_epoch: impl FnMut() -> Epoch,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let ids: Vec<i64> = transaction
        .prepare("SELECT id FROM rooms WHERE keep = 0")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in ids {
        let epoch = new_epoch();
        transaction
            .prepare_cached("UPDATE rooms SET epoch = ?, floor_digest = ? WHERE id = ?")?
            .execute(params![epoch.as_str(), Digest::start(&epoch).bytes(), id])?;
    }
    transaction.commit()
}

/// What is known of all rooms. Of each, the last entry is compared with its digest.
pub(crate) fn load(connection: &Connection, path: &Path) -> Result<Rooms, StoreError> {
    let rooms = list(connection, path)?.into_iter();
    rooms
        .map(|known| {
            let known = with_head(connection, known, path)?;
            Ok((known.record.room.clone(), known))
        })
        .collect()
}

/// All rooms as their rows say, without a look at the entries.
pub(super) fn list(connection: &Connection, path: &Path) -> Result<Vec<Known>, StoreError> {
    const SQL: &str =
        "SELECT id, name, epoch, keep, floor, floor_digest, private, topic FROM rooms";
    let named = |error| StoreError::of(path, error);
    let mut rooms = Vec::new();
    let mut statement = connection.prepare(SQL).map_err(named)?;
    let mut rows = statement.query([]).map_err(named)?;
    while let Some(row) = rows.next().map_err(named)? {
        let known = room(row).map_err(named)?.ok_or_else(|| {
            let id: i64 = row.get(0).unwrap_or_default();
            let cause = format!("row {id} of the table rooms is not a room");
            StoreError::Damaged { path: path.to_owned(), cause }
        })?;
        rooms.push(with_members(connection, known, path)?);
    }
    Ok(rooms)
}

/// The number of the last entry of a room that has entries.
pub(super) fn last_entry(connection: &Connection, room: i64) -> rusqlite::Result<Option<u64>> {
    let places = [place(room, 0), place(room, SEQ_MAX)];
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(place) FROM entries WHERE place BETWEEN ? AND ?")?
        .query_row(places, |row| row.get(0))?;
    Ok(last.map(seq_of))
}

/// Opens a database of the last version for reading, also one that a server has open.
pub(crate) fn read_only(path: &Path) -> Result<Connection, StoreError> {
    let connection = read_any_version(path)?;
    schema::require_last_version(&connection, path)?;
    Ok(connection)
}

/// Opens a database for reading.
pub(crate) fn read_any_version(path: &Path) -> Result<Connection, StoreError> {
    let named = |error| StoreError::of(path, error);
    refuse_what_is_lost(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(named)?;
    connection.busy_timeout(BUSY).map_err(named)?;
    if schema::version(&connection, path)? == 0 {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    Ok(connection)
}

fn room(row: &Row<'_>) -> rusqlite::Result<Option<Known>> {
    let (Ok(name), Ok(epoch)) =
        (RoomName::new(row.get::<_, String>(1)?), Epoch::new(row.get::<_, String>(2)?))
    else {
        return Ok(None);
    };
    let floor = row.get::<_, i64>(4)?.cast_unsigned();
    let floor_digest = Digest::from_bytes(row.get(5)?);
    let keep = match row.get::<_, Option<u32>>(3)? {
        None => Keep::Forever,
        Some(0) => Keep::None,
        Some(most) => Keep::Last(most),
    };
    let private: bool = row.get(6)?;
    let record = RoomRecord {
        room: name,
        head: Position { epoch, seq: floor },
        digest: floor_digest,
        floor,
        floor_digest,
        keep,
        members: private.then(Arc::default),
        topic: row.get::<_, Option<String>>(7)?.and_then(|topic| Topic::new(topic).ok()),
    };
    Ok(Some(Known { id: row.get(0)?, record, pruned: floor }))
}

fn with_members(
    connection: &Connection,
    mut known: Known,
    path: &Path,
) -> Result<Known, StoreError> {
    if known.record.members.is_none() {
        return Ok(known);
    }
    let mut members = Vec::new();
    let found = (|| {
        let names: Vec<i64> = connection
            .prepare_cached("SELECT name FROM members WHERE room = ? ORDER BY nth")?
            .query_map([known.id], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        names
            .into_iter()
            .map(|name| member(connection, name))
            .collect::<rusqlite::Result<Vec<Option<Result<Member, _>>>>>()
    })();
    for found in found.map_err(|error| StoreError::of(path, error))? {
        let Some(Ok(member)) = found else {
            let cause = format!("a member of room {} cannot be read", known.record.room);
            return Err(StoreError::Damaged { path: path.to_owned(), cause });
        };
        members.push(member);
    }
    known.record.members = Some(members.into());
    Ok(known)
}

fn with_head(connection: &Connection, mut known: Known, path: &Path) -> Result<Known, StoreError> {
    let named = |error| StoreError::of(path, error);
    let last = last_entry(connection, known.id).map_err(named)?;
    let Some(head) = last else { return Ok(known) };
    known.record.head.seq = head;
    let entry = Reading::new(connection, &known)
        .one(head)
        .map_err(|error| StoreError::of_read(path, error))?
        .expect("it was found just before");
    known.record.digest = entry.digest;
    let floor = head.saturating_sub(known.record.keeps()).max(known.record.floor);
    if floor > known.record.floor {
        known.record.floor_digest =
            stored_digest(connection, place(known.id, floor)).map_err(named)?.ok_or_else(|| {
                let room = &known.record.room;
                let cause = format!("entry {floor} of room {room} is missing");
                StoreError::Damaged { path: path.to_owned(), cause }
            })?;
        known.record.floor = floor;
    }
    Ok(known)
}
