//! Pages of a room's past.

use std::sync::Arc;

use common::{Digest, ErrorCode, Position, Problem, RoomName, UserId, http::Keep};
use rooms::{
    Entry, RoomRecord,
    conversation::{Edge, Page, Wanted},
    room::page,
};

use super::Live;
use crate::log::{Fault, Store};
#[cfg(feature = "mutants")]
use crate::mutant;

/// Entries that change what stands in a page; a page with more of them is made shorter.
const LATER_MAX: usize = 500;

impl Live {
    /// A page of a room's past.
    ///
    /// # Errors
    /// There is no such room for this person, the position is none of its log, or the store
    /// cannot be read.
    pub async fn page(
        &self,
        room: &RoomName,
        user: &UserId,
        wanted: Wanted,
    ) -> Result<Page, Problem> {
        let record = self.record_for(room, user);
        #[cfg(feature = "mutants")]
        let record = match record {
            Err(_) if mutant::is_chosen(mutant::Breakage::PageDoesNotAsk) => {
                self.log.store().room(room).ok_or_else(|| Problem::new(ErrorCode::NotFound))
            }
            asked => asked,
        };
        let record = record?;
        let Wanted { edge, most } = wanted;
        match &edge {
            Edge::Head => {}
            Edge::Before(position) => check_position(position, &record, record.head.seq + 1)?,
            Edge::After(position) => check_position(position, &record, record.head.seq)?,
        }
        // What keeps nothing has no past.
        if record.keep == Keep::None {
            let RoomRecord { head, digest, .. } = record;
            let (floor, entries, later) = (head.seq, Vec::new(), Vec::new());
            return Ok(Page { head, floor, entries, base: digest, later });
        }
        let (known, bytes_max) = (record.clone(), self.settings.read_bytes_max);
        let read = move |store: &dyn Store| Part::read(store, &known, &edge, most, bytes_max);
        let Part { entries, base, later } = self.log.read(read).await?;
        let base = base.ok_or_else(|| Problem::new(ErrorCode::CursorExpired))?;
        // What was said after the question was allowed is not in the answer: whoever was sent away
        // meanwhile may not have it.
        let on_the_wire = |entries: Vec<Arc<Entry>>| {
            let allowed = entries.iter().filter(|entry| entry.seq <= record.head.seq);
            allowed.map(|entry| entry.on_the_wire()).collect()
        };
        let (entries, later) = (on_the_wire(entries), on_the_wire(later));
        Ok(Page { head: record.head, floor: record.floor, entries, base, later })
    }
}

/// Entries without a gap, the digest before them, and what changes them later.
#[derive(Debug)]
struct Part {
    entries: Vec<Arc<Entry>>,
    base: Option<Digest>,
    later: Vec<Arc<Entry>>,
}

impl Part {
    /// At most `most` entries, and fewer where they, or what changes them, weigh more than
    /// `bytes_max`.
    fn read(
        store: &dyn Store,
        record: &RoomRecord,
        edge: &Edge,
        mut most: usize,
        bytes_max: usize,
    ) -> Result<Self, Fault> {
        loop {
            let (entries, after) = Self::entries(store, record, edge, most, bytes_max)?;
            let later = match (entries.first(), entries.last()) {
                (Some(first), Some(last)) => {
                    store.later(&record.room, first.seq..=last.seq, LATER_MAX)?
                }
                _ => Vec::new(),
            };
            let weight: usize = later.iter().map(|entry| entry.weight()).sum();
            let is_whole = later.len() < LATER_MAX && weight <= bytes_max;
            if is_whole || entries.len() <= 1 {
                let base = store.digest_at(&record.room, after)?;
                return Ok(Self { entries, base, later });
            }
            most = entries.len() / 2;
        }
    }

    /// The entries, and the place before the first of them.
    fn entries(
        store: &dyn Store,
        record: &RoomRecord,
        edge: &Edge,
        most: usize,
        bytes_max: usize,
    ) -> Result<(Vec<Arc<Entry>>, u64), Fault> {
        let before = match edge {
            Edge::After(position) => {
                let entries = store.read_after(&record.room, position.seq, most, bytes_max)?;
                return Ok((page(entries.into_iter(), bytes_max), position.seq));
            }
            Edge::Before(position) => position.seq,
            Edge::Head => record.head.seq + 1,
        };
        let newest_first = store.read_before(&record.room, before, most)?.into_iter().rev();
        let mut entries = page(newest_first, bytes_max);
        entries.reverse();
        let after = entries.first().map_or(before.max(1), |first| first.seq) - 1;
        Ok((entries, after))
    }
}

/// Whether a position is one of this log, and not behind `last`.
pub(super) fn check_position(
    position: &Position,
    record: &RoomRecord,
    last: u64,
) -> Result<(), Problem> {
    if position.epoch != record.head.epoch {
        Err(Problem::new(ErrorCode::CursorExpired))
    } else if position.seq > last {
        Err(Problem::new(ErrorCode::CursorAhead))
    } else if position.seq < record.floor {
        Err(Problem::new(ErrorCode::CursorExpired))
    } else {
        Ok(())
    }
}
