//! The state of the link: which attempt is under way, how far it is, when it is given up, and
//! what follows from the way it ended. It sends nothing.

use std::time::Duration;

use common::{Heartbeat, Problem, Reaction, WireLimits};
use web_time::Instant;

use crate::{
    action::Generation,
    backoff::{BackOff, asked},
    liveness::Liveness,
    random::Random,
};

/// An attempt has this long for ticket, socket and welcome together.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// A connection that lasted this long since its welcome was a good one.
const STABLE_AFTER: Duration = Duration::from_secs(30);
/// Whoever has a reason to hope (awake, online) comes back within this time.
pub(crate) const HOPE: Duration = Duration::from_secs(2);

/// Where the link stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Nobody asked to connect so far.
    Idle,
    /// A ticket is asked for, the socket opens, or the welcome is awaited.
    Connecting {
        /// The number of this attempt since the link was last stable, from 1.
        attempt: u32,
    },
    /// The welcome was heard.
    Open,
    /// The next attempt has its time.
    Waiting {
        /// The number of the attempt that is waited for.
        attempt: u32,
        /// When it begins.
        until: Instant,
        /// How the last connection was closed, if it was.
        close_code: Option<u16>,
    },
    /// Nothing happens until somebody says `connect`.
    Ended(EndReason),
}

/// Why the link ended for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The person left.
    Left,
    /// Nobody is signed in, or not any more.
    SignInNeeded,
    /// The server closed with a code after which coming back is of no use.
    Stopped {
        /// The code.
        code: u16,
    },
    /// The server does not speak this client's protocol: the page has to be loaded again.
    ReloadNeeded,
    /// No ticket is given.
    Refused(Problem),
}

/// Why there is no ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketRefusal {
    /// Nobody is signed in.
    Unauthenticated,
    /// The server did not answer.
    Unreachable,
    /// The server asks for patience.
    RetryAfter {
        /// For this many milliseconds.
        ms: u64,
    },
    /// Something else.
    Refused(Problem),
}

/// What follows when an attempt or a connection is over.
pub(crate) enum Next {
    AtOnce,
    /// Not before `least` has passed, then at a random moment within `within`.
    Wait {
        least: Duration,
        within: Duration,
    },
    End(EndReason),
}

pub(crate) struct Link {
    state: LinkState,
    phase: Phase,
    last_generation: u64,
    back_off: BackOff,
    /// While waiting: the server asked not to come before.
    not_before: Option<Instant>,
    /// A ticket was refused since the last welcome, and another one was got.
    ticket_renewed: bool,
    /// Since the link was last stable the server said "come back soon" before.
    came_back_soon: bool,
    /// What the last welcome said about coming back after a restart.
    reconnect_after: Option<Duration>,
}

enum Phase {
    Off,
    Ticket { deadline: Instant },
    Opening { deadline: Instant, ticket: String },
    Greeting { deadline: Instant },
    Open(Open),
}

/// A connection that was greeted.
pub(crate) struct Open {
    since: Instant,
    pub(crate) liveness: Liveness,
    pub(crate) frame_bytes_max: usize,
}

impl Link {
    pub(crate) fn new() -> Self {
        Self {
            state: LinkState::Idle,
            phase: Phase::Off,
            last_generation: 0,
            back_off: BackOff::default(),
            not_before: None,
            ticket_renewed: false,
            came_back_soon: false,
            reconnect_after: None,
        }
    }

    pub(crate) fn state(&self) -> &LinkState {
        &self.state
    }

    /// The attempt or connection that lives.
    pub(crate) fn generation(&self) -> Option<Generation> {
        match self.phase {
            Phase::Off => None,
            Phase::Ticket { .. }
            | Phase::Opening { .. }
            | Phase::Greeting { .. }
            | Phase::Open(_) => Some(Generation(self.last_generation)),
        }
    }

    pub(crate) fn open(&mut self) -> Option<&mut Open> {
        match &mut self.phase {
            Phase::Open(open) => Some(open),
            Phase::Off | Phase::Ticket { .. } | Phase::Opening { .. } | Phase::Greeting { .. } => {
                None
            }
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    pub(crate) fn is_greeting(&self) -> bool {
        matches!(self.phase, Phase::Greeting { .. })
    }

    pub(crate) fn begin(&mut self, now: Instant) -> Generation {
        self.last_generation += 1;
        self.phase = Phase::Ticket { deadline: now + CONNECT_DEADLINE };
        self.state = LinkState::Connecting { attempt: self.back_off.attempt() };
        Generation(self.last_generation)
    }

    /// `false` if no ticket is awaited.
    pub(crate) fn take_ticket(&mut self, ticket: String) -> bool {
        let Phase::Ticket { deadline } = self.phase else { return false };
        self.phase = Phase::Opening { deadline, ticket };
        true
    }

    pub(crate) fn awaits_ticket(&self) -> bool {
        matches!(self.phase, Phase::Ticket { .. })
    }

    /// The socket is open: gives the ticket, once.
    pub(crate) fn socket_open(&mut self) -> Option<String> {
        let Phase::Opening { deadline, ticket } = &mut self.phase else { return None };
        let (deadline, ticket) = (*deadline, std::mem::take(ticket));
        self.phase = Phase::Greeting { deadline };
        Some(ticket)
    }

    /// `false` if no welcome is awaited.
    pub(crate) fn welcome(&mut self, beat: Heartbeat, limits: WireLimits, now: Instant) -> bool {
        if !self.is_greeting() {
            return false;
        }
        let frame_bytes_max = usize::try_from(limits.frame_bytes_max).unwrap_or(usize::MAX);
        let liveness = Liveness::new(beat, now);
        self.phase = Phase::Open(Open { since: now, liveness, frame_bytes_max });
        self.state = LinkState::Open;
        self.ticket_renewed = false;
        self.reconnect_after = Some(asked(u64::from(beat.reconnect_after_ms)));
        true
    }

    /// When the attempt, the connection or the wait has its end if nothing else happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match (&self.phase, &self.state) {
            (
                Phase::Ticket { deadline }
                | Phase::Opening { deadline, .. }
                | Phase::Greeting { deadline },
                _,
            ) => Some(*deadline),
            (Phase::Open(open), _) => Some(open.liveness.deadline()),
            (Phase::Off, LinkState::Waiting { until, .. }) => Some(*until),
            (
                Phase::Off,
                LinkState::Idle
                | LinkState::Connecting { .. }
                | LinkState::Open
                | LinkState::Ended(_),
            ) => None,
        }
    }

