//! What is done to a server, one file for each.

pub mod kill;

pub mod power;

pub mod disk_full;

pub mod fsync_error;

pub mod read_only;

use crate::{report::Report, rig::Plan};

/// What became of a run.
#[derive(Debug)]
pub enum Outcome {
    /// It was judged.
    Judged(Box<Report>),
    /// It is not possible on this machine, and this is why.
    LeftOut(String),
}

/// A way to hurt a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` at any moment, also while it starts.
    Kill,
    /// The power is cut: what was not synced is gone.
    Power,
    /// There is no room left, and then there is again.
    DiskFull,
    /// `fsync` fails, and then it does not.
    FsyncError,
    /// The disk can be read and not be written, and then it can.
    ReadOnly,
}

impl Fault {
    /// All of them, the most gentle first.
    pub const ALL: [Self; 5] =
        [Self::Kill, Self::Power, Self::DiskFull, Self::FsyncError, Self::ReadOnly];

    /// Does it.
    ///
    /// # Errors
    /// The run could not be judged.
    pub async fn strikes(self, plan: &Plan) -> anyhow::Result<Outcome> {
        match self {
            Self::Kill => kill::strikes(plan).await,
            Self::Power => power::strikes(plan).await,
            Self::DiskFull => disk_full::strikes(plan).await,
            Self::FsyncError => fsync_error::strikes(plan).await,
            Self::ReadOnly => read_only::strikes(plan).await,
        }
    }
}
