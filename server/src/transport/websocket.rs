//! One WebSocket connection: a conversation of `rooms`, a socket, a mailbox, in one task.
//!
//! The task reads and writes at the same time. It wakes once however much came, and flushes once.

mod admission;
mod delivery;
mod ending;
mod mail;
mod requests;
pub mod socket;
pub mod upgrade;

use std::{
    future::poll_fn,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use common::{CloseCode, RoomName, limits::FRAME_BYTES_MAX};
use futures_util::FutureExt as _;
use rooms::Conversation;
use tokio::net::TcpStream;
use websocket::{Incoming, Limits};

use crate::{
    App,
    accounts::Hashed,
    beats::Alarm,
    clock,
    connections::{Place, id_of},
    random,
};
use admission::Door;
use delivery::CatchUp;
use ending::Ending;
use socket::{Happened, Socket};

/// A message may come in so many frames, within this time.
const LIMITS: Limits = Limits {
    message_bytes_max: FRAME_BYTES_MAX,
    fragments_max: 64,
    message_time_max: Duration::from_secs(10),
};
/// One connection and everything it holds. Dropping it leaves all rooms.
struct Connection {
    app: Arc<App>,
    socket: Socket,
    alarm: Alarm,
    conversation: Conversation,
    /// Others know of it: from when its ticket was accepted until it left.
    is_in: bool,
    /// None once its ticket was looked at.
    door: Option<Box<Door>>,
    /// The session outlives the process.
    session_is_saved: bool,
    /// None while it keeps up.
    catch_up: Option<Box<CatchUp>>,
    _place: Arc<Place>,
}

/// What a connection brings from its handshake.
pub struct Arrival {
    /// The TCP connection.
    pub stream: TcpStream,
    /// What the client sent right after its handshake.
    pub early: Vec<u8>,
    /// The ticket in the address.
    pub ticket: Option<String>,
    /// The room in the address.
    pub room: Option<RoomName>,
    /// The sessions whose cookies came with it.
    pub sessions: Vec<Hashed>,
    /// Its place among the connections.
    pub place: Arc<Place>,
}

/// What comes after a turn.
enum Next {
    /// Nothing.
    Ended(Ending),
    /// Something has to happen first, unless it `goes_on`; what arrives is read where it `reads`.
    Waits { reads: bool, goes_on: bool },
}

/// Talks with one client until it ends.
pub fn serve(arrival: Arrival, app: Arc<App>) -> impl Future<Output = ()> {
    let mut connection = Connection::new(arrival, app);
    async move {
        // A fault in one connection ends that connection; the client resumes on another.
        let ending = match AssertUnwindSafe(connection.talk()).catch_unwind().await {
            Ok(ending) => ending,
            Err(_) => {
                let connection = connection.socket.contact().id();
                tracing::error!(?connection, "the connection's task panicked");
                Ending::of(CloseCode::InternalError)
            }
        };
        connection.leave();
        // Boxed: most of the time a connection does not end.
        Box::pin(connection.end(ending)).await;
        connection.socket.hang_up();
    }
}

impl Connection {
    fn new(arrival: Arrival, app: Arc<App>) -> Self {
        let now = clock::now();
        let Arrival { stream, early, ticket, room, sessions, place } = arrival;
        let (number, settings) = (app.connections.next_number(), Arc::clone(app.live.settings()));
        let mut conversation = Conversation::new(id_of(number), settings, random::phase(), now);
        if let Some(room) = room {
            conversation.handle_address(room);
        }
        if let Some(ticket) = ticket {
            conversation.handle_ticket(ticket);
        }
        Self {
            socket: Socket::new(stream, &early, &LIMITS, now),
            alarm: Alarm::default(),
            door: Some(Box::new(Door {
                number,
                sessions,
                stopping: Box::pin(app.stopping.clone().cancelled_owned()),
            })),
            app,
            conversation,
            is_in: false,
            session_is_saved: false,
            catch_up: None,
            _place: place,
        }
    }

    async fn talk(&mut self) -> Ending {
        loop {
            // Boxed, as is whatever most connections do not do most of the time.
            let (reads, goes_on) = match Box::pin(self.turn()).await {
                Next::Ended(ending) => return ending,
                Next::Waits { reads, goes_on } => (reads, goes_on),
            };
            if goes_on {
                tokio::task::yield_now().await;
            }
            // It holds what it looks at itself: between turns a connection is small.
            let connection = &mut *self;
            let happened = poll_fn(move |cx| {
                let happened = connection.poll(reads, cx);
                if goes_on && happened.is_pending() { Poll::Ready(None) } else { happened }
            });
            match happened.await {
                Some(Happened::Lost) => return Ending::Lost,
                Some(Happened::Arrived(bytes)) => {
                    self.conversation.handle_inbound_bytes(bytes, clock::now());
                }
                Some(Happened::Flushed) => self.conversation.handle_taken(clock::now()),
                None => {}
            }
        }
    }

    /// One turn: what arrived, then what is to be written, each up to a limit.
    async fn turn(&mut self) -> Next {
        loop {
            let now = clock::now();
            if let Some(taken_at) = self.socket.waiting_since() {
                self.conversation.handle_taken(taken_at);
            }
            if self.conversation.poll_timeout().is_some_and(|at| at <= now) {
                self.look_what_was_handed();
                self.conversation.handle_timeout(now);
            }
            self.take_mail(now);
            if let Some(ending) = self.take_what_arrived(now).await {
                self.write_what_waits().await;
                return Next::Ended(ending);
            }
            let more_to_write = self.write_what_waits().await;
            if let Some(closing) = self.conversation.closing() {
                return Next::Ended(Ending::Closing(closing));
            }
            if let Some(code) = self.out_of_time(now) {
                self.conversation.close(code);
                continue;
            }
            self.alarm.set(self.deadline(), &self.app.beats, now);
            let wants_input = self.conversation.wants_input();
            // A turn is bounded; whoever has more to read or to write lets others go first.
            let can_write = more_to_write && self.socket.is_flushed();
            let goes_on = can_write || (wants_input && self.socket.has_undecoded());
            // Whoever has much to write reads all the same, but not what they cannot look at yet.
            let reads = wants_input && !self.socket.has_undecoded();
            return Next::Waits { reads, goes_on };
        }
    }

    /// Something happened at the socket, or there is another reason to look: mail, the time, or
    /// that the server stops.
    fn poll(&mut self, reads: bool, cx: &mut Context<'_>) -> Poll<Option<Happened>> {
        let now = clock::now();
        if let Poll::Ready(happened) = self.socket.poll(reads, &LIMITS, cx, now) {
            return Poll::Ready(Some(happened));
        }
        let has_mail = self.contact().is_some_and(|contact| contact.mailbox().poll(cx).is_ready());
        if has_mail || self.alarm.poll(&self.app.beats, cx, now).is_ready() {
            return Poll::Ready(None);
        }
        let door = self.door.as_mut();
        let stops = door.is_some_and(|door| door.stopping.as_mut().poll(cx).is_ready());
        if stops {
            self.conversation.close(CloseCode::ServiceRestart);
            return Poll::Ready(None);
        }
        Poll::Pending
    }

    /// Why the client took too long, if it did.
    fn out_of_time(&self, now: Instant) -> Option<CloseCode> {
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|at| at <= now);
        if passed(self.message_deadline()) {
            Some(CloseCode::PolicyViolation)
        } else if passed(self.socket.stall_deadline(self.app.config.write_stall())) {
            Some(CloseCode::SlowConsumer)
        } else {
            None
        }
    }

    /// While nothing is read, what has not arrived is not the client's fault.
    fn message_deadline(&self) -> Option<Instant> {
        self.socket.message_deadline().filter(|_| self.conversation.wants_input())
    }

    /// When to look again, whatever happens until then.
    fn deadline(&self) -> Instant {
        /// Longer than any time limit of a connection.
        const LATE: Duration = Duration::from_secs(3_600);
        let deadlines = [
            self.conversation.poll_timeout(),
            self.message_deadline(),
            self.socket.stall_deadline(self.app.config.write_stall()),
        ];
        deadlines.into_iter().flatten().min().unwrap_or_else(|| clock::now() + LATE)
    }

    /// Hands what arrived to the conversation, as long as it wants more, and performs what it asks.
    async fn take_what_arrived(&mut self, now: Instant) -> Option<Ending> {
        if self.perform_requests(now).await {
            return None;
        }
        while self.conversation.wants_input() {
            match self.socket.next(now) {
                Ok(Some(Incoming::Text(text))) => self.conversation.handle_text(&text, now),
                Ok(Some(Incoming::Binary(_))) => self.conversation.handle_binary(),
                Ok(Some(Incoming::Ping(payload))) => {
                    self.conversation.handle_control_frame(now);
                    self.socket.pong(&payload, now);
                }
                Ok(Some(Incoming::Pong(_))) => self.conversation.handle_control_frame(now),
                Ok(Some(Incoming::Close(code))) => {
                    return Some(Ending::ClosedByClient(code.unwrap_or(1000)));
                }
                Ok(None) => break,
                Err(violation) => return Some(violation.into()),
            }
            // Whoever waited looks at the mail first: it may be that nothing more is to be done.
            if self.perform_requests(now).await {
                return None;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The task's record and the tracker's are 112 bytes, and it is kept in steps of 128.
    #[test]
    fn a_connection_that_waits_fits_into_three_steps_of_the_runtime() {
        fn bytes<F>(_: impl Fn(Arrival, Arc<App>) -> F) -> usize {
            size_of::<F>()
        }
        // Where conversations can be broken on purpose they are larger than they are meant to be.
        let beside = bytes(serve) - size_of::<Conversation>();
        assert!(beside + Conversation::BYTES_MAX <= 3 * 128 - 112, "{beside}");
    }
}
