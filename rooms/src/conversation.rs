//! One connection's conversation: from its ticket, over joining, reading and saying, to its close.
//!
//! It decides everything about the connection that depends on time or order and does none of it:
//! the shell feeds it what arrived, performs its requests, writes its frames, and closes when told.

mod allowance;
mod follows;
mod outgoing;
mod pulse;
mod speeds;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use common::{
    ClientMessage, CloseCode, ConnectionId, ErrorCode, FieldFault, Member, MessageId, Position,
    Problem, RoomName, ServerMessage, ServerVersion, WireLimits,
    http::RoomInfo,
    limits::{BODY_CHARS_MAX, FRAME_BYTES_MAX},
};

use crate::{Draft, Entry, News, Read, Settings, Start};
use allowance::Allowance;
pub use follows::Follow;
use follows::Follows;
pub use outgoing::{Closing, Frame, Request};
use pulse::Pulse;
use speeds::Speeds;

/// Replies that wait to be written; beyond it nothing more is read from the connection.
const REPLIES_MAX: usize = 64;

/// One connection, as the server's half sees it.
#[derive(Debug)]
pub struct Conversation {
    id: ConnectionId,
    settings: Arc<Settings>,
    state: State,
    follows: Follows,
    speeds: Speeds,
    pulse: Pulse,
    allowance: Allowance,
    requests: VecDeque<Request>,
    replies: VecDeque<ServerMessage>,
    entries: VecDeque<Arc<Entry>>,
}

#[derive(Debug)]
enum State {
    /// No ticket was accepted. `asked` when one is being looked at.
    /// `room` is the one in the address, joined once a ticket was accepted.
    Greeting {
        until: Instant,
        asked: bool,
        room: Option<RoomName>,
    },
    Talking {
        user: Member,
    },
    Closing(Closing),
}

impl Conversation {
    /// A connection without a ticket. `phase`, between 0 and 1, spreads the heartbeats of many
    /// connections over the interval.
    #[must_use]
    pub fn new(id: ConnectionId, settings: Arc<Settings>, phase: f64, now: Instant) -> Self {
        Self {
            id,
            state: State::Greeting {
                until: now + settings.hello_timeout,
                asked: false,
                room: None,
            },
            follows: Follows::default(),
            speeds: Speeds::default(),
            pulse: Pulse::new(&settings, phase, now),
            allowance: Allowance::new(&settings, now),
            requests: VecDeque::new(),
            replies: VecDeque::new(),
            entries: VecDeque::new(),
            settings,
        }
    }

    /// The connection's name.
    #[must_use]
    pub fn id(&self) -> &ConnectionId {
        &self.id
    }

