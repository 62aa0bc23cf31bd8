//! Nothing is waited for without an end, and who waited in vain says what for.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// For one answer of a living server.
pub const ANSWER: Duration = Duration::from_secs(10);
/// For a server to be ready, to end, or to take back up its work after a fault.
pub const RECOVERY: Duration = Duration::from_secs(30);
/// For a program of the system.
pub const TOOL: Duration = Duration::from_secs(120);

/// Waits for something, but not for ever.
///
/// # Errors
/// It did not come; the error says what did not.
pub async fn within<T>(
    limit: Duration,
    what: &str,
    future: impl Future<Output = T>,
) -> anyhow::Result<T> {
    let late = || anyhow::anyhow!("waited {} s in vain for {what}", limit.as_secs_f64());
    tokio::time::timeout(limit, future).await.map_err(|_| late())
}

/// The present moment, for what is measured and reported; nothing is decided by it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is a shell: it tells how long a start took")]
pub fn now() -> Instant {
    Instant::now()
}
