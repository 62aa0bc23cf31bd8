//! What a bench needs and a fresh machine has not.
//!
//! Nothing is put into the checkout: what Python and Node install stands in the user's cache, under
//! a name with the fingerprint of the files that asked for it.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};

use super::{contender::Contender, process};
use crate::{command, install, place};

/// How long installing one thing may take.
const INSTALLING_MAX: Duration = Duration::from_mins(10);

/// How a contender is started. `{port}` and `{data}` stand for its port and an empty folder.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) words: Vec<String>,
    /// What it is told besides where all that comes is to be let in, although it comes from a few
    /// addresses.
    pub(super) unlimited: Vec<String>,
    /// What it says when it listens.
    pub(super) ready: &'static str,
}

/// Builds the server and loadgen, and says where loadgen is.
pub(super) fn build() -> Result<PathBuf> {
    let words = ["build", "--locked", "--release", "--package", "server", "--package", "loadgen"];
    command::run(&mut command::cargo(&words))?;
    Ok(place::target().join("release").join("loadgen"))
}

/// Installs a contender.
///
/// # Errors
///
/// Says what could not be installed and why.
pub(super) fn launch(contender: Contender) -> Result<Launch> {
    match contender {
        Contender::Madang => Ok(madang()),
        Contender::Echo => echo(),
        Contender::Coalesced => rust("floor", &["--coalesced"]),
        Contender::PerFollower => rust("floor", &["--per-follower"]),
        Contender::Warp => rust("warp-rooms", &[]),
        Contender::UWebSockets => cpp(),
        Contender::Socketify => {
            // Its native library loads Debian's libuv.
            if !has_library("libuv.so.1")? {
                debian(&["libuv1"])?;
            }
            python("socketify")
        }
        Contender::FastApi => python("fastapi"),
        Contender::NodeWs => node("node-ws"),
        Contender::SocketIo => node("socketio"),
        Contender::Nats => nats(),
    }
}

fn madang() -> Launch {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    Launch {
        program: place::target().join("release").join("server"),
        words: words(
            "--listen 127.0.0.1:{port} --data-dir {data} --says-per-second 1000000 \
             --rooms-max 10000",
        ),
        unlimited: words(
            "--connections-per-address-max 20000 --opens-per-address-per-second 100000 \
             --opens-per-second 100000",
        ),
        ready: "Madang is open at",
    }
}

fn echo() -> Result<Launch> {
    let words = ["build", "--locked", "--release", "--package", "server", "--example", "echo"];
    command::run(&mut command::cargo(&words))?;
    Ok(Launch {
        program: place::target().join("release/examples/echo"),
        words: vec!["--listen".to_owned(), "127.0.0.1:{port}".to_owned()],
        unlimited: Vec::new(),
        ready: "an echo is open at",
    })
}

/// A member of the workspace `bench/`.
fn rust(package: &str, words: &[&str]) -> Result<Launch> {
    let target = place::target().join("bench");
    let build = ["build", "--locked", "--release", "--manifest-path", "bench/Cargo.toml"];
    let mut cargo = command::cargo(&build);
    command::run(cargo.args(["--package", package, "--target-dir"]).arg(&target))?;
    Ok(listening(target.join("release").join(package), words.iter().map(|it| (*it).to_owned())))
}

fn python(peer: &str) -> Result<Launch> {
    let home = installed(peer, |home| {
        let has_venv = Command::new("python3").args(["-m", "ensurepip", "--version"]).output();
        if !has_venv.is_ok_and(|asked| asked.status.success()) {
            debian(&["python3-venv"])?;
        }
        let venv = ["-m", "venv", "venv"];
        process::install(Command::new("python3").args(venv).current_dir(home), INSTALLING_MAX)?;
        let words = ["--disable-pip-version-check", "install", "--no-deps", "--requirement"];
        let mut pip = Command::new(home.join("venv/bin/pip"));
        pip.args(words).arg("requirements.txt").current_dir(home);
        process::install(&mut pip, INSTALLING_MAX)
    })?;
    let script = home.join("main.py").to_string_lossy().into_owned();
    Ok(listening(home.join("venv/bin/python"), [script]))
}

fn node(peer: &str) -> Result<Launch> {
    if place::program(&["node"]).is_none() || place::program(&["npm"]).is_none() {
        debian(&["nodejs", "npm"])?;
    }
    let home = installed(peer, |home| {
        let words = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
        process::install(Command::new("npm").args(words).current_dir(home), INSTALLING_MAX)
    })?;
    let script = home.join("main.mjs").to_string_lossy().into_owned();
    Ok(listening(place::program(&["node"]).context("node is not in the PATH")?, [script]))
}

fn cpp() -> Result<Launch> {
    if place::program(&["c++"]).is_none() {
        debian(&["g++"])?;
    }
    let home = installed("uwebsockets", |home| {
        process::install(Command::new("./build.sh").current_dir(home), INSTALLING_MAX)
    })?;
    Ok(listening(home.join("rooms"), []))
}

fn nats() -> Result<Launch> {
    // Debian puts it where only root's PATH leads.
    let find = || {
        let debians = PathBuf::from("/usr/sbin/nats-server");
        place::program(&["nats-server"]).or_else(|| debians.is_file().then_some(debians))
    };
    if find().is_none() {
        debian(&["nats-server"])?;
    }
    let config = place::root().join("bench/peers/nats/nats.conf");
    Ok(Launch {
        program: find().context("no nats-server, although it was installed")?,
        words: vec!["--config".to_owned(), config.to_string_lossy().into_owned()],
        unlimited: Vec::new(),
        ready: "Server is ready",
    })
}

fn listening(program: PathBuf, words: impl IntoIterator<Item = String>) -> Launch {
    let port = ["--port".to_owned(), "{port}".to_owned()];
    let words = words.into_iter().chain(port).collect();
    Launch { program, words, unlimited: Vec::new(), ready: "listening on" }
}

/// The folder of a peer in the cache, with a copy of its files, after `install` went through there.
fn installed(peer: &str, install: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let source = place::root().join("bench").join("peers").join(peer);
    let mut files = Vec::new();
    for entry in fs::read_dir(&source)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push((entry.file_name(), fs::read(entry.path())?));
        }
    }
    files.sort();
    let mut fingerprint = DefaultHasher::new();
    files.hash(&mut fingerprint);
    let name = format!("bench-{peer}-{:016x}", fingerprint.finish());
    let home = place::cache()?.join(name);
    let stamp = home.join(".installed");
    if stamp.is_file() {
        return Ok(home);
    }
    eprintln!("installing: {peer} into {}", home.display());
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(&home)?;
    for (name, _) in files {
        // With its permissions.
        fs::copy(source.join(&name), home.join(&name))?;
    }
    install(&home)?;
    fs::write(&stamp, "")?;
    Ok(home)
}

fn has_library(name: &str) -> Result<bool> {
    Ok(command::read(Command::new("/sbin/ldconfig").arg("--print-cache"))?.contains(name))
}

/// Packages of Debian, within the time that installing may take.
fn debian(names: &[&str]) -> Result<()> {
    install::system_packages("the peers", names, |apt| process::install(apt, INSTALLING_MAX))
}
