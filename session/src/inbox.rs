//! The rooms that the person wants to follow, and where they stand in each. Entries pass here
//! exactly once and in order; a hole is never passed over in silence.

use std::time::Duration;

use common::{Entry, Position, ResyncReason, RoomName};
use web_time::Instant;

use crate::mutant::{Breakage, Mutant};

/// How long a `join` may stay without a reply while other frames come.
const REPLY_DEADLINE: Duration = Duration::from_secs(10);

/// Every room that was joined and not left, over all connections.
#[derive(Default)]
pub(crate) struct Inbox {
    /// In the order of joining. They are few, and a list is light in the page.
    rooms: Vec<(RoomName, Room)>,
}

/// One room.
#[derive(Default)]
pub(crate) struct Room {
    position: Option<Position>,
    /// The server confirmed the `join` on this connection.
    joined: bool,
    /// The entries that come continue at the position.
    flowing: bool,
    ask: Option<Ask>,
    /// A refused `join` is worth trying again from here on.
    ask_again: Option<Instant>,
    recovering: Option<Recovering>,
}

/// A `join` without a reply so far. Sent again it keeps its id: one reply settles both.
struct Ask {
    id: u64,
    sent: Instant,
    overdue: Instant,
}

/// What was missed and is on its way.
struct Recovering {
    last: u64,
    count: u64,
}

/// What an entry is to its room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The one after the last.
    Next,
    /// It was delivered before.
    Seen,
    /// Something between the last and this one is missing.
    BeyondHole,
    /// Of a room that is not followed, or from before the reply that says where to go on.
    Elsewhere,
}

/// What a `joined` says about the rows that the page has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Continuation {
    /// There were none.
    First,
    /// They go on without a hole; so many entries were missed and are coming.
    Whole { missed: u64 },
    /// They do not go on.
    Broken(ResyncReason),
}

impl Inbox {
    pub(crate) fn want(&mut self, room: RoomName) {
        if self.get(&room).is_none() {
            self.rooms.push((room, Room::default()));
        }
    }

    /// Forgets the room. `None` if it was not wanted; else whether the server knows of it.
    pub(crate) fn forget(&mut self, room: &RoomName) -> Option<bool> {
        let index = self.rooms.iter().position(|(name, _)| name == room)?;
        let (_, room) = self.rooms.remove(index);
        Some(room.joined || room.ask.is_some())
    }

    pub(crate) fn clear(&mut self) {
        self.rooms.clear();
    }

    fn get(&self, room: &RoomName) -> Option<&Room> {
        self.rooms.iter().find(|(name, _)| name == room).map(|(_, room)| room)
    }

    pub(crate) fn get_mut(&mut self, room: &RoomName) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|(name, _)| name == room).map(|(_, room)| room)
    }

    pub(crate) fn position(&self, room: &RoomName) -> Option<&Position> {
        self.get(room)?.position.as_ref()
    }

    pub(crate) fn is_joined(&self, room: &RoomName) -> bool {
        self.get(room).is_some_and(|room| room.joined)
    }

    /// The room whose `join` has this id.
    pub(crate) fn asked_by(&self, id: u64) -> Option<&RoomName> {
        let asked = |room: &Room| room.ask.as_ref().is_some_and(|ask| ask.id == id);
        self.rooms.iter().find(|(_, room)| asked(room)).map(|(name, _)| name)
    }

    /// The rooms that have to be asked for now.
    pub(crate) fn rooms_due(&mut self, heard: Instant, now: Instant) -> Vec<RoomName> {
        let due = self.rooms.iter_mut().filter_map(|(name, room)| {
            let due = room.is_due(heard, now);
            due.then(|| name.clone())
        });
        due.collect()
    }

    /// When [`Self::rooms_due`] may have something to say next.
    pub(crate) fn next_ask(&self) -> Option<Instant> {
        let moment = |room: &Room| room.ask.as_ref().map_or(room.ask_again, |a| Some(a.overdue));
        self.rooms.iter().filter_map(|(_, room)| moment(room)).min()
    }

    /// Positions stay; everything that belonged to the connection goes.
    pub(crate) fn connection_over(&mut self) {
        for (_, room) in &mut self.rooms {
            let position = room.position.take();
            *room = Room { position, ..Room::default() };
        }
    }
}

impl Room {
    fn is_due(&mut self, heard: Instant, now: Instant) -> bool {
        match &mut self.ask {
            None if self.joined && self.flowing => false,
            None => self.ask_again.is_none_or(|moment| moment <= now),
            Some(ask) if ask.overdue > now => false,
            Some(ask) => {
                // On a silent link a second question is of no use: it has its own deadline.
                let frames_flow = heard > ask.sent;
                ask.overdue = now + REPLY_DEADLINE;
                frames_flow
            }
        }
    }

