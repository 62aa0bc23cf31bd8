//! Other programs, started so that a failure says which one it was.

use std::{env, process::Command};

use anyhow::{Context, Result, bail};

use crate::place;

/// Cargo, in the root of the checkout, held to the lock file.
pub(crate) fn cargo(words: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(words).current_dir(place::root());
    cargo
}

/// Runs a program to its end; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| cannot_start(command))?;
    if status.success() {
        return Ok(());
    }
    bail!("this failed ({status}): {}", line(command))
}

/// Runs a program to its end and returns what it printed; anything but success is an error.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| cannot_start(command))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    bail!("this failed ({}): {}\n{}", output.status, line(command), said.trim())
}

fn cannot_start(command: &Command) -> String {
    format!("this cannot be started: {}", line(command))
}

/// The command as a person would type it.
fn line(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let words = command.get_args().map(|word| word.to_string_lossy());
    std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
}
