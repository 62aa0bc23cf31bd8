//! `cargo xtask`: one command for everything, the same on every machine and in CI.
//!
//! It must never need a tool that it cannot install by itself, and never put one into the
//! checkout. Read in this order: `run` and `page` (what a person starts), `steps` (what the
//! tests are), `install`, `weight`, `fuzz`, `bench`, `tidy`, and at last `place` and `command`, which all use.

mod run;

mod page;

mod steps;

mod install;

mod weight;

mod fuzz;

mod bench;

mod tidy;

mod place;

mod command;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask <command>

  run [-- FLAGS]   build the page and the server, and start it; FLAGS are the server's own
  page             build the page into dist/
  test [--fast]    install what the tests need and run all of them; --fast: no browser, no trunk
  ci               the same as test
  fuzz [--seconds N] [TARGET]
                   hand every decoder what nobody would write, N seconds each
  bench [--quick] [--only NAME,…]
                   measure the server beside others and write docs/benchmarks.md;
                   --report: write it anew from what was measured last
  install          only what the tests need
  tidy             only the habits of the sources: imports, lengths, titles";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match command(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command(words: &[&str]) -> Result<()> {
    match words {
        ["run", "--", flags @ ..] | ["run", flags @ ..] => run::run(flags),
        ["page"] => page::build(&place::root().join("dist")),
        ["test" | "ci"] => steps::test(steps::Extent::Everything),
        ["test" | "ci", "--fast"] => steps::test(steps::Extent::Fast),
        ["fuzz", words @ ..] => fuzz::fuzz(words),
        ["bench", words @ ..] => bench::bench(words),
        ["install"] => steps::install(),
        ["tidy"] => tidy::check_checkout(),
        _ => bail!("{USAGE}"),
    }
}
