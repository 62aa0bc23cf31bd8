//! One connection's conversation: from its ticket, over joining, reading and saying, to its close.
//!
//! It decides everything about the connection that depends on time or order and does none of it:
//! the shell feeds it what arrived, performs its requests, writes its frames, and closes when told.

mod allowance;
mod follows;
mod heard;
mod outgoing;
mod pulse;
mod speeds;
mod told;

use std::{sync::Arc, time::Instant};

use common::{
    CloseCode, ConnectionId, Member, Problem, RoomName, ServerMessage, ServerVersion, WireLimits,
    limits::{BODY_CHARS_MAX, FRAME_BYTES_MAX},
};

use crate::{Entry, Queue, Settings};
use allowance::Allowance;
pub use follows::Follow;
use follows::Follows;
pub use outgoing::{Closing, Edge, Frame, Page, Request, Wanted};
use pulse::Pulse;

/// Replies that wait to be written; beyond it nothing more is read from the connection.
const REPLIES_MAX: usize = 64;

/// One connection, as the server's half sees it.
#[derive(Debug)]
pub struct Conversation {
    settings: Arc<Settings>,
    state: State,
    follows: Follows,
    pulse: Pulse,
    allowance: Allowance,
    /// More bytes came than may come: nothing more is read until they are paid for.
    is_paused: bool,
    /// A page of history was asked for: nothing more is read before it has come.
    page_awaited: bool,
    requests: Queue<Request>,
    replies: Queue<ServerMessage>,
    entries: Queue<Arc<Entry>>,
}

#[derive(Debug)]
enum State {
    /// No ticket was accepted. In a box: it does not last.
    Greeting(Box<Greeting>),
    Talking {
        user: Arc<Member>,
    },
    Closing(Closing),
}

#[derive(Debug)]
struct Greeting {
    connection: ConnectionId,
    until: Instant,
    /// A ticket is being looked at.
    asked: bool,
    /// The room in the address, joined once a ticket was accepted.
    room: Option<RoomName>,
    /// Where in the interval its heartbeat will lie.
    phase: f32,
}

#[cfg(not(feature = "mutants"))]
const _: () = assert!(size_of::<Conversation>() <= Conversation::BYTES_MAX);

impl Conversation {
    /// What it takes of its connection's memory, at most, beside what it holds while it is busy.
    pub const BYTES_MAX: usize = 144;

    /// A connection without a ticket. `phase`, between 0 and 1, spreads the heartbeats of many
    /// connections over the interval.
    #[must_use]
    pub fn new(
        connection: ConnectionId,
        settings: Arc<Settings>,
        phase: f64,
        now: Instant,
    ) -> Self {
        let until = now + settings.hello_timeout;
        let greeting =
            Greeting { connection, until, asked: false, room: None, phase: phase as f32 };
        Self {
            state: State::Greeting(Box::new(greeting)),
            follows: Follows::default(),
            pulse: Pulse::new(&settings, now),
            allowance: Allowance::new(now),
            is_paused: false,
            page_awaited: false,
            requests: Queue::default(),
            replies: Queue::default(),
            entries: Queue::default(),
            settings,
        }
    }

    /// Who is at the other end; `None` before the ticket was accepted and after the close.
    #[must_use]
    pub fn user(&self) -> Option<&Arc<Member>> {
        match &self.state {
            State::Talking { user } => Some(user),
            State::Greeting(_) | State::Closing(_) => None,
        }
    }

    /// The rooms that are followed, and how far each was read.
    pub fn follows(&self) -> impl Iterator<Item = &Follow> {
        self.follows.iter()
    }

    /// One followed room.
    #[must_use]
    pub fn follow(&self, room: &RoomName) -> Option<&Follow> {
        self.follows.get(room)
    }

    /// A ticket that came with the address.
    pub fn handle_ticket(&mut self, ticket: String) {
        if let State::Greeting(greeting) = &mut self.state {
            greeting.asked = true;
            self.requests.push_back(Request::Authenticate { ticket });
        }
    }

