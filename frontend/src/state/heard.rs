//! What follows for the page from what the session tells.

use std::rc::Rc;

use common::{ErrorCode, MessageId, Position, RoomName, http::RoomInfo};
use session::{Content, Event, Pending, PendingState};

use super::{
    Change, Heard, Moment, Page, Proof, Recovered, Room, Said, Sending, Standing, State, Trouble,
    Waiting, text,
};

impl State {
    pub(super) fn hear(&mut self, Heard { event, moment, past }: Heard) {
        match event {
            // The shell tells of the link by itself: it alone knows the clock.
            Event::LinkChanged | Event::OutboxChanged { .. } => {}
            Event::Welcome { user, .. } => self.me = Some(user),
            Event::Joined { room, position, recovered, members, count, floor } => {
                self.with_room(&room, |room| {
                    room.joined(&position, recovered, (members, count), floor);
                });
            }
            Event::Recovered { count, .. } => self.recover(count),
            Event::Resynced { room, reason, after } => {
                self.with_room(&room, |room| room.resynced(reason, &after));
            }
            Event::Proven { room, entries, .. } => {
                self.with_room(&room, |room| room.proof = Proof::Whole(entries));
            }
            Event::Disproved { room, .. } => self.with_room(&room, Room::disproved),
            Event::Entry { entry } => self.enter(&entry, moment),
            Event::History { room, edge, head, floor, entries, later, proof: _ } => {
                let me = self.me.clone();
                let page = Page { edge, head, floor, entries, later };
                let mut gone = false;
                self.with_room(&room, |room| {
                    let sought = room.edge_sought().as_ref() == Some(&page.edge);
                    room.take_page(&page, &past, me.as_ref());
                    gone = sought && !room.has_sought();
                });
                if gone {
                    self.give_up_seeking(&room, Trouble::Refused(ErrorCode::CursorExpired));
                }
            }
            Event::HistoryFailed { room, edge, .. } => {
                self.with_room(&room, |room| room.page_failed(&edge));
                let sought = self.room(&room).and_then(Room::edge_sought);
                if sought == Some(edge) {
                    self.give_up_seeking(&room, Trouble::Unreachable);
                }
            }
            Event::Marked { room, unread } => {
                self.with_room(&room, |room| room.marked(unread));
            }
            Event::Presence { room, joined, left, members, count } => {
                let me = self.me.as_ref().map(|me| me.id.clone());
                self.with_room(&room, |room| {
                    room.presence(&joined, &left, members, me.as_ref(), moment);
                    room.count = count;
                });
            }
            // The person wanted it, and the room went then.
            Event::Left { .. } => {}
            Event::Removed { room } => {
                self.listed.retain(|info| info.room != room);
                Rc::make_mut(&mut self.search).lose(&room);
                let refused = Standing::Refused(ErrorCode::Forbidden);
                self.with_room(&room, |room| room.standing = refused);
            }
            Event::JoinRefused { room, problem } => {
                self.with_room(&room, |room| room.standing = Standing::Refused(problem.code));
            }
            Event::Opened { room } => self.list(room),
            Event::Acked { room, message_id, position } => {
                self.acked(&room, &message_id, &position, moment);
            }
        }
    }

    fn give_up_seeking(&mut self, room: &RoomName, trouble: Trouble) {
        self.with_room(room, |room| room.sought = None);
        self.trouble = Some(trouble);
    }

    pub(super) fn list(&mut self, room: RoomInfo) {
        match self.listed_place(&room.room) {
            Ok(at) => self.listed[at] = Rc::new(room),
            Err(at) => self.listed.insert(at, Rc::new(room)),
        }
    }

    fn recover(&mut self, count: u64) {
        if count == 0 {
            return;
        }
        let (standing, notice) =
            self.recovered.map_or((0, 0), |recovered| (recovered.count, recovered.notice));
        self.recovered =
            Some(Recovered { count: standing + count, notice: notice.wrapping_add(1) });
    }

    fn enter(&mut self, entry: &common::Entry, moment: Moment) {
        let on_screen = self.current.as_ref() == Some(&entry.room);
        if !self.search.hits.is_empty() && entry.of.is_some() {
            Rc::make_mut(&mut self.search).change(entry);
        }
        let Ok(at) = self.place(&entry.room) else { return };
        let room = Rc::make_mut(&mut self.rooms[at]);
        let attended = on_screen && self.attentive && !room.away;
        let news = room.enter(entry, moment, self.me.as_ref(), attended);
        if news && on_screen {
            self.announcement = Some(text::announcement(entry));
        }
    }

    /// Between the ack and the entry itself the message stands where it stood, and what is changed
    /// stays so.
    fn acked(&mut self, room: &RoomName, id: &MessageId, position: &Position, moment: Moment) {
        let waiting = self.outbox.iter().find(|waiting| waiting.said.message_id == *id);
        let Some(Waiting { said, content, .. }) = waiting.cloned() else { return };
        let me = self.me.as_ref().map(|me| me.id.clone());
        let change = me.and_then(|me| Change::mine(&content, position.seq, me));
        self.with_room(room, |room| match (&content, change) {
            (Content::Post(_), _) => room.acked(&said, position, moment),
            (_, Some(change)) => room.change(&change),
            (_, None) => {}
        });
    }

    pub(super) fn set_outbox(&mut self, pending: &[Pending]) {
        let waiting = pending.iter().map(|pending| self.waiting(pending)).collect();
        self.outbox = Rc::new(waiting);
    }

    /// A message's row is kept while only its state changes.
    fn waiting(&self, pending: &Pending) -> Waiting {
        let known =
            self.outbox.iter().find(|waiting| waiting.said.message_id == pending.message_id);
        let said = known.map_or_else(
            || {
                let (id, text) = (pending.message_id.clone(), pending.content.text());
                Rc::new(Said::pending(id, text, self.me.as_ref()))
            },
            |waiting| waiting.said.clone(),
        );
        let sending = match &pending.state {
            PendingState::Queued => Sending::Queued,
            PendingState::Sending => Sending::Sending,
            PendingState::Failed(problem) => Sending::Failed(problem.code),
        };
        Waiting { room: pending.room.clone(), said, content: pending.content.clone(), sending }
    }
}
