//! The digests of the entries that were delivered: what shows that nothing between two of them is
//! missing, doubled or changed.

use common::{Digest, Entry, EntryKind};

/// Digests that one room keeps: 1 MiB. Beyond it what lies furthest back is forgotten, and pages
/// from there are no longer proven.
const DIGESTS_MAX: usize = 65_536;

/// The digests of a piece of a log without a gap, computed from its entries.
pub(crate) struct Chain {
    /// The place of the first digest: before the first entry of the piece.
    lower: u64,
    /// One for each place from there on; there is always one.
    digests: Vec<Digest>,
}

/// What the server tells of the digests when a room begins or goes on.
#[derive(Clone, Copy)]
pub(crate) struct Digests {
    /// At the head.
    pub(crate) head: Digest,
    /// At the place after which the entries follow, where it has it at hand.
    pub(crate) base: Option<Digest>,
}

/// Whether what was delivered is what the log says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is, over so many entries.
    Proven { entries: u64 },
    /// It is not, and the room is asked for anew.
    Disproved,
}

/// What a page is to a chain.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is a part of the chain, or goes on where the chain begins.
    Joins,
    /// They have no place in common.
    Apart,
    /// They say different things about a place.
    Differs,
}

impl Chain {
    /// A chain that begins after this place, whose digest the server told.
    pub(crate) fn begin(seq: u64, digest: Digest) -> Self {
        Self { lower: seq, digests: vec![digest] }
    }

    /// How many entries it covers.
    pub(crate) fn entries(&self) -> u64 {
        self.upper() - self.lower
    }

    pub(crate) fn get(&self, seq: u64) -> Option<Digest> {
        let nth = usize::try_from(seq.checked_sub(self.lower)?).ok()?;
        self.digests.get(nth).copied()
    }

    fn upper(&self) -> u64 {
        self.lower + (self.digests.len() as u64 - 1)
    }

    /// Adds the next entry. `None` if nothing can be computed over it: its kind comes from a newer
    /// server, and with it its digest.
    pub(crate) fn push(mut self, entry: &Entry) -> Option<Self> {
        let before = self.get(self.upper())?;
        self.digests.push(digest_after(entry, before)?);
        self.shorten();
        Some(self)
    }

    /// Compares a page with what is known, and takes it in where it reaches further back.
    pub(crate) fn take(&mut self, page: &Self) -> Fit {
        if page.upper() < self.lower || page.lower > self.upper() {
            return Fit::Apart;
        }
        let differs = |(seq, digest): (u64, &Digest)| self.get(seq).is_some_and(|it| it != *digest);
        if (page.lower..).zip(&page.digests).any(differs) {
            return Fit::Differs;
        }
        if page.lower < self.lower {
            let earlier = page.digests.iter().take((self.lower - page.lower) as usize);
            self.digests = earlier.chain(&self.digests).copied().collect();
            self.lower = page.lower;
            self.shorten();
        }
        Fit::Joins
    }

    /// Whether the chain knows this entry, and knows it to be another.
    pub(crate) fn contradicts(&self, entry: &Entry) -> bool {
        let before = entry.seq.checked_sub(1).and_then(|seq| self.get(seq));
        match (before, self.get(entry.seq)) {
            (Some(before), Some(digest)) => {
                digest_after(entry, before).is_some_and(|computed| computed != digest)
            }
            (Some(_) | None, Some(_) | None) => false,
        }
    }

    fn shorten(&mut self) {
        let surplus = self.digests.len().saturating_sub(DIGESTS_MAX);
        if surplus > 0 {
            // Half of it at once: a chain at its limit would be moved for every entry.
            let surplus = surplus.max(DIGESTS_MAX / 2);
            self.digests.drain(..surplus);
            self.lower += surplus as u64;
        }
    }
}

fn digest_after(entry: &Entry, before: Digest) -> Option<Digest> {
    (entry.kind != EntryKind::Unknown).then(|| entry.digest_after(before))
}
