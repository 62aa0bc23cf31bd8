//! What conversations ask for, performed: tickets, rooms, the log, pages and markers.

use std::{sync::Arc, time::Instant};

use common::{Digest, ErrorCode, Position, Problem, RoomName, UserId, http::Keep};
use rooms::{
    Appended, Conversation, Draft, Entry, Request, RoomRecord,
    access::{Deed, may},
    conversation::{Edge, Page, Wanted},
};

use super::{Asker, Connection, Server, Waiting, mark};
use crate::{
    ShellMutant,
    disk::{Change, noon},
};

impl Server {
    pub(super) fn serve(&mut self, connection: u64, now: Instant) {
        // Taken out, so that it can be handed to the rooms.
        let Some(mut it) = self.connections.remove(&connection) else { return };
        while let Some(request) = it.conversation.poll_request() {
            match request {
                Request::Authenticate { ticket } => self.authenticate(&mut it, &ticket, now),
                Request::Follow { id, room, after, echo } => {
                    self.follow(&mut it, id, &room, after.as_ref(), echo, now);
                }
                Request::Unfollow { room } => {
                    if let (Some(user), Some(room)) = (&it.user, self.rooms.get_mut(&room)) {
                        room.presence.leave(user, now);
                    }
                }
                Request::Append { id, draft } => self.append(&mut it, (connection, id), draft, now),
                Request::Page { id, room, wanted } => {
                    let user = it.user.clone().expect("whoever follows has a ticket");
                    let page = self.page(&room, &user, &wanted);
                    it.conversation.handle_page(id, room, page, now);
                }
                Request::Mark { id, room, position } => {
                    self.mark(&mut it.conversation, (connection, id), room, &position, now);
                }
            }
        }
        self.connections.insert(connection, it);
    }

    fn authenticate(&mut self, it: &mut Connection, ticket: &str, now: Instant) {
        let good = self.tickets.remove(ticket).filter(|(_, until)| *until > now);
        let user = good.map(|(user, _)| user);
        if let Some(user) = &user {
            it.user = Some(user.id.clone());
            let oldest = self.people.connect(&user.id, it.number, &self.settings);
            let others = self.connections.values_mut();
            for other in others.filter(|other| Some(other.number) == oldest) {
                other.conversation.close(common::CloseCode::TooManyConnections);
                other.dirty = true;
            }
        }
        it.conversation.handle_authenticated(user.map(Arc::new), now);
    }

    /// What is known of a room, as of the last commit, by whoever may read it.
    fn record_for(&self, room: &RoomName, user: &UserId) -> Result<&RoomRecord, Problem> {
        let record = self.record(room);
        let visible = |record: &&RoomRecord| may(user, Deed::Read, record.members.as_deref());
        record.filter(visible).ok_or_else(|| Problem::new(ErrorCode::NotFound))
    }

    fn follow(
        &mut self,
        it: &mut Connection,
        id: Option<u64>,
        name: &RoomName,
        after: Option<&Position>,
        echo: bool,
        now: Instant,
    ) {
        let Some(user) = it.conversation.user().cloned() else { return };
        if let Err(problem) = self.record_for(name, &user.id) {
            return it.conversation.handle_refused(id, problem, now);
        }
        let room = self.rooms.get_mut(name).expect("all rooms run");
        if it.conversation.follow(name).is_none() {
            room.presence.join(&user, now);
        }
        let mut start = room.start(after, self.settings.page_entries);
        let roster = room.presence.roster();
        start.base = start.base.or_else(|| self.digest_at(name, start.after));
        it.conversation.handle_followed(id, name, start, roster, echo);
    }

    fn append(
        &mut self,
        it: &mut Connection,
        (connection, id): (u64, u64),
        draft: Draft,
        now: Instant,
    ) {
        let (user, room) = (&draft.author.id, draft.room.clone());
        if let Err(wait) = self.people.may_say(user, &room, &self.settings, now) {
            return it.conversation.handle_too_fast(id, &room, wait, now);
        }
        if let Err(problem) = self.record_for(&room, user) {
            return it.conversation.handle_refused(Some(id), problem, now);
        }
        if self.fleeting.room(&room).is_some() {
            return self.append_fleeting(it, id, draft, now);
        }
        let asker = Asker::Connection { connection, id, room };
        self.waiting.push(Waiting { change: Change::Append(draft), asker });
    }

    /// What is said in a room that keeps nothing waits for no disk.
    fn append_fleeting(&mut self, it: &mut Connection, id: u64, draft: Draft, now: Instant) {
        let (name, message_id) = (draft.room.clone(), draft.message_id.clone());
        if self.forbidden.remove(&message_id) {
            let problem = Problem::new(ErrorCode::Forbidden);
            return it.conversation.handle_refused(Some(id), problem, now);
        }
        match self.fleeting.append(draft, noon()) {
            Ok(appended) => {
                if let Appended::New(entry) = &appended {
                    self.fleeting_entries.push(Arc::clone(entry));
                    self.rooms.get_mut(&name).expect("all rooms run").append(Arc::clone(entry));
                    mark(&mut self.connections, &name);
                }
                it.conversation.handle_appended(id, name, message_id, appended.position());
            }
            Err(refusal) => it.conversation.handle_refused(Some(id), refusal.into(), now),
        }
    }

