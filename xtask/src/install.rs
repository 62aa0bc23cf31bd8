//! What the page and the tests need and a fresh machine has not.
//!
//! Everything is pinned and kept outside the checkout, under a name with its version, so that two
//! checkouts share it and an old one finds its own. Where something cannot be installed, the
//! message says what to type.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{command, place};

/// What the page is compiled for.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The newest trunk that the pinned compiler builds.
const TRUNK_VERSION: &str = "0.21.14";

/// What builds and runs the targets in `fuzz/`.
const CARGO_FUZZ_VERSION: &str = "0.13.1";

/// The page, xtask and `tools/` must agree on this version; the test below sees to it.
const WASM_BINDGEN_VERSION: &str = "0.2.126";

/// The oldest Node that playwright-core runs on.
const NODE_MAJOR_MIN: u32 = 20;

/// The compiler's own library for WebAssembly.
pub(crate) fn wasm_target() -> Result<()> {
    let ask = ["--print", "target-libdir", "--target", WASM_TARGET];
    let library = command::read(Command::new("rustc").args(ask).current_dir(place::root()))?;
    if PathBuf::from(library.trim()).is_dir() {
        return Ok(());
    }
    eprintln!("installing: Rust's library for {WASM_TARGET}");
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", WASM_TARGET]).current_dir(place::root());
    command::run(&mut rustup).with_context(|| {
        format!("the compiler lacks {WASM_TARGET}; install it the way your rustc was installed")
    })
}

/// trunk, the front-end developer's builder.
pub(crate) fn trunk() -> Result<PathBuf> {
    let home = place::cache()?.join(format!("trunk-{TRUNK_VERSION}"));
    let trunk = home.join("bin").join(format!("trunk{}", env::consts::EXE_SUFFIX));
    if trunk.is_file() {
        return Ok(trunk);
    }
    eprintln!("installing: trunk {TRUNK_VERSION} into {} (some minutes)", home.display());
    let package = format!("trunk@{TRUNK_VERSION}");
    install(command::cargo(&["install", "--locked", &package]), &home)?;
    Ok(trunk)
}

/// The folder of cargo-fuzz, which cargo looks for in the PATH.
pub(crate) fn cargo_fuzz() -> Result<PathBuf> {
    let home = place::cache()?.join(format!("cargo-fuzz-{CARGO_FUZZ_VERSION}"));
    let programs = home.join("bin");
    if !programs.join(format!("cargo-fuzz{}", env::consts::EXE_SUFFIX)).is_file() {
        eprintln!("installing: cargo-fuzz {CARGO_FUZZ_VERSION} into {}", home.display());
        let package = format!("cargo-fuzz@{CARGO_FUZZ_VERSION}");
        install(command::cargo(&["install", "--locked", &package]), &home)?;
    }
    Ok(programs)
}

/// The folder of wasm-bindgen's command and test runner, which trunk looks for in the PATH.
pub(crate) fn wasm_bindgen() -> Result<PathBuf> {
    let home = place::cache()?.join(format!("wasm-bindgen-{WASM_BINDGEN_VERSION}"));
    let programs = home.join("bin");
    let names = ["wasm-bindgen", "wasm-bindgen-test-runner"];
    let exists =
        |name: &&str| programs.join(format!("{name}{}", env::consts::EXE_SUFFIX)).is_file();
    if !names.iter().all(exists) {
        eprintln!("installing: wasm-bindgen {WASM_BINDGEN_VERSION} into {}", home.display());
        install(command::cargo(&["install", "--locked", "--path", "tools"]), &home)?;
    }
    Ok(programs)
}

fn install(mut cargo: Command, home: &Path) -> Result<()> {
    let scratch = home.with_extension("build");
    // These run for a second each: building them quickly is worth more.
    cargo
        .arg("--quiet")
        .arg("--root")
        .arg(home)
        .arg("--target-dir")
        .arg(&scratch)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    command::run(&mut cargo)?;
    fs::remove_dir_all(&scratch).with_context(|| format!("cannot clear {}", scratch.display()))
}

