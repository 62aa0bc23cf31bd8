//! Every number that both sides obey, with its unit, and how the numbers depend on each other.

/// Characters of a room's name.
pub const ROOM_NAME_CHARS_MAX: usize = 64;
/// Characters of a person's name.
pub const USER_NAME_CHARS_MAX: usize = 40;
/// Characters of an id or a token; all of them are ASCII.
pub const ID_CHARS_MAX: usize = 64;
/// Characters of a timestamp: `2026-11-20T09:00:00.000Z` has 24.
pub const TIMESTAMP_CHARS_MAX: usize = 35;
/// Characters of what somebody says.
pub const BODY_CHARS_MAX: usize = 4_000;
/// Bytes of what somebody says.
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// Characters of a room's topic.
pub const TOPIC_CHARS_MAX: usize = 250;
/// Characters of a reaction; a family emoji with skin tones has 11, a flag of a region 7.
pub const EMOJI_CHARS_MAX: usize = 16;
/// Bytes of a WebSocket frame and of a message, from a client.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Bytes of the reason in a close frame (RFC 6455 section 5.5: 125 less two for the code).
pub const CLOSE_REASON_BYTES_MAX: usize = 123;
/// People named in `joined` and `presence`; beyond it only their count is told.
pub const MEMBERS_LISTED_MAX: usize = 200;
/// People of a private room, beside whoever opened it.
pub const MEMBERS_MAX: usize = 100;
/// Entries that come after a first `join`.
pub const PAGE_ENTRIES: u64 = 50;
/// Entries of one page of history.
pub const HISTORY_ENTRIES_MAX: u32 = 100;
/// Unread posts and mentions are counted up to this; the number itself stands for as many or more.
pub const UNREAD_MAX: u32 = 1_000;
/// Rooms that one connection follows.
pub const ROOMS_PER_CONNECTION_MAX: usize = 128;
/// Milliseconds between two pings of the server.
pub const HEARTBEAT_INTERVAL_MS: u32 = 30_000;
/// Milliseconds after a ping until a sign of life is due.
pub const HEARTBEAT_TIMEOUT_MS: u32 = 10_000;
/// Milliseconds that a client grants the network beyond the heartbeat before it calls the server dead.
pub const HEARTBEAT_GRACE_MS: u32 = 5_000;
/// Messages a client keeps for sending.
pub const OUTBOX_MESSAGES_MAX: usize = 500;

// A body of ordinary text fits a frame even if every byte is escaped with a backslash. One of
// control characters alone, six bytes each, may not; a client refuses it before sending.
const _: () = assert!(BODY_BYTES_MAX * 2 + 1024 < FRAME_BYTES_MAX);
const _: () = assert!(BODY_CHARS_MAX <= BODY_BYTES_MAX);
const _: () = assert!(PAGE_ENTRIES <= HISTORY_ENTRIES_MAX as u64);
// A digest covers the length of an id in one byte.
const _: () = assert!(ID_CHARS_MAX <= u8::MAX as usize);
const _: () = assert!(HEARTBEAT_TIMEOUT_MS + HEARTBEAT_GRACE_MS < HEARTBEAT_INTERVAL_MS);
const _: () = assert!(ROOM_NAME_CHARS_MAX * 4 < 1024);
