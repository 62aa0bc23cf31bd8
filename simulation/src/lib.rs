//! The whole of Madang without sockets: many `session`s against `rooms`, under a network that
//! cuts, stalls, lags and lies, a server that dies, a disk that forgets what was not synced,
//! laptops that sleep, and a clock that obeys. Everything follows from a seed.
//!
//! It must never read a clock, draw a random number from elsewhere, or wait; and nothing may
//! depend on it. A world runs in three parts: trouble, then healing, then quiet. What it promises
//! is held at every step (`judge`: one order for all, no gap, nothing twice, nothing lost without
//! a word, nothing acknowledged that a power cut can take, nobody told what is not theirs) and at
//! the end (everybody has everything and can prove it, the outboxes are empty, a quiet world says
//! nothing but its heartbeat, the dead are forgotten).
//!
//! The simulation is believed because it goes red when either half or the shell between disk and
//! connections is broken on purpose: see [`Broken`] and `tests/it/main.rs`.
//!
//! Read in this order: `plan` (what a seed decides), `judge` and `screen` (the promises), `network`
//! and `disk`, `server` and `client` (the two shells), `world` (one thing after the other),
//! `happening` (what is on its way), `traffic` and `machine` (what becomes of each), `deeds` and
//! `faults` (what people do, and what is done to them), `end` (what has to be true when it is over).

#![warn(missing_docs)]

mod client;
mod deeds;
mod disk;
mod end;
mod faults;
mod happening;
mod judge;
mod machine;
mod mutant;
mod network;
mod plan;
mod random;
mod report;
mod screen;
mod server;
mod story;
mod traffic;
mod world;

pub use mutant::ShellMutant;
pub use report::Report;
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
    /// The shell of every server, or its store.
    Shell(ShellMutant),
}

impl Broken {
    fn client(self) -> Option<session::Mutant> {
        match self {
            Self::Client(mutant) => Some(mutant),
            Self::Nothing | Self::Server(_) | Self::Shell(_) => None,
        }
    }

    fn server(self) -> Option<rooms::mutant::Mutant> {
        match self {
            Self::Server(mutant) => Some(mutant),
            Self::Nothing | Self::Client(_) | Self::Shell(_) => None,
        }
    }

    fn is_shell(self, mutant: ShellMutant) -> bool {
        self == Self::Shell(mutant)
    }
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
