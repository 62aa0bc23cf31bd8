//! How much happened: a world without trouble would keep every promise.

macro_rules! counted {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// How much happened in a world that kept its promises.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Report {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Report {
            /// Adds what happened in another world.
            pub fn add(&mut self, other: &Report) {
                $(self.$name += other.$name;)*
            }

            /// What never happened.
            #[must_use]
            pub fn never(&self) -> Vec<&'static str> {
                let all = [$((stringify!($name), self.$name)),*];
                all.into_iter().filter(|(_, count)| *count == 0).map(|(name, _)| name).collect()
            }
        }
    };
}

counted! {
    /// Things that happened, one after the other.
    steps,
    /// Entries that stood in a log.
    entries,
    /// Those that said a post otherwise.
    edits,
    /// Those that took a post or a reaction back.
    deletions,
    /// Those after which somebody belonged to a room, or did no longer.
    memberships,
    /// Entries that a page showed.
    shown,
    /// Connections after the first of each page.
    reconnects,
    /// Holes that a session saw.
    holes,
    /// Duplicates that a session dropped.
    duplicates,
    /// Times that a room could not be continued.
    resyncs,
    /// Messages that a session sent again.
    resends,
    /// Pages that were read from the log, because a tail did not reach back that far.
    pages,
    /// Frames that a server left unread for a while.
    held,
    /// Pages of the past that somebody scrolled through.
    scrolled,
    /// Pages of the past that could not be had.
    not_scrolled,
    /// Times that a page proved that it held everything.
    proofs,
    /// Times that a page noticed that it did not: somebody's proxy had forged an entry.
    disproofs,
    /// Read markers that were confirmed.
    marks,
    /// Times that somebody was told to be gone from a room.
    removals,
    /// Servers that died.
    deaths,
    /// Those whose machine lost its power.
    power_cuts,
    /// Changes that were written and that a power cut took: none of them was acknowledged.
    forgotten,
    /// Changes that were written when the process died, and stood there afterwards.
    survived,
    /// Commits that failed.
    failed_commits,
    /// Backups that were put in the place of what was kept.
    restores,
    /// Changes that were durable, and that the backups knew nothing of.
    undone,
}
