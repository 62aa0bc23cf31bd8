//! Pages of a room's past.

use std::sync::Arc;

use common::{ErrorCode, Position, Problem, RoomName, UserId, http::Keep};
use rooms::{
    Entry, RoomRecord,
    conversation::{Edge, Page, Wanted},
};

use super::Live;
use crate::log::Store;

/// Entries that change what stands in a page: beyond it a reader follows the room from there.
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
        let record = self.record_for(room, user)?;
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
        let bytes_max = self.settings.read_bytes_max;
        let read = move |store: &dyn Store| {
            let room = &record.room;
            let (entries, after) = match edge {
                Edge::After(position) => {
                    let entries = store.read_after(room, position.seq, most)?;
                    (rooms::room::page(entries.into_iter(), bytes_max), position.seq)
                }
                Edge::Head | Edge::Before(_) => {
                    let before = match edge {
                        Edge::Before(position) => position.seq,
                        Edge::Head | Edge::After(_) => record.head.seq + 1,
                    };
                    let newest_first = store.read_before(room, before, most)?.into_iter().rev();
                    let mut entries = rooms::room::page(newest_first, bytes_max);
                    entries.reverse();
                    let after = entries.first().map_or(before.max(1), |first| first.seq) - 1;
                    (entries, after)
                }
            };
            let base = store.digest_at(room, after)?;
            let later = match (entries.first(), entries.last()) {
                (Some(first), Some(last)) => store.later(room, first.seq..=last.seq, LATER_MAX)?,
                _ => Vec::new(),
            };
            Ok((record, entries, base, later))
        };
        let (record, entries, base, later) = self.log.read(read).await?;
        let base = base.ok_or_else(|| Problem::new(ErrorCode::CursorExpired))?;
        let on_the_wire =
            |entries: Vec<Arc<Entry>>| entries.iter().map(|entry| entry.on_the_wire()).collect();
        let (entries, later) = (on_the_wire(entries), on_the_wire(later));
        Ok(Page { head: record.head, floor: record.floor, entries, base, later })
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
