//! The server from outside: real sockets on port 0, an independent WebSocket client, raw bytes.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test waits for one message among many")]

mod accounts;
mod conversation;
mod enemies;
mod history;
mod http;
mod keeping_up;
mod lifecycle;
mod log;
mod members;
mod requests;
mod search;
mod stage;
