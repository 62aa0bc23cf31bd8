//! Comparing everything that is kept with its digests.

use std::path::Path;

use super::tell;
use crate::log::sqlite::{
    opening,
    verify::{Report, verify},
};

/// Says how much is kept and what of it is damaged. A server may run.
///
/// # Errors
/// Something is damaged.
pub(super) fn check(database: &Path) -> anyhow::Result<()> {
    let report = verify(&opening::read_only(database)?, database)?;
    let Report { rooms, entries, messages, sessions, faults } = &report;
    tell(format_args!(
        "{}: {rooms} rooms, {entries} entries, {messages} messages known again, {sessions} sessions",
        database.display()
    ))?;
    for fault in faults {
        tell(fault)?;
    }
    refuse_damage(&report, database)
}

/// # Errors
/// Something is damaged.
pub(super) fn refuse_damage(report: &Report, file: &Path) -> anyhow::Result<()> {
    match report.faults.as_slice() {
        [] => Ok(()),
        [first, rest @ ..] => {
            anyhow::bail!("{} is damaged: {first} (and {} more)", file.display(), rest.len())
        }
    }
}
