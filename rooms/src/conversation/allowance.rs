//! What one connection may spend: bytes, control frames, refusals. A flood ends the connection or
//! is read as slowly as it may be sent.

use std::time::{Duration, Instant};

use crate::{Settings, rate::Bucket};

/// Small while what few need was not spent: many are connected and say nothing.
#[derive(Debug)]
pub(super) struct Allowance {
    inbound_bytes: Bucket,
    /// More bytes came than may come: nothing more is read until they are paid for.
    is_paused: bool,
    joins: Bucket,
    spent: Option<Box<Spent>>,
}

/// What was taken of each of the others.
#[derive(Debug)]
struct Spent {
    refusals: Bucket,
    control_frames: Bucket,
    pages: Bucket,
}

impl Allowance {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            inbound_bytes: Bucket::full(now),
            is_paused: false,
            joins: Bucket::full(now),
            spent: None,
        }
    }

    /// Whether one more frame may be refused.
    pub(super) fn refuse(&mut self, settings: &Settings, now: Instant) -> bool {
        self.spent(now).refusals.take(1.0, &settings.refusals, now).is_ok()
    }

    /// Whether one more control frame may come.
    pub(super) fn take_control_frame(&mut self, settings: &Settings, now: Instant) -> bool {
        let control_frames = &mut self.spent(now).control_frames;
        control_frames.take(1.0, &settings.control_frames, now).is_ok()
    }

    /// One more room is joined, or how long to wait.
    pub(super) fn take_join(&mut self, settings: &Settings, now: Instant) -> Result<(), Duration> {
        self.joins.take(1.0, &settings.joins, now)
    }

    /// One more page is read or marked as read, or how long to wait.
    pub(super) fn take_page(&mut self, settings: &Settings, now: Instant) -> Result<(), Duration> {
        self.spent(now).pages.take(1.0, &settings.pages, now)
    }

    /// So many bytes came; reading pauses until they are paid for.
    pub(super) fn take_bytes(&mut self, bytes: usize, settings: &Settings, now: Instant) {
        self.is_paused = self.inbound_bytes.owe(bytes as f64, &settings.inbound_bytes, now);
    }

    pub(super) fn handle_timeout(&mut self, settings: &Settings, now: Instant) {
        self.is_paused &= now < self.inbound_bytes.paid_at(&settings.inbound_bytes);
        self.spent.take_if(|spent| spent.is_nothing(now));
    }

    pub(super) fn is_paused(&self) -> bool {
        self.is_paused
    }

    pub(super) fn paused_until(&self, settings: &Settings) -> Option<Instant> {
        self.is_paused.then(|| self.inbound_bytes.paid_at(&settings.inbound_bytes))
    }

    fn spent(&mut self, now: Instant) -> &mut Spent {
        self.spent.get_or_insert_with(|| {
            Box::new(Spent {
                refusals: Bucket::full(now),
                control_frames: Bucket::full(now),
                pages: Bucket::full(now),
            })
        })
    }
}

impl Spent {
    /// Whether all of it has come back.
    fn is_nothing(&self, now: Instant) -> bool {
        self.refusals.is_full(now) && self.control_frames.is_full(now) && self.pages.is_full(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test begins at some moment")]
    fn what_has_come_back_takes_no_memory() {
        let (settings, now) = (Settings::default(), Instant::now());
        let mut allowance = Allowance::new(now);
        assert!(allowance.refuse(&settings, now));
        allowance.handle_timeout(&settings, now + Duration::from_millis(499));
        assert!(allowance.spent.is_some());
        allowance.handle_timeout(&settings, now + Duration::from_millis(500));
        assert!(allowance.spent.is_none());
    }
}
