//! What is asked of the logs.

use std::{
    ops::{ControlFlow, RangeInclusive},
    sync::Arc,
};

use common::{
    Digest, EntryKind, Member, MessageId, UserId, UserName, http::Unread, limits::UNREAD_MAX,
    mention::mentions,
};
use rooms::{Entry, RoomRecord};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    people,
    rows::{COLUMNS, EDIT, POST, REACTION, ReadError, Reading, place},
    writer,
};
use crate::{accounts::Hashed, log::store::SavedSession};

/// Entries that are looked at for what somebody has not read: ten for each post that is counted,
/// so that reactions and edits between them make the count of an ordinary room no smaller.
const LOOKED_AT_MAX: u32 = 10 * UNREAD_MAX;

impl Reading<'_> {
    /// Entries after `after`, at most `most`, oldest first, and none behind the one with which they
    /// weigh `bytes_max` or more; none where they are not kept.
    pub(crate) fn after(
        &self,
        after: u64,
        most: usize,
        bytes_max: usize,
    ) -> Result<Vec<Arc<Entry>>, ReadError> {
        let RoomRecord { head, floor, .. } = self.record();
        if after < *floor || after >= head.seq || most == 0 {
            return Ok(Vec::new());
        }
        let last = after.saturating_add(most as u64).min(head.seq);
        self.between(after, last, bytes_max)
    }

    /// The last `most` entries before `before`, oldest first.
    pub(super) fn before(&self, before: u64, most: usize) -> Result<Vec<Arc<Entry>>, ReadError> {
        let RoomRecord { head, floor, .. } = self.record();
        let last = before.saturating_sub(1).min(head.seq);
        let after = last.saturating_sub(most as u64).max(*floor);
        if after >= last { Ok(Vec::new()) } else { self.between(after, last, usize::MAX) }
    }

    fn between(
        &self,
        after: u64,
        last: u64,
        bytes_max: usize,
    ) -> Result<Vec<Arc<Entry>>, ReadError> {
        // It may have been taken away since the room was looked up.
        if after < self.pruned()? {
            return Ok(Vec::new());
        }
        let Some(before) = self.digest_at(after)? else { return Ok(Vec::new()) };
        let (mut entries, mut bytes) = (Vec::new(), 0);
        self.run(after, last, before, |entry| {
            bytes += entry.weight();
            entries.push(Arc::new(entry));
            if bytes < bytes_max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(entries)
    }

    /// There are no rows up to this entry, at the moment that this connection sees.
    fn pruned(&self) -> rusqlite::Result<u64> {
        self.connection
            .prepare_cached("SELECT floor FROM rooms WHERE id = ?")?
            .query_row([self.room_id()], |row| row.get(0).map(i64::cast_unsigned))
    }

    /// Of the entries behind these places: the last edit of each post among them, and the
    /// reactions to them that were not taken back. Where these are more than `most`, the last
    /// reactions are left out, and edits only where they alone are more.
    pub(super) fn later(
        &self,
        places: &RangeInclusive<u64>,
        most: usize,
    ) -> Result<Vec<Arc<Entry>>, ReadError> {
        let behind = "about BETWEEN ?1 AND ?2 AND place > ?2 AND place <= ?3 AND erased IS NULL";
        let edits = format!(
            "SELECT {COLUMNS} FROM entries AS entry WHERE kind = {EDIT} AND {behind}
             AND NOT EXISTS (SELECT 1 FROM entries WHERE about = entry.about AND kind = {EDIT}
                 AND place > entry.place AND place <= ?3)
             ORDER BY place LIMIT ?4"
        );
        let reactions = format!(
            "SELECT {COLUMNS} FROM entries WHERE kind = {REACTION} AND {behind}
             ORDER BY place LIMIT ?4"
        );
        let [first, last] = [*places.start(), *places.end()].map(|seq| place(self.room_id(), seq));
        let head = place(self.room_id(), self.record().head.seq);
        let limit = |most: usize| i64::try_from(most).unwrap_or(i64::MAX);
        let mut entries = self.some(&edits, [first, last, head, limit(most)])?;
        let left = limit(most - entries.len());
        entries.extend(self.some(&reactions, [first, last, head, left])?);
        entries.sort_by_key(|entry| entry.seq);
        Ok(entries.into_iter().map(Arc::new).collect())
    }

    /// A post with the text of its last edit; none where it was deleted or is not kept.
    pub(super) fn post(&self, seq: u64) -> Result<Option<common::Entry>, ReadError> {
        let RoomRecord { head, floor, .. } = self.record();
        if seq <= *floor || seq > head.seq {
            return Ok(None);
        }
        let stands = |entry: &Entry| entry.kind == EntryKind::Post && entry.erased.is_none();
        let Some(post) = self.one(seq)?.filter(stands) else { return Ok(None) };
        let sql = format!(
            "SELECT {COLUMNS} FROM entries WHERE about = ?1 AND kind = {EDIT}
             AND erased IS NULL AND place <= ?2 ORDER BY place DESC LIMIT 1"
        );
        let places = [seq, head.seq].map(|seq| place(self.room_id(), seq));
        let mut post = post.on_the_wire();
        if let Some(edit) = self.some(&sql, places)?.pop() {
            post.body = edit.body;
        }
        Ok(Some(post))
    }

    /// How far somebody has read, and what others posted since: of the last [`LOOKED_AT_MAX`]
    /// entries, the last [`UNREAD_MAX`] posts. Beyond either the counts are lower bounds.
    pub(super) fn unread(&self, reader: &Member) -> Result<Option<Unread>, ReadError> {
        let Some(person) = people::person(self.connection, &reader.id)? else { return Ok(None) };
        let read: Option<i64> = self
            .connection
            .prepare_cached("SELECT seq FROM marks WHERE person = ? AND room = ?")?
            .query_row([person, self.room_id()], |row| row.get(0))
            .optional()?;
        let Some(read) = read.map(i64::cast_unsigned) else { return Ok(None) };
        let RoomRecord { head, floor, .. } = self.record();
        let sql = format!(
            "SELECT body FROM (
                 SELECT kind, erased, author, body FROM entries
                 WHERE place > ?1 AND place <= ?2 ORDER BY place DESC LIMIT {LOOKED_AT_MAX})
             WHERE kind = {POST} AND erased IS NULL
             AND author NOT IN (SELECT id FROM names WHERE person = ?3) LIMIT {UNREAD_MAX}"
        );
        let [after, last] = [read.max(*floor), head.seq].map(|seq| place(self.room_id(), seq));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([after, last, person])?;
        let mut unread = Unread { read, posts: 0, mentions: 0 };
        while let Some(row) = rows.next()? {
            let body = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            unread.posts += 1;
            unread.mentions += u32::from(mentions(body, &reader.name));
        }
        Ok(Some(unread))
    }
}

/// The place of a message.
pub(super) fn find(
    connection: &Connection,
    author: &UserId,
    message_id: &MessageId,
) -> Result<Option<i64>, ReadError> {
    let Some(person) = people::person(connection, author)? else { return Ok(None) };
    Ok(writer::said(connection, person, message_id)?.map(|(place, _): (i64, Digest)| place))
}

/// Everybody who is signed in.
pub(super) fn sessions(connection: &Connection) -> Result<Vec<SavedSession>, ReadError> {
    let sql = "SELECT session, user, name, begun_ms, used_ms FROM sessions";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        let user = UserId::new(row.get::<_, String>(1)?);
        let name = UserName::new(row.get::<_, String>(2)?);
        // Somebody whose row cannot be read signs in again.
        let (Ok(id), Ok(name)) = (user, name) else {
            tracing::error!("a session in the database is damaged and is left out");
            continue;
        };
        sessions.push(SavedSession {
            session: Hashed::from_bytes(row.get(0)?),
            user: Member { id, name },
            begun_ms: row.get::<_, i64>(3)?.cast_unsigned(),
            used_ms: row.get::<_, i64>(4)?.cast_unsigned(),
        });
    }
    Ok(sessions)
}
