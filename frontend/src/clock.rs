//! The page's clock: the only place that reads one.
//!
//! It never goes back, and it goes on while a laptop sleeps. The browser's monotonic clock may
//! stand still during sleep, so a leap of the wall clock beyond it counts as time that passed.

use std::{cell::RefCell, time::Duration};

use web_time::Instant;

/// Milliseconds by which the wall clock must run ahead to count as sleep, not as correction.
const SLEEP_MS: f64 = 2_000.0;

thread_local! {
    static CLOCK: RefCell<Clock> = RefCell::new(Clock::start());
}

/// Now, for whoever is handed a `now`.
#[must_use]
pub fn now() -> Instant {
    CLOCK.with_borrow_mut(Clock::read)
}

/// Milliseconds since the page began.
#[must_use]
pub fn now_ms() -> i64 {
    ms(now())
}

/// A moment in milliseconds since the page began.
#[must_use]
pub fn ms(moment: Instant) -> i64 {
    let since = CLOCK.with_borrow(|clock| moment.saturating_duration_since(clock.started));
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

struct Clock {
    started: Instant,
    passed: Passed,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the page's clock")]
    fn start() -> Self {
        Self { started: Instant::now(), passed: Passed::new(js_sys::Date::now()) }
    }

    fn read(&mut self) -> Instant {
        let monotonic_ms = self.started.elapsed().as_secs_f64() * 1000.0;
        self.started + self.passed.advance(monotonic_ms, js_sys::Date::now())
    }
}

/// How much time passed, by two clocks of which one may have slept.
struct Passed {
    monotonic_ms: f64,
    wall_ms: f64,
    total_ms: f64,
}

impl Passed {
    fn new(wall_ms: f64) -> Self {
        Self { monotonic_ms: 0.0, wall_ms, total_ms: 0.0 }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it never goes back"
    )]
    fn advance(&mut self, monotonic_ms: f64, wall_ms: f64) -> Duration {
        let by_monotonic = (monotonic_ms - self.monotonic_ms).max(0.0);
        let by_wall = wall_ms - self.wall_ms;
        let slept = by_wall > by_monotonic + SLEEP_MS;
        self.total_ms += if slept { by_wall } else { by_monotonic };
        (self.monotonic_ms, self.wall_ms) = (monotonic_ms, wall_ms);
        Duration::from_micros((self.total_ms * 1000.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_in_sleep_and_never_goes_back() {
        let mut passed = Passed::new(1_000_000.0);
        assert_eq!(passed.advance(100.0, 1_000_100.0), Duration::from_millis(100));
        // An hour of sleep, during which only the wall clock went on.
        assert_eq!(passed.advance(110.0, 4_600_110.0), Duration::from_millis(3_600_110));
        // Somebody sets the wall clock back.
        assert_eq!(passed.advance(210.0, 1_000_000.0), Duration::from_millis(3_600_210));
        // A correction of a second is no sleep.
        assert_eq!(passed.advance(310.0, 1_001_100.0), Duration::from_millis(3_600_310));
    }
}
