//! The rooms that one connection follows: in each a cursor.
//!
//! A sorted vector: most connections follow a few rooms, and memory per connection counts.

use std::time::{Duration, Instant};

use common::{Position, RoomName};

/// A room that a connection follows.
#[derive(Clone, Debug)]
pub struct Follow {
    /// Which room.
    pub room: RoomName,
    /// Everything up to here was handed to the connection.
    pub cursor: Position,
    /// Whether its author's own entries are sent as well.
    pub echo: bool,
    /// The version of the presence that the connection knows.
    pub presence: u64,
    pub(super) speed: Option<Box<Speed>>,
}

/// What is remembered of somebody who spoke too fast.
#[derive(Clone, Debug)]
pub(super) struct Speed {
    wait_until: Instant,
    strikes: [Option<Instant>; STRIKES_MAX],
}

/// The connection is closed with this many strikes.
const STRIKES_MAX: usize = 3;
/// Strikes are forgotten after this time.
const STRIKES_WITHIN: Duration = Duration::from_secs(60);
/// One strike at the most in this time: a burst that was under way is one offence.
const STRIKE_APART: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Follows(Vec<Follow>);

impl Follows {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Follow> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, room: &RoomName) -> Option<&Follow> {
        self.find(room).ok().and_then(|at| self.0.get(at))
    }

    pub(super) fn get_mut(&mut self, room: &RoomName) -> Option<&mut Follow> {
        self.find(room).ok().and_then(|at| self.0.get_mut(at))
    }

    pub(super) fn insert(&mut self, follow: Follow) {
        match self.find(&follow.room) {
            Ok(at) => {
                let speed = self.0[at].speed.take();
                self.0[at] = Follow { speed, ..follow };
            }
            Err(at) => {
                self.0.reserve_exact(1);
                self.0.insert(at, follow);
            }
        }
    }

    /// Whether the room was followed.
    pub(super) fn remove(&mut self, room: &RoomName) -> bool {
        self.find(room).map(|at| self.0.remove(at)).is_ok()
    }

    /// Somebody spoke too fast and was told to wait. Going on before the wait is over is a strike;
    /// answers whether it was the last.
    pub(super) fn too_fast(&mut self, room: &RoomName, wait: Duration, now: Instant) -> bool {
        let Some(follow) = self.get_mut(room) else { return false };
        let wait_until = now + wait;
        let Some(speed) = &mut follow.speed else {
            let strikes = [None; STRIKES_MAX];
            follow.speed = Some(Box::new(Speed { wait_until, strikes }));
            return false;
        };
        let early = now < speed.wait_until;
        speed.wait_until = wait_until;
        early && speed.strike(now)
    }

    fn find(&self, room: &RoomName) -> Result<usize, usize> {
        self.0.binary_search_by(|follow| follow.room.cmp(room))
    }
}

impl Speed {
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
