//! A token bucket: so much at once, and so much per second after that.

use std::time::{Duration, Instant};

/// How fast a bucket fills and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// What it gains in a second.
    pub per_second: f64,
    /// What it holds at most, and at first.
    pub burst: f64,
}

/// What is left of an allowance, as the moment at which all of it will have come back: one moment
/// for each of many connections, and no amount beside it (the generic cell rate algorithm in its
/// virtual scheduling form, ITU-T I.371 Annex A).
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// The algorithm's theoretical arrival time.
    full_at: Instant,
}

/// Moments are whole nanoseconds, and so are the shares of a second that are added up: what is
/// missing by no more than that is there.
const ROUNDING: f64 = 1e-6;

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes `cost` out of it.
    ///
    /// # Errors
    /// Not enough is left; nothing was taken. The duration is the wait until there is enough.
    pub fn take(&mut self, cost: f64, rate: &Rate, now: Instant) -> Result<(), Duration> {
        match self.lacks(cost, rate, now) {
            Some(wait) => Err(wait),
            None => {
                self.owe(cost, rate, now);
                Ok(())
            }
        }
    }

    /// How long to wait until it holds `cost`; `None` when it does.
    #[must_use]
    pub fn lacks(&self, cost: f64, rate: &Rate, now: Instant) -> Option<Duration> {
        let lacks = cost - self.left(rate, now);
        (lacks > ROUNDING).then(|| seconds(lacks / rate.per_second))
    }

    /// Takes `cost` out of it even if it then owes something. Answers whether it does.
    pub(crate) fn owe(&mut self, cost: f64, rate: &Rate, now: Instant) -> bool {
        self.full_at = self.full_at.max(now) + seconds(cost / rate.per_second);
        self.left(rate, now) < -ROUNDING
    }

    /// When nothing is owed any more.
    pub(crate) fn paid_at(&self, rate: &Rate) -> Instant {
        let empty_for = seconds(rate.burst / rate.per_second);
        self.full_at.checked_sub(empty_for).unwrap_or(self.full_at)
    }

    /// Whether it has become as good as new.
    #[must_use]
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// Less than nothing where something is owed.
    fn left(&self, rate: &Rate, now: Instant) -> f64 {
        rate.burst - self.full_at.saturating_duration_since(now).as_secs_f64() * rate.per_second
    }
}

/// At most a day: also what is owed comes back within one.
fn seconds(seconds: f64) -> Duration {
    const WAIT_MAX: Duration = Duration::from_secs(24 * 60 * 60);
    Duration::try_from_secs_f64(seconds).unwrap_or(WAIT_MAX).min(WAIT_MAX)
}
