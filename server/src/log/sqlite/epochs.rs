//! Beginning logs anew with the same entries.

use std::{ops::ControlFlow, path::Path};

use common::{Digest, Epoch};
use rusqlite::{Connection, params};

use super::{
    Known, StoreError, opening,
    rows::{ReadError, Reading, place},
};

/// Entries whose digests are computed at a time.
const PAGE_ENTRIES: u64 = 1_000;

/// Gives every room a new epoch, and its entries the digests that follow from it. The entries are
/// compared with the digests that they had.
pub(crate) fn begin_epochs(
    connection: &mut Connection,
    path: &Path,
    mut new_epoch: impl FnMut() -> Epoch,
) -> Result<(), StoreError> {
    let named = |error| StoreError::of(path, error);
    let transaction = connection.transaction().map_err(named)?;
    for known in opening::list(&transaction, path)? {
        let begun = begin_epoch(&transaction, &known, &new_epoch());
        begun.map_err(|error| StoreError::of_read(path, error))?;
    }
    transaction.commit().map_err(named)
}

fn begin_epoch(connection: &Connection, known: &Known, epoch: &Epoch) -> Result<(), ReadError> {
    let start = Digest::start(epoch);
    connection
        .prepare_cached("UPDATE rooms SET epoch = ?, floor_digest = ? WHERE id = ?")?
        .execute(params![epoch.as_str(), start.bytes(), known.id])?;
    let head = opening::last_entry(connection, known.id)?.unwrap_or(known.pruned);
    let reading = Reading::new(connection, known);
    let (mut after, mut before, mut digest) = (known.pruned, known.record.floor_digest, start);
    while after < head {
        let last = (after + PAGE_ENTRIES).min(head);
        let mut digests = Vec::new();
        reading.run(after, last, before, |entry| {
            before = entry.digest;
            digest = entry.digest_after(digest);
            digests.push((place(known.id, entry.seq), digest));
            ControlFlow::Continue(())
        })?;
        let mut statement =
            connection.prepare_cached("UPDATE entries SET digest = ? WHERE place = ?")?;
        for (place, digest) in digests {
            statement.execute(params![digest.bytes(), place])?;
        }
        after = last;
    }
    Ok(())
}
