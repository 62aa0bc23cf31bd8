//! The network between pages and server: what is sent on one wire arrives in order, late, or
//! never. Two ends of a wire may disagree on whether it is there.

use std::time::{Duration, Instant};

use common::{EntryKind, RoomName, ServerMessage};
use session::Generation;

use crate::{random::Random, screen::FORGED};

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
    /// The next post arrives with another text.
    pub(crate) forges_post: bool,
    /// The next page of history arrives with a hole.
    pub(crate) forges_page: bool,
}

/// What became of a frame in somebody's proxy.
pub(crate) enum Forged {
    /// A post has another text.
    Post(String),
    /// A page of this room lacks an entry.
    Page(RoomName, String),
}

impl Pipe {
    pub(crate) fn new(latency_ms: (u64, u64), now: Instant) -> Self {
        let (stalled, leaks, repeats, forges_post, forges_page) = Default::default();
        Self { clear_at: now, latency_ms, stalled, leaks, repeats, forges_post, forges_page }
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

    /// What somebody's proxy makes of this frame, if it makes anything else of it.
    pub(crate) fn forges(&mut self, text: &str) -> Option<Forged> {
        if !self.forges_post && !self.forges_page {
            return None;
        }
        let mut message = common::decode_server(text)?;
        if let ServerMessage::Entry(entry) = &mut message
            && entry.kind == EntryKind::Post
            && std::mem::take(&mut self.forges_post)
        {
            entry.erased = None;
            FORGED.clone_into(&mut entry.body);
            return Some(Forged::Post(common::encode(&message)));
        }
        if let ServerMessage::History { room, entries, .. } = &mut message
            && entries.len() > 2
            && std::mem::take(&mut self.forges_page)
        {
            let room = room.clone();
            entries.remove(1);
            return Some(Forged::Page(room, common::encode(&message)));
        }
        None
    }

    /// Whether this frame is lost in somebody's proxy. Who waits for one of these has a deadline
    /// or sees the hole; who waits for another kind counts on the connection being whole.
    pub(crate) fn leaks(&mut self, text: &str) -> bool {
        const DISPENSABLE: [&str; 15] = [
            "entry", "ack", "joined", "resync", "head", "history", "marked", "error", "say",
            "edit", "delete", "react", "topic", "mark", "join",
        ];
        let is = |kind: &&str| text.contains(&format!(r#""type":"{kind}""#));
        self.leaks && DISPENSABLE.iter().any(is) && std::mem::take(&mut self.leaks)
    }
}

/// Whether the frame belongs to the heartbeat, the one thing that is said in a quiet world.
pub(crate) fn is_heartbeat(text: &str) -> bool {
    matches!(text, r#"{"type":"ping"}"# | r#"{"type":"pong"}"#)
}
