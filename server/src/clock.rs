//! The one place where the server reads a clock.

use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};

use common::Timestamp;

/// Monotonic time. It is tokio's, so that a test can pause it.
#[must_use]
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What is due later than this from now may as well be due at the next beat.
const LATER: Duration = Duration::from_secs(2);
/// From beat to beat.
const BEAT: Duration = Duration::from_millis(250);

/// A moment to look again at something that is due at `at`. What is due much later is looked at on
/// a beat that all share: a thousand idle connections wake the machine four times a second, and not
/// each at a moment of its own.
pub(crate) fn beat_for(at: Instant, now: Instant) -> Instant {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    if at.saturating_duration_since(now) < LATER {
        return at;
    }
    let first = *FIRST.get_or_init(|| now);
    let since = at.saturating_duration_since(first).as_nanos();
    let into = u64::try_from(since % BEAT.as_nanos()).unwrap_or(0);
    let beat = BEAT.saturating_sub(Duration::from_nanos(into));
    if into == 0 { at } else { at + beat }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_much_later_is_looked_at_together_and_the_rest_in_time() {
        let now = now();
        let ms = |ms| now + Duration::from_millis(ms);
        assert_eq!(beat_for(ms(1_999), now), ms(1_999));
        let (one, other) = (beat_for(ms(30_001), now), beat_for(ms(30_002), now));
        assert!(one >= ms(30_001) && one <= ms(30_251));
        assert!(one == other || other == one + BEAT);
        let beats: std::collections::BTreeSet<_> =
            (30_000..31_000).map(|due| beat_for(ms(due), now)).collect();
        assert!(beats.len() <= 5, "{} moments", beats.len());
    }
}
