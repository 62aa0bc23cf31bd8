//! Faults to be made on purpose, by `--break`: a rig is believed only if it notices each of them.
//! Without the feature `mutants` nothing of it is compiled in.

use std::sync::OnceLock;

/// One deliberate fault of a server. It is chosen once, for the whole process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Breakage {
    /// A commit is not synced.
    SynchronousNormal,
    /// What is said again is not known.
    NoDedupe,
    /// What was asked for is answered before it is committed, which the next commit does.
    AckBeforeCommit,
    /// A log takes whatever anybody says of any entry, and lets in and sends away whom anybody
    /// names.
    RulesIgnored,
    /// Whoever is sent away goes on hearing what is said, on connections that are open.
    KickNotTold,
    /// A search looks at all rooms.
    SearchDoesNotAsk,
    /// A page of the past is given to everybody.
    PageDoesNotAsk,
    /// The list of rooms has all of them.
    ListDoesNotAsk,
    /// Connections outlast the session that they belong to.
    SignOutNotTold,
}

static CHOSEN: OnceLock<Breakage> = OnceLock::new();

/// Breaks this process so. The first choice stands.
pub(crate) fn choose(breakage: Breakage) {
    CHOSEN.get_or_init(|| breakage);
}

/// Whether this process is broken so.
pub(crate) fn is_chosen(breakage: Breakage) -> bool {
    CHOSEN.get() == Some(&breakage)
}
