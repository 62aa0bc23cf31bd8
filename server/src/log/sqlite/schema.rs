//! What the tables are, how they came to be so, and how an older database becomes one of this
//! version.

use std::{
    cmp::Ordering,
    iter,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{StoreError, files};

/// Marks a database as one of Madang's: `MDNG` in its header.
/// <https://sqlite.org/pragma.html#pragma_application_id>
pub(super) const APPLICATION_ID: i64 = 0x4d44_4e47;

/// What makes the database of each version out of the one before; the first is version 1.
/// One that has been released is never changed.
pub(super) const MIGRATIONS: &[&str] = &[VERSION_1];

/// `place` is where an entry stands among all: the room's id in the upper bits, its number in the
/// lower 40. Entries of a room lie together and in order, and what is added goes to the end of a
/// room's pages. `said` is ordered by message id and not by author, because ids that begin with the
/// time then go to its end too: a commit touches few pages however many authors it has.
///
/// References are declared for `PRAGMA foreign_key_check`; they are not enforced on every insert.
const VERSION_1: &str = "
    CREATE TABLE people (
        id INTEGER PRIMARY KEY,
        user TEXT NOT NULL UNIQUE
    ) STRICT;
    -- What somebody was called when they said something.
    CREATE TABLE names (
        id INTEGER PRIMARY KEY,
        person INTEGER NOT NULL REFERENCES people,
        name TEXT NOT NULL,
        UNIQUE (person, name)
    ) STRICT;
    CREATE TABLE rooms (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        epoch TEXT NOT NULL,
        -- The number of entries that are kept; NULL for all of them.
        keep INTEGER,
        -- There are no rows of entries up to here, and the digest of the log at this place.
        floor INTEGER NOT NULL,
        floor_digest BLOB NOT NULL,
        -- 1: only the members may see it.
        private INTEGER NOT NULL,
        topic TEXT
    ) STRICT;
    CREATE TABLE members (
        room INTEGER NOT NULL REFERENCES rooms,
        nth INTEGER NOT NULL,
        name INTEGER NOT NULL REFERENCES names,
        PRIMARY KEY (room, nth)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE entries (
        place INTEGER PRIMARY KEY,
        room INTEGER NOT NULL GENERATED ALWAYS AS (place >> 40) VIRTUAL REFERENCES rooms,
        seq INTEGER NOT NULL GENERATED ALWAYS AS (place & 0xffffffffff) VIRTUAL,
        -- Milliseconds since 1970, or as it was written.
        at ANY NOT NULL,
        author INTEGER NOT NULL REFERENCES names,
        -- The bytes of a UUID, or as it was written.
        message_id ANY NOT NULL,
        -- 1 post, 2 edit, 3 delete, 4 membership, 5 topic, 6 reaction.
        kind INTEGER NOT NULL,
        -- The place of the entry that it is about.
        about INTEGER,
        member INTEGER REFERENCES names,
        body TEXT NOT NULL,
        -- The digest of the body that was erased.
        erased BLOB,
        digest BLOB NOT NULL
    ) STRICT;
    -- What is asked of a post is asked of all its edits, or of one person's reactions.
    CREATE INDEX entries_edits ON entries (about) WHERE kind = 2;
    CREATE INDEX entries_reactions ON entries (about, author, body) WHERE kind = 6;
    -- What was said: a message that is said again is known by it, also when its entry is gone.
    CREATE TABLE said (
        message_id ANY NOT NULL,
        person INTEGER NOT NULL REFERENCES people,
        place INTEGER NOT NULL,
        fingerprint BLOB NOT NULL,
        -- Seconds since 1970.
        at INTEGER NOT NULL,
        PRIMARY KEY (message_id, person)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE marks (
        person INTEGER NOT NULL REFERENCES people,
        room INTEGER NOT NULL REFERENCES rooms,
        seq INTEGER NOT NULL,
        PRIMARY KEY (person, room)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sessions (
        session BLOB PRIMARY KEY,
        user TEXT NOT NULL,
        name TEXT NOT NULL,
        begun_ms INTEGER NOT NULL,
        used_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Which version the database is of, if it is one of Madang's: 0 where nothing is in it yet.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<usize, StoreError> {
    let named = |error| StoreError::of(path, error);
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(named);
    let version = usize::try_from(number("PRAGMA user_version")?).unwrap_or(usize::MAX);
    let id = number("PRAGMA application_id")?;
    if version == 0 && id == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(0);
    }
    if id != APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    Ok(version)
}

/// Makes the database one of the last version. Before a step that changes what is there, a copy
/// is made beside it.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<(), StoreError> {
    migrate_and(connection, path, migrations, |connection, next| {
        let copy = copy_of(path, next);
        tracing::info!(version = next, copy = %copy.display(), "bringing the database to a version");
        files::copy(connection, &copy).map_err(|error| error.at(&copy))
    })
}

/// The same with what is a copy itself.
pub(crate) fn migrate_copy(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    migrate_and(connection, path, MIGRATIONS, |_, _| Ok(()))
}

fn migrate_and(
    connection: &mut Connection,
    path: &Path,
    migrations: &[&str],
    keep_copy: impl Fn(&Connection, usize) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let found = version(connection, path)?;
    if found > migrations.len() {
        let known = migrations.len();
        return Err(StoreError::Newer { path: path.to_owned(), version: found, known });
    }
    for (nth, sql) in migrations.iter().enumerate().skip(found) {
        let next = nth + 1;
        if found > 0 {
            keep_copy(connection, next)?;
        }
        apply(connection, sql, next).map_err(|error| StoreError::of(path, error))?;
    }
    Ok(())
}

/// Refuses what is not of the last version: only a server that starts, and what restores a
/// backup, bring a database to it.
pub(super) fn require_last_version(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let (version, known) = (version(connection, path)?, MIGRATIONS.len());
    match version.cmp(&known) {
        Ordering::Less => Err(StoreError::Older { path: path.to_owned(), version, known }),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(StoreError::Newer { path: path.to_owned(), version, known }),
    }
}

/// Where a copy is made before the step to this version. One that is there already was perhaps
/// made just before the power failed: it stays, and the next has a number behind its name.
pub(super) fn copy_of(path: &Path, version: usize) -> PathBuf {
    let first = files::beside(path, &format!(".before-{version}"));
    let others = (2..).map(|nth| files::beside(&first, &format!("-{nth}")));
    let mut names = iter::once(first.clone()).chain(others);
    names.find(|name| !name.exists()).expect("there is always a next number")
}

fn apply(connection: &mut Connection, sql: &str, version: usize) -> rusqlite::Result<()> {
    let transaction: Transaction<'_> =
        connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(sql)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", i64::try_from(version).unwrap_or(i64::MAX))?;
    transaction.commit()
}