    /// Somebody's membership is changed, by a request that is no connection's.
    pub(crate) fn change_membership(&mut self, draft: Draft) {
        self.waiting.push(Waiting { change: Change::Append(draft), asker: Asker::Nobody });
    }

    fn mark(
        &mut self,
        conversation: &mut Conversation,
        (connection, id): (u64, u64),
        room: RoomName,
        position: &Position,
        now: Instant,
    ) {
        let Some(reader) = conversation.user().map(|user| user.id.clone()) else { return };
        let record = self.record_for(&room, &reader);
        let checked = record.and_then(|record| check(position, record, record.head.seq));
        if let Err(problem) = checked {
            return conversation.handle_refused(Some(id), problem, now);
        }
        let change = Change::Mark { reader, room: room.clone(), seq: position.seq };
        let asker = Asker::Connection { connection, id, room };
        self.waiting.push(Waiting { change, asker });
    }

    /// A page of a room's past.
    fn page(&self, room: &RoomName, user: &UserId, wanted: &Wanted) -> Result<Page, Problem> {
        let record = self.record_for(room, user)?;
        let Wanted { edge, most } = wanted;
        match edge {
            Edge::Head => {}
            Edge::Before(position) => check(position, record, record.head.seq + 1)?,
            Edge::After(position) => check(position, record, record.head.seq)?,
        }
        let (head, floor) = (record.head.clone(), record.floor);
        if record.keep == Keep::None {
            let (entries, later, base) = (Vec::new(), Vec::new(), record.digest);
            return Ok(Page { head, floor, entries, base, later });
        }
        let kept = self.log(room).read_after(room, floor, usize::MAX);
        let bytes_max = self.settings.read_bytes_max;
        let (mut entries, after) = match edge {
            Edge::After(position) => {
                let behind = kept.iter().filter(|it| it.seq > position.seq).take(*most).cloned();
                (rooms::room::page(behind, bytes_max), position.seq)
            }
            Edge::Head | Edge::Before(_) => {
                let before = match edge {
                    Edge::Before(position) => position.seq,
                    Edge::Head | Edge::After(_) => head.seq + 1,
                };
                let newest_first = kept.iter().rev().filter(|it| it.seq < before).take(*most);
                let mut entries = rooms::room::page(newest_first.cloned(), bytes_max);
                entries.reverse();
                let after = entries.first().map_or(before.max(1), |first| first.seq) - 1;
                (entries, after)
            }
        };
        let expired = || Problem::new(ErrorCode::CursorExpired);
        let base = self.digest_at(room, after).ok_or_else(expired)?;
        let mut later = later(&kept, &entries);
        if self.broken.is_shell(ShellMutant::LaterForgotten) {
            later.clear();
        }
        if self.broken.is_shell(ShellMutant::PageMissesOne) && entries.len() > 2 {
            entries.remove(1);
        }
        let on_the_wire =
            |entries: Vec<Arc<Entry>>| entries.iter().map(|it| it.on_the_wire()).collect();
        Ok(Page { head, floor, entries: on_the_wire(entries), base, later: on_the_wire(later) })
    }

    /// The digest of a log at this place, where it is kept.
    pub(super) fn digest_at(&self, room: &RoomName, seq: u64) -> Option<Digest> {
        let record = self.record(room)?;
        if seq == record.floor {
            return Some(record.floor_digest);
        }
        let entry = self.log(room).read_after(room, seq.checked_sub(1)?, 1).pop()?;
        (entry.seq == seq).then_some(entry.digest)
    }
}

/// Entries behind a page that change what stands in it: the last edit of each post, and reactions.
fn later(kept: &[Arc<Entry>], page: &[Arc<Entry>]) -> Vec<Arc<Entry>> {
    use common::EntryKind::{Delete, Edit, Membership, Post, Reaction, Topic, Unknown};
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return Vec::new() };
    let of_the_page = |entry: &&Arc<Entry>| {
        entry.seq > last.seq && entry.of.is_some_and(|of| (first.seq..=last.seq).contains(&of))
    };
    let behind: Vec<&Arc<Entry>> = kept.iter().filter(of_the_page).collect();
    let changes = |entry: &Arc<Entry>| match entry.kind {
        Edit => {
            let edited_again = |other: &&Arc<Entry>| {
                other.kind == Edit && other.of == entry.of && other.seq > entry.seq
            };
            entry.erased.is_none() && !behind.iter().any(edited_again)
        }
        Reaction => entry.erased.is_none(),
        Post | Delete | Membership | Topic | Unknown => false,
    };
    behind.iter().filter(|entry| changes(entry)).map(|entry| Arc::clone(entry)).collect()
}

/// Whether a position is one of this log, and not behind `last`.
fn check(position: &Position, record: &RoomRecord, last: u64) -> Result<(), Problem> {
    if position.epoch != record.head.epoch || position.seq < record.floor {
        Err(Problem::new(ErrorCode::CursorExpired))
    } else if position.seq > last {
        Err(Problem::new(ErrorCode::CursorAhead))
    } else {
        Ok(())
    }
}
