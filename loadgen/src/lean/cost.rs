//! What server and load used while something was measured.

use std::time::Instant;

use crate::{clock, process::Process};

/// Above this share of its core the load may have been what limited.
const FULL: f64 = 0.95;

/// A measurement that has begun.
#[derive(Debug)]
pub(super) struct Meter {
    processes: Vec<Process>,
    began: Instant,
    server: Option<f64>,
    own: f64,
}

/// What was used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// How long it was measured, in seconds.
    pub seconds: f64,
    /// Seconds of a core that the server used, user and system, all threads.
    pub server_cpu_seconds: Option<f64>,
    /// The share of a core that the load itself used.
    pub own_cpu: f64,
}

impl Meter {
    /// Begins, on the thread that makes the load.
    pub(super) fn begins(processes: &[u32]) -> anyhow::Result<Self> {
        let processes: Vec<_> = processes.iter().copied().map(Process).collect();
        let (server, own) = (used(&processes)?, Process::own_thread_cpu_seconds()?);
        Ok(Self { processes, began: clock::now(), server, own })
    }

    /// What was used since.
    pub(super) fn ends(&self) -> anyhow::Result<Cost> {
        let seconds = self.began.elapsed().as_secs_f64();
        let own_cpu = (Process::own_thread_cpu_seconds()? - self.own) / seconds;
        let server = used(&self.processes)?;
        let server_cpu_seconds = server.zip(self.server).map(|(after, before)| after - before);
        Ok(Cost { seconds, server_cpu_seconds, own_cpu })
    }
}

impl Cost {
    /// Whether the load itself may have been what limited.
    #[must_use]
    pub fn load_generator_full(&self) -> bool {
        self.own_cpu > FULL
    }

    /// How many a second would fill the load's core, if each cost as much as these did.
    #[must_use]
    pub fn ceiling_per_second(&self, count: u64) -> Option<f64> {
        (self.own_cpu > 0.0).then(|| count as f64 / self.seconds / self.own_cpu)
    }

    /// What the server used for each of so many, in microseconds.
    #[must_use]
    pub fn server_us_each(&self, count: u64) -> Option<f64> {
        self.server_cpu_seconds.filter(|_| count > 0).map(|cpu| cpu * 1e6 / count as f64)
    }
}

/// Resident memory of all of them; nothing where none is known.
pub(super) fn resident_bytes(processes: &[u32]) -> anyhow::Result<Option<u64>> {
    if processes.is_empty() {
        return Ok(None);
    }
    processes.iter().map(|id| Process(*id).resident_bytes()).sum::<anyhow::Result<u64>>().map(Some)
}

fn used(processes: &[Process]) -> anyhow::Result<Option<f64>> {
    if processes.is_empty() {
        return Ok(None);
    }
    processes.iter().map(|process| process.cpu_seconds()).sum::<anyhow::Result<f64>>().map(Some)
}
