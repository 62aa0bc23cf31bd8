//! The one place where the server reads a clock.

use std::time::Instant;

use common::Timestamp;

/// Monotonic time. It is tokio's, so that a test can pause it.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The time of day, for people. Nothing is ordered by it.
pub(crate) fn wall() -> Timestamp {
    let text = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    Timestamp::new(text).expect("jiff writes a timestamp")
}
