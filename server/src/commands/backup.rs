//! Copying everything that is kept.

use std::path::Path;

use anyhow::Context as _;

use super::tell;
use crate::log::sqlite::{files, opening};

/// Copies the database as it is at one moment. A server may run: it is not asked, and it does not
/// wait.
pub(super) fn backup(database: &Path, file: &Path) -> anyhow::Result<()> {
    let connection = opening::read_only(database)?;
    files::copy(&connection, file)
        .with_context(|| format!("no backup was made: {}", file.display()))?;
    tell(format_args!("{} is a backup of {}", file.display(), database.display()))?;
    Ok(())
}
