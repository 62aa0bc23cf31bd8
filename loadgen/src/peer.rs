//! One person with the client's half that the page has: whoever is cut comes back by its rules, and
//! every entry is judged by its place and its digest.

mod attempts;
mod line;
mod people;

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::{Pin, pin},
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};
use common::{Entry, Position, RoomName};
use session::{Action, Event, LinkState, Session, Stats};

use crate::{clock, guest::SignedIn};
pub use attempts::Attempts;
use line::{Happened, Line};

/// Any loss, as a browser reports it.
const LOST: u16 = 1006;
/// The answer to a ping, as the session writes it.
const PONG: &str = r#"{"type":"pong"}"#;
/// When there is nothing to wait for.
const LATE: Duration = Duration::from_secs(3_600);

/// Somebody who stays with the server over many connections.
pub struct Peer {
    signed_in: SignedIn,
    /// The client's half.
    session: Session,
    line: Line,
    attempts: Attempts,
    /// The last entry of each room.
    heard: BTreeMap<RoomName, u64>,
    /// Rooms of which this connection has shown that nothing is missing.
    proven: BTreeMap<RoomName, u64>,
    /// Whatever is sent leaves so much later.
    delay: Duration,
    outgoing: VecDeque<(Instant, String)>,
    /// Whether anything is read from the socket.
    reads: bool,
    /// Who is present is not even decoded.
    passes_over_people: bool,
    /// The last code that the server closed with.
    closed_with: Option<u16>,
    pings: u64,
    told: Told,
}

/// What is done with every entry, with what is told of people, and with pages.
type Told = Box<dyn FnMut(&Event) + Send>;

impl Peer {
    /// Somebody without a connection. The seed is for the jitter of coming back.
    #[must_use]
    pub fn new(signed_in: SignedIn, seed: u64) -> Self {
        Self {
            signed_in,
            session: Session::new(seed),
            line: Line::Off,
            attempts: Attempts::default(),
            heard: BTreeMap::new(),
            proven: BTreeMap::new(),
            delay: Duration::ZERO,
            outgoing: VecDeque::new(),
            reads: true,
            passes_over_people: false,
            closed_with: None,
            pings: 0,
            told: Box::new(|_| {}),
        }
    }

    /// Hands every event to somebody who counts them.
    pub fn tells(&mut self, told: impl FnMut(&Event) + Send + 'static) {
        self.told = Box::new(told);
    }

    /// The client's half, to be asked for something.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Where the link stands.
    #[must_use]
    pub fn link(&self) -> &LinkState {
        self.session.link()
    }

    /// The last entry of a room that was delivered.
    #[must_use]
    pub fn position(&self, room: &RoomName) -> Option<&Position> {
        self.session.position(room)
    }

    /// Messages that were written and are not acknowledged.
    #[must_use]
    pub fn unconfirmed(&self) -> usize {
        self.session.outbox().count()
    }

    /// Who this is.
    #[must_use]
    pub fn signed_in(&self) -> &SignedIn {
        &self.signed_in
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        self.session.stats()
    }

    /// What the attempts to connect came to.
    #[must_use]
    pub fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// The last code that the server closed with, or 1006.
    #[must_use]
    pub fn closed_with(&self) -> Option<u16> {
        self.closed_with
    }

    /// The server's pings that were answered.
    #[must_use]
    pub fn pings(&self) -> u64 {
        self.pings
    }

    /// Everything that is sent from here on leaves so much later.
    pub fn answers_late(&mut self, delay: Duration) {
        self.delay = delay;
    }

    /// Does not decode who is present: where thousands of peers share a process with rooms of
    /// hundreds, that is most of their work, and the process is to be no slower than its server.
    pub fn passes_over_people(&mut self) {
        self.passes_over_people = true;
    }

    /// Reads nothing more from its socket, and does nothing else, until it is cut.
    pub fn stalls(&mut self) {
        self.reads = false;
    }

    /// The connection is gone without a word, as if the network had gone.
    pub fn is_cut(&mut self) {
        let generation = self.line.generation();
        self.line = Line::Off;
        self.reads = true;
        self.outgoing.clear();
        if let Some(generation) = generation {
            self.closed_with = Some(LOST);
            self.session.handle_closed(generation, LOST, clock::now());
        }
    }

    /// Whether it is connected and has shown, on this connection, that nothing is missing of the
    /// room up to this place.
    #[must_use]
    pub fn has(&self, room: &RoomName, seq: u64) -> bool {
        *self.session.link() == LinkState::Open
            && self.proven.contains_key(room)
            && self.session.position(room).is_some_and(|position| position.seq >= seq)
    }

    /// Goes on until it is so.
    ///
    /// # Errors
    /// The server broke a promise, or does not want this person any more.
    pub async fn lives_until_it(&mut self, is: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let mut never = pin!(std::future::pending::<()>());
        self.performs().await?;
        while !is(self) {
            self.turn(never.as_mut()).await?;
            self.performs().await?;
        }
        Ok(())
    }

