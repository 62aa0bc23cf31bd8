//! Where things are: the checkout, its build output, and what is kept for the user.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    // cargo says at run time where the package is; a moved checkout may still hold an old build.
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Cargo's build output.
pub(crate) fn target() -> PathBuf {
    // A relative CARGO_TARGET_DIR counts from where cargo was started.
    match env::var_os("CARGO_TARGET_DIR") {
        Some(given) => env::current_dir().unwrap_or_else(|_| root()).join(given),
        None => root().join("target"),
    }
}

/// Where cargo keeps what it downloaded.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = env::var_os("CARGO_HOME").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(home));
    }
    Ok(home()?.join(".cargo"))
}

/// Tools that were built for this user: `$XDG_CACHE_HOME/madang` or `~/.cache/madang`.
pub(crate) fn cache() -> Result<PathBuf> {
    if let Some(cache) = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(cache).join("madang"));
    }
    Ok(home()?.join(".cache").join("madang"))
}

fn home() -> Result<PathBuf> {
    env::var_os("HOME")
        .or_else(|| env::var_os("USERPROFILE"))
        .map(PathBuf::from)
        .context("HOME does not say where the user's own files are; set it")
}

/// The first of these programs that the PATH holds.
pub(crate) fn program(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let file = |name: &&str| {
        folders.iter().map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
    };
    names.iter().find_map(file)
}