/// The PATH with a folder in front.
pub(crate) fn path_with(folder: PathBuf) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(std::iter::once(folder).chain(env::split_paths(&path)))
        .context("a folder of the PATH has a character that a PATH cannot hold")
}

/// Chromium, with fonts that can show Hangul and emoji, and Node, which drives it.
pub(crate) fn browser() -> Result<PathBuf> {
    let mut missing = Vec::new();
    if chromium().is_none() {
        missing.push("chromium");
    }
    if !has_korean_font() {
        missing.extend(["fonts-noto-cjk", "fonts-noto-color-emoji"]);
    }
    if place::program(&["node"]).is_none() {
        missing.push("nodejs");
    }
    if place::program(&["npm"]).is_none() {
        missing.push("npm");
    }
    if !missing.is_empty() {
        system_packages("the browser tests", &missing, command::run)?;
    }
    let version = command::read(Command::new("node").arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next().unwrap_or_default();
    ensure!(
        major.parse::<u32>().is_ok_and(|major| major >= NODE_MAJOR_MIN),
        "the browser tests need Node {NODE_MAJOR_MIN} or newer and this is {version}; \
         install one from https://nodejs.org"
    );
    chromium().context("no Chromium in the PATH, although it was installed")
}

fn chromium() -> Option<PathBuf> {
    env::var_os("CHROMIUM")
        .map(PathBuf::from)
        .or_else(|| place::program(&["chromium", "chromium-browser", "google-chrome"]))
}

/// Only asked where fonts come as packages; elsewhere the system brings them along.
fn has_korean_font() -> bool {
    if place::program(&["apt-get"]).is_none() {
        return true;
    }
    let fonts = command::read(Command::new("fc-list").arg(":lang=ko"));
    fonts.is_ok_and(|fonts| !fonts.trim().is_empty())
}

/// Packages of Debian and its kin; `who` needs them, and `run` runs what installs them.
pub(crate) fn system_packages(
    who: &str,
    names: &[&str],
    run: impl Fn(&mut Command) -> Result<()>,
) -> Result<()> {
    let list = names.join(" ");
    let by_hand = format!("apt-get update && apt-get install --no-install-recommends {list}");
    if place::program(&["apt-get"]).is_none() {
        bail!("{who} need {list}: install them with this system's package manager");
    }
    let user = command::read(Command::new("id").arg("-u"))?;
    ensure!(user.trim() == "0", "{who} need {list}; as root type: {by_hand}");
    eprintln!("installing: {list}");
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    let failed = || format!("{who} need {list}; this did not work: {by_hand}");
    run(apt().arg("update")).with_context(failed)?;
    let install = ["install", "--yes", "--no-install-recommends"];
    run(apt().args(install).args(names)).with_context(failed)
}

/// The browser tests' two packages, as the lock file names them.
pub(crate) fn node_packages() -> Result<()> {
    let folder = place::root().join("e2e");
    let wanted = fs::read(folder.join("package-lock.json"))?;
    let stamp = folder.join("node_modules").join(".installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    eprintln!("installing: the browser tests' packages into {}", folder.display());
    let words = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
    command::run(Command::new("npm").args(words).current_dir(&folder)).context(
        "npm cannot install what e2e/package-lock.json names; is its registry reachable?",
    )?;
    fs::write(&stamp, wanted)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_its_tools_agree_on_one_wasm_bindgen() {
        let root = place::root();
        for (manifest, package) in [
            ("Cargo.toml", "wasm-bindgen"),
            ("xtask/Cargo.toml", "wasm-bindgen-cli-support"),
            ("tools/Cargo.toml", "wasm-bindgen-cli"),
        ] {
            let text = fs::read_to_string(root.join(manifest)).unwrap();
            let begin = format!("{package} =");
            let line = text.lines().find(|line| line.starts_with(&begin)).unwrap();
            assert!(line.contains(&format!("\"={WASM_BINDGEN_VERSION}\"")), "{manifest}: {line}");
        }
    }
}
