//! What became of attempts to connect, counted.

use std::ops::AddAssign;

use super::line::Refusal;

/// What the attempts to connect came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// Tickets that were refused with 503 or 429.
    pub tickets_refused: u64,
    /// Handshakes that were refused with 503.
    pub handshakes_refused: u64,
    /// Nobody listened, or the connection ended before it was one.
    pub unanswered: u64,
    /// The longest wait in seconds that a refusal named.
    pub retry_after_s_max: u64,
    /// Refusals that named no wait.
    pub without_retry_after: u64,
}

impl Attempts {
    /// What was added after an earlier look.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            tickets_refused: self.tickets_refused - earlier.tickets_refused,
            handshakes_refused: self.handshakes_refused - earlier.handshakes_refused,
            unanswered: self.unanswered - earlier.unanswered,
            without_retry_after: self.without_retry_after - earlier.without_retry_after,
            retry_after_s_max: self.retry_after_s_max,
        }
    }
}

impl AddAssign for Attempts {
    fn add_assign(&mut self, other: Self) {
        self.tickets_refused += other.tickets_refused;
        self.handshakes_refused += other.handshakes_refused;
        self.unanswered += other.unanswered;
        self.without_retry_after += other.without_retry_after;
        self.retry_after_s_max = self.retry_after_s_max.max(other.retry_after_s_max);
    }
}

impl Attempts {
    pub(super) fn count(&mut self, refusal: &Refusal, of_ticket: bool) {
        match refusal {
            Refusal::Unauthenticated => {}
            Refusal::Unanswered => self.unanswered += 1,
            Refusal::Busy { retry_after_s } => {
                match retry_after_s {
                    Some(seconds) => self.retry_after_s_max = self.retry_after_s_max.max(*seconds),
                    None => self.without_retry_after += 1,
                }
                if of_ticket {
                    self.tickets_refused += 1;
                } else {
                    self.handshakes_refused += 1;
                }
            }
        }
    }
}
