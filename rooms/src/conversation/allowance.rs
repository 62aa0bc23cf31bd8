//! What one connection may spend: bytes, control frames, refusals. A flood ends the connection or
//! is read as slowly as it may be sent.

use std::time::{Duration, Instant};

use crate::{Settings, rate::Bucket};

#[derive(Debug)]
pub(super) struct Allowance {
    refusals: Bucket,
    control_frames: Bucket,
    inbound_bytes: Bucket,
    joins: Bucket,
    pages: Bucket,
    /// Nothing more is read before this moment.
    paused_until: Option<Instant>,
}

impl Allowance {
    pub(super) fn new(settings: &Settings, now: Instant) -> Self {
        Self {
            refusals: Bucket::new(&settings.refusals, now),
            control_frames: Bucket::new(&settings.control_frames, now),
            inbound_bytes: Bucket::new(&settings.inbound_bytes, now),
            joins: Bucket::new(&settings.joins, now),
            pages: Bucket::new(&settings.pages, now),
            paused_until: None,
        }
    }

    /// Whether one more frame may be refused.
    pub(super) fn refuse(&mut self, settings: &Settings, now: Instant) -> bool {
        self.refusals.take(1.0, &settings.refusals, now).is_ok()
    }

    /// Whether one more control frame may come.
    pub(super) fn take_control_frame(&mut self, settings: &Settings, now: Instant) -> bool {
        self.control_frames.take(1.0, &settings.control_frames, now).is_ok()
    }

    /// One more room is joined, or how long to wait.
    pub(super) fn take_join(&mut self, settings: &Settings, now: Instant) -> Result<(), Duration> {
        self.joins.take(1.0, &settings.joins, now)
    }

    /// One more page is read or marked as read, or how long to wait.
    pub(super) fn take_page(&mut self, settings: &Settings, now: Instant) -> Result<(), Duration> {
        self.pages.take(1.0, &settings.pages, now)
    }

    /// So many bytes came; reading pauses until they are paid for.
    pub(super) fn take_bytes(&mut self, bytes: usize, settings: &Settings, now: Instant) {
        let debt = self.inbound_bytes.owe(bytes as f64, &settings.inbound_bytes, now);
        self.paused_until = (!debt.is_zero()).then(|| now + debt);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.paused_until = self.paused_until.filter(|until| *until > now);
    }

    pub(super) fn paused_until(&self) -> Option<Instant> {
        self.paused_until
    }
}
