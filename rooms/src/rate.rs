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

/// What is left of an allowance.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    left: f64,
    seen_at: Instant,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn new(rate: &Rate, now: Instant) -> Self {
        Self { left: rate.burst, seen_at: now }
    }

    /// Takes `cost` out of it.
    ///
    /// # Errors
    /// Not enough is left; nothing was taken. The duration is the wait until there is enough.
    pub fn take(&mut self, cost: f64, rate: &Rate, now: Instant) -> Result<(), Duration> {
        match self.lacks(cost, rate, now) {
            Some(wait) => Err(wait),
            None => {
                self.left -= cost;
                Ok(())
            }
        }
    }

    /// How long to wait until it holds `cost`; `None` when it does. Nothing is taken.
    pub fn lacks(&mut self, cost: f64, rate: &Rate, now: Instant) -> Option<Duration> {
        self.fill(rate, now);
        let lacks = cost - self.left;
        (lacks > 0.0).then(|| seconds(lacks / rate.per_second))
    }

    /// Takes `cost` out of it even if it then owes something.
    pub(crate) fn owe(&mut self, cost: f64, rate: &Rate, now: Instant) {
        self.fill(rate, now);
        self.left -= cost;
    }

    /// Whether it owes something that was not said to be paid.
    pub(crate) fn owes(&self) -> bool {
        self.left < 0.0
    }

    /// When nothing is owed any more.
    pub(crate) fn paid_at(&self, rate: &Rate) -> Instant {
        self.seen_at + seconds((-self.left).max(0.0) / rate.per_second)
    }

    /// Lets it owe nothing any more, where that time has come.
    pub(crate) fn settle(&mut self, rate: &Rate, now: Instant) {
        if self.owes() && self.paid_at(rate) <= now {
            self.fill(rate, now);
            self.left = self.left.max(0.0);
        }
    }

    /// Whether it has become as good as new.
    #[must_use]
    pub fn is_full(&self, rate: &Rate, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.seen_at).as_secs_f64() * rate.per_second;
        self.left + gained >= rate.burst
    }

    fn fill(&mut self, rate: &Rate, now: Instant) {
        let passed = now.saturating_duration_since(self.seen_at).as_secs_f64();
        self.left = (self.left + passed * rate.per_second).min(rate.burst);
        self.seen_at = now;
    }
}

/// A wait, at most a day: a rate of nothing per second would make it endless.
fn seconds(seconds: f64) -> Duration {
    const WAIT_MAX: Duration = Duration::from_secs(24 * 60 * 60);
    Duration::try_from_secs_f64(seconds).unwrap_or(WAIT_MAX).min(WAIT_MAX)
}
