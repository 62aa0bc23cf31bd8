//! From attempt to attempt: begins them, ends them, and lets nothing of an ended one act.

use std::time::Duration;

use common::{ClientMessage, CloseCode, ErrorCode, Problem};
use web_time::Instant;

use crate::{
    Action, Event, LinkState, Session, TicketRefusal,
    action::Generation,
    link::{HOPE, Next},
    mutant::Mutant,
};

/// The wait of a client that is broken on purpose and never comes back.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

impl Session {
    /// Whether the shell speaks of the attempt or connection that lives.
    pub(crate) fn is_current(&self, generation: Generation) -> bool {
        self.link.generation() == Some(generation) || self.broken(Mutant::StaleActionsAfterClose)
    }

    pub(crate) fn begin_if_idle(&mut self, now: Instant) {
        match self.link.state() {
            LinkState::Idle | LinkState::Ended(_) => {
                let next = self.link.after_end();
                self.go_on(next, None, now);
            }
            LinkState::Connecting { .. } | LinkState::Open | LinkState::Waiting { .. } => {}
        }
    }

    pub(crate) fn begin(&mut self, now: Instant) {
        if self.broken(Mutant::NeverReconnects) && self.stats.attempts > 0 {
            self.link.wait((NEVER, Duration::ZERO), None, &mut self.random, now);
            return;
        }
        let generation = self.link.begin(now);
        self.stats.attempts += 1;
        self.act(Action::FetchTicket { generation });
        self.tell(Event::LinkChanged);
    }

    pub(crate) fn take_ticket(&mut self, ticket: Result<String, TicketRefusal>, now: Instant) {
        if !self.link.awaits_ticket() {
            return;
        }
        match ticket {
            Ok(ticket) => {
                let generation = self.link.generation();
                self.link.take_ticket(ticket.clone());
                if let Some(generation) = generation {
                    self.act(Action::Connect { generation, ticket });
                }
            }
            Err(refusal) => {
                let next = self.link.refused(refusal, now);
                self.let_go();
                self.go_on(next, None, now);
            }
        }
    }

    pub(crate) fn say_hello(&mut self) {
        if let Some(ticket) = self.link.socket_open() {
            self.send(&ClientMessage::Hello { ticket });
        }
    }

    pub(crate) fn take_close(&mut self, code: u16, now: Instant) {
        if code == CloseCode::TooBig.code()
            && let Some(message_id) = self.outbox.largest_in_flight()
        {
            self.outbox.fail(&message_id, Problem::new(ErrorCode::TooLarge));
            self.tell(Event::OutboxChanged { message_id });
        }
        let next = self.link.closed(code, now);
        self.let_go();
        self.go_on(next, Some(code), now);
    }

    /// What the link waited for has not come, or its wait is over.
    pub(crate) fn link_due(&mut self, now: Instant) {
        if self.link_deadline().is_none_or(|deadline| deadline > now) {
            return;
        }
        match self.link.state() {
            LinkState::Waiting { .. } => self.begin(now),
            LinkState::Connecting { .. } | LinkState::Open => {
                let next = self.hang_up(now);
                self.go_on(next, None, now);
            }
            LinkState::Idle | LinkState::Ended(_) => {}
        }
    }

    /// When [`Self::link_due`] has something to do.
    pub(crate) fn link_deadline(&self) -> Option<Instant> {
        let ignored = self.broken(Mutant::MissingPongIgnored) && self.link.is_open();
        self.link.deadline().filter(|_| !ignored)
    }

    /// Time may have passed without anybody noticing, or the network may be another.
    pub(crate) fn look_again(&mut self, now: Instant) {
        let overdue = match self.link.state() {
            LinkState::Open => self.link.open().is_some_and(|open| open.liveness.is_silent(now)),
            LinkState::Connecting { .. } => self.link.deadline().is_some_and(|it| it <= now),
            LinkState::Waiting { .. } => {
                if self.link.hurry(&mut self.random, now) {
                    self.tell(Event::LinkChanged);
                }
                false
            }
            LinkState::Idle | LinkState::Ended(_) => false,
        };
        if overdue && !self.broken(Mutant::MissingPongIgnored) {
            // The machine slept and the failure is nobody's: no backing off.
            self.hang_up(now);
            let next = Next::Wait { least: Duration::ZERO, within: HOPE };
            self.go_on(next, None, now);
        } else {
            self.probe(now);
        }
    }

    fn probe(&mut self, now: Instant) {
        if self.link.open().is_some_and(|open| open.liveness.probe(now)) {
            let id = self.new_id();
            self.probe = Some((id, now));
            self.send(&ClientMessage::Ping { id });
        }
    }

    /// Gives up what lives of the link, and says so to whoever still listens there.
    fn hang_up(&mut self, now: Instant) -> Next {
        let generation = self.link.generation();
        let next = self.link.timed_out(now);
        self.let_go();
        if let Some(generation) = generation {
            let code = CloseCode::Stale.code();
            self.act(Action::Disconnect { generation, code });
        }
        next
    }

    /// The person leaves the server; nothing is to be sent and nothing remembered.
    pub(crate) fn leave_for_good(&mut self, now: Instant) {
        let generation = self.link.generation();
        self.link.leave(now);
        self.let_go();
        if let Some(generation) = generation {
            self.act(Action::Disconnect { generation, code: CloseCode::Normal.code() });
        }
        self.inbox.clear();
        for message_id in self.outbox.clear() {
            self.tell(Event::OutboxChanged { message_id });
        }
        self.tell(Event::LinkChanged);
    }

    /// The connection is over: nothing of it may act any more.
    fn let_go(&mut self) {
        if !self.broken(Mutant::StaleActionsAfterClose) {
            self.actions.retain(|action| matches!(action, Action::Disconnect { .. }));
        }
        self.probe = None;
        self.inbox.connection_over();
        if self.broken(Mutant::NoResend) {
            return;
        }
        for message_id in self.outbox.requeue(None) {
            self.tell(Event::OutboxChanged { message_id });
        }
    }

    fn go_on(&mut self, next: Next, close_code: Option<u16>, now: Instant) {
        match next {
            Next::AtOnce => self.begin(now),
            Next::Wait { least, within } if least.is_zero() && within.is_zero() => self.begin(now),
            Next::Wait { least, within } => {
                self.link.wait((least, within), close_code, &mut self.random, now);
                self.tell(Event::LinkChanged);
            }
            Next::End(reason) => {
                self.link.end(reason);
                self.tell(Event::LinkChanged);
            }
        }
    }
}
