//! What happened to a session, counted; the simulation judges by it. Nothing is ever decided by it.

use std::time::Duration;

/// What happened so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Attempts to connect.
    pub attempts: u64,
    /// Connections that the server greeted.
    pub connects: u64,
    /// Those of them that were not the first.
    pub reconnects: u64,
    /// Entries delivered.
    pub entries: u64,
    /// Entries that had been delivered before, and were dropped.
    pub duplicates: u64,
    /// Holes that were seen, and asked for.
    pub holes: u64,
    /// Times that a room's log could not be continued.
    pub resyncs: u64,
    /// Times that the digests of both ends were the same.
    pub proofs: u64,
    /// Times that they were not, of a room or of a page.
    pub disproofs: u64,
    /// Pages of the past that were delivered.
    pub pages: u64,
    /// Messages sent once more, because no answer had come.
    pub resends: u64,
    /// Messages acknowledged.
    pub acks: u64,
    /// Frames that were no message.
    pub unreadable: u64,
    /// From the last `ping` or `say` until its answer.
    pub round_trip: Option<Duration>,
}
