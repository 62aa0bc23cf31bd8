//! How long to stay away after a failure: full jitter, so that many clients who lost the same
//! server do not come back in step.

use std::time::Duration;

/// The window of the first wait; each further one is twice as wide.
const WINDOW_FIRST: Duration = Duration::from_millis(500);
/// The widest window.
const WINDOW_MAX: Duration = Duration::from_secs(30);
/// A server that asks for more than this is not taken at its word.
const ASKED_MAX: Duration = Duration::from_secs(3_600);

/// How often the link failed since it was last stable.
#[derive(Default)]
pub(crate) struct BackOff {
    failures: u32,
}

impl BackOff {
    pub(crate) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    pub(crate) fn stable(&mut self) {
        self.failures = 0;
    }

    /// The number of the coming attempt, from 1.
    pub(crate) fn attempt(&self) -> u32 {
        self.failures.saturating_add(1)
    }

    /// The longest wait after as many failures as there were; none before the first.
    pub(crate) fn window(&self) -> Duration {
        let Some(doublings) = self.failures.checked_sub(1) else { return Duration::ZERO };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        WINDOW_FIRST.saturating_mul(factor).min(WINDOW_MAX)
    }
}

/// A wait that the server asked for.
pub(crate) fn asked(ms: u64) -> Duration {
    Duration::from_millis(ms).min(ASKED_MAX)
}
