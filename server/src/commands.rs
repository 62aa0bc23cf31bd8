//! What the program does with the data directory besides serving: `server [options] backup FILE`.

mod backup;
mod check;
mod export;
mod restore;

#[cfg(test)]
mod tests;

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use clap::Subcommand;
use common::RoomName;

use crate::{Config, log::sqlite, random};

/// Something to do once.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Copy everything that is kept into a new file, also while a server runs.
    Backup {
        /// The file; it must not exist.
        file: PathBuf,
    },
    /// Put a backup in the place of what is kept. No server may run.
    Restore {
        /// The backup.
        file: PathBuf,
    },
    /// Compare everything that is kept with its digests.
    Check,
    /// Write a room's log to standard output, one entry as JSON on each line.
    Export {
        /// The room.
        #[arg(value_parser = room_name)]
        room: RoomName,
    },
}

fn room_name(text: &str) -> Result<RoomName, common::TextError> {
    RoomName::new(text)
}

/// Does it.
///
/// # Errors
/// It could not be done, or what was checked is damaged.
pub fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let database = config.data_dir.join(sqlite::FILE_NAME);
    match command {
        Command::Backup { file } => backup::backup(&database, &file),
        Command::Restore { file } => {
            let _lock = config.lock_data_dir()?;
            restore::restore(&config.data_dir, &file, random::epoch)
        }
        Command::Check => check::check(&database),
        Command::Export { room } => export::export(&database, &room, &mut io::stdout().lock()),
    }
}

/// Tells whoever gave the command what became of it.
fn tell(line: impl std::fmt::Display) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
