//! The shell around `session`: it hands in what the browser saw, and does what comes out. It
//! decides nothing.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use common::ErrorCode;
use gloo_timers::callback::Timeout;
use session::{Action, Event, Generation, Session, TicketRefusal};
use web_time::Instant;

use crate::{
    clock,
    network::{self, Refusal, Socket, SocketEvent},
};

/// The one session of this page, its socket and its timer.
#[derive(Clone)]
pub struct Connection(Rc<Inner>);

struct Inner {
    session: RefCell<Session>,
    socket: RefCell<Option<(Generation, Socket)>>,
    timer: RefCell<Option<(Instant, Timeout)>>,
    settling: Cell<bool>,
    told: Box<dyn Fn(Vec<Event>)>,
}

impl Connection {
    /// A connection that is idle; `told` hears every event, in order.
    #[must_use]
    pub fn new(seed: u64, told: impl Fn(Vec<Event>) + 'static) -> Self {
        Self(Rc::new(Inner {
            session: RefCell::new(Session::new(seed)),
            socket: RefCell::default(),
            timer: RefCell::default(),
            settling: Cell::new(false),
            told: Box::new(told),
        }))
    }

    /// Asks the session.
    pub fn read<T>(&self, question: impl FnOnce(&Session) -> T) -> T {
        question(&self.0.session.borrow())
    }

    /// Tells the session something, and does all that follows from it.
    pub fn tell<T>(&self, what: impl FnOnce(&mut Session, Instant) -> T) -> T {
        let now = clock::now();
        let answer = what(&mut self.0.session.borrow_mut(), now);
        self.settle();
        answer
    }

    /// Performs actions and passes events on until there are none. Whoever tells the session
    /// something from within an event leaves the rest to the loop that already runs.
    fn settle(&self) {
        if self.0.settling.replace(true) {
            return;
        }
        loop {
            while let Some(action) = self.next_action() {
                self.perform(action);
            }
            let events = self.events();
            if events.is_empty() {
                break;
            }
            (self.0.told)(events);
        }
        self.0.settling.set(false);
        self.arm();
    }

    fn next_action(&self) -> Option<Action> {
        self.0.session.borrow_mut().poll_action()
    }

    fn events(&self) -> Vec<Event> {
        let mut session = self.0.session.borrow_mut();
        std::iter::from_fn(|| session.poll_event()).collect()
    }

    fn perform(&self, action: Action) {
        match action {
            Action::FetchTicket { generation } => self.fetch_ticket(generation),
            // The session presents the ticket itself, as the first message.
            Action::Connect { generation, ticket: _ } => self.open(generation),
            Action::Send { generation, text } => {
                if let Some((current, socket)) = &*self.0.socket.borrow()
                    && *current == generation
                {
                    socket.send(&text);
                }
            }
            Action::Disconnect { generation, code } => {
                let socket = self.0.socket.borrow_mut().take_if(|(of, _)| *of == generation);
                if let Some((_, socket)) = socket {
                    socket.close(code);
                }
            }
        }
    }

    fn fetch_ticket(&self, generation: Generation) {
        let connection = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let ticket =
                network::ticket().await.map(|ticket| ticket.ticket).map_err(ticket_refusal);
            connection.tell(|session, now| session.handle_ticket(generation, ticket, now));
        });
    }

    fn open(&self, generation: Generation) {
        let connection = self.clone();
        let tell = move |event| {
            connection.tell(|session, now| match event {
                SocketEvent::Open => session.handle_open(generation, now),
                SocketEvent::Heard(message) => session.handle_message(generation, message, now),
                SocketEvent::Closed(code) => session.handle_closed(generation, code, now),
            });
        };
        let lost = |session: &mut Session, now| session.handle_closed(generation, 1006, now);
        match Socket::open(tell) {
            Some(socket) => *self.0.socket.borrow_mut() = Some((generation, socket)),
            None => lost(&mut self.0.session.borrow_mut(), clock::now()),
        }
    }

    /// One timer. One that is early is left alone: every frame moves the deadline further away.
    fn arm(&self) {
        let Some(due) = self.0.session.borrow().poll_timeout() else {
            *self.0.timer.borrow_mut() = None;
            return;
        };
        let mut timer = self.0.timer.borrow_mut();
        if timer.as_ref().is_some_and(|(armed, _)| *armed <= due) {
            return;
        }
        let wait = due.saturating_duration_since(clock::now());
        // A millisecond more: a timer must not fire just before its moment.
        let ms = u32::try_from(wait.as_millis() + 1).unwrap_or(u32::MAX).min(i32::MAX as u32);
        let connection = self.clone();
        let timeout = Timeout::new(ms, move || {
            *connection.0.timer.borrow_mut() = None;
            connection.tell(|session, now| session.handle_timeout(now));
        });
        *timer = Some((due, timeout));
    }
}

fn ticket_refusal(refusal: Refusal) -> TicketRefusal {
    match refusal {
        Refusal::Unreachable => TicketRefusal::Unreachable,
        Refusal::Refused(problem) if problem.code == ErrorCode::Unauthenticated => {
            TicketRefusal::Unauthenticated
        }
        Refusal::Refused(problem) => match problem.retry_after_ms {
            Some(ms) => TicketRefusal::RetryAfter { ms },
            None if problem.retryable => TicketRefusal::Unreachable,
            None => TicketRefusal::Refused(problem),
        },
    }
}
