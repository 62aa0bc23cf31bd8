//! The client's half of Madang: one person's conversation with one server, over as many
//! connections as it takes.
//!
//! [`Session`] is a state machine. A shell tells it what the person wants and what the socket
//! did (`handle_*`, each with `now`), then does what [`Session::poll_action`] says, shows what
//! [`Session::poll_event`] says, and calls [`Session::handle_timeout`] when
//! [`Session::poll_timeout`] says.
//!
//! This crate must never do IO, read a clock, hold a lock, await, or know a browser or a
//! runtime: it is the same natively, in wasm and in the simulation.
//!
//! Read in this order: [`action`] (what the shell does), [`event`] (what the page is told),
//! [`link`] (the states of the link and what follows a close), `connection` (from attempt to
//! attempt), `conversation` (message by message), `inbox` (positions, duplicates, holes),
//! `chain` (what proves that nothing is missing), [`history`] (pages of the past), `mark` (what was
//! read), [`content`] and [`outbox`] (order and loss), then the small ones.

#![warn(missing_docs)]

pub mod action;
pub mod event;
pub mod link;

mod connection;
mod conversation;
mod inbox;

mod chain;

pub mod history;

mod mark;

pub mod content;

pub mod outbox;

mod backoff;
mod liveness;
mod mutant;
mod random;

pub mod stats;

use std::collections::VecDeque;

use common::{
    ClientMessage, MessageId, Position, RoomName, ServerMessage, UserId, codec::write,
    decode_server,
};
use web_time::Instant;

pub use action::{Action, Generation};
pub use content::Content;
pub use event::Event;
pub use history::{Edge, PageFailure, Proof};
pub use link::{EndReason, LinkState, TicketRefusal};
#[cfg(feature = "mutants")]
pub use mutant::Mutant;
pub use outbox::{OutboxFull, Pending, PendingState};
pub use stats::Stats;

use inbox::Inbox;
use link::Link;
use mutant::Breakage;
#[cfg(not(feature = "mutants"))]
use mutant::Mutant;
use outbox::Outbox;
use random::Random;

/// One person's conversation with one server.
///
/// After every call that takes `now`, poll actions and events until there are none, then ask for
/// the timeout.
pub struct Session {
    link: Link,
    inbox: Inbox,
    outbox: Outbox,
    random: Random,
    /// Who the server says this is.
    me: Option<UserId>,
    /// The `ping` that is out: its id and when it was sent.
    probe: Option<(u64, Instant)>,
    last_id: u64,
    /// The latest `now` that was handed in.
    seen: Option<Instant>,
    actions: VecDeque<Action>,
    events: VecDeque<Event>,
    stats: Stats,
    breakage: Breakage,
}

