//! Where somebody stands in a room's log.

use serde::{Deserialize, Serialize};

use crate::Epoch;

/// A place in a room's log: everything up to and including `seq` has been seen.
///
/// Within an epoch the sequence has no gaps and begins with 1; 0 stands before the first entry.
/// A sequence number says nothing without its epoch: number 3 of a log that began anew is
/// another entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Which life of the log.
    pub epoch: Epoch,
    /// The number of the last entry that was seen.
    pub seq: u64,
}

/// Why a client cannot have everything after its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResyncReason {
    /// The log began anew: the position belongs to another one.
    EpochChanged,
    /// The position lies ahead of the head.
    CursorAhead,
    /// What follows the position is no longer kept.
    Pruned,
    /// A reason from a newer server.
    #[serde(other)]
    Unknown,
}
