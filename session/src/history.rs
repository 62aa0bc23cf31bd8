//! Pages of a room's past: asked for one at a time, and compared with what is known.

use std::time::Duration;

use common::{ClientMessage, Digest, Entry, ErrorCode, Position, Problem, RoomName};
use web_time::Instant;

use crate::{
    Event, Session,
    chain::{Chain, Fit},
    inbox::Room,
    mutant::{Breakage, Mutant},
};

/// How long a page may stay away before it is given up.
const DEADLINE: Duration = Duration::from_secs(10);

/// Which page of a room is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The last entries.
    Newest,
    /// The entries right before this one.
    Before(Position),
    /// The entries right after this one.
    After(Position),
}

/// What is known of a page's truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Its digests meet those of the entries that were delivered: none is missing.
    Proven,
    /// It touches nothing that is known.
    Unproven,
}

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageFailure {
    /// The server refused.
    Refused(Problem),
    /// No answer came in time.
    NoAnswer,
    /// What came is not what the log says: something in it is missing or changed.
    Disproved,
}

/// A page that was asked for.
pub(crate) struct Asked {
    edge: Edge,
    state: State,
}

enum State {
    Waiting { not_before: Option<Instant> },
    OnTheWire { id: u64, overdue: Instant },
}

/// A page as it came.
pub(crate) struct Page {
    pub(crate) head: Position,
    pub(crate) floor: u64,
    pub(crate) entries: Vec<Entry>,
    pub(crate) base: Digest,
    pub(crate) later: Vec<Entry>,
}

impl Edge {
    fn position(&self) -> Option<&Position> {
        match self {
            Self::Newest => None,
            Self::Before(position) | Self::After(position) => Some(position),
        }
    }
}

impl Asked {
    fn new(edge: Edge) -> Self {
        Self { edge, state: State::Waiting { not_before: None } }
    }

    /// No answer will come on this connection.
    pub(crate) fn connection_over(&mut self) {
        self.state = State::Waiting { not_before: None };
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { not_before } => not_before,
            State::OnTheWire { overdue, .. } => Some(overdue),
        }
    }

    fn is_on_the_wire(&self) -> bool {
        matches!(self.state, State::OnTheWire { .. })
    }

    fn is_due(&self, now: Instant) -> bool {
        self.next().is_none_or(|moment| moment <= now)
    }

    fn has_id(&self, asked: u64) -> bool {
        matches!(self.state, State::OnTheWire { id, .. } if id == asked)
    }
}

impl Session {
    /// Asks for a page of a room that is followed: [`Event::History`] or [`Event::HistoryFailed`]
    /// answers. A page of this room that was asked for before and has not come is not waited for.
    pub fn history(&mut self, room: &RoomName, edge: Edge, now: Instant) {
        match self.inbox.get_mut(room) {
            Some(standing) => standing.page = Some(Asked::new(edge)),
            None => {
                let problem = Problem::new(ErrorCode::NotFound);
                self.fail_page(room.clone(), edge, PageFailure::Refused(problem));
            }
        }
        self.settle(now);
    }

    /// Sends the next request for a page; the server reads one at a time for a connection.
    pub(crate) fn settle_pages(&mut self, now: Instant) {
        let late = |room: &Room| {
            room.page.as_ref().is_some_and(|page| page.is_on_the_wire() && page.is_due(now))
        };
        while let Some(room) = self.inbox.find(late) {
            self.end_page(&room, PageFailure::NoAnswer);
        }
        let out = |room: &Room| room.page.as_ref().is_some_and(Asked::is_on_the_wire);
        let due = |room: &Room| {
            room.is_joined() && room.page.as_ref().is_some_and(|page| page.is_due(now))
        };
        while self.inbox.find(out).is_none()
            && let Some(room) = self.inbox.find(due)
        {
            self.ask_for_page(&room, now);
        }
    }

    fn ask_for_page(&mut self, room: &RoomName, now: Instant) {
        let id = self.new_id();
        let Some(standing) = self.inbox.get_mut(room) else { return };
        let epoch = standing.position().map(|position| position.epoch.clone());
        let Some(asked) = &mut standing.page else { return };
        let named = asked.edge.position().map(|position| &position.epoch);
        if named.is_some_and(|named| Some(named) != epoch.as_ref()) {
            let problem = Problem::new(ErrorCode::CursorExpired);
            return self.end_page(room, PageFailure::Refused(problem));
        }
        asked.state = State::OnTheWire { id, overdue: now + DEADLINE };
        let (before, after) = match &asked.edge {
            Edge::Newest => (None, None),
            Edge::Before(position) => (Some(position.clone()), None),
            Edge::After(position) => (None, Some(position.clone())),
        };
        self.send(&ClientMessage::History { id, room: room.clone(), before, after, limit: None });
    }

