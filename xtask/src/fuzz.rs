//! `cargo xtask fuzz`: every decoder is handed what nobody would write, one after the other, each
//! for some seconds. It is no part of `cargo xtask test`: what it finds becomes a test there.
//!
//! The pinned compiler does it. There is no `unsafe` in our crates, so no sanitizer is asked for, and
//! nothing of a nightly is needed. What was found to lead somewhere new is kept under `target/fuzz`.

use std::{fs, path::Path, process::Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    command::{self, cargo},
    install, place,
};

/// Seconds for one target.
const SECONDS: u32 = 60;
/// Bytes of one input.
const BYTES_MAX: u32 = 4_096;
/// Seconds after which an input that is still being worked on is a finding.
const TIMEOUT_S: u32 = 20;

/// Fuzzes all targets, or the one of this name.
pub(crate) fn fuzz(words: &[&str]) -> Result<()> {
    let (seconds, only) = match words {
        [] => (SECONDS, None),
        ["--seconds", seconds] => (seconds.parse()?, None),
        ["--seconds", seconds, only] => (seconds.parse()?, Some(*only)),
        [only] => (SECONDS, Some(*only)),
        _ => bail!("usage: cargo xtask fuzz [--seconds N] [TARGET]"),
    };
    let targets = targets()?;
    ensure!(
        only.is_none_or(|only| targets.iter().any(|target| target == only)),
        "the targets are {}",
        targets.join(", ")
    );
    command::run(&mut cargo_fuzz(&["build"])?)?;
    for target in targets.iter().filter(|target| only.is_none_or(|only| *target == only)) {
        run(target, seconds)?;
    }
    Ok(())
}

/// The names of the files in `fuzz/fuzz_targets`.
fn targets() -> Result<Vec<String>> {
    let folder = place::root().join("fuzz").join("fuzz_targets");
    let mut targets = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        targets.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    targets.sort();
    Ok(targets)
}

fn run(target: &str, seconds: u32) -> Result<()> {
    eprintln!("\n== {target}, {seconds} s");
    let (output, ours) = (place::target().join("fuzz"), place::root().join("fuzz"));
    let (corpus, found) = (output.join("corpus").join(target), output.join("found").join(target));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&found)?;
    let mut fuzz = cargo_fuzz(&["run"])?;
    // New inputs go into the first folder; those that are committed are only read.
    fuzz.arg(target).arg(&corpus).arg(ours.join("seeds").join(target)).arg("--");
    let dictionary = ours.join("dictionaries").join(format!("{target}.dict"));
    if dictionary.is_file() {
        fuzz.arg(option("dict", &dictionary));
    }
    // The names of findings are appended to it.
    fuzz.arg(format!("{}/", option("artifact_prefix", &found)))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={BYTES_MAX}"))
        .arg(format!("-timeout={TIMEOUT_S}"))
        .arg("-print_final_stats=1")
        // Some targets give commands that tell what became of them.
        .stdout(Stdio::null());
    command::run(&mut fuzz)
        .with_context(|| format!("{target} found something: see {}", found.display()))
}

fn option(name: &str, path: &Path) -> String {
    format!("-{name}={}", path.display())
}

fn cargo_fuzz(words: &[&str]) -> Result<std::process::Command> {
    let path = install::path_with(install::cargo_fuzz()?)?;
    let mut cargo = cargo(&["fuzz"]);
    // With overflow checks and our own assertions, as fast as a release.
    cargo.args(words).args(["--release", "--debug-assertions", "--sanitizer", "none"]);
    cargo.args(["--fuzz-dir", "fuzz"]).env("PATH", path);
    cargo.env("CARGO_TARGET_DIR", place::target().join("fuzz"));
    Ok(cargo)
}
