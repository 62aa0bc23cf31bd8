//! What happened, readable, with virtual times. It is written only when somebody will read it.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// How a world broke one of its promises.
#[derive(Debug)]
pub struct Failure {
    /// The world.
    pub seed: u64,
    /// When, since the world began.
    pub at: Duration,
    /// Which promise, and how.
    pub what: String,
    /// What happened until then.
    pub story: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LINES_MAX: usize = 400;
        let skipped = self.story.len().saturating_sub(LINES_MAX);
        writeln!(f, "the story of seed {} ({skipped} earlier lines left out):", self.seed)?;
        for line in &self.story[skipped..] {
            writeln!(f, "{line}")?;
        }
        let Self { seed, at, what, .. } = self;
        writeln!(f, "seed {seed}, {:.3} s: {what}", at.as_secs_f64())?;
        let next = seed + 1;
        write!(f, "again: MADANG_SEEDS={seed}..{next} cargo test -p simulation every_world")
    }
}

#[derive(Debug)]
pub(crate) struct Story {
    begin: Instant,
    lines: Option<Vec<String>>,
}

impl Story {
    pub(crate) fn new(begin: Instant, told: bool) -> Self {
        Self { begin, lines: told.then(Vec::new) }
    }

    pub(crate) fn tell(&mut self, now: Instant, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            let at = now.saturating_duration_since(self.begin).as_secs_f64();
            lines.push(format!("{at:>9.3}  {}", line()));
        }
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}
