//! Many people who say nothing: what an idle connection costs the server in memory and time.

use std::time::Duration;

use anyhow::Context as _;

use super::{
    Target, admits,
    arrival::{self, Arrived},
    cost::{self, Cost, Meter},
    crowd::Crowd,
    dialect::Voice,
};
use crate::clock;

/// Of the quiet time, at most so much is let go by before it is measured: until everybody was told
/// who came, and who went.
const SETTLING_MAX: Duration = Duration::from_secs(7);

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Idle {
    /// Connections that were open, all of them in each room.
    pub connections: usize,
    /// The server's resident memory before, in bytes.
    pub before_bytes: u64,
    /// The server's resident memory with the connections open and quiet, in bytes.
    pub after_bytes: u64,
    /// What the quiet time cost.
    pub cost: Cost,
}

impl Idle {
    /// Server memory for one connection, in bytes.
    #[must_use]
    pub fn bytes_per_connection(&self) -> u64 {
        self.after_bytes.saturating_sub(self.before_bytes) / self.connections as u64
    }

    /// Server time for one connection in a second, in microseconds.
    #[must_use]
    pub fn server_us_per_connection_second(&self) -> Option<f64> {
        Some(self.cost.server_us_each(self.connections as u64)? / self.cost.seconds)
    }
}

/// Opens so many connections, lets them be for `quiet`, and reads the memory of the server.
///
/// # Errors
/// A connection was refused or ended, or the server's memory cannot be read.
pub async fn measure(
    target: &Target,
    connections: usize,
    rooms: &[String],
    quiet: Duration,
) -> anyhow::Result<Idle> {
    // One who comes and goes first, so that what the server makes once is not counted.
    let mut first = arrival::comes(target.clone(), vec![rooms.to_vec()]);
    drop(first.recv().await.context("nobody came")??);
    let memory = |target: &Target| cost::resident_bytes(&target.processes)?.context("no process");
    let before_bytes = memory(target)?;
    let arrivals = arrival::comes(target.clone(), vec![rooms.to_vec(); connections]);
    let target = target.clone();
    let running = tokio::task::spawn_blocking(move || {
        let mut crowd = Crowd::new(target.dialect)?;
        let room = crowd.opens(0, 1);
        admits(&mut crowd, arrivals, connections, |crowd, _, arrived: Arrived| {
            crowd.admits(arrived, room, Voice::silent(target.dialect))
        })?;
        let begin = clock::now();
        let (settled, end) = (begin + SETTLING_MAX.min(quiet / 4), begin + quiet);
        while let Some(left) = settled.checked_duration_since(clock::now()) {
            crowd.turns(Some(left))?;
        }
        let meter = Meter::begins(&target.processes)?;
        while let Some(left) = end.checked_duration_since(clock::now()) {
            crowd.turns(Some(left))?;
        }
        let cost = meter.ends()?;
        let after_bytes = memory(&target)?;
        Ok(Idle { connections, before_bytes, after_bytes, cost })
    });
    running.await?
}
