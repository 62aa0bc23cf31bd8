//! What one connection may spend: bytes, control frames, refusals. A flood ends the connection or
//! is read as slowly as it may be sent.

use std::time::{Duration, Instant};

use common::RoomName;

use super::speeds::Speeds;
use crate::{Settings, rate::Bucket};

/// Small while what few need was not spent: many are connected and say nothing.
#[derive(Debug)]
pub(super) struct Allowance {
    inbound_bytes: Bucket,
    joins: Bucket,
    spent: Option<Box<Spent>>,
}

/// What was taken of each of the others, and who was told to wait.
#[derive(Debug)]
struct Spent {
    refusals: Bucket,
    control_frames: Bucket,
    pages: Bucket,
    speeds: Speeds,
}

impl Allowance {
    pub(super) fn new(now: Instant) -> Self {
        Self { inbound_bytes: Bucket::full(now), joins: Bucket::full(now), spent: None }
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

    /// So many bytes came; answers whether they have to be paid for before more is read.
    pub(super) fn take_bytes(&mut self, bytes: usize, settings: &Settings, now: Instant) -> bool {
        self.inbound_bytes.owe(bytes as f64, &settings.inbound_bytes, now)
    }

    /// When all bytes that came are paid for.
    pub(super) fn bytes_paid_at(&self, settings: &Settings) -> Instant {
        self.inbound_bytes.paid_at(&settings.inbound_bytes)
    }

    /// Somebody spoke too fast, see [`Speeds::too_fast`].
    pub(super) fn too_fast(&mut self, room: &RoomName, wait: Duration, now: Instant) -> bool {
        self.spent(now).speeds.too_fast(room, wait, now)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.spent.take_if(|spent| spent.is_nothing(now));
    }

    fn spent(&mut self, now: Instant) -> &mut Spent {
        self.spent.get_or_insert_with(|| {
            Box::new(Spent {
                refusals: Bucket::full(now),
                control_frames: Bucket::full(now),
                pages: Bucket::full(now),
                speeds: Speeds::default(),
            })
        })
    }
}

impl Spent {
    /// Whether all of it has come back.
    fn is_nothing(&self, now: Instant) -> bool {
        self.refusals.is_full(now)
            && self.control_frames.is_full(now)
            && self.pages.is_full(now)
            && self.speeds.is_nothing(now)
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
        allowance.handle_timeout(now + Duration::from_millis(499));
        assert!(allowance.spent.is_some());
        allowance.handle_timeout(now + Duration::from_millis(500));
        assert!(allowance.spent.is_none());
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test begins at some moment")]
    fn who_spoke_too_fast_is_remembered_for_a_minute() {
        let (room, now) = (RoomName::new("general").unwrap(), Instant::now());
        let (wait, minute) = (Duration::from_secs(2), Duration::from_secs(60));
        let mut allowance = Allowance::new(now);
        assert!(!allowance.too_fast(&room, wait, now));
        allowance.handle_timeout(now + wait + minute - Duration::from_millis(1));
        assert!(allowance.spent.is_some());
        allowance.handle_timeout(now + wait + minute);
        assert!(allowance.spent.is_none());
    }
}
