//! The heartbeat: a ping every interval, and a sign of life due some time after it.
//!
//! It is a message of ours and not a ping of the WebSocket protocol, because a browser can neither
//! see nor send those. Any frame that arrives is a sign of life.

use std::time::Instant;

use common::Heartbeat;

use crate::Settings;

#[derive(Debug)]
pub(super) struct Pulse {
    next_ping: Instant,
    due: Option<Instant>,
    #[cfg(feature = "mutants")]
    broken: Option<crate::mutant::Mutant>,
}

impl Pulse {
    pub(super) fn new(settings: &Settings, now: Instant) -> Self {
        Self {
            next_ping: now + settings.heartbeat_interval,
            due: None,
            #[cfg(feature = "mutants")]
            broken: None,
        }
    }

    /// Begins to beat, at a phase of the interval, between 0 and 1: connections that came at the
    /// same moment are not pinged at the same moment.
    pub(super) fn begin(&mut self, settings: &Settings, phase: f32, now: Instant) {
        self.next_ping = now + settings.heartbeat_interval.mul_f32(phase.clamp(0.0, 1.0));
    }

    pub(super) fn handle_sign_of_life(&mut self) {
        self.due = None;
    }

    /// The client took something at this moment: a ping that stood behind much else is answered
    /// later than one that stood alone.
    pub(super) fn handle_taken(&mut self, settings: &Settings, taken_at: Instant) {
        self.due = self.due.map(|due| due.max(taken_at + settings.heartbeat_timeout));
    }

    pub(super) fn is_dead(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Whether a ping is to be sent at this moment; it is counted as sent.
    pub(super) fn wants_ping(&mut self, settings: &Settings, now: Instant) -> bool {
        #[cfg(feature = "mutants")]
        if self.broken == Some(crate::mutant::Mutant::NeverPings) {
            self.next_ping = now + settings.heartbeat_interval;
        }
        if self.next_ping > now {
            return false;
        }
        self.next_ping = now + settings.heartbeat_interval;
        #[cfg(feature = "mutants")]
        if self.broken == Some(crate::mutant::Mutant::MissingPongIgnored) {
            return true;
        }
        self.due.get_or_insert(now + settings.heartbeat_timeout);
        true
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        self.due.map_or(self.next_ping, |due| due.min(self.next_ping))
    }

    #[cfg(feature = "mutants")]
    pub(super) fn break_on_purpose(&mut self, mutant: crate::mutant::Mutant) {
        self.broken = Some(mutant);
    }
}

/// The numbers as a client is told them.
pub(super) fn on_the_wire(settings: &Settings) -> Heartbeat {
    let ms =
        |duration: std::time::Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
    Heartbeat {
        interval_ms: ms(settings.heartbeat_interval),
        timeout_ms: ms(settings.heartbeat_timeout),
        reconnect_after_ms: ms(settings.reconnect_after),
    }
}
