//! Bugs to choose from: the simulation is believed only if it goes red for each of them.
//! Without the feature `mutants` none can be chosen and nothing of this is compiled in.

/// A way to break the session on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(not(feature = "mutants"), expect(unreachable_pub, reason = "public with `mutants`"))]
pub enum Mutant {
    /// What was on the wire when the connection broke is not sent again.
    NoResend,
    /// Entries that were delivered before are delivered again.
    NoDedupe,
    /// After a reconnect rooms are joined as if for the first time.
    RejoinWithoutPosition,
    /// A sequence number is taken for itself, whatever the epoch.
    EpochIgnored,
    /// An entry beyond the next one is delivered all the same.
    HoleIgnored,
    /// A dead server is never noticed.
    MissingPongIgnored,
    /// A lost connection stays lost.
    NeverReconnects,
    /// Late callbacks of older connections, and actions queued for them, are not dropped.
    StaleActionsAfterClose,
    /// A room's messages do not wait for the ack of the one before.
    ManyInFlight,
    /// Whatever the digests say, everything counts as proven.
    DigestIgnored,
    /// A page of the past is taken as it comes.
    HistoryUnchecked,
}

#[cfg(feature = "mutants")]
impl Mutant {
    /// All of them.
    pub const ALL: [Mutant; 11] = [
        Self::NoResend,
        Self::NoDedupe,
        Self::RejoinWithoutPosition,
        Self::EpochIgnored,
        Self::HoleIgnored,
        Self::MissingPongIgnored,
        Self::NeverReconnects,
        Self::StaleActionsAfterClose,
        Self::ManyInFlight,
        Self::DigestIgnored,
        Self::HistoryUnchecked,
    ];
}

/// Which bug was chosen.
#[derive(Clone, Copy, Default)]
pub(crate) struct Breakage {
    #[cfg(feature = "mutants")]
    chosen: Option<Mutant>,
}

impl Breakage {
    #[cfg(feature = "mutants")]
    pub(crate) fn choose(mutant: Mutant) -> Self {
        Self { chosen: Some(mutant) }
    }

    #[cfg(feature = "mutants")]
    pub(crate) fn broken(self, mutant: Mutant) -> bool {
        self.chosen == Some(mutant)
    }

    #[cfg(not(feature = "mutants"))]
    #[expect(clippy::unused_self, reason = "the same signature as with `mutants`")]
    pub(crate) const fn broken(self, _: Mutant) -> bool {
        false
    }
}
