//! Whether the server still lives: any frame is a sign of life, and its absence has a deadline.

use std::time::Duration;

use common::{Heartbeat, limits::HEARTBEAT_GRACE_MS};
use web_time::Instant;

/// How long a probe may stay without an answer.
const PROBE_DEADLINE: Duration = Duration::from_secs(3);

/// The signs of life of one open connection.
pub(crate) struct Liveness {
    heard: Instant,
    dead_after: Duration,
    probe: Option<Instant>,
}

impl Liveness {
    pub(crate) fn new(heartbeat: Heartbeat, now: Instant) -> Self {
        let ms = [heartbeat.interval_ms, heartbeat.timeout_ms, HEARTBEAT_GRACE_MS];
        let dead_after = Duration::from_millis(ms.into_iter().map(u64::from).sum());
        Self { heard: now, dead_after, probe: None }
    }

    pub(crate) fn hear(&mut self, now: Instant) {
        self.heard = now;
        self.probe = None;
    }

    /// When the last frame came.
    pub(crate) fn heard(&self) -> Instant {
        self.heard
    }

    /// Notes that a `ping` goes out. `false` if one is out already.
    pub(crate) fn probe(&mut self, now: Instant) -> bool {
        if self.probe.is_some() {
            return false;
        }
        self.probe = Some(now + PROBE_DEADLINE);
        true
    }

    /// No frame came for so long that no living server can be behind it.
    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.heard) >= self.dead_after
    }

    /// When the server counts as dead if nothing comes.
    pub(crate) fn deadline(&self) -> Instant {
        let silent = self.heard + self.dead_after;
        self.probe.map_or(silent, |probe| probe.min(silent))
    }
}
