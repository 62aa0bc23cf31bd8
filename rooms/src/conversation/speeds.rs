//! Who spoke too fast, in which room, and went on all the same.
//!
//! It outlives leaving the room: whoever leaves and joins again is no stranger.

use std::time::{Duration, Instant};

use common::RoomName;

/// The connection is closed with this many strikes in one room.
const STRIKES_MAX: usize = 3;
/// Strikes are forgotten after this time.
const STRIKES_WITHIN: Duration = Duration::from_secs(60);
/// One strike at the most in this time: a burst that was under way is one offence.
const STRIKE_APART: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Speeds(Vec<Speed>);

#[derive(Debug)]
struct Speed {
    room: RoomName,
    wait_until: Instant,
    strikes: [Option<Instant>; STRIKES_MAX],
}

impl Speeds {
    /// Somebody spoke too fast and is told to wait. Going on before the wait is over is a strike;
    /// answers whether it was the last.
    pub(super) fn too_fast(&mut self, room: &RoomName, wait: Duration, now: Instant) -> bool {
        self.0.retain(|speed| speed.matters(now));
        let wait_until = now + wait;
        let Some(speed) = self.0.iter_mut().find(|speed| speed.room == *room) else {
            self.0.push(Speed { room: room.clone(), wait_until, strikes: [None; STRIKES_MAX] });
            return false;
        };
        let early = now < speed.wait_until;
        speed.wait_until = wait_until;
        early && speed.strike(now)
    }

    /// Whether nobody is remembered who matters.
    pub(super) fn is_nothing(&self, now: Instant) -> bool {
        !self.0.iter().any(|speed| speed.matters(now))
    }
}

impl Speed {
    fn matters(&self, now: Instant) -> bool {
        now < self.wait_until + STRIKES_WITHIN
    }

    fn strike(&mut self, now: Instant) -> bool {
        for strike in &mut self.strikes {
            *strike = strike.filter(|at| now.saturating_duration_since(*at) < STRIKES_WITHIN);
        }
        let last = self.strikes.iter().flatten().max();
        if last.is_some_and(|at| now.saturating_duration_since(*at) < STRIKE_APART) {
            return false;
        }
        if let Some(free) = self.strikes.iter_mut().find(|strike| strike.is_none()) {
            *free = Some(now);
        }
        self.strikes.iter().all(Option::is_some)
    }
}
