//! The network between pages and server: what is sent on one wire arrives in order, late, or
//! never. Two ends of a wire may disagree on whether it is there.

use std::time::{Duration, Instant};

use session::Generation;

use crate::random::Random;

/// One connection, from the moment the server took it.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) client: usize,
    pub(crate) load: u64,
    pub(crate) generation: Generation,
    pub(crate) up: Pipe,
    pub(crate) down: Pipe,
    /// The page's end is gone, and what still arrives there comes late to a shell that forgot it.
    pub(crate) forgotten: bool,
}

/// One direction.
#[derive(Debug)]
pub(crate) struct Pipe {
    /// Nothing arrives before this.
    clear_at: Instant,
    latency_ms: (u64, u64),
    /// Everything vanishes, and nobody is told.
    pub(crate) stalled: bool,
    /// The next frame that a client or server can do without is lost.
    pub(crate) leaks: bool,
    /// The next entry arrives twice.
    pub(crate) repeats: bool,
}

impl Pipe {
    pub(crate) fn new(latency_ms: (u64, u64), now: Instant) -> Self {
        Self { clear_at: now, latency_ms, stalled: false, leaks: false, repeats: false }
    }

    /// When what is sent at this moment arrives.
    pub(crate) fn arrival(&mut self, random: &mut Random, now: Instant) -> Instant {
        let (least, most) = self.latency_ms;
        self.clear_at = self.clear_at.max(now + random.ms(least, most));
        self.clear_at
    }

    /// Nothing arrives for a while; then everything does.
    pub(crate) fn lag(&mut self, lag: Duration, now: Instant) {
        self.clear_at = self.clear_at.max(now + lag);
    }

    /// Whether this frame is given twice by somebody's proxy.
    pub(crate) fn repeats(&mut self, text: &str) -> bool {
        self.repeats && text.contains(r#""type":"entry""#) && std::mem::take(&mut self.repeats)
    }

    /// Whether this frame is lost in somebody's proxy. Who waits for one of these has a deadline
    /// or sees the hole; who waits for another kind counts on the connection being whole.
    pub(crate) fn leaks(&mut self, text: &str) -> bool {
        const DISPENSABLE: [&str; 7] = ["entry", "ack", "joined", "resync", "say", "join", "error"];
        let is = |kind: &&str| text.contains(&format!(r#""type":"{kind}""#));
        self.leaks && DISPENSABLE.iter().any(is) && std::mem::take(&mut self.leaks)
    }
}

/// Whether the frame belongs to the heartbeat, the one thing that is said in a quiet world.
pub(crate) fn is_heartbeat(text: &str) -> bool {
    matches!(text, r#"{"type":"ping"}"# | r#"{"type":"pong"}"#)
}
