//! How entries stand in the database, and reading them back: what does not fit its digest is
//! refused and served to nobody.

use std::{cell::RefCell, collections::HashMap, ops::ControlFlow, sync::OnceLock};

use common::{Digest, EntryKind, Member, RoomName, TextError, UserId, UserName};
use rooms::{Entry, RoomRecord};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Params, Row};

use super::{
    Known,
    compact::{At, Id},
};

/// Lower bits of a place: the entry's number. A thousand entries a second for 34 years.
const SEQ_BITS: u32 = 40;
/// The highest number of an entry.
pub(super) const SEQ_MAX: u64 = (1 << SEQ_BITS) - 1;

pub(super) const POST: i64 = 1;
pub(super) const EDIT: i64 = 2;
pub(super) const REACTION: i64 = 6;

/// The columns that [`Reading::entry`] reads, in its order.
pub(super) const COLUMNS: &str =
    "place, at, author, message_id, kind, about, member, body, erased, digest";

/// Whether a person reacted so to a post; what was taken back has no text. The numbers of the kinds
/// are part of the texts, for only so does SQLite see that a partial index has the answer.
pub(super) const HAS_REACTION: &str =
    "SELECT EXISTS (SELECT 1 FROM entries WHERE about = ? AND kind = 6
    AND body = ? AND author IN (SELECT id FROM names WHERE person = ?))";
/// An entry and its edits.
pub(super) const TO_ERASE: &str =
    "SELECT place, body FROM entries WHERE place = ?1 AND erased IS NULL
    UNION ALL SELECT place, body FROM entries WHERE about = ?1 AND kind = 2 AND erased IS NULL";

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// SQLite says why.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// What stands there is not what was written.
    #[error("entry {seq} of room {room} is damaged: {cause}")]
    Damaged {
        /// The room.
        room: RoomName,
        /// The entry's number.
        seq: u64,
        /// What is wrong with it.
        cause: &'static str,
    },
}

/// Where an entry stands among all entries of all rooms.
pub(super) fn place(room: i64, seq: u64) -> i64 {
    let seq = i64::try_from(seq.min(SEQ_MAX)).expect("40 bits fit");
    (room << SEQ_BITS) | seq
}

/// The entry's number in its room.
pub(super) fn seq_of(place: i64) -> u64 {
    place.cast_unsigned() & SEQ_MAX
}

/// The room's id.
pub(super) fn room_of(place: i64) -> i64 {
    place >> SEQ_BITS
}

/// The number that stands for a kind.
pub(super) fn code_of(kind: EntryKind) -> i64 {
    match kind {
        EntryKind::Post => POST,
        EntryKind::Edit => EDIT,
        EntryKind::Delete => 3,
        EntryKind::Membership => 4,
        EntryKind::Topic => 5,
        EntryKind::Reaction => REACTION,
        // No draft is of it.
        EntryKind::Unknown => 0,
    }
}

fn kind_of(code: i64) -> Option<EntryKind> {
    EntryKind::ALL.into_iter().find(|kind| code_of(*kind) == code)
}