    /// The ticket's owner, or `None` when the ticket is worth nothing.
    pub fn handle_authenticated(&mut self, user: Option<Arc<Member>>, now: Instant) {
        let State::Greeting(greeting) = &mut self.state else { return };
        let (connection, room) = (greeting.connection.clone(), greeting.room.take());
        let phase = greeting.phase;
        let Some(user) = user else { return self.close(CloseCode::TicketInvalid) };
        self.state = State::Talking { user: Arc::clone(&user) };
        self.pulse.begin(&self.settings, phase, now);
        self.replies.push_back(ServerMessage::Welcome {
            connection,
            user: Arc::unwrap_or_clone(user),
            heartbeat: pulse::on_the_wire(&self.settings),
            limits: WireLimits {
                text_chars_max: BODY_CHARS_MAX as u32,
                frame_bytes_max: FRAME_BYTES_MAX as u32,
                rooms_max: self.settings.rooms_per_connection_max as u32,
            },
            server: ServerVersion { version: env!("CARGO_PKG_VERSION").to_owned() },
        });
        if let Some(room) = room {
            self.requests.push_back(Request::Follow { id: None, room, after: None, echo: true });
        }
    }

    /// The room in the address: it is joined as soon as a ticket was accepted.
    pub fn handle_address(&mut self, address: RoomName) {
        if let State::Greeting(greeting) = &mut self.state {
            greeting.room = Some(address);
        }
    }

    /// A binary frame arrived, where only text is spoken.
    pub fn handle_binary(&mut self) {
        self.close(CloseCode::UnsupportedData);
    }

    /// A ping or pong of the WebSocket protocol arrived: it is life, and it is counted.
    pub fn handle_control_frame(&mut self, now: Instant) {
        self.pulse.handle_sign_of_life();
        if !self.allowance.take_control_frame(&self.settings, now) {
            self.close(CloseCode::PolicyViolation);
        }
    }

    /// The client's side took, at this moment, some of what had waited to be written. Whoever reads
    /// slowly is not taken for dead; who reads nothing is the shell's to notice.
    pub fn handle_taken(&mut self, taken_at: Instant) {
        self.pulse.handle_taken(&self.settings, taken_at);
    }

    /// So many bytes were read from the connection.
    pub fn handle_inbound_bytes(&mut self, bytes: usize, now: Instant) {
        self.is_paused = self.allowance.take_bytes(bytes, &self.settings, now);
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.is_paused &= now < self.allowance.bytes_paid_at(&self.settings);
        self.allowance.handle_timeout(now);
        match &self.state {
            State::Greeting(greeting) if greeting.until <= now => self.close(CloseCode::Stale),
            State::Greeting(_) | State::Closing(_) => {}
            State::Talking { .. } => {
                if self.pulse.is_dead(now) {
                    let code = CloseCode::GoingAway;
                    self.state = State::Closing(Closing { code, abrupt: true });
                } else if self.pulse.wants_ping(&self.settings, now) {
                    self.tell_heads();
                    self.replies.push_back(ServerMessage::Ping {});
                }
            }
        }
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let of_state = match &self.state {
            State::Greeting(greeting) => Some(greeting.until),
            State::Talking { .. } => Some(self.pulse.poll_timeout()),
            State::Closing(_) => return None,
        };
        let paid_at = self.is_paused.then(|| self.allowance.bytes_paid_at(&self.settings));
        [of_state, paid_at].into_iter().flatten().min()
    }

    /// The connection is to end. The first reason stands.
    pub fn close(&mut self, code: CloseCode) {
        if !matches!(self.state, State::Closing(_)) {
            self.requests.clear();
            // Who took nothing for so long takes no close frame either.
            let abrupt = code == CloseCode::SlowConsumer;
            self.state = State::Closing(Closing { code, abrupt });
        }
    }

    /// How the connection is to end, once its frames are written.
    #[must_use]
    pub fn closing(&self) -> Option<Closing> {
        match &self.state {
            State::Closing(closing) => Some(*closing),
            State::Greeting(_) | State::Talking { .. } => None,
        }
    }

    /// Whether another frame may be read from the connection.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.replies.len() < REPLIES_MAX
            && !self.page_awaited
            && !self.is_paused
            && self.closing().is_none()
    }

    /// What the rooms are asked for next.
    pub fn poll_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// What is to be written next: replies and notices before entries.
    pub fn poll_frame(&mut self) -> Option<Frame> {
        let reply = self.replies.pop_front().map(Frame::Message);
        reply.or_else(|| self.entries.pop_front().map(Frame::Entry))
    }

    fn refuse(&mut self, id: Option<u64>, error: Problem, now: Instant) {
        let ours = error.status >= 500;
        self.replies.push_back(ServerMessage::Error { id, error });
        if !ours && !self.allowance.refuse(&self.settings, now) {
            self.close(CloseCode::PolicyViolation);
        }
    }
}

#[cfg(feature = "mutants")]
impl Conversation {
    /// Breaks this conversation on purpose.
    pub fn break_on_purpose(&mut self, mutant: crate::mutant::Mutant) {
        self.pulse.break_on_purpose(mutant);
    }
}
