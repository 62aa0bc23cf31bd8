//! The one place where the server reads a clock.

use std::time::{Instant, SystemTime};

use common::Timestamp;

/// Monotonic time. It is tokio's, so that a test can pause it.
#[must_use]
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The time of day, for people. Nothing is ordered by it.
pub(crate) fn wall() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the shell's clock")]
    let text = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    Timestamp::new(text).expect("humantime writes a timestamp")
}

/// The time of day in milliseconds since 1970, for what has to be told over restarts.
pub(crate) fn wall_ms() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "this is the shell's clock")]
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
