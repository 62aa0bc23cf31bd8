//! Comparing everything that is kept with its digests.

use std::{ops::ControlFlow, path::Path};

use rooms::RoomRecord;
use rusqlite::Connection;

use super::{
    Known, StoreError, opening,
    rows::{ReadError, Reading, room_of, seq_of},
};

/// Faults of one kind that are named; more of them say nothing more.
const FAULTS_MAX: usize = 20;

/// What was compared, and what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Rooms.
    pub(crate) rooms: usize,
    /// Entries that fit their digests.
    pub(crate) entries: u64,
    /// Messages that would be known if they were said again.
    pub(crate) messages: u64,
    /// Sessions.
    pub(crate) sessions: u64,
    /// Each as a sentence. Of a room, the first entry that is damaged.
    pub(crate) faults: Vec<String>,
}

/// Relations that hold in a whole database, each with a query for what breaks it: a place.
const RELATIONS: [(&str, &str); 4] = [
    (
        "is about something that cannot stand before it",
        "SELECT place FROM entries WHERE about IS NOT NULL
         AND (about >> 40 <> place >> 40 OR about >= place)",
    ),
    (
        "was deleted, and its text is there",
        "SELECT target.place FROM entries AS deletion JOIN entries AS target
         ON target.place = deletion.about OR (target.about = deletion.about AND target.kind = 2)
         WHERE deletion.kind = 3 AND target.erased IS NULL",
    ),
    (
        "was erased, and has a text",
        "SELECT place FROM entries WHERE erased IS NOT NULL AND body <> ''",
    ),
    (
        "is not what its author's message id stands for",
        "SELECT said.place FROM said
         LEFT JOIN rooms ON rooms.id = said.place >> 40
         LEFT JOIN entries ON entries.place = said.place
         LEFT JOIN names ON names.id = entries.author
         WHERE rooms.id IS NULL
         OR (entries.place IS NULL AND said.place & 0xffffffffff > rooms.floor)
         OR entries.message_id <> said.message_id OR names.person <> said.person",
    ),
];

/// Compares everything, as of one moment. A room is read to its end or to its first damage.
///
/// # Errors
/// So little can be read that nothing can be compared.
pub(crate) fn verify(connection: &Connection, path: &Path) -> Result<Report, StoreError> {
    let named = |error| StoreError::of(path, error);
    let moment = connection.unchecked_transaction().map_err(named)?;
    let mut report = Report::default();
    report.note(structure(&moment), "the structure of the file");
    let rooms = opening::list(&moment, path)?;
    report.rooms = rooms.len();
    for known in &rooms {
        match room(&moment, known) {
            Ok(entries) => report.entries += entries,
            Err(error) => report.faults.push(error.to_string()),
        }
    }
    for (fault, sql) in RELATIONS {
        let found = places(&moment, sql).map(|places| {
            let name = |place: i64| {
                let room = rooms.iter().find(|known| known.id == room_of(place));
                let room = room.map_or("(none)", |known| known.record.room.as_str());
                format!("entry {} of room {room} {fault}", seq_of(place))
            };
            places.into_iter().map(name).collect()
        });
        report.note(found, "the entries");
    }
    report.messages = count(&moment, "said").map_err(named)?;
    report.sessions = count(&moment, "sessions").map_err(named)?;
    Ok(report)
}

impl Report {
    /// What cannot even be asked is a fault too.
    fn note(&mut self, found: rusqlite::Result<Vec<String>>, of: &str) {
        match found {
            Ok(faults) => self.faults.extend(faults),
            Err(error) => self.faults.push(format!("{of} cannot be read: {error}")),
        }
    }
}

/// What SQLite finds wrong with its own pages, and references to what is not there.
fn structure(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut faults: Vec<String> = connection
        .prepare(&format!("PRAGMA integrity_check({FAULTS_MAX})"))?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    faults.retain(|fault| fault != "ok");
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let dangling = statement.query_map([], |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        let row: Option<i64> = row.get(1)?;
        let row = row.map_or_else(String::new, |row| format!(" {row}"));
        Ok(format!("row{row} of the table {table} names nothing in the table {parent}"))
    })?;
    for fault in dangling.take(FAULTS_MAX) {
        faults.push(fault?);
    }
    Ok(faults)
}

/// How many entries of a room fit their digests, if all of them do.
fn room(connection: &Connection, known: &Known) -> Result<u64, ReadError> {
    let RoomRecord { floor, floor_digest, .. } = known.record;
    let Some(head) = opening::last_entry(connection, known.id)? else { return Ok(0) };
    let mut count = 0;
    Reading::new(connection, known).run(floor, head, floor_digest, |_| {
        count += 1;
        ControlFlow::Continue(())
    })?;
    Ok(count)
}

fn places(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare(sql)?;
    statement.query_map([], |row| row.get(0))?.take(FAULTS_MAX).collect()
}

fn count(connection: &Connection, table: &str) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM {table}");
    connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
}
