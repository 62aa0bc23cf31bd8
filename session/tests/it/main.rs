//! The session in virtual time, told as a story: Alice, her socket, and what the server says.

#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for the one thing it expects")]
#![expect(clippy::needless_pass_by_value, reason = "stories read better without references")]

mod alice;
mod arbitrary;
mod history;
mod life;
mod link;
mod marks;
mod outbox;
mod proof;
mod rooms;
mod words;

#[cfg(feature = "mutants")]
mod mutants;
