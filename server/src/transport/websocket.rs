//! One WebSocket connection: a conversation of `rooms`, a socket, a mailbox, in one task.
//!
//! The task reads and writes at the same time. It wakes once however much came, and flushes once.

mod delivery;
mod requests;
pub mod socket;
pub mod upgrade;

use std::{
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use common::{CloseCode, RoomName, limits::FRAME_BYTES_MAX};
use futures_util::FutureExt as _;
use rooms::{ConnectionNumber, Conversation, conversation::Closing};
use tokio::net::TcpStream;
use tokio_util::sync::WaitForCancellationFutureOwned;
use websocket::{Incoming, Limits, Violation};

use crate::{
    App,
    accounts::Hashed,
    beats::Alarm,
    clock,
    connections::{Place, id_of},
    contact::Contact,
    live::{Answer, Asked, Mail, Marked},
    random,
};
use delivery::CatchUp;
use socket::{Happened, Socket};

/// A message may come in so many frames, within this time.
const LIMITS: Limits = Limits {
    message_bytes_max: FRAME_BYTES_MAX,
    fragments_max: 64,
    message_time_max: Duration::from_secs(10),
};
/// From the close frame to dropping the TCP connection, when the client does not answer it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

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

/// What a connection needs until its ticket was looked at: nobody else knows of it.
struct Door {
    number: ConnectionNumber,
    /// The sessions whose cookies came with the handshake.
    sessions: Vec<Hashed>,
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
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

/// Why the talking ended.
enum Ending {
    /// The conversation is over.
    Closing(Closing),
    /// The client broke the protocol, or this task did: close with this code.
    Fault(u16, &'static str),
    /// The client closed: answer with its code, and nothing is left to wait for.
    ClosedByClient(u16),
    /// There is nobody at the other end.
    Lost,
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
                Ending::Fault(CloseCode::InternalError.code(), CloseCode::InternalError.reason())
            }
        };
        connection.leave();
        // Boxed: most of the time a connection does not end.
        Box::pin(connection.end(ending)).await;
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

    /// Does all there is to do.
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

    fn take_mail(&mut self, now: Instant) {
        let Some(mail) = self.contact().and_then(|contact| contact.mailbox().take()) else {
            return;
        };
        let Mail { dirty, answers, opened, removed, marked, close } = *mail;
        for answer in answers {
            self.take_answer(answer, now);
        }
        for Marked { id, room, outcome } in marked {
            match outcome {
                Ok(unread) => self.conversation.handle_marked(id, room, unread),
                Err(problem) => self.conversation.handle_refused(id, problem, now),
            }
        }
        for room in removed {
            // Whoever was let in again meanwhile, and has joined, stays.
            if !self.app.live.is_followed(&room, self.number()) {
                self.conversation.handle_removed(&room);
            }
        }
        for room in dirty {
            self.mark_dirty(room);
        }
        for room in opened {
            self.conversation.handle_opened(room);
        }
        if let Some(code) = close {
            self.conversation.close(code);
        }
    }

    fn take_answer(&mut self, answer: Answer, now: Instant) {
        let Answer { asked: Asked { id, room, message_id }, outcome } = answer;
        match outcome {
            Ok(position) => self.conversation.handle_appended(id, room, message_id, position),
            Err(problem) => self.conversation.handle_refused(Some(id), problem, now),
        }
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
                Err(violation) => return Some(answer_to(violation)),
            }
            // Whoever waited looks at the mail first: it may be that nothing more is to be done.
            if self.perform_requests(now).await {
                return None;
            }
        }
        None
    }

    /// Leaves every room, and is no connection of its person any more.
    fn leave(&mut self) {
        let Some(contact) = self.contact() else { return };
        let (number, user) = (contact.owner().connection, contact.user());
        for follow in self.conversation.follows() {
            self.app.live.unfollow(&follow.room, user, number, false);
        }
        self.app.live.disconnect(user, number);
        self.app.connections.end(number);
        self.is_in = false;
    }

    /// Its number, for whoever knows that its ticket was accepted: it follows a room, or got mail.
    fn number(&self) -> ConnectionNumber {
        self.socket.contact().owner().connection
    }

    /// How others reach it, while they know of it.
    fn contact(&self) -> Option<&Arc<Contact>> {
        self.is_in.then(|| self.socket.contact())
    }

    /// Writes what is left and the close frame, waits a moment for the client's, and lets go.
    async fn end(&mut self, ending: Ending) {
        let (code, reason, waits) = match ending {
            Ending::Closing(Closing { code, abrupt }) => (code.code(), code.reason(), !abrupt),
            Ending::Fault(code, reason) => (code, reason, true),
            Ending::ClosedByClient(code) => (code, "", false),
            Ending::Lost => return,
        };
        tracing::debug!(connection = ?self.socket.contact().id(), code, reason, "closing");
        self.socket.close(code, reason, clock::now());
        if !waits {
            return;
        }
        let closed = poll_fn(|cx| self.socket.poll_close(&LIMITS, cx));
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, closed).await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.leave();
    }
}

fn answer_to(violation: Violation) -> Ending {
    let code = violation.close_code();
    let reason = CloseCode::from_code(code).map_or("", CloseCode::reason);
    Ending::Fault(code, reason)
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