impl Session {
    /// A session that is idle until [`Self::connect`]. The seed is for jitter; different clients
    /// need different ones.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            link: Link::new(),
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            random: Random::new(seed),
            me: None,
            probe: None,
            last_id: 0,
            seen: None,
            actions: VecDeque::new(),
            events: VecDeque::new(),
            stats: Stats::default(),
            breakage: Breakage::default(),
        }
    }

    /// Begins, also again after an end, as when the person has signed in. If earlier attempts
    /// failed it still backs off.
    pub fn connect(&mut self, now: Instant) {
        self.begin_if_idle(now);
        self.settle(now);
    }

    /// The person does not want to wait: the next attempt begins at once, whatever the server
    /// asked for.
    pub fn reconnect_now(&mut self, now: Instant) {
        if matches!(self.link.state(), LinkState::Waiting { .. }) {
            self.begin(now);
        }
        self.settle(now);
    }

    /// The person leaves: the connection is closed, rooms and messages are forgotten.
    pub fn leave_server(&mut self, now: Instant) {
        self.leave_for_good(now);
        self.settle(now);
    }

    /// Follows a room, over all reconnects, until [`Self::leave`].
    pub fn join(&mut self, room: RoomName, now: Instant) {
        self.inbox.want(room);
        self.settle(now);
    }

    /// Follows a room no longer, and forgets where it stood there. What was said in it and is not
    /// confirmed waits until the room is joined again.
    pub fn leave(&mut self, room: &RoomName, now: Instant) {
        if let Some(known_to_server) = self.inbox.forget(room) {
            if known_to_server {
                let id = self.new_id();
                self.send(&ClientMessage::Leave { id, room: room.clone() });
            }
            self.requeue(room);
            self.tell(Event::Left { room: room.clone() });
        }
        self.settle(now);
    }

    /// Writes something into a room's log, as soon as the room is joined and everything older
    /// written there is confirmed or has failed. What changes an entry of a log that began anew
    /// since fails.
    ///
    /// # Errors
    /// When the outbox is full; the message is not taken.
    pub fn write(
        &mut self,
        room: RoomName,
        message_id: MessageId,
        content: Content,
        now: Instant,
    ) -> Result<(), OutboxFull> {
        let state = PendingState::Queued;
        self.outbox.add(Pending { room, message_id: message_id.clone(), content, state })?;
        self.tell(Event::OutboxChanged { message_id });
        self.settle(now);
        Ok(())
    }

    /// Sends a failed message again, under the same id. One that was too large stays failed.
    pub fn retry(&mut self, message_id: &MessageId, now: Instant) {
        if self.outbox.retry(message_id) {
            self.tell(Event::OutboxChanged { message_id: message_id.clone() });
        }
        self.settle(now);
    }

    /// Forgets a message that failed or is queued. One that is on the wire stays: whether it was
    /// said is not ours to decide.
    pub fn discard(&mut self, message_id: &MessageId) {
        if self.outbox.discard(message_id) {
            self.tell(Event::OutboxChanged { message_id: message_id.clone() });
        }
    }

    /// Takes what was kept over a reload, oldest first, before everything said since.
    pub fn restore(&mut self, pending: Vec<Pending>) {
        for message_id in self.outbox.restore(pending) {
            self.tell(Event::OutboxChanged { message_id });
        }
    }

    /// What is not confirmed, oldest first.
    pub fn outbox(&self) -> impl Iterator<Item = &Pending> {
        self.outbox.iter()
    }

    /// Where the link stands.
    #[must_use]
    pub fn link(&self) -> &LinkState {
        self.link.state()
    }

    /// Where this session stands in a room: the last entry that was delivered.
    #[must_use]
    pub fn position(&self, room: &RoomName) -> Option<&Position> {
        self.inbox.position(room)
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The answer to [`Action::FetchTicket`].
    pub fn handle_ticket(
        &mut self,
        generation: Generation,
        ticket: Result<String, TicketRefusal>,
        now: Instant,
    ) {
        if self.is_current(generation) {
            self.take_ticket(ticket, now);
        }
        self.settle(now);
    }

    /// The socket is open and takes messages.
    pub fn handle_open(&mut self, generation: Generation, now: Instant) {
        if self.is_current(generation) {
            self.say_hello();
        }
        self.settle(now);
    }

    /// A message came, or a frame that is none. Whatever it says, it is a sign of life.
    pub fn handle_message(
        &mut self,
        generation: Generation,
        message: Option<ServerMessage>,
        now: Instant,
    ) {
        if self.is_current(generation) && (self.link.is_open() || self.link.is_greeting()) {
            if let Some(open) = self.link.open() {
                open.liveness.hear(now);
            }
            match message {
                Some(message) => self.hear(message, now),
                None => self.stats.unreadable += 1,
            }
        }
        self.settle(now);
    }

    /// The same for a shell that leaves the reading to serde. The page does not: it is lighter
    /// without.
    pub fn handle_text(&mut self, generation: Generation, text: &str, now: Instant) {
        self.handle_message(generation, decode_server(text), now);
    }

    /// The socket is closed, or could not be opened; 1006 stands for any loss.
    pub fn handle_closed(&mut self, generation: Generation, code: u16, now: Instant) {
        if self.is_current(generation) {
            self.take_close(code, now);
        }
        self.settle(now);
    }

    /// The moment of [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.link_due(now);
        self.settle(now);
    }

    /// The page is visible again, has the focus, or came out of the browser's cache.
    pub fn handle_wake(&mut self, now: Instant) {
        self.look_again(now);
        self.settle(now);
    }

    /// The browser says that there is a network.
    pub fn handle_online(&mut self, now: Instant) {
        self.look_again(now);
        self.settle(now);
    }

    /// What the shell is to do next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// What the page is to be told next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`Self::handle_timeout`], at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let open = self.link.is_open();
        let ask = self.inbox.next().filter(|_| open);
        let turn = self.seen.filter(|_| open).and_then(|at_once| {
            self.outbox.next_turn(|room| self.inbox.is_joined(room), self.breakage, at_once)
        });
        [self.link_deadline(), ask, turn].into_iter().flatten().min()
    }

    /// Breaks this session in one way, to see who notices.
    #[cfg(feature = "mutants")]
    pub fn break_on_purpose(&mut self, mutant: Mutant) {
        self.breakage = Breakage::choose(mutant);
    }

    fn broken(&self, mutant: Mutant) -> bool {
        self.breakage.broken(mutant)
    }

    /// An id that no other request of this session has, on any connection.
    fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn send(&mut self, message: &ClientMessage) {
        if let Some(generation) = self.link.generation() {
            self.act(Action::Send { generation, text: write::client_message(message) });
        }
    }

    fn act(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }
}
