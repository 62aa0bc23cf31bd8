//! The one connection that writes: a batch of changes is one transaction.

mod membership;

use std::{
    collections::{BTreeMap, btree_map},
    path::PathBuf,
    sync::Arc,
};

use common::{Digest, MessageId, Position, RoomName, Timestamp, UserId, http::Keep};
use rooms::{AppendRefusal, Appended, Content, Draft, Entry, RoomRecord, log::check};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{
    Known, Rooms,
    compact::{At, Id},
    forgetting::{Forgetting, forget},
    people::People,
    rows::{HAS_REACTION, ReadError, TO_ERASE, code_of, place, room_of, seq_of},
};
use crate::log::store::{Change, Outcome, SavedSession};

/// The connection that writes, and what it remembers between transactions.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    people: People,
    forgetting: Forgetting,
    path: PathBuf,
    /// It was broken on purpose: what is said again is not known.
    #[cfg(feature = "mutants")]
    pub(super) forgets_messages: bool,
    /// It was broken on purpose: a transaction stays open until the next.
    #[cfg(feature = "mutants")]
    pub(super) answers_early: bool,
    /// It was broken on purpose: anybody may change anything.
    #[cfg(feature = "mutants")]
    pub(super) ignores_rules: bool,
}

/// What a transaction came to.
pub(super) struct Made {
    pub(super) outcomes: Vec<Outcome>,
    /// The rooms that are otherwise after it.
    pub(super) rooms: Rooms,
}

impl Writer {
    pub(super) fn new(connection: Connection, path: PathBuf) -> Self {
        Self {
            connection,
            people: People::default(),
            forgetting: Forgetting::new(),
            path,
            #[cfg(feature = "mutants")]
            forgets_messages: false,
            #[cfg(feature = "mutants")]
            answers_early: false,
            #[cfg(feature = "mutants")]
            ignores_rules: false,
        }
    }

    /// Makes all changes durable, or none of them.
    pub(super) fn make(
        &mut self,
        changes: &[Change],
        at: &Timestamp,
        rooms: &Rooms,
    ) -> Result<Made, ReadError> {
        let at = At::new(at.clone());
        let made = self.transact(changes, &at, rooms);
        match &made {
            Ok(_) => self.forgetting.after(changes.len(), &self.path, at.seconds()),
            Err(_) => self.people.forget(),
        }
        self.people.tidy();
        made
    }

    fn transact(&mut self, changes: &[Change], at: &At, rooms: &Rooms) -> Result<Made, ReadError> {
        #[cfg(feature = "mutants")]
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("COMMIT")?;
        }
        // What is dropped before its commit is rolled back.
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut batch = Batch {
            connection: &transaction,
            people: &mut self.people,
            before: rooms,
            touched: BTreeMap::new(),
            at,
            seconds: at.seconds(),
            #[cfg(feature = "mutants")]
            forgets_messages: self.forgets_messages,
            #[cfg(feature = "mutants")]
            ignores_rules: self.ignores_rules,
        };
        let outcomes = changes.iter().map(|change| batch.make(change)).collect::<Result<_, _>>()?;
        let rooms = batch.finish()?;
        forget(&transaction, &self.forgetting.some())?;
        #[cfg(feature = "mutants")]
        if self.answers_early {
            let mut transaction = transaction;
            transaction.set_drop_behavior(rusqlite::DropBehavior::Ignore);
            return Ok(Made { outcomes, rooms });
        }
        transaction.commit()?;
        Ok(Made { outcomes, rooms })
    }
}

/// One transaction. What an earlier change did is seen by a later one.
struct Batch<'a> {
    connection: &'a Connection,
    people: &'a mut People,
    before: &'a Rooms,
    touched: Rooms,
    at: &'a At,
    seconds: i64,
    #[cfg(feature = "mutants")]
    forgets_messages: bool,
    #[cfg(feature = "mutants")]
    ignores_rules: bool,
}

