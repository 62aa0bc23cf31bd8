//! The habits of the sources that no compiler checks, as a test: each complaint names a line and
//! says what to do.
//!
//! It must never change a file. Read in this order: `source` (what is read), then the rules:
//! `imports` (who may know whom), `browser` (what the page never does), `text` (lengths, titles,
//! words).

mod source;

mod imports;

mod browser;

mod text;

use std::fmt;

use anyhow::{Result, bail};

use self::source::Source;
use crate::place;

/// One broken habit.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Complaint {
    path: String,
    line: usize,
    what: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Checks every source of the checkout.
pub(crate) fn check_checkout() -> Result<()> {
    let sources = source::checkout(&place::root())?;
    for advice in text::long_files(&sources) {
        eprintln!("advice: {advice}");
    }
    let complaints = check(&sources);
    if complaints.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = complaints.iter().map(Complaint::to_string).collect();
    bail!("the sources are not tidy:\n{}", lines.join("\n"))
}

fn check(sources: &[Source]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    complaints.extend(imports::check(sources));
    complaints.extend(browser::check(sources));
    complaints.extend(text::check(sources));
    complaints.sort();
    complaints
}

#[cfg(test)]
mod tests;