    pub(crate) fn take_page(&mut self, id: u64, room: &RoomName, mut page: Page) {
        let broken = self.breakage;
        let Some(standing) = self.inbox.get_mut(room) else { return };
        let Some(asked) = standing.page.take_if(|page| page.has_id(id)) else { return };
        let edge = asked.edge;
        match standing.check(&edge, &page, broken) {
            None => self.fail_page(room.clone(), edge, PageFailure::Disproved),
            Some(proof) => {
                // What was appended since then comes by itself.
                let reached = standing.position().map_or(u64::MAX, |position| position.seq);
                page.entries.retain(|entry| entry.seq <= reached);
                page.later.retain(|entry| entry.seq <= reached);
                self.stats.pages += 1;
                let Page { head, floor, entries, later, base: _ } = page;
                let room = room.clone();
                self.tell(Event::History { room, edge, head, floor, entries, later, proof });
            }
        }
    }

    /// Takes a refusal of the request `id`. `false` if it is no request for a page.
    pub(crate) fn refuse_page(&mut self, id: u64, problem: &Problem, again: Instant) -> bool {
        let is_it = |room: &Room| room.page.as_ref().is_some_and(|page| page.has_id(id));
        let Some(room) = self.inbox.find(is_it) else { return false };
        if problem.retryable {
            if let Some(page) = self.inbox.get_mut(&room).and_then(|it| it.page.as_mut()) {
                page.state = State::Waiting { not_before: Some(again) };
            }
        } else {
            self.end_page(&room, PageFailure::Refused(problem.clone()));
        }
        true
    }

    fn end_page(&mut self, room: &RoomName, failure: PageFailure) {
        if let Some(asked) = self.inbox.get_mut(room).and_then(|standing| standing.page.take()) {
            self.fail_page(room.clone(), asked.edge, failure);
        }
    }

    fn fail_page(&mut self, room: RoomName, edge: Edge, failure: PageFailure) {
        if failure == PageFailure::Disproved {
            self.stats.disproofs += 1;
        }
        self.tell(Event::HistoryFailed { room, edge, failure });
    }
}

impl Room {
    /// What is known of a page's truth; `None` if it is not what the log says.
    fn check(&mut self, edge: &Edge, page: &Page, broken: Breakage) -> Option<Proof> {
        if broken.broken(Mutant::HistoryUnchecked) {
            return Some(Proof::Proven);
        }
        let same_log = self.position().is_some_and(|known| known.epoch == page.head.epoch);
        if !same_log || !is_whole(edge, page) {
            return None;
        }
        let (Some(chain), Some(digests)) = (&mut self.chain, page.chain()) else {
            return Some(Proof::Unproven);
        };
        if page.later.iter().any(|entry| chain.contradicts(entry)) {
            return None;
        }
        let (seq, digest) = self.former.unwrap_or((u64::MAX, page.base));
        if digests.get(seq).is_some_and(|it| it != digest) {
            return None;
        }
        match chain.take(&digests) {
            Fit::Joins => Some(Proof::Proven),
            Fit::Apart => Some(Proof::Unproven),
            Fit::Differs => None,
        }
    }
}

impl Page {
    /// The digests of its entries; `None` if there is none, or one of a newer kind.
    fn chain(&self) -> Option<Chain> {
        let before = self.entries.first()?.seq.checked_sub(1)?;
        self.entries.iter().try_fold(Chain::begin(before, self.base), Chain::push)
    }
}

/// Whether the page has no gap, neither within nor towards the place it was asked for.
fn is_whole(edge: &Edge, page: &Page) -> bool {
    let follows = |pair: &[Entry]| pair[0].seq.checked_add(1) == Some(pair[1].seq);
    let (Some(first), Some(last)) = (page.entries.first(), page.entries.last()) else {
        return match edge {
            Edge::Newest => page.floor >= page.head.seq,
            Edge::Before(position) => position.seq <= page.floor.saturating_add(1),
            Edge::After(position) => position.seq >= page.head.seq,
        };
    };
    let touches = match edge {
        Edge::Newest => last.seq == page.head.seq,
        Edge::Before(position) => last.seq.checked_add(1) == Some(position.seq),
        Edge::After(position) => {
            first.seq.checked_sub(1).is_some_and(|it| it == position.seq.max(page.floor))
        }
    };
    touches && first.seq > 0 && page.entries.windows(2).all(follows)
}
