//! Where what is kept of a room begins. The floor in the record is exact; the rows below it are
//! taken away later, many at a time.

use rooms::{AppendRefusal, Entry, RoomRecord};
use rusqlite::{Connection, params};

use super::{
    Known,
    rows::{ReadError, Reading, is_of_the_row, place, stored_digest},
};

/// Rows of entries that are taken away in one go: at least, and at most.
const PRUNED_MIN: u64 = 64;
const PRUNED_MAX: u64 = 1_024;

impl Known {
    /// The entry that a draft is about, as far as it is kept. A damaged one refuses the draft: what
    /// others said in the same batch has nothing to do with it.
    pub(super) fn target(
        &mut self,
        connection: &Connection,
        seq: u64,
    ) -> Result<Result<Option<Entry>, AppendRefusal>, ReadError> {
        self.settle(connection)?;
        if seq <= self.record.floor || seq > self.record.head.seq {
            return Ok(Ok(None));
        }
        match Reading::new(connection, self).one(seq) {
            Ok(target) => Ok(Ok(target)),
            Err(ReadError::Damaged { room, seq, cause }) => {
                tracing::error!(%room, seq, cause, "what is about a damaged entry is refused");
                Ok(Err(AppendRefusal::NoSuchEntry(seq)))
            }
            Err(error @ ReadError::Sqlite(_)) => Err(error),
        }
    }

    /// Lets the floor follow the head.
    pub(super) fn settle(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let floor = self.record.head.seq.saturating_sub(self.record.keeps());
        if floor <= self.record.floor {
            return Ok(());
        }
        match stored_digest(connection, place(self.id, floor)) {
            Ok(Some(digest)) => {
                self.record.floor = floor;
                self.record.floor_digest = digest;
            }
            // Where it is damaged the floor waits for the next entry.
            Ok(None) => {}
            Err(error) if is_of_the_row(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Takes away the rows below the floor, when there are enough of them for it to be worth it.
    pub(super) fn prune(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let RoomRecord { floor, floor_digest, .. } = &self.record;
        let enough = (self.record.keeps() / 10).clamp(PRUNED_MIN, PRUNED_MAX);
        if floor - self.pruned < enough {
            return Ok(());
        }
        connection
            .prepare_cached("DELETE FROM entries WHERE place > ? AND place <= ?")?
            .execute([place(self.id, self.pruned), place(self.id, *floor)])?;
        connection
            .prepare_cached("UPDATE rooms SET floor = ?, floor_digest = ? WHERE id = ?")?
            .execute(params![floor.cast_signed(), floor_digest.bytes(), self.id])?;
        self.pruned = *floor;
        Ok(())
    }
}
