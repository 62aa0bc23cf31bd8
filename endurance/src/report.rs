//! What came of a run.

use std::{fmt, time::Duration};

use crate::{
    judge::{Finding, Promise},
    scene::Tally,
};

/// So many findings are written out.
const FINDINGS_SHOWN: usize = 12;

/// A run that was judged.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was done to the server.
    pub fault: &'static str,
    /// How often.
    pub cycles: u32,
    /// How often the server was started.
    pub lives: u32,
    /// What happened.
    pub tally: Tally,
    /// Entries in all rooms at the end.
    pub entries: u64,
    /// The longest time from a start to a server that takes connections.
    pub longest_start: Duration,
    /// How long all of it took.
    pub took: Duration,
    /// The chance of this run.
    pub seed: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether every promise was kept.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.findings.is_empty()
    }

    /// How often this promise was broken.
    #[must_use]
    pub fn broken(&self, promise: Promise) -> usize {
        self.findings.iter().filter(|finding| finding.breaks() == promise).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { acks, resends, full, unavailable, slowed, resumed, .. } = &self.tally;
        writeln!(f, "fault                  {}", self.fault)?;
        writeln!(f, "seed                   {}", self.seed)?;
        writeln!(f, "cycles                 {}", self.cycles)?;
        writeln!(f, "starts                 {}", self.lives)?;
        writeln!(f, "took                   {:.1} s", self.took.as_secs_f64())?;
        writeln!(f, "acks                   {acks}")?;
        writeln!(f, "entries                {}", self.entries)?;
        writeln!(f, "said again             {resends}")?;
        writeln!(f, "refused: no room       {full}")?;
        writeln!(f, "refused: store         {unavailable}")?;
        writeln!(f, "refused: to wait       {slowed}")?;
        writeln!(f, "followers resumed      {resumed}")?;
        writeln!(f, "longest start          {} ms", self.longest_start.as_millis())?;
        writeln!(f, "lost                   {}", self.broken(Promise::NothingLost))?;
        writeln!(f, "doubled                {}", self.broken(Promise::NothingDoubled))?;
        writeln!(f, "reordered              {}", self.broken(Promise::NothingReordered))?;
        writeln!(f, "false acks             {}", self.broken(Promise::NoFalseAck))?;
        write!(f, "not resumed            {}", self.broken(Promise::EverythingResumed))?;
        for finding in self.findings.iter().take(FINDINGS_SHOWN) {
            write!(f, "\n  {finding}")?;
        }
        let more = self.findings.len().saturating_sub(FINDINGS_SHOWN);
        if more > 0 {
            write!(f, "\n  and {more} more")?;
        }
        Ok(())
    }
}
