//! What one connection may spend: bytes, control frames, refusals. A flood ends the connection or
//! is read as slowly as it may be sent.

use std::time::{Duration, Instant};

use crate::{Settings, rate::Bucket};

/// Small while what few need was not spent: many are connected and say nothing.
#[derive(Debug)]
pub(super) struct Allowance {
    /// While something is owed, nothing more is read.
    inbound_bytes: Bucket,
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
    pub(super) fn new(settings: &Settings, now: Instant) -> Self {
        Self {
            inbound_bytes: Bucket::new(&settings.inbound_bytes, now),
            joins: Bucket::new(&settings.joins, now),
            spent: None,
        }
    }

    /// Whether one more frame may be refused.
    pub(super) fn refuse(&mut self, settings: &Settings, now: Instant) -> bool {
        self.spent(settings, now).refusals.take(1.0, &settings.refusals, now).is_ok()
    }

    /// Whether one more control frame may come.
    pub(super) fn take_control_frame(&mut self, settings: &Settings, now: Instant) -> bool {
        let control_frames = &mut self.spent(settings, now).control_frames;
        control_frames.take(1.0, &settings.control_frames, now).is_ok()
    }

    /// One more room is joined, or how long to wait.
    pub(super) fn take_join(&mut self, settings: &Settings, now: Instant) -> Result<(), Duration> {
        self.joins.take(1.0, &settings.joins, now)
    }

    /// One more page is read or marked as read, or how long to wait.
    pub(super) fn take_page(&mut self, settings: &Settings, now: Instant) -> Result<(), Duration> {
        self.spent(settings, now).pages.take(1.0, &settings.pages, now)
    }

    /// So many bytes came; reading pauses until they are paid for.
    pub(super) fn take_bytes(&mut self, bytes: usize, settings: &Settings, now: Instant) {
        self.inbound_bytes.owe(bytes as f64, &settings.inbound_bytes, now);
    }

    pub(super) fn handle_timeout(&mut self, settings: &Settings, now: Instant) {
        self.inbound_bytes.settle(&settings.inbound_bytes, now);
        self.spent.take_if(|spent| spent.is_nothing(settings, now));
    }

    pub(super) fn is_paused(&self) -> bool {
        self.inbound_bytes.owes()
    }

    pub(super) fn paused_until(&self, settings: &Settings) -> Option<Instant> {
        self.is_paused().then(|| self.inbound_bytes.paid_at(&settings.inbound_bytes))
    }

    fn spent(&mut self, settings: &Settings, now: Instant) -> &mut Spent {
        self.spent.get_or_insert_with(|| {
            Box::new(Spent {
                refusals: Bucket::new(&settings.refusals, now),
                control_frames: Bucket::new(&settings.control_frames, now),
                pages: Bucket::new(&settings.pages, now),
            })
        })
    }
}

impl Spent {
    /// Whether all of it has come back.
    fn is_nothing(&self, settings: &Settings, now: Instant) -> bool {
        self.refusals.is_full(&settings.refusals, now)
            && self.control_frames.is_full(&settings.control_frames, now)
            && self.pages.is_full(&settings.pages, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test begins at some moment")]
    fn what_has_come_back_takes_no_memory() {
        let (settings, now) = (Settings::default(), Instant::now());
        let mut allowance = Allowance::new(&settings, now);
        assert!(allowance.refuse(&settings, now));
        allowance.handle_timeout(&settings, now + Duration::from_millis(499));
        assert!(allowance.spent.is_some());
        allowance.handle_timeout(&settings, now + Duration::from_millis(500));
        assert!(allowance.spent.is_none());
    }
}