    /// Who is at the other end; `None` before the ticket was accepted and after the close.
    #[must_use]
    pub fn user(&self) -> Option<&Member> {
        match &self.state {
            State::Talking { user } => Some(user),
            State::Greeting { .. } | State::Closing(_) => None,
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
        if let State::Greeting { asked, .. } = &mut self.state {
            *asked = true;
            self.requests.push_back(Request::Authenticate { ticket });
        }
    }

    /// The ticket's owner, or `None` when the ticket is worth nothing.
    pub fn handle_authenticated(&mut self, user: Option<Member>, now: Instant) {
        let State::Greeting { room, .. } = &mut self.state else { return };
        let room = room.take();
        let Some(user) = user else { return self.close(CloseCode::TicketInvalid) };
        self.state = State::Talking { user: user.clone() };
        self.pulse.begin(&self.settings, now);
        self.replies.push_back(ServerMessage::Welcome {
            connection: self.id.clone(),
            user,
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
        if let State::Greeting { room, .. } = &mut self.state {
            *room = Some(address);
        }
    }

    /// A text frame arrived.
    pub fn handle_text(&mut self, text: &str, now: Instant) {
        self.pulse.handle_sign_of_life();
        match (&mut self.state, common::decode_client(text)) {
            (State::Closing(_), _) => {}
            (State::Greeting { asked, .. }, Ok(ClientMessage::Hello { ticket })) if !*asked => {
                self.handle_ticket(ticket);
            }
            (State::Greeting { .. }, _) => self.close(CloseCode::TicketInvalid),
            (State::Talking { .. }, Err(error)) => {
                let problem = Problem::from(&error);
                self.refuse(error.id, problem, now);
            }
            (State::Talking { user }, Ok(message)) => {
                let user = user.clone();
                self.handle_message(user, message, now);
            }
        }
    }

    fn handle_message(&mut self, user: Member, message: ClientMessage, now: Instant) {
        match message {
            ClientMessage::Hello { .. } => {
                let problem = Problem::field("/type", FieldFault::Invalid);
                self.refuse(None, problem.title("this connection has a ticket"), now);
            }
            ClientMessage::Join { id, room, after, echo } => {
                let full = self.follows.len() >= self.settings.rooms_per_connection_max;
                if full && self.follows.get(&room).is_none() {
                    let problem = Problem::new(ErrorCode::LimitReached);
                    return self.refuse(id, problem.title("too many rooms on one connection"), now);
                }
                if let Err(wait) = self.allowance.take_join(&self.settings, now) {
                    return self.refuse(id, too_fast(wait), now);
                }
                self.requests.push_back(Request::Follow { id, room, after, echo });
            }
            ClientMessage::Say { id, room, message_id, body } => {
                if self.follows.get(&room).is_none() {
                    let problem = Problem::new(ErrorCode::Forbidden);
                    return self.refuse(Some(id), problem.title("join the room first"), now);
                }
                let draft = Draft { room, author: user, message_id, body };
                self.requests.push_back(Request::Append { id, draft });
            }
            ClientMessage::Leave { id, room } => {
                if self.follows.remove(&room) {
                    self.entries.retain(|entry| entry.room != room);
                    self.requests.push_back(Request::Unfollow { room: room.clone() });
                }
                self.replies.push_back(ServerMessage::Left { id, room });
            }
            ClientMessage::Ping { id } => {
                self.handle_control_frame(now);
                self.replies.push_back(ServerMessage::Pong { id });
            }
            ClientMessage::Pong {} => {}
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
        self.allowance.take_bytes(bytes, &self.settings, now);
    }

    /// The room is followed from `start` on; `presence` is the version of its presence.
    pub fn handle_followed(
        &mut self,
        id: Option<u64>,
        room: &RoomName,
        start: Start,
        (members, count, presence): (Vec<Member>, u32, u64),
        echo: bool,
    ) {
        let Start { head, after, recovered, resync } = start;
        let cursor = Position { epoch: head.epoch.clone(), seq: after };
        self.entries.retain(|entry| entry.room != *room);
        self.follows.insert(Follow { room: room.clone(), cursor, echo, presence });
        let (room, position) = (room.clone(), head);
        if let Some(reason) = resync {
            let (room, position) = (room.clone(), position.clone());
            self.replies.push_back(ServerMessage::Resync { room, reason, position, after });
        }
        let joined = ServerMessage::Joined { id, room, position, after, recovered, members, count };
        self.replies.push_back(joined);
    }

    /// What was said stands in the log.
    pub fn handle_appended(
        &mut self,
        id: u64,
        room: RoomName,
        message_id: MessageId,
        position: Position,
    ) {
        self.replies.push_back(ServerMessage::Ack { id, room, message_id, position });
    }

    /// A request was refused. Refusals cost, unless the fault is the server's: a flood of them
    /// ends the connection.
    pub fn handle_refused(&mut self, id: Option<u64>, problem: Problem, now: Instant) {
        self.refuse(id, problem, now);
    }

    /// What was to be said came too fast. Whoever goes on all the same, three times within a
    /// minute, is sent away.
    pub fn handle_too_fast(&mut self, id: u64, room: &RoomName, wait: Duration, now: Instant) {
        self.replies.push_back(ServerMessage::Error { id: Some(id), error: too_fast(wait) });
        if self.speeds.too_fast(room, wait, now) {
            self.close(CloseCode::RateLimited);
        }
    }

    /// What reading after a followed room's cursor gave. The cursor moves with it.
    pub fn handle_read(&mut self, room: &RoomName, read: Read) {
        let author = self.user().map(|user| user.id.clone());
        let Some(follow) = self.follows.get_mut(room) else { return };
        match read {
            Read::Entries { entries, .. } => {
                let Some(last) = entries.last() else { return };
                follow.cursor.seq = last.seq;
                let echo = follow.echo;
                let wanted =
                    entries.into_iter().filter(|e| echo || Some(&e.author.id) != author.as_ref());
                self.entries.extend(wanted);
            }
            Read::Resync(Start { head, after, resync, .. }) => {
                follow.cursor = Position { epoch: head.epoch.clone(), seq: after };
                let reason = resync.unwrap_or(common::ResyncReason::Pruned);
                let (room, position) = (room.clone(), head);
                self.replies.push_back(ServerMessage::Resync { room, reason, position, after });
            }
            // The log answers that; the cursor stays until it has.
            Read::FurtherBack { .. } => {}
        }
    }

    /// What there is to tell of a followed room's presence, up to `version`.
    pub fn handle_news(&mut self, room: &RoomName, news: News, version: u64) {
        let Some(follow) = self.follows.get_mut(room) else { return };
        follow.presence = version;
        let room = room.clone();
        let message = match news {
            News::None => return,
            News::Change { joined, left, count } => {
                ServerMessage::Presence { room, joined, left, members: None, count }
            }
            News::State { members, count } => ServerMessage::Presence {
                room,
                joined: Vec::new(),
                left: Vec::new(),
                members: Some(members),
                count,
            },
        };
        self.replies.push_back(message);
    }

    /// A room was opened that this user may read. A hint: it is dropped when much else waits.
    pub fn handle_opened(&mut self, room: RoomInfo) {
        if self.user().is_some() && self.replies.len() < REPLIES_MAX {
            self.replies.push_back(ServerMessage::Opened { room });
        }
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.allowance.handle_timeout(now);
        match &self.state {
            State::Greeting { until, .. } if *until <= now => self.close(CloseCode::Stale),
            State::Greeting { .. } | State::Closing(_) => {}
            State::Talking { .. } => {
                if self.pulse.is_dead(now) {
                    let code = CloseCode::GoingAway;
                    self.state = State::Closing(Closing { code, abrupt: true });
                } else if self.pulse.wants_ping(&self.settings, now) {
                    self.replies.push_back(ServerMessage::Ping {});
                }
            }
        }
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let of_state = match &self.state {
            State::Greeting { until, .. } => Some(*until),
            State::Talking { .. } => Some(self.pulse.poll_timeout()),
            State::Closing(_) => return None,
        };
        [of_state, self.allowance.paused_until()].into_iter().flatten().min()
    }

    /// The connection is to end. The first reason stands.
    pub fn close(&mut self, code: CloseCode) {
        if !matches!(self.state, State::Closing(_)) {
            self.requests.clear();
            self.state = State::Closing(Closing { code, abrupt: false });
        }
    }

    /// How the connection is to end, once its frames are written.
    #[must_use]
    pub fn closing(&self) -> Option<Closing> {
        match &self.state {
            State::Closing(closing) => Some(*closing),
            State::Greeting { .. } | State::Talking { .. } => None,
        }
    }

    /// Whether another frame may be read from the connection.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.replies.len() < REPLIES_MAX
            && self.allowance.paused_until().is_none()
            && self.closing().is_none()
    }

    /// What the rooms are asked for next.
    pub fn poll_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// What is to be written next: replies and notices before entries.
    pub fn poll_frame(&mut self) -> Option<Frame> {
        let reply = self.replies.pop_front().map(Frame::Message);
        let frame = reply.or_else(|| self.entries.pop_front().map(Frame::Entry));
        if frame.is_none() {
            // An idle connection keeps no room for what it once had to say.
            self.replies = VecDeque::new();
            self.entries = VecDeque::new();
        }
        frame
    }

    /// Whether entries that were read still wait to be written; read no more before they are.
    #[must_use]
    pub fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    fn refuse(&mut self, id: Option<u64>, error: Problem, now: Instant) {
        let ours = error.status >= 500;
        self.replies.push_back(ServerMessage::Error { id, error });
        if !ours && !self.allowance.refuse(&self.settings, now) {
            self.close(CloseCode::PolicyViolation);
        }
    }
}

/// Rounded up, and never to the very moment: whoever waits as long as told is not early.
fn too_fast(wait: Duration) -> Problem {
    let retry_after_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    Problem::new(ErrorCode::RateLimited).retry_after_ms(retry_after_ms)
}

#[cfg(feature = "mutants")]
impl Conversation {
    /// Breaks this conversation on purpose.
    pub fn break_on_purpose(&mut self, mutant: crate::mutant::Mutant) {
        self.pulse.break_on_purpose(mutant);
    }
}