impl Batch<'_> {
    fn make(&mut self, change: &Change) -> Result<Outcome, ReadError> {
        match change {
            Change::Append(draft) => return self.append(draft).map(Outcome::Appended),
            Change::Open(new) => return self.open(new).map(Outcome::Opened),
            Change::Mark { reader, room, seq } => self.mark(reader, room, *seq)?,
            Change::SignIn(session) => self.sign_in(session)?,
            Change::SignOut(session) => {
                let sql = "DELETE FROM sessions WHERE session = ?";
                self.connection.prepare_cached(sql)?.execute([session.bytes()])?;
            }
        }
        Ok(Outcome::Done)
    }

    /// The room as it is at this point of the transaction.
    fn room(&mut self, room: &RoomName) -> Option<&mut Known> {
        match self.touched.entry(room.clone()) {
            btree_map::Entry::Occupied(touched) => Some(touched.into_mut()),
            btree_map::Entry::Vacant(vacant) => Some(vacant.insert(self.before.get(room)?.clone())),
        }
    }

    fn append(&mut self, draft: &Draft) -> Result<Result<Appended, AppendRefusal>, ReadError> {
        let fingerprint = draft.fingerprint();
        // Most of what comes is new: it is taken for that, and the row that it would be doubled by
        // says when it is not.
        let next = self.judge(draft)?;
        if let Ok(place) = next
            && self.is_new(draft, place, fingerprint)?
        {
            return self.add(draft).map(|entry| Ok(Appended::New(Arc::new(entry))));
        }
        Ok(match (self.said(&draft.author.id, &draft.message_id)?, next) {
            (Some(said), _) if said.fingerprint == fingerprint && said.room == draft.room => {
                Ok(Appended::Repeated(said.position))
            }
            (Some(said), _) => Err(AppendRefusal::Conflict(said.position)),
            (None, Err(refusal)) => Err(refusal),
            // Its room is unknown, which is not left to chance either.
            (None, Ok(_)) => Err(AppendRefusal::NoSuchRoom(draft.room.clone())),
        })
    }

    /// The place that a draft would have, if nobody said it before.
    fn judge(&mut self, draft: &Draft) -> Result<Result<i64, AppendRefusal>, ReadError> {
        let connection = self.connection;
        #[cfg(feature = "mutants")]
        let ignores_rules = self.ignores_rules;
        let no_such_room = || Ok(Err(AppendRefusal::NoSuchRoom(draft.room.clone())));
        let Some(room) = self.room(&draft.room) else { return no_such_room() };
        debug_assert_ne!(room.record.keep, Keep::None, "what keeps nothing has no entries here");
        if room.record.keep == Keep::None {
            return no_such_room();
        }
        let target = match draft.content.of() {
            Some(of) => match room.target(connection, of)? {
                Ok(target) => target,
                Err(refusal) => return Ok(Err(refusal)),
            },
            None => None,
        };
        let checked = check(draft, &room.record, target.as_ref());
        #[cfg(feature = "mutants")]
        let checked = if ignores_rules { Ok(()) } else { checked };
        if let Err(refusal) = checked {
            return Ok(Err(refusal));
        }
        let (room_id, next) = (room.id, place(room.id, room.record.head.seq + 1));
        if let Content::Reaction { of, emoji } = &draft.content
            && self.has_reaction(&draft.author.id, place(room_id, *of), emoji.as_str())?
        {
            return Ok(Err(AppendRefusal::Already));
        }
        Ok(Ok(next))
    }

    /// Adds what was judged and is new.
    fn add(&mut self, draft: &Draft) -> Result<Entry, ReadError> {
        let at = self.at.text.clone();
        let room = self.room(&draft.room).expect("it was judged");
        let RoomRecord { head, digest, .. } = &room.record;
        let entry = Entry::new(draft.clone(), head.epoch.clone(), head.seq + 1, at, *digest);
        room.record.advance(&entry);
        let room_id = room.id;
        self.insert(room_id, &entry)?;
        match &draft.content {
            Content::Delete { of } => self.erase(place(room_id, *of))?,
            Content::Membership { change, member } => {
                self.change_membership(place(room_id, entry.seq), *change, member)?;
            }
            Content::Topic(_) => {
                let topic = self.touched[&draft.room].record.topic.as_ref();
                let topic = topic.map(common::Topic::as_str);
                let sql = "UPDATE rooms SET topic = ? WHERE id = ?";
                self.connection.prepare_cached(sql)?.execute(params![topic, room_id])?;
            }
            Content::Post(_) | Content::Edit { .. } | Content::Reaction { .. } => {}
        }
        Ok(entry)
    }

    /// Remembers that it is said here, unless it was said before.
    fn is_new(&mut self, draft: &Draft, place: i64, fingerprint: Digest) -> rusqlite::Result<bool> {
        const SAID: &str = "INSERT INTO said VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (message_id, person) DO NOTHING";
        #[cfg(feature = "mutants")]
        const SAID_AGAIN: &str = "INSERT OR REPLACE INTO said VALUES (?, ?, ?, ?, ?)";
        let sql = SAID;
        #[cfg(feature = "mutants")]
        let sql = if self.forgets_messages { SAID_AGAIN } else { sql };
        let person = self.people.person(self.connection, &draft.author.id)?;
        let id = Id::new(draft.message_id.clone());
        let row = params![id, person, place, fingerprint.bytes(), self.seconds];
        Ok(self.connection.prepare_cached(sql)?.execute(row)? > 0)
    }

    fn said(&mut self, author: &UserId, id: &MessageId) -> Result<Option<Said>, ReadError> {
        let Some(person) = self.people.find(self.connection, author)? else { return Ok(None) };
        let Some((place, fingerprint)) = said(self.connection, person, id)? else {
            return Ok(None);
        };
        let rooms = self.touched.iter().chain(self.before.iter());
        let room = rooms.into_iter().find(|(_, known)| known.id == room_of(place));
        Ok(room.map(|(name, known)| Said {
            room: name.clone(),
            position: Position { epoch: known.record.head.epoch.clone(), seq: seq_of(place) },
            fingerprint,
        }))
    }

    fn has_reaction(&mut self, user: &UserId, post: i64, emoji: &str) -> rusqlite::Result<bool> {
        let Some(person) = self.people.find(self.connection, user)? else { return Ok(false) };
        let mut statement = self.connection.prepare_cached(HAS_REACTION)?;
        statement.query_row(params![post, emoji, person], |row| row.get(0))
    }

    fn insert(&mut self, room: i64, entry: &Entry) -> rusqlite::Result<()> {
        const ENTRY: &str = "INSERT INTO entries
            (place, at, author, message_id, kind, about, member, body, digest)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let connection = self.connection;
        let author = self.people.name(connection, &entry.author)?;
        let member = match &entry.member {
            Some(member) => Some(self.people.name(connection, member)?),
            None => None,
        };
        let (place, id) = (place(room, entry.seq), Id::new(entry.message_id.clone()));
        let about = entry.of.map(|of| super::rows::place(room, of));
        connection.prepare_cached(ENTRY)?.execute(params![
            place,
            self.at,
            author,
            id,
            code_of(entry.kind),
            about,
            member,
            entry.body,
            entry.digest.bytes()
        ])?;
        Ok(())
    }

    /// Takes the text out of an entry and of all its edits; its digest stays.
    fn erase(&mut self, target: i64) -> rusqlite::Result<()> {
        const ERASE: &str = "UPDATE entries SET body = '', erased = ? WHERE place = ?";
        let mut statement = self.connection.prepare_cached(TO_ERASE)?;
        let found = statement.query_map([target], |row| {
            // What is damaged stays so: its digest tells.
            let body = String::from_utf8_lossy(row.get_ref(1)?.as_bytes()?);
            Ok((row.get::<_, i64>(0)?, Digest::of_body(&body)))
        })?;
        let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut statement = self.connection.prepare_cached(ERASE)?;
        for (place, digest) in found {
            statement.execute(params![digest.bytes(), place])?;
        }
        Ok(())
    }

    fn mark(&mut self, reader: &UserId, room: &RoomName, seq: u64) -> rusqlite::Result<()> {
        const SQL: &str = "INSERT INTO marks VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq";
        let Some(known) = self.room(room) else { return Ok(()) };
        let RoomRecord { keep, head, .. } = &known.record;
        if *keep == Keep::None {
            return Ok(());
        }
        let (id, seq) = (known.id, seq_of(place(0, seq.min(head.seq))).cast_signed());
        let person = self.people.person(self.connection, reader)?;
        self.connection.prepare_cached(SQL)?.execute([person, id, seq])?;
        Ok(())
    }

    fn sign_in(&mut self, saved: &SavedSession) -> rusqlite::Result<()> {
        let SavedSession { session, user, begun_ms, used_ms } = saved;
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?)")?
            .execute(params![
            session.bytes(),
            user.id.as_str(),
            user.name.as_str(),
            begun_ms.cast_signed(),
            used_ms.cast_signed()
        ])?;
        Ok(())
    }

    /// Takes away what is not to be kept, and answers the rooms as they are afterwards.
    fn finish(mut self) -> Result<Rooms, ReadError> {
        for known in self.touched.values_mut() {
            known.settle(self.connection)?;
            known.prune(self.connection)?;
        }
        Ok(self.touched)
    }
}

/// A message that was said.
struct Said {
    room: RoomName,
    position: Position,
    fingerprint: Digest,
}

/// Where a message stands, and its fingerprint.
pub(super) fn said(
    connection: &Connection,
    person: i64,
    id: &MessageId,
) -> rusqlite::Result<Option<(i64, Digest)>> {
    connection
        .prepare_cached("SELECT place, fingerprint FROM said WHERE message_id = ? AND person = ?")?
        .query_row(params![Id::new(id.clone()), person], |row| {
            Ok((row.get(0)?, Digest::from_bytes(row.get(1)?)))
        })
        .optional()
}
