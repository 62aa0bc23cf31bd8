//! How long is handed out before others on the thread have their turn.

use std::time::{Duration, Instant};

use crate::clock;

/// A turn lasts no longer than this, beside those who are served in any case.
const TURN_MAX: Duration = Duration::from_millis(20);
/// So many are served, at least, in one turn: 3 ms where each is a packet of its own. With 64 the
/// other end fell asleep in between, and waking it cost a tenth more.
const SERVED_AT_LEAST: usize = 512;

/// A turn is as long as the one that the others on this thread had together before it: where all
/// are busy, handing out has half of the time.
#[derive(Debug)]
pub(super) struct Turn {
    begun: Instant,
    lasts: Duration,
    /// The time, as it was a moment ago.
    at: Instant,
    served: usize,
}

impl Turn {
    /// One from `begun` on, after others had theirs since `ended`.
    pub(super) fn after(ended: Instant, begun: Instant) -> Self {
        let lasts = begun.saturating_duration_since(ended).min(TURN_MAX);
        Self { begun, lasts, at: begun, served: 0 }
    }

    /// One that begins here; what the others had before it is not known.
    pub(super) fn begins() -> Self {
        let begun = clock::now();
        Self::after(begun, begun)
    }

    /// The time, as it was a moment ago.
    pub(super) fn now(&self) -> Instant {
        self.at
    }

    /// Somebody was served; others go first from here when the turn is over.
    pub(super) async fn served(&mut self) {
        self.served += 1;
        if self.served < SERVED_AT_LEAST {
            return;
        }
        self.served = 0;
        self.at = clock::now();
        if self.is_over() {
            tokio::task::yield_now().await;
            *self = Self::after(self.at, clock::now());
        }
    }

    fn is_over(&self) -> bool {
        self.at.saturating_duration_since(self.begun) >= self.lasts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_lasts_as_long_as_the_others_had_up_to_a_limit() {
        let ms = Duration::from_millis;
        let begun = clock::now();
        for (others_had, lasts) in [(0, 0), (1, 1), (5, 5), (20, 20), (400, 20)] {
            let mut turn = Turn::after(begun, begun + ms(others_had));
            turn.at = turn.begun + ms(lasts);
            assert!(turn.is_over(), "{others_had}");
            turn.at -= Duration::from_micros(u64::from(lasts > 0));
            assert_eq!(turn.is_over(), lasts == 0, "{others_had}");
        }
    }
}