/// Reading entries of one room.
pub(crate) struct Reading<'a> {
    pub(super) connection: &'a Connection,
    room: &'a Known,
    members: RefCell<HashMap<i64, Member>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(connection: &'a Connection, room: &'a Known) -> Self {
        Self { connection, room, members: RefCell::default() }
    }

    pub(super) fn record(&self) -> &RoomRecord {
        &self.room.record
    }

    pub(super) fn room_id(&self) -> i64 {
        self.room.id
    }

    /// The digest of the log at this place; `None` where it is not kept.
    pub(super) fn digest_at(&self, seq: u64) -> Result<Option<Digest>, ReadError> {
        let record = &self.room.record;
        if seq == record.floor {
            return Ok(Some(record.floor_digest));
        }
        if seq < record.floor || seq > record.head.seq {
            return Ok(None);
        }
        stored_digest(self.connection, place(self.room.id, seq)).map_err(Into::into)
    }

    /// The entry with this number, whatever the floor and the head are.
    pub(super) fn one(&self, seq: u64) -> Result<Option<Entry>, ReadError> {
        let sql = format!("SELECT {COLUMNS} FROM entries WHERE place = ?");
        Ok(self.some(&sql, [place(self.room.id, seq)])?.pop())
    }

    /// Entries anywhere in the log, each compared with its digest.
    pub(super) fn some(&self, sql: &str, params: impl Params) -> Result<Vec<Entry>, ReadError> {
        let mut entries = Vec::new();
        self.each(sql, params, |entry| {
            let record = &self.room.record;
            let before = if entry.seq == record.floor + 1 {
                Some(record.floor_digest)
            } else {
                let place = place(self.room.id, entry.seq - 1);
                stored_digest(self.connection, place).map_err(|error| {
                    if is_of_the_row(&error) {
                        return self.damaged(entry.seq, "nothing stands before it to compare with");
                    }
                    error.into()
                })?
            };
            // What stands right behind what was taken away has nothing to be compared with.
            if let Some(before) = before {
                self.compare(&entry, before)?;
            }
            entries.push(entry);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(entries)
    }

    /// All entries after `after` up to `last`, oldest first, unless `take` breaks off; each is
    /// compared with its digest and follows the one before.
    pub(super) fn run(
        &self,
        after: u64,
        last: u64,
        mut before: Digest,
        mut take: impl FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let sql =
            format!("SELECT {COLUMNS} FROM entries WHERE place > ? AND place <= ? ORDER BY place");
        let (mut seq, mut broken_off) = (after, false);
        let places = [place(self.room.id, after), place(self.room.id, last)];
        self.each(&sql, places, |entry| {
            seq += 1;
            if entry.seq != seq {
                return Err(self.damaged(seq, "it is missing"));
            }
            self.compare(&entry, before)?;
            before = entry.digest;
            let taken = take(entry);
            broken_off = taken.is_break();
            Ok(taken)
        })?;
        if seq < last && !broken_off { Err(self.damaged(seq + 1, "it is missing")) } else { Ok(()) }
    }

    fn each(
        &self,
        sql: &str,
        params: impl Params,
        mut take: impl FnMut(Entry) -> Result<ControlFlow<()>, ReadError>,
    ) -> Result<(), ReadError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            if take(self.entry(row)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn compare(&self, entry: &Entry, before: Digest) -> Result<(), ReadError> {
        if entry.digest_after(before) == entry.digest {
            Ok(())
        } else {
            Err(self.damaged(entry.seq, "it does not fit its digest"))
        }
    }

    fn entry(&self, row: &Row<'_>) -> Result<Entry, ReadError> {
        let seq = seq_of(row.get(0)?);
        let damaged = |cause| self.damaged(seq, cause);
        // The row was read: what fails here is what stands in it.
        let not_so = |_: rusqlite::Error| damaged("a column is not what was written");
        let member: Option<i64> = row.get(6).map_err(not_so)?;
        let about: Option<i64> = row.get(5).map_err(not_so)?;
        // The digest of what is about nothing is that of what is about a place 0, where nothing is.
        if about.is_some_and(|place| seq_of(place) == 0) {
            return Err(damaged("it is about no entry"));
        }
        let erased: Option<[u8; 16]> = row.get(8).map_err(not_so)?;
        Ok(Entry {
            room: self.room.record.room.clone(),
            epoch: self.room.record.head.epoch.clone(),
            seq,
            at: row.get::<_, At>(1).map_err(|_| damaged("its time is not one"))?.text,
            author: self.member(row.get(2).map_err(not_so)?, seq)?,
            message_id: row.get::<_, Id>(3).map_err(|_| damaged("its id is not one"))?.text,
            kind: kind_of(row.get(4).map_err(not_so)?)
                .ok_or_else(|| damaged("there is no such kind"))?,
            of: about.map(seq_of),
            member: member.map(|member| self.member(member, seq)).transpose()?,
            body: row.get(7).map_err(not_so)?,
            erased: erased.map(Digest::from_bytes),
            digest: Digest::from_bytes(row.get(9).map_err(not_so)?),
            json: OnceLock::new(),
        })
    }

    fn member(&self, name: i64, seq: u64) -> Result<Member, ReadError> {
        if let Some(member) = self.members.borrow().get(&name) {
            return Ok(member.clone());
        }
        let member = member(self.connection, name)?
            .ok_or_else(|| self.damaged(seq, "there is no such author or member"))?
            .map_err(|_| self.damaged(seq, "its author's or member's name is not one"))?;
        self.members.borrow_mut().insert(name, member.clone());
        Ok(member)
    }

    fn damaged(&self, seq: u64, cause: &'static str) -> ReadError {
        ReadError::Damaged { room: self.room.record.room.clone(), seq, cause }
    }
}

/// Somebody, under the name that this id stands for.
pub(super) fn member(
    connection: &Connection,
    name: i64,
) -> rusqlite::Result<Option<Result<Member, TextError>>> {
    const SQL: &str = "SELECT people.user, names.name FROM names JOIN people
        ON people.id = names.person WHERE names.id = ?";
    let mut statement: CachedStatement<'_> = connection.prepare_cached(SQL)?;
    let texts = statement
        .query_row([name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    Ok(texts.map(|(user, name)| Ok(Member { id: UserId::new(user)?, name: UserName::new(name)? })))
}

/// Whether the row was read and what stands in it is not what was written.
pub(super) fn is_of_the_row(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_none()
}

/// The digest in the row of an entry.
pub(super) fn stored_digest(
    connection: &Connection,
    place: i64,
) -> rusqlite::Result<Option<Digest>> {
    let mut statement = connection.prepare_cached("SELECT digest FROM entries WHERE place = ?")?;
    let bytes: Option<[u8; 16]> = statement.query_row([place], |row| row.get(0)).optional()?;
    Ok(bytes.map(Digest::from_bytes))
}
