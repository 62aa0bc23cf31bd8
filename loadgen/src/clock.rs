//! The one place where the load reads clocks.

use std::time::{Instant, SystemTime};

/// Monotonic time.
#[must_use]
pub fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "this is the load's clock")]
    Instant::now()
}

/// Nanoseconds since 1970: a name that no run had before.
pub(crate) fn nanoseconds() -> u128 {
    #[expect(clippy::disallowed_methods, reason = "this is the load's clock")]
    let now = SystemTime::now();
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos()
}
