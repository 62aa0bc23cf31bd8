//! Faults to be made on purpose: a simulation is believed only if it notices each of them.

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
}

impl Mutant {
    /// All of them.
    pub const ALL: [Mutant; 5] = [
        Self::NoDedupe,
        Self::SkipOneOnResume,
        Self::EpochIgnored,
        Self::NeverPings,
        Self::MissingPongIgnored,
    ];
}
