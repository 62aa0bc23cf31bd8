//! The whole of Madang without sockets: many `session`s against `rooms`, under a network that
//! cuts, stalls and lags, a server that dies and forgets, laptops that sleep, and a clock that
//! obeys. Everything follows from a seed.
//!
//! It must never read a clock, draw a random number from elsewhere, or wait; and nothing may
//! depend on it. A world runs in three parts: trouble, then healing, then quiet. What it promises
//! is held at every step (`judge`: one order for all, no gap, nothing twice, nothing lost without
//! a word, one attempt at a time) and at the end (everybody has everything, the outboxes are
//! empty, a quiet world says nothing but its heartbeat, the dead are forgotten).
//!
//! The simulation is believed because it goes red when either half is broken on purpose: see
//! [`Broken`] and `tests/it/main.rs`.
//!
//! Read in this order: `plan` (what a seed decides), `judge` (the promises), `network`, `server`
//! and `client` (the two shells), `world` (one thing after the other), `traffic` (what becomes of
//! each), `faults` (the trouble), `end` (what has to be true when it is over).

#![warn(missing_docs)]

mod client;
mod end;
mod faults;
mod judge;
mod network;
mod plan;
mod random;
mod server;
mod story;
mod traffic;
mod world;

pub use story::Failure;

/// Which half is broken on purpose, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Neither.
    Nothing,
    /// Every client.
    Client(session::Mutant),
    /// Every server.
    Server(rooms::mutant::Mutant),
}

/// How much happened in a world that kept its promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Things that happened, one after the other.
    pub steps: u64,
    /// Entries that stood in a log.
    pub entries: u64,
    /// Entries that a page showed.
    pub shown: u64,
    /// Connections after the first of each page.
    pub reconnects: u64,
    /// Holes that a session saw.
    pub holes: u64,
    /// Duplicates that a session dropped.
    pub duplicates: u64,
    /// Times that a room could not be continued.
    pub resyncs: u64,
    /// Pages that were read from the log, because a tail did not reach back that far.
    pub pages: u64,
    /// Frames that a server left unread for a while.
    pub held: u64,
    /// Messages that a session sent again.
    pub resends: u64,
}

/// Runs the world of this seed to its end.
///
/// # Errors
/// A promise was broken: the failure tells which, and the whole story.
pub fn run(seed: u64, broken: Broken) -> Result<Report, Box<Failure>> {
    match world::World::new(seed, broken, false).run() {
        Ok(report) => Ok(report),
        // The same world again, this time with somebody who writes down what happens.
        Err(_) => world::World::new(seed, broken, true).run(),
    }
}

/// Like [`run`], without the story of a failure.
///
/// # Errors
/// A promise was broken.
pub fn try_run(seed: u64, broken: Broken) -> Result<Report, Box<Failure>> {
    world::World::new(seed, broken, false).run()
}
