//! Putting a backup in the place of what is kept.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use common::Epoch;

use super::{check::refuse_damage, tell};
use crate::log::sqlite::{
    FILE_NAME, StoreError,
    epochs::begin_epochs,
    files, opening, schema,
    verify::{Report, verify},
};

/// Puts the backup in the place of the database and keeps what was there beside it. Whoever calls
/// it holds the data directory.
///
/// Every room gets a new epoch. What was said after the backup is gone, and its numbers will be
/// given again to something else: a client that saw it must be told that the log began anew, and
/// must not be continued from a number.
pub(super) fn restore(
    data_dir: &Path,
    file: &Path,
    new_epoch: impl FnMut() -> Epoch,
) -> anyhow::Result<()> {
    let database = data_dir.join(FILE_NAME);
    let unfinished = files::beside(&database, ".restoring");
    files::remove_database(&unfinished)?;
    let prepared = prepare(file, &unfinished, new_epoch);
    if prepared.is_err() {
        files::remove_database(&unfinished)?;
    }
    let Report { rooms, entries, .. } = prepared?;
    let kept = set_aside(&database)?;
    fs::rename(&unfinished, &database)?;
    files::sync_directory_of(&database)?;
    forget_what_is_derived(data_dir)?;
    tell(format_args!("{}: {rooms} rooms, {entries} entries", database.display()))?;
    if let Some(kept) = kept {
        tell(format_args!("what was there is {}", kept.display()))?;
    }
    Ok(())
}

/// Makes a database out of the backup that can take the place of the other, and checks it.
fn prepare(file: &Path, to: &Path, new_epoch: impl FnMut() -> Epoch) -> anyhow::Result<Report> {
    let backup = opening::read_any_version(file)?;
    files::copy(&backup, to).map_err(|error| error.at(to))?;
    let mut copy = opening::connect(to).map_err(|error| StoreError::of(to, error))?;
    schema::migrate_copy(&mut copy, file)?;
    let report = verify(&copy, file)?;
    refuse_damage(&report, file)?;
    begin_epochs(&mut copy, to, new_epoch)?;
    refuse_damage(&verify(&copy, to)?, to)?;
    drop(copy);
    fs::File::open(to)?.sync_all()?;
    Ok(report)
}

/// Gives what is there another name, `madang.db.before-restore-1` or the next that is free, and
/// answers it. The database keeps its own name too, until another takes it: at no moment is there
/// none.
fn set_aside(database: &Path) -> anyhow::Result<Option<PathBuf>> {
    let length = fs::metadata(database).map_or(0, |metadata| metadata.len());
    let logs = ["-wal", "-journal"].map(|ending| (ending, files::beside(database, ending)));
    if length == 0 && !logs.iter().any(|(_, log)| log.exists()) {
        return Ok(None);
    }
    let names = (1..).map(|nth| files::beside(database, &format!(".before-restore-{nth}")));
    let free = |name: &PathBuf| !name.exists() && !files::beside(name, "-wal").exists();
    let mut names = names.filter(free);
    let aside = names.next().expect("there is always a next number");
    // What is in the log goes into the file: then the file is all there is. What is no database
    // would only take its log along.
    if files::begins_like_a_database(database)
        && let Ok(connection) = opening::connect(database)
    {
        drop(connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())));
    }
    if length > 0 && fs::hard_link(database, &aside).is_err() {
        let copied = fs::copy(database, &aside).and_then(|_| fs::File::open(&aside)?.sync_all());
        copied.with_context(|| format!("{} could not be copied", database.display()))?;
    }
    for (ending, log) in logs.iter().filter(|(_, log)| log.exists()) {
        fs::rename(log, files::beside(&aside, ending))?;
    }
    remove(&files::beside(database, "-shm"))?;
    files::sync_directory_of(database)?;
    Ok(Some(aside))
}

/// The search index is built again from the logs.
fn forget_what_is_derived(data_dir: &Path) -> anyhow::Result<()> {
    for file in fs::read_dir(data_dir)? {
        let file = file?;
        if file.file_name().to_string_lossy().starts_with("search.db") {
            remove(&file.path())?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
