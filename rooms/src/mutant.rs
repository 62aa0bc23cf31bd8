//! Faults to be made on purpose: a simulation is believed only if it notices each of them.

use common::{Digest, EntryKind};

use crate::{AppendRefusal, Entry};

/// One deliberate fault of the server's half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// A message that is said again gets a second place.
    NoDedupe,
    /// Resuming skips one entry.
    SkipOneOnResume,
    /// A position of another epoch is taken for one of this.
    EpochIgnored,
    /// The server never pings.
    NeverPings,
    /// A ping that is not answered has no consequence.
    MissingPongIgnored,
    /// What was said before a restart is not known again.
    DedupeForgotten,
    /// A deletion leaves the digest of the log as it was.
    DeletionUndigested,
    /// A running room goes on reading out what was deleted.
    TextKept,
    /// A log takes whatever anybody says of any entry.
    RulesIgnored,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Mutant; 9] = [
        Self::NoDedupe,
        Self::SkipOneOnResume,
        Self::EpochIgnored,
        Self::NeverPings,
        Self::MissingPongIgnored,
        Self::DedupeForgotten,
        Self::DeletionUndigested,
        Self::TextKept,
        Self::RulesIgnored,
    ];
}

/// What becomes of a check of the rules.
pub(crate) fn checked(
    broken: Option<Mutant>,
    checked: Result<(), AppendRefusal>,
) -> Result<(), AppendRefusal> {
    if broken == Some(Mutant::RulesIgnored) { Ok(()) } else { checked }
}

/// What becomes of the digest of an entry that follows one with the digest `before`.
pub(crate) fn digested(broken: Option<Mutant>, entry: Entry, before: Digest) -> Entry {
    let untouched = broken != Some(Mutant::DeletionUndigested) || entry.kind != EntryKind::Delete;
    Entry { digest: if untouched { entry.digest } else { before }, ..entry }
}