    /// Goes on until something else happens.
    ///
    /// # Errors
    /// The server broke a promise, or does not want this person any more.
    pub async fn lives_until<T>(&mut self, stop: impl Future<Output = T>) -> anyhow::Result<T> {
        let mut stop = pin!(stop);
        loop {
            self.performs().await?;
            if let Some(stopped) = self.turn(stop.as_mut()).await? {
                return Ok(stopped);
            }
        }
    }

    /// Waits for the next thing that happens, and hands it to the session.
    async fn turn<T>(
        &mut self,
        stop: Pin<&mut impl Future<Output = T>>,
    ) -> anyhow::Result<Option<T>> {
        let deadline = if self.reads { self.deadline() } else { clock::now() + LATE };
        let Self { line, reads, .. } = self;
        let happened = tokio::select! {
            stopped = stop => return Ok(Some(stopped)),
            happened = line.happens(*reads) => Some(happened),
            () = tokio::time::sleep_until(deadline.into()) => None,
        };
        let now = clock::now();
        match happened {
            Some(happened) => self.hear(happened, now),
            None => self.session.handle_timeout(now),
        }
        Ok(None)
    }

    fn deadline(&self) -> Instant {
        let due = self.outgoing.front().map(|(due, _)| *due);
        let timeout = self.session.poll_timeout();
        [due, timeout].into_iter().flatten().min().unwrap_or_else(|| clock::now() + LATE)
    }

    fn hear(&mut self, happened: Happened, now: Instant) {
        match happened {
            Happened::Ticket(generation, outcome) => {
                self.line = Line::Off;
                let outcome = outcome.map_err(|refusal| {
                    self.attempts.count(&refusal, true);
                    refusal.of_ticket()
                });
                self.session.handle_ticket(generation, outcome, now);
            }
            Happened::Opened(generation, Ok(socket)) => {
                self.line = Line::Up(generation, socket);
                self.session.handle_open(generation, now);
            }
            Happened::Opened(generation, Err(refusal)) => {
                self.line = Line::Off;
                self.attempts.count(&refusal, false);
                // A browser sees no more of it.
                self.session.handle_closed(generation, LOST, now);
            }
            Happened::Text(generation, text) if self.passes_over_people => {
                if let Some(text) = people::passed_over(&text) {
                    self.session.handle_text(generation, &text, now);
                }
            }
            Happened::Text(generation, text) => {
                self.session.handle_text(generation, &text, now);
            }
            Happened::Closed(generation, code) => {
                self.line = Line::Off;
                self.outgoing.clear();
                self.closed_with = Some(code);
                self.session.handle_closed(generation, code, now);
            }
        }
    }

    /// Does what the session wants done, and judges what it tells.
    async fn performs(&mut self) -> anyhow::Result<()> {
        while let Some(event) = self.session.poll_event() {
            self.judge(&event)?;
            (self.told)(&event);
        }
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::FetchTicket { generation } => {
                    self.line = Line::asks(generation, self.signed_in.clone());
                }
                Action::Connect { generation, ticket: _ } => {
                    self.line = Line::opens(generation, self.signed_in.route);
                }
                Action::Send { generation, text } => {
                    if self.line.generation() == Some(generation) {
                        self.outgoing.push_back((clock::now() + self.delay, text));
                    }
                }
                Action::Disconnect { .. } => {
                    self.line = Line::Off;
                    self.outgoing.clear();
                }
            }
        }
        let now = clock::now();
        while let Some((_, text)) = self.outgoing.pop_front_if(|(due, _)| *due <= now) {
            self.pings += u64::from(text == PONG);
            self.line.sends(text).await;
        }
        Ok(())
    }

    fn judge(&mut self, event: &Event) -> anyhow::Result<()> {
        match event {
            Event::Entry { entry } => self.judge_entry(entry)?,
            Event::Joined { room, recovered: None, .. } => {
                if let Some(position) = self.session.position(room) {
                    self.heard.entry(room.clone()).or_insert(position.seq);
                }
            }
            Event::Proven { room, position, .. } => {
                self.proven.insert(room.clone(), position.seq);
            }
            Event::Welcome { .. } => self.proven.clear(),
            Event::Left { room } => {
                self.heard.remove(room);
                self.proven.remove(room);
            }
            Event::Resynced { .. }
            | Event::Disproved { .. }
            | Event::Removed { .. }
            | Event::JoinRefused { .. } => bail!("{}: {event:?}", self.signed_in.id),
            Event::LinkChanged => {
                if let LinkState::Ended(reason) = self.session.link()
                    && *reason != session::EndReason::Left
                {
                    bail!("{} is not wanted any more: {reason:?}", self.signed_in.id);
                }
            }
            Event::Joined { .. }
            | Event::Recovered { .. }
            | Event::History { .. }
            | Event::HistoryFailed { .. }
            | Event::Marked { .. }
            | Event::Presence { .. }
            | Event::Opened { .. }
            | Event::OutboxChanged { .. }
            | Event::Acked { .. } => {}
        }
        Ok(())
    }

    fn judge_entry(&mut self, entry: &Entry) -> anyhow::Result<()> {
        let Some(last) = self.heard.get_mut(&entry.room) else {
            bail!("an entry of {} without a join", entry.room);
        };
        ensure!(entry.seq == *last + 1, "{}: {} came after {last}", entry.room, entry.seq);
        *last = entry.seq;
        Ok(())
    }
}
