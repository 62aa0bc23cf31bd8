//! Programs of the system: file systems, mounts and system calls are theirs to change.

use std::{path::Path, process::Stdio};

use anyhow::{Context as _, bail};
use tokio::process::Command;

use crate::deadline;

/// Runs a program to its end and answers what it said.
///
/// # Errors
/// It is not here, or it failed; the error says what it said.
pub async fn run(program: &str, words: &[&str]) -> anyhow::Result<String> {
    let named = || format!("{program} {}", words.join(" "));
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).kill_on_drop(true);
    let output = deadline::within(deadline::TOOL, &named(), command.output()).await?;
    let output = output.with_context(named)?;
    if !output.status.success() {
        bail!("{}: {}", named(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether this process may do what only the system's owner may.
pub async fn is_root() -> bool {
    run("id", &["-u"]).await.is_ok_and(|id| id.trim() == "0")
}

/// Sees to it that a program is here; installs the Debian package that has it where that is
/// possible.
///
/// # Errors
/// It is not here and cannot be installed; the error says what to do.
pub async fn needs(program: &str, package: &str) -> anyhow::Result<()> {
    if is_here(program) {
        return Ok(());
    }
    if is_root().await && is_here("apt-get") {
        eprintln!("{program} is not here: installing {package}");
        let words = ["install", "--yes", "--no-install-recommends", package];
        run("apt-get", &words).await.with_context(|| format!("{program} is not here"))?;
    }
    if is_here(program) { Ok(()) } else { bail!("{program} is not here (package {package})") }
}

fn is_here(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Programs for the system's owner are not on everybody's path.
    let more = ["/usr/sbin", "/sbin"].map(Into::into);
    std::env::split_paths(&path).chain(more).any(|folder| folder.join(program).is_file())
}

/// A path as an argument.
///
/// # Errors
/// It is not readable text.
pub fn word(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("{} is not readable text", path.display()))
}
