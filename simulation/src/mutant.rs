//! Faults of the shell around `rooms`, to be made on purpose: what a server can do wrong between
//! its disk, its rooms and its connections.

/// One deliberate fault of the server's shell or of its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellMutant {
    /// What is written is delivered and acknowledged before it is synced.
    AcksBeforeSync,
    /// A commit that failed is taken for one that did not.
    AcksWhatFailed,
    /// At its start, what was written and never synced is served as if it were durable.
    TrustsTheUnsynced,
    /// At its start the last commit is left out, and the log goes on under the same epoch.
    ForgetsTheLast,
    /// A room that keeps nothing begins anew under the epoch that it had.
    EpochKept,
    /// Where the tail does not reach, reading begins one entry too late.
    SeamSkipsOne,
    /// A page of history lacks an entry.
    PageMissesOne,
    /// A page of history says nothing of what was changed behind it.
    LaterForgotten,
    /// Whoever is sent away goes on reading on the connections that they have.
    KickIgnored,
    /// A read marker goes where it is put.
    MarkGoesBack,
    /// A backup is put back, and its logs go on under the epochs that they had.
    RestoresTheEpoch,
}

impl ShellMutant {
    /// All of them.
    pub const ALL: [ShellMutant; 11] = [
        Self::AcksBeforeSync,
        Self::AcksWhatFailed,
        Self::TrustsTheUnsynced,
        Self::ForgetsTheLast,
        Self::EpochKept,
        Self::SeamSkipsOne,
        Self::PageMissesOne,
        Self::LaterForgotten,
        Self::KickIgnored,
        Self::MarkGoesBack,
        Self::RestoresTheEpoch,
    ];
}
