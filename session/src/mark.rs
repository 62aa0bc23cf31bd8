//! How far the person has read a room: told to the server, and never back.

use std::time::Duration;

use common::{ClientMessage, Epoch, Position, Problem, RoomName, http::Unread};
use web_time::Instant;

use crate::{Event, Session};

/// At most one `mark` of a room goes out within this time.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a `mark` may stay without an answer before it is sent again.
const DEADLINE: Duration = Duration::from_secs(10);

/// The read marker of one room.
#[derive(Default)]
pub(crate) struct Marker {
    /// Read, and not confirmed.
    wanted: Option<Position>,
    /// What the server is known to know.
    confirmed: u64,
    /// The `mark` that is out: its id, how far it says, and when to send it again.
    out: Option<(u64, u64, Instant)>,
    /// Not before this moment the next one goes out.
    not_before: Option<Instant>,
}

impl Marker {
    /// Everything up to the position was read.
    pub(crate) fn want(&mut self, position: Position) {
        let known = self.wanted.as_ref().filter(|wanted| wanted.epoch == position.epoch);
        if position.seq > self.confirmed.max(known.map_or(0, |wanted| wanted.seq)) {
            self.wanted = Some(position);
        }
    }

    /// What the connection knew of it is over; what was read stays read.
    pub(crate) fn connection_over(&mut self) {
        self.out = None;
        self.not_before = None;
    }

    /// A piece of this log begins: what was read of another one says nothing.
    pub(crate) fn begin(&mut self, epoch: &Epoch) {
        self.wanted.take_if(|wanted| wanted.epoch != *epoch);
        self.confirmed = 0;
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.wanted.as_ref()?;
        self.out.map(|(_, _, overdue)| overdue).or(self.not_before)
    }

    fn due(&self, now: Instant) -> Option<Position> {
        let early = self.next().is_some_and(|moment| moment > now);
        self.wanted.clone().filter(|_| !early)
    }

    fn sent(&mut self, id: u64, seq: u64, now: Instant) {
        self.out = Some((id, seq, now + DEADLINE));
        self.not_before = Some(now + INTERVAL);
    }

    /// The server says how far it is read, asked or not.
    fn confirm(&mut self, id: Option<u64>, read: u64) {
        let answered = self.out.take_if(|(out, ..)| Some(*out) == id).map_or(0, |(_, seq, _)| seq);
        self.confirmed = self.confirmed.max(read);
        // What was answered is settled, however far the server followed.
        let settled = self.confirmed.max(answered);
        self.wanted.take_if(|wanted| wanted.seq <= settled);
        if self.wanted.is_none() {
            self.out = None;
        }
    }

    /// Takes a refusal of the request `id`. `false` if it is another one's.
    pub(crate) fn refused(&mut self, id: u64, problem: &Problem, again: Instant) -> bool {
        if self.out.take_if(|(out, ..)| *out == id).is_none() {
            return false;
        }
        if problem.retryable {
            self.not_before = Some(again);
        } else {
            self.wanted = None;
        }
        true
    }
}

impl Session {
    /// Everything up to this position was read. It never goes back, is told at most once a
    /// second, and again after a reconnect if no answer had come.
    pub fn mark(&mut self, room: &RoomName, position: Position, now: Instant) {
        if let Some(standing) = self.inbox.get_mut(room) {
            standing.mark(position);
        }
        self.settle(now);
    }

    pub(crate) fn take_marked(&mut self, id: Option<u64>, room: RoomName, unread: Unread) {
        if let Some(standing) = self.inbox.get_mut(&room) {
            standing.marker.confirm(id, unread.read);
        }
        self.tell(Event::Marked { room, unread });
    }

    pub(crate) fn settle_marks(&mut self, now: Instant) {
        let due = self.inbox.joined().filter_map(|(name, room)| {
            room.marker.due(now).map(|position| (name.clone(), position))
        });
        for (room, position) in due.collect::<Vec<_>>() {
            let id = self.new_id();
            if let Some(standing) = self.inbox.get_mut(&room) {
                standing.marker.sent(id, position.seq, now);
            }
            self.send(&ClientMessage::Mark { id, room, position });
        }
    }
}
