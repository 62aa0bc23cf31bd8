//! The numbers by which rooms and conversations live. The defaults are the product's; tests and
//! operators choose others.

use std::time::Duration;

use common::limits::{
    HEARTBEAT_INTERVAL_MS, HEARTBEAT_TIMEOUT_MS, PAGE_ENTRIES, ROOMS_PER_CONNECTION_MAX,
};

use crate::rate::Rate;

/// Limits and times of the server's half.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Between two pings.
    pub heartbeat_interval: Duration,
    /// From a ping to the sign of life that is due.
    pub heartbeat_timeout: Duration,
    /// From the connection's begin to its ticket.
    pub hello_timeout: Duration,
    /// After a restart, clients spread their return over this time.
    pub reconnect_after: Duration,
    /// Entries that come after a first `join`.
    pub page_entries: u64,
    /// Entries of one read.
    pub read_entries_max: usize,
    /// Bytes of one read.
    pub read_bytes_max: usize,
    /// Entries that a running room holds in memory.
    pub tail_entries_max: usize,
    /// Bytes that a running room holds in memory.
    pub tail_bytes_max: usize,
    /// Rooms that one connection follows.
    pub rooms_per_connection_max: usize,
    /// Rooms that one person may open.
    pub rooms_per_user_max: usize,
    /// How fast one person may open rooms.
    pub opens: Rate,
    /// How fast one connection may join rooms, and so draw their last pages.
    pub joins: Rate,
    /// How fast one connection may read pages of history, and move its read marker; and one person
    /// read them outside of a connection.
    pub pages: Rate,
    /// How fast one person may search: a question of common words takes a core for 50 ms.
    pub searches: Rate,
    /// Connections of one person; the oldest makes place.
    pub connections_per_user_max: usize,
    /// What one person may say.
    pub says: Rate,
    /// What one person may say in one room.
    pub says_in_room: Rate,
    /// Frames of one connection that are refused before it is closed.
    pub refusals: Rate,
    /// Ping and pong frames of the WebSocket protocol and `ping` messages of one connection.
    pub control_frames: Rate,
    /// Bytes that are read from one connection.
    pub inbound_bytes: Rate,
    /// From losing somebody's last connection to telling that they left.
    pub presence_grace: Duration,
    /// From the first change of presence to telling of it.
    pub presence_coalesce: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            heartbeat_interval: Duration::from_millis(HEARTBEAT_INTERVAL_MS.into()),
            heartbeat_timeout: Duration::from_millis(HEARTBEAT_TIMEOUT_MS.into()),
            hello_timeout: Duration::from_secs(10),
            reconnect_after: Duration::from_secs(5),
            page_entries: PAGE_ENTRIES,
            read_entries_max: 1_000,
            read_bytes_max: 128 * 1024,
            tail_entries_max: 512,
            tail_bytes_max: 1024 * 1024,
            rooms_per_connection_max: ROOMS_PER_CONNECTION_MAX,
            rooms_per_user_max: 200,
            opens: Rate { per_second: 0.5, burst: 20.0 },
            joins: Rate { per_second: 10.0, burst: 200.0 },
            pages: Rate { per_second: 10.0, burst: 100.0 },
            searches: Rate { per_second: 2.0, burst: 20.0 },
            connections_per_user_max: 20,
            says: Rate { per_second: 10.0, burst: 20.0 },
            says_in_room: Rate { per_second: 5.0, burst: 20.0 },
            refusals: Rate { per_second: 2.0, burst: 20.0 },
            control_frames: Rate { per_second: 10.0, burst: 40.0 },
            inbound_bytes: Rate { per_second: 64.0 * 1024.0, burst: 256.0 * 1024.0 },
            presence_grace: Duration::from_secs(5),
            presence_coalesce: Duration::from_millis(200),
        }
    }
}
