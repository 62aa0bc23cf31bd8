//! Writing a room's log out.

use std::{io::Write, path::Path};

use anyhow::Context as _;
use common::{Digest, RoomName};
use serde::Serialize;

use crate::log::sqlite::{StoreError, opening};

/// Entries that are read at a time.
const PAGE_ENTRIES: usize = 1_000;

/// An entry as clients see it, and the digest of the log up to it.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    entry: common::Entry,
    digest: Digest,
}

/// Writes every entry that is kept, oldest first, each as JSON on a line of its own. Every one is
/// compared with its digest first. A server may run.
pub(super) fn export(database: &Path, room: &RoomName, out: &mut impl Write) -> anyhow::Result<()> {
    let connection = opening::read_only(database)?;
    // Pages of one moment: nothing is taken away between them.
    let moment = connection.unchecked_transaction()?;
    let rooms = opening::load(&moment, database)?;
    let known = rooms.get(room).with_context(|| format!("there is no room {room}"))?;
    let reading = known.reading(&moment);
    let mut after = known.record.floor;
    while after < known.record.head.seq {
        let page = reading
            .after(after, PAGE_ENTRIES, usize::MAX)
            .map_err(|error| StoreError::of_read(database, error))?;
        after = page.last().with_context(|| format!("entry {} is missing", after + 1))?.seq;
        for entry in page {
            let line = Line { entry: entry.on_the_wire(), digest: entry.digest };
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    Ok(())
}
