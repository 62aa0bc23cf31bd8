//! `cargo xtask run`: from a checkout to a running server.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use crate::{command, page, place};

/// Builds the page and the server that holds it, and becomes that server.
pub(crate) fn run(flags: &[&str]) -> Result<()> {
    page::build(&place::root().join("dist"))?;
    let server = build_server("quick")?;
    start(Command::new(server).args(flags).current_dir(place::root()))
}

/// Builds the server with the page of `dist/` inside, in a profile other than `dev`, and says where
/// it is.
pub(crate) fn build_server(profile: &str) -> Result<PathBuf> {
    let build = ["build", "--locked", "--profile", profile, "--package", "server"];
    command::run(&mut command::cargo(&build))?;
    let name = format!("server{}", std::env::consts::EXE_SUFFIX);
    Ok(place::target().join(profile).join(name))
}

/// The server takes this process's place, so that a signal meant for it reaches it.
#[cfg(unix)]
fn start(server: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(anyhow::Error::new(server.exec()).context("the server cannot be started"))
}

#[cfg(not(unix))]
fn start(server: &mut Command) -> Result<()> {
    command::run(server)
}
