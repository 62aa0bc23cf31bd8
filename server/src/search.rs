//! Full text over posts.
//!
//! The index is one more follower of the logs ([`Indexer`]): it costs a commit nothing, and after a
//! crash it goes on from the position that it stored together with what it had read. `following`
//! keeps it at the logs. [`Search`] asks it, and [`Searching`] does so for people, in turns. What
//! somebody may read is part of the question, so nothing else is ever looked at.

pub(crate) mod following;
mod index;
mod indexer;
#[cfg(test)]
mod tests;
mod tokens;
mod turns;

use std::{
    fmt,
    num::ParseIntError,
    path::Path,
    str::FromStr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use common::{Epoch, Position, RoomName};
use rusqlite::{Connection, OptionalExtension as _, params};

pub use self::{
    index::IndexError,
    indexer::{Change, ChangeKind, Head, Indexer, Source, Unreadable},
    tokens::{QUERY_CHARS_MAX, QUERY_SINGLES_MAX, QUERY_TERMS_MAX, QueryError},
    turns::Searching,
};
use self::{
    index::{Index, OPEN_MARK, mark_of},
    tokens::expression,
};

/// Hits of a page for whoever does not say how many.
pub const PAGE_HITS: usize = 20;
/// Hits of a page for whoever asks for many.
pub const PAGE_HITS_MAX: usize = 50;

/// The index's file in the data directory.
const FILE: &str = "search.db";
/// Reading connections that are kept open.
const READERS_MAX: usize = 4;

/// Opens the index in this directory, or begins one: who asks it, and who keeps it.
///
/// # Errors
/// The directory cannot be read or written.
pub fn open(data_dir: &Path) -> Result<(Search, Indexer), IndexError> {
    let path = data_dir.join(FILE);
    let damaged = Arc::new(AtomicBool::new(false));
    let indexer = Indexer::new(Index::open(&path)?, Arc::clone(&damaged))?;
    Ok((Search { path: Arc::from(path), readers: Arc::default(), damaged }, indexer))
}

/// Asks the index. Every copy asks the same one.
#[derive(Clone, Debug)]
pub struct Search {
    path: Arc<Path>,
    /// Connections that wait for the next who asks.
    readers: Arc<Mutex<Vec<Connection>>>,
    /// Tells the indexer to build the index again.
    damaged: Arc<AtomicBool>,
}

/// What the asker may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readable {
    /// All open rooms, and these private ones.
    OpenAnd(Vec<RoomName>),
    /// This room, and no other.
    Only(RoomName),
}

/// A post that was found, by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its room.
    pub room: RoomName,
    /// Its place in the room's log, at the time when it was indexed.
    pub position: Position,
}

/// Some hits, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Posts, by their places.
    pub hits: Vec<Hit>,
    /// Names the next page, as `before`; none on the last.
    pub next: Option<Cursor>,
}

/// Where a page ended. It means nothing once the index was built again, and harms nothing then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(i64);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cursor {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Why nothing can be said about what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SearchRefusal {
    /// The query is to be written otherwise.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The index cannot be read.
    #[error("the search index cannot be read")]
    Unavailable(#[from] rusqlite::Error),
}

impl Search {
    /// Posts that hold every part of `query`, the newest first: those of `room`, if one is named,
    /// among what is `readable`; those after which the last page ended, if `before` names one; at
    /// most `limit`, and never more than [`PAGE_HITS_MAX`]. A room that is unknown or not readable
    /// holds nothing.
    ///
    /// It reads files: an async caller asks from a thread that may wait.
    ///
    /// # Errors
    /// The query is empty or too long, or the index cannot be read.
    pub fn find(
        &self,
        query: &str,
        readable: &Readable,
        room: Option<&RoomName>,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, SearchRefusal> {
        let expression = expression(query)?;
        let found = self.reader().and_then(|reader| {
            let page = match marks(&reader, readable, room)? {
                Some(marks) => {
                    let limit = limit.clamp(1, PAGE_HITS_MAX);
                    find(&reader, &format!("{marks} AND {expression}"), before, limit)?
                }
                None => Page { hits: Vec::new(), next: None },
            };
            self.give_back(reader);
            Ok(page)
        });
        if found.as_ref().is_err_and(index::is_damage) {
            self.damaged.store(true, Ordering::Relaxed);
        }
        Ok(found?)
    }

    fn reader(&self) -> Result<Connection, rusqlite::Error> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| index::connect_reader(&self.path), Ok)
    }

    fn give_back(&self, reader: Connection) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_MAX {
            readers.push(reader);
        }
    }
}

/// What FTS5 is to match for what may be read; none where that is nothing.
fn marks(
    reader: &Connection,
    readable: &Readable,
    room: Option<&RoomName>,
) -> Result<Option<String>, rusqlite::Error> {
    let mark = |room: &RoomName| -> Result<Option<String>, rusqlite::Error> {
        let id = reader
            .prepare_cached("SELECT id FROM rooms WHERE name = ?1")?
            .query_row([room.as_str()], |row| row.get(0))
            .optional()?;
        Ok(id.map(|id| format!("\"{}\"", mark_of(id))))
    };
    match (readable, room) {
        (Readable::Only(only), Some(room)) if only != room => Ok(None),
        (Readable::Only(room), _) => mark(room),
        (Readable::OpenAnd(private), Some(room)) if private.contains(room) => mark(room),
        (Readable::OpenAnd(_), Some(room)) => {
            Ok(mark(room)?.map(|mark| format!("\"{OPEN_MARK}\" AND {mark}")))
        }
        (Readable::OpenAnd(private), None) => {
            let mut marks = vec![format!("\"{OPEN_MARK}\"")];
            for room in private {
                marks.extend(mark(room)?);
            }
            Ok(Some(format!("({})", marks.join(" OR "))))
        }
    }
}

fn find(
    reader: &Connection,
    expression: &str,
    before: Option<Cursor>,
    limit: usize,
) -> Result<Page, rusqlite::Error> {
    let Cursor(before) = before.unwrap_or(Cursor(i64::MAX));
    // CROSS JOIN keeps the order: FTS5 walks from the newest and is asked for no more than a page.
    let mut select = reader.prepare_cached(
        "SELECT posts.rowid, rooms.name, rooms.epoch, docs.seq FROM posts
         CROSS JOIN docs ON docs.id = posts.rowid
         CROSS JOIN rooms ON rooms.id = docs.room AND rooms.name IS NOT NULL
         WHERE posts MATCH ?1 AND posts.rowid < ?2 ORDER BY posts.rowid DESC LIMIT ?3",
    )?;
    let one_more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut hits = select
        .query_map(params![expression, before, one_more], |row| {
            let room = index::checked(RoomName::new(row.get::<_, String>(1)?))?;
            let epoch = index::checked(Epoch::new(row.get::<_, String>(2)?))?;
            let seq = row.get::<_, i64>(3)?.cast_unsigned();
            Ok((Cursor(row.get(0)?), Hit { room, position: Position { epoch, seq } }))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let has_more = hits.len() > limit;
    hits.truncate(limit);
    let next = hits.last().filter(|_| has_more).map(|(cursor, _)| *cursor);
    Ok(Page { hits: hits.into_iter().map(|(_, hit)| hit).collect(), next })
}
