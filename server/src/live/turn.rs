//! How long a large room is handed out to before others on the thread have their turn.

use std::time::{Duration, Instant};

/// Others wait no longer than this.
const TURN_MAX: Duration = Duration::from_millis(20);

/// A turn is as long as the one that the others on this thread had together before it: a large
/// room among many busy ones has half of the time.
#[derive(Debug)]
pub(super) struct Turn {
    begun: Instant,
    lasts: Duration,
}

impl Turn {
    /// The first: nobody knows how long others take.
    pub(super) fn begins(begun: Instant) -> Self {
        Self { begun, lasts: Duration::ZERO }
    }

    /// The next, from `begun` on, after others had theirs since `ended`.
    pub(super) fn after(ended: Instant, begun: Instant) -> Self {
        Self { begun, lasts: begun.saturating_duration_since(ended).min(TURN_MAX) }
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.begun) >= self.lasts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_turn_lasts_as_long_as_the_others_had_up_to_a_limit() {
        let ms = Duration::from_millis;
        let begun = clock::now();
        assert!(Turn::begins(begun).is_over(begun));
        for (others_had, lasts) in [(1, 1), (5, 5), (20, 20), (400, 20)] {
            let turn = Turn::after(begun, begun + ms(others_had));
            assert!(!turn.is_over(turn.begun + ms(lasts - 1)), "{others_had}");
            assert!(turn.is_over(turn.begun + ms(lasts)), "{others_had}");
        }
    }
}
