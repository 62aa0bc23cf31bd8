//! `cargo xtask test`: every step in its order, each with its time, the first failure ends it.

use std::{fs, path::Path, process::Command, time::Instant};

use anyhow::{Result, bail};

use crate::{
    command::{self, cargo},
    install, page, place, run, tidy, weight,
};

/// How much is tested.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What a person waits for between two edits: no browser, no trunk.
    Fast,
    /// All of it.
    Everything,
}

type Step = (&'static str, fn() -> Result<()>);

const FAST: &[Step] = &[
    ("format", format),
    ("tidy", tidy::check_checkout),
    ("dependencies", dependencies),
    ("lints", lints),
    ("lints for WebAssembly", lints_for_wasm),
    ("tests", tests),
    ("tests of xtask", tests_of_xtask),
    ("tests of the floor", tests_of_the_floor),
    ("documentation", documentation),
    ("page", build_page),
    ("weight of the page", weigh_page),
];

const BROWSER: &[Step] = &[
    ("browser and its packages", install_browser),
    ("server", build_server),
    ("browser tests", browser_tests),
    ("trunk and its tools", install_trunk),
    ("page by trunk", build_page_by_trunk),
    ("browser tests of trunk's page", browser_tests_of_trunk),
];

/// Installs what is missing and runs the steps.
pub(crate) fn test(extent: Extent) -> Result<()> {
    let more = match extent {
        Extent::Fast => &[],
        Extent::Everything => BROWSER,
    };
    let mut passed: Vec<(&str, f64)> = Vec::new();
    for (name, step) in FAST.iter().chain(more) {
        eprintln!("\n== {name}");
        #[expect(clippy::disallowed_methods, reason = "this is a shell: it tells how long it took")]
        let begun = Instant::now();
        let outcome = step();
        let seconds = begun.elapsed().as_secs_f64();
        if let Err(error) = outcome {
            summarise(&passed);
            eprintln!("FAILED {seconds:>6.1} s  {name}\n\n{error:#}\n");
            bail!("{} passed, 1 failed: {name}", passed.len());
        }
        passed.push((name, seconds));
    }
    summarise(&passed);
    eprintln!("{} passed, 0 failed", passed.len());
    Ok(())
}

fn summarise(passed: &[(&str, f64)]) {
    eprintln!();
    for (name, seconds) in passed {
        eprintln!("ok     {seconds:>6.1} s  {name}");
    }
}

fn format() -> Result<()> {
    command::run(&mut cargo(&["fmt", "--all", "--check"]))?;
    for beside in ["tools/Cargo.toml", "fuzz/Cargo.toml", "bench/Cargo.toml"] {
        command::run(&mut cargo(&["fmt", "--all", "--manifest-path", beside, "--check"]))?;
    }
    Ok(())
}

/// Licences, sources and doubled versions (`deny.toml`). Known holes are looked up on the network
/// and are not part of a test that must give the same answer tomorrow.
fn dependencies() -> Result<()> {
    if place::program(&["cargo-deny"]).is_none() {
        eprintln!("left out: cargo-deny is not here (cargo install --locked cargo-deny)");
        return Ok(());
    }
    let words =
        ["deny", "--locked", "--log-level", "error", "check", "bans", "licenses", "sources"];
    command::run(&mut cargo(&words))
}

fn lints() -> Result<()> {
    let words = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    command::run(&mut cargo(&words))
}

fn lints_for_wasm() -> Result<()> {
    install::wasm_target()?;
    let mut clippy = cargo(&["clippy", "--locked", "--target", install::WASM_TARGET]);
    clippy.args(["-p", "common", "-p", "session", "-p", "frontend", "--", "-D", "warnings"]);
    command::run(&mut clippy)
}

/// An error says what failed; where a test called what returned it is noise that hides it.
fn tests() -> Result<()> {
    let mut test = cargo(&["test", "--locked", "--workspace", "--exclude", "xtask"]);
    command::run(test.env("RUST_LIB_BACKTRACE", "0"))
}

/// With its own profile, in which its dependencies are built already.
fn tests_of_xtask() -> Result<()> {
    command::run(&mut cargo(&["test", "--locked", "--profile", "xtask", "--package", "xtask"]))
}

/// What everything is measured by is right itself.
fn tests_of_the_floor() -> Result<()> {
    let mut test = cargo(&["test", "--locked", "--manifest-path", "bench/Cargo.toml"]);
    test.args(["--package", "floor", "--target-dir"]).arg(place::target().join("bench"));
    command::run(&mut test)
}

fn documentation() -> Result<()> {
    let mut doc = cargo(&["doc", "--locked", "--workspace", "--exclude", "xtask", "--no-deps"]);
    command::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

fn build_page() -> Result<()> {
    page::build(&place::root().join("dist"))
}

fn weigh_page() -> Result<()> {
    weight::check(&place::root().join("dist"))
}

/// Installs all that the tests need and this machine has not.
pub(crate) fn install() -> Result<()> {
    install::wasm_target()?;
    install_browser()?;
    install_trunk()
}

fn install_browser() -> Result<()> {
    install::browser()?;
    install::node_packages()
}

fn build_server() -> Result<()> {
    run::build_server("release").map(|_| ())
}

/// Every story, against the page inside the server.
fn browser_tests() -> Result<()> {
    let mut stories = Vec::new();
    for entry in fs::read_dir(place::root().join("e2e").join("stories"))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            stories.push(path);
        }
    }
    stories.sort();
    command::run(node(&run::build_server("release")?)?.args(stories))
}

fn install_trunk() -> Result<()> {
    install::trunk()?;
    install::wasm_bindgen()?;
    Ok(())
}

fn build_page_by_trunk() -> Result<()> {
    let mut trunk = Command::new(install::trunk()?);
    trunk
        .args(["build", "--release", "--dist"])
        .arg(place::target().join("trunk"))
        .current_dir(place::root())
        .env("PATH", install::path_with(install::wasm_bindgen()?)?)
        // trunk takes the value as an argument of its own and stumbles over `1`.
        .env_remove("NO_COLOR");
    command::run(&mut trunk)
}

/// One story from beginning to end, against the page as trunk built it.
fn browser_tests_of_trunk() -> Result<()> {
    let smoke = place::root().join("e2e").join("stories").join("two-windows.test.mjs");
    let mut node = node(&run::build_server("release")?)?;
    command::run(node.arg(smoke).env("MADANG_TEST_PAGE_DIR", place::target().join("trunk")))
}

fn node(server: &Path) -> Result<Command> {
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"])
        .current_dir(place::root().join("e2e"))
        .env("MADANG_TEST_SERVER", server)
        .env("CHROMIUM", install::browser()?);
    Ok(node)
}