    /// The connection was closed with this code: what follows.
    pub(crate) fn closed(&mut self, code: u16, now: Instant) -> Next {
        let was_open = self.is_open();
        self.over(now);
        match Reaction::to_code(code) {
            Reaction::Stop => Next::End(EndReason::Stopped { code }),
            // After a welcome the ticket cannot be what is wrong.
            Reaction::NewTicket if was_open => self.back_off(Duration::ZERO),
            Reaction::NewTicket if self.ticket_renewed => {
                self.ticket_renewed = false;
                Next::End(EndReason::SignInNeeded)
            }
            Reaction::NewTicket => {
                self.ticket_renewed = true;
                Next::AtOnce
            }
            Reaction::SignIn => Next::End(EndReason::SignInNeeded),
            Reaction::Reload => Next::End(EndReason::ReloadNeeded),
            Reaction::BackOff { at_least_ms } => self.back_off(asked(u64::from(at_least_ms))),
            Reaction::Restart => match self.reconnect_after {
                Some(within) => self.soon(within),
                None => self.back_off(Duration::ZERO),
            },
            Reaction::Soon { within_ms } => self.soon(asked(u64::from(within_ms))),
        }
    }

    /// No ticket was given: what follows.
    pub(crate) fn refused(&mut self, refusal: TicketRefusal, now: Instant) -> Next {
        self.over(now);
        match refusal {
            TicketRefusal::Unauthenticated => Next::End(EndReason::SignInNeeded),
            TicketRefusal::Unreachable => self.back_off(Duration::ZERO),
            TicketRefusal::RetryAfter { ms } => self.back_off(asked(ms)),
            TicketRefusal::Refused(problem) if problem.retryable => {
                self.back_off(asked(problem.retry_after_ms.unwrap_or(0)))
            }
            TicketRefusal::Refused(problem) => Next::End(EndReason::Refused(problem)),
        }
    }

    /// Nothing came by the deadline: what follows.
    pub(crate) fn timed_out(&mut self, now: Instant) -> Next {
        let heard = self.open().map_or(now, |open| open.liveness.heard());
        self.over(heard);
        self.back_off(Duration::ZERO)
    }

    /// The attempt or connection is over; it lived until `last`.
    fn over(&mut self, last: Instant) {
        let stable = |open: &mut Open| last.saturating_duration_since(open.since) >= STABLE_AFTER;
        if self.open().is_some_and(stable) {
            self.back_off.stable();
            self.came_back_soon = false;
        }
        self.back_off.failed();
        self.phase = Phase::Off;
    }

    fn back_off(&self, least: Duration) -> Next {
        Next::Wait { least, within: self.back_off.window() }
    }

    /// Once as soon as the server says; a second time before the link was stable it backs off,
    /// or a server that sends everybody back would be asked in a tight loop.
    fn soon(&mut self, within: Duration) -> Next {
        let again = std::mem::replace(&mut self.came_back_soon, true);
        let within = if again { within.max(self.back_off.window()) } else { within };
        Next::Wait { least: Duration::ZERO, within }
    }

    /// How long somebody has to wait who connects after the end: earlier failures still count.
    pub(crate) fn after_end(&self) -> Next {
        self.back_off(Duration::ZERO)
    }

    pub(crate) fn wait(
        &mut self,
        (least, within): (Duration, Duration),
        close_code: Option<u16>,
        random: &mut Random,
        now: Instant,
    ) {
        let not_before = now + least;
        let until = not_before + random.within(within);
        let attempt = self.back_off.attempt();
        self.not_before = Some(not_before);
        self.state = LinkState::Waiting { attempt, until, close_code };
    }

    /// There is reason to hope: the wait ends soon, but never before the server allows it.
    /// `true` if it ends earlier than it would have.
    pub(crate) fn hurry(&mut self, random: &mut Random, now: Instant) -> bool {
        let LinkState::Waiting { until, .. } = &mut self.state else { return false };
        let from = self.not_before.map_or(now, |moment| moment.max(now));
        let soon = from + random.within(HOPE);
        let earlier = soon < *until;
        *until = soon.min(*until);
        earlier
    }

    pub(crate) fn end(&mut self, reason: EndReason) {
        self.phase = Phase::Off;
        self.state = LinkState::Ended(reason);
    }

    /// The person leaves: a good connection that ends so leaves no failures behind.
    pub(crate) fn leave(&mut self, now: Instant) {
        if self.is_open() {
            self.over(now);
        }
        self.end(EndReason::Left);
    }
}
