//! The files of the database: what stands beside it, copies, and what must be synced so that they
//! outlive the machine's power.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};

use super::StoreError;

/// Why a copy was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// SQLite says why.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The operating system says why.
    #[error(transparent)]
    File(#[from] io::Error),
    /// It would take the place of something.
    #[error("it exists")]
    Exists,
}

impl CopyError {
    /// The same, said of the store that has this file.
    pub(crate) fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Sqlite(error) => StoreError::of(path, error),
            Self::File(source) => StoreError::File { path: path.to_owned(), source },
            Self::Exists => {
                let source = io::Error::from(io::ErrorKind::AlreadyExists);
                StoreError::File { path: path.to_owned(), source }
            }
        }
    }
}

/// A path with something behind its name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Copies a database, also one in use, as it is at one moment; the copy is durable when this
/// returns and has its name only when it is whole.
pub(crate) fn copy(from: &Connection, to: &Path) -> Result<(), CopyError> {
    if to.exists() {
        return Err(CopyError::Exists);
    }
    let unfinished = beside(to, ".tmp");
    remove_database(&unfinished)?;
    {
        let mut target = Connection::open(&unfinished)?;
        // Nobody else reads the copy: no log is needed, and one file holds it.
        target.pragma_update(None, "synchronous", "OFF")?;
        // All pages in one step: between two, a commit would make it begin again.
        if Backup::new(from, &mut target)?.step(-1)? != StepResult::Done {
            return Err(io::Error::from(io::ErrorKind::ResourceBusy).into());
        }
        target.pragma_update(None, "journal_mode", "DELETE")?;
    }
    File::open(&unfinished)?.sync_all()?;
    // Another may have taken the name in the meantime; a link, unlike a renaming, replaces nothing.
    match fs::hard_link(&unfinished, to) {
        Ok(()) => fs::remove_file(&unfinished)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(CopyError::Exists);
        }
        Err(_) => fs::rename(&unfinished, to)?,
    }
    sync_directory_of(to)?;
    Ok(())
}

/// Whether the file has the header of a database.
/// <https://sqlite.org/fileformat2.html#the_database_header>
pub(crate) fn begins_like_a_database(path: &Path) -> bool {
    let mut header = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header == *b"SQLite format 3\0"
}

/// Takes a database away, with its log.
pub(crate) fn remove_database(path: &Path) -> io::Result<()> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(path, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Makes the names in the directory of this file durable.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// Whether there is no room left beside this file: asked when a write failed without saying so.
pub(crate) fn is_full(path: &Path) -> bool {
    const PROBE_BYTES: usize = 64 * 1024;
    let probe = beside(path, ".probe");
    let written = fs::write(&probe, [0; PROBE_BYTES]).and_then(|()| File::open(&probe)?.sync_all());
    // What is left of it is overwritten by the next one.
    let _ = fs::remove_file(&probe);
    written.is_err_and(|error| {
        matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    })
}
