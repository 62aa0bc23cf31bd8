//! The rooms that the person wants to follow, and where they stand in each. Entries pass here
//! exactly once and in order; a hole is never passed over in silence.

use std::time::Duration;

use common::{Digest, Entry, Position, Problem, ResyncReason, RoomName};
use web_time::Instant;

use crate::{
    chain::{Chain, Digests, Verdict},
    history::Asked,
    mark::Marker,
    mutant::{Breakage, Mutant},
};

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
    /// The digests up to the position, as far as they are known.
    pub(crate) chain: Option<Chain>,
    /// Where the piece before this one ended, in the same log.
    pub(crate) former: Option<(u64, Digest)>,
    /// What the server says of a place that is not reached yet.
    head: Option<(u64, Digest)>,
    /// It was disproved on this connection.
    doubted: bool,
    /// The page that was asked for and has not come.
    pub(crate) page: Option<Asked>,
    pub(crate) marker: Marker,
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

impl Continuation {
    pub(crate) fn missed(&self) -> Option<u64> {
        match self {
            Self::Whole { missed } => Some(*missed),
            Self::First | Self::Broken(_) => None,
        }
    }
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
        self.get(room).is_some_and(Room::is_joined)
    }

    /// The rooms that the server confirmed on this connection.
    pub(crate) fn joined(&self) -> impl Iterator<Item = (&RoomName, &Room)> {
        self.rooms.iter().filter(|(_, room)| room.joined).map(|(name, room)| (name, room))
    }

    /// The first room of which this is true.
    pub(crate) fn find(&self, is_it: impl Fn(&Room) -> bool) -> Option<RoomName> {
        self.rooms.iter().find(|(_, room)| is_it(room)).map(|(name, _)| name.clone())
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

    /// Takes a refusal of the request `id`. `false` if it is no `mark`.
    pub(crate) fn refuse_mark(&mut self, id: u64, problem: &Problem, again: Instant) -> bool {
        self.rooms.iter_mut().any(|(_, room)| room.marker.refused(id, problem, again))
    }

    /// When something of a room may be due next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.rooms.iter().filter_map(|(_, room)| room.next()).min()
    }

    /// Positions and what is known at them stay; everything that belonged to the connection goes.
    pub(crate) fn connection_over(&mut self) {
        for (_, room) in &mut self.rooms {
            let known = std::mem::take(room);
            let Room { position, chain, former, mut page, mut marker, .. } = known;
            page.iter_mut().for_each(Asked::connection_over);
            marker.connection_over();
            *room = Room { position, chain, former, page, marker, ..Room::default() };
        }
    }
}

impl Room {
    pub(crate) fn is_joined(&self) -> bool {
        self.joined
    }

    pub(crate) fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// Everything up to the position was read.
    pub(crate) fn mark(&mut self, position: Position) {
        if self.position.as_ref().is_none_or(|known| known.epoch == position.epoch) {
            self.marker.want(position);
        }
    }

    fn next(&self) -> Option<Instant> {
        let ask = self.ask.as_ref().map_or(self.ask_again, |ask| Some(ask.overdue));
        let page = self.page.as_ref().and_then(Asked::next);
        let mark = self.marker.next();
        let asked = [page, mark].into_iter().flatten().filter(|_| self.joined);
        asked.chain(ask).min()
    }

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
        digests: Digests,
        broken: Breakage,
    ) -> Option<Continuation> {
        self.ask.take_if(|ask| Some(ask.id) == id)?;
        let continuation = self.continue_from(head, after, None, digests, broken);
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
        digests: Digests,
        broken: Breakage,
    ) -> Option<Continuation> {
        let awaited = self.joined || (self.ask.is_some() && self.position.is_some());
        let continuation =
            awaited.then(|| self.continue_from(head, after, Some(reason), digests, broken))?;
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
        digests: Digests,
        broken: Breakage,
    ) -> Continuation {
        self.flowing = true;
        self.head = Some((head.seq, digests.head));
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
        let before = known.filter(|(same_log, seq)| *same_log && *seq < after);
        self.begin(Position { epoch: head.epoch.clone(), seq: after }, digests.base, before);
        continuation
    }

    /// A new piece begins after this position; the one before it may have ended in the same log.
    fn begin(&mut self, position: Position, base: Option<Digest>, before: Option<(bool, u64)>) {
        let base = if position.seq == 0 { Some(Digest::start(&position.epoch)) } else { base };
        let chain = self.chain.take();
        let end = |(_, end)| Some((end, chain.as_ref()?.get(end)?));
        self.former = before.and_then(end);
        self.chain = base.map(|base| Chain::begin(position.seq, base));
        self.marker.begin(&position.epoch);
        self.position = Some(position);
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
                self.chain = self.chain.take().and_then(|chain| chain.push(entry));
                Place::Next
            }
        }
    }

    /// Takes what the server says of its log: everything up to `head` was sent. `true` if it was
    /// not delivered: the room is asked for again.
    pub(crate) fn hear_head(&mut self, head: &Position, digest: Digest, broken: Breakage) -> bool {
        let known = self.position.as_ref().filter(|known| known.epoch == head.epoch);
        let Some(known) = known.filter(|_| self.flowing) else { return false };
        let lacks = known.seq < head.seq && !broken.broken(Mutant::HoleIgnored);
        self.flowing = !lacks;
        self.head = Some((head.seq, digest));
        lacks
    }

    /// Compares what was delivered with what the server says, once the place that it speaks of is
    /// reached.
    ///
    /// A room that is disproved is joined anew, as if for the first time. If it is again on the
    /// same connection, the server's word is taken: asking again and again would help nobody.
    pub(crate) fn verdict(&mut self, broken: Breakage) -> Option<Verdict> {
        let reached = self.position.as_ref().filter(|_| self.flowing)?.seq;
        let (seq, digest) = self.head.take_if(|(seq, _)| *seq <= reached)?;
        let known = self.chain.as_ref().and_then(|chain| Some((chain.get(seq)?, chain.entries())));
        if let Some((own, entries)) = known
            && (own == digest || broken.broken(Mutant::DigestIgnored))
        {
            return Some(Verdict::Proven { entries });
        }
        // What cannot be computed is taken from the server, and proven from here on.
        self.chain = (seq == reached).then(|| Chain::begin(seq, digest));
        known?;
        if !std::mem::replace(&mut self.doubted, true) {
            self.flowing = false;
            self.position = None;
            self.chain = None;
        }
        self.recovering = None;
        Some(Verdict::Disproved)
    }

    /// How many entries were recovered, told once, when the last of them has passed.
    pub(crate) fn recovered(&mut self) -> Option<u64> {
        let reached = self.position.as_ref()?.seq;
        self.recovering.take_if(|recovering| recovering.last <= reached).map(|it| it.count)
    }
}