    /// Notes that a `join` goes out, and gives the position to name in it. A repeated one keeps
    /// the id it had.
    pub(crate) fn ask(
        &mut self,
        new_id: u64,
        broken: Breakage,
        now: Instant,
    ) -> (u64, Option<Position>) {
        let id = self.ask.as_ref().map_or(new_id, |ask| ask.id);
        self.ask = Some(Ask { id, sent: now, overdue: now + REPLY_DEADLINE });
        self.ask_again = None;
        if broken.broken(Mutant::RejoinWithoutPosition) && !self.joined {
            self.position = None;
        }
        (id, self.position.clone())
    }

    /// The `join` was refused for the moment.
    pub(crate) fn ask_again(&mut self, moment: Instant) {
        self.ask = None;
        self.ask_again = Some(moment);
    }

    /// Takes the reply to the `join` with this id; `None` for a reply to another one, which says
    /// nothing about what follows.
    pub(crate) fn join(
        &mut self,
        id: Option<u64>,
        head: &Position,
        after: u64,
        recovered: bool,
        broken: Breakage,
    ) -> Option<Continuation> {
        self.ask.take_if(|ask| Some(ask.id) == id)?;
        let continuation = self.continue_from(head, after, None, broken);
        self.joined = true;
        self.recovering = None;
        if let (Continuation::Whole { missed }, true) = (&continuation, recovered) {
            self.recovering = Some(Recovering { last: head.seq, count: *missed });
        }
        Some(continuation)
    }

    /// Takes a `resync`: what follows begins after `after`, and if the rows do not reach there
    /// they end here.
    ///
    /// Whoever asked for the room without a position is not answered with one: it was meant for
    /// the time before the room was left.
    pub(crate) fn resync(
        &mut self,
        head: &Position,
        after: u64,
        reason: ResyncReason,
        broken: Breakage,
    ) -> Option<Continuation> {
        let awaited = self.joined || (self.ask.is_some() && self.position.is_some());
        let continuation =
            awaited.then(|| self.continue_from(head, after, Some(reason), broken))?;
        if let Continuation::Broken(_) = continuation {
            self.recovering = None;
        }
        Some(continuation)
    }

    /// Entries begin with `after + 1`. Where that joins what is there, or overlaps it, the
    /// position stays and what was seen is dropped; else the position is replaced.
    fn continue_from(
        &mut self,
        head: &Position,
        after: u64,
        reason: Option<ResyncReason>,
        broken: Breakage,
    ) -> Continuation {
        self.flowing = true;
        let known = self.position.as_ref().map(|known| {
            let same_epoch = known.epoch == head.epoch || broken.broken(Mutant::EpochIgnored);
            (same_epoch, known.seq)
        });
        let continuation = match known {
            None => Continuation::First,
            Some((false, _)) => Continuation::Broken(reason.unwrap_or(ResyncReason::EpochChanged)),
            Some((true, seq)) if seq < after => {
                Continuation::Broken(reason.unwrap_or(ResyncReason::Pruned))
            }
            Some((true, seq)) if seq > head.seq && !broken.broken(Mutant::EpochIgnored) => {
                Continuation::Broken(reason.unwrap_or(ResyncReason::CursorAhead))
            }
            Some((true, seq)) => {
                return Continuation::Whole { missed: head.seq.saturating_sub(seq) };
            }
        };
        self.position = Some(Position { epoch: head.epoch.clone(), seq: after });
        continuation
    }

    /// Judges an entry, and moves the position if it is the next one.
    pub(crate) fn take(&mut self, entry: &Entry, broken: Breakage) -> Place {
        let Some(position) = self.position.as_mut().filter(|_| self.flowing) else {
            return Place::Elsewhere;
        };
        match entry.seq.checked_sub(position.seq) {
            None | Some(0) if broken.broken(Mutant::NoDedupe) => Place::Next,
            None | Some(0) => Place::Seen,
            Some(2..) if !broken.broken(Mutant::HoleIgnored) => {
                self.flowing = false;
                Place::BeyondHole
            }
            Some(_) => {
                position.seq = entry.seq;
                Place::Next
            }
        }
    }

    /// How many entries were recovered, told once, when the last of them has passed.
    pub(crate) fn recovered(&mut self) -> Option<u64> {
        let reached = self.position.as_ref()?.seq;
        self.recovering.take_if(|recovering| recovering.last <= reached).map(|it| it.count)
    }
}
