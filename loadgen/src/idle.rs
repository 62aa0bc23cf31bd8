//! Many people who say nothing: what an idle connection costs the server in memory.

use std::{net::SocketAddr, time::Duration};

use common::RoomName;
use tokio::task::JoinSet;

use crate::{guest::Guest, process::Process};

/// People who enter at the same time.
const AT_ONCE: usize = 50;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Connections that were open, all of them in each room.
    pub connections: usize,
    /// The server's resident memory before, in bytes.
    pub before_bytes: u64,
    /// The server's resident memory with the connections open and quiet, in bytes.
    pub after_bytes: u64,
}

impl Idle {
    /// Server memory for one connection, in bytes.
    #[must_use]
    pub fn bytes_per_connection(&self) -> u64 {
        self.after_bytes.saturating_sub(self.before_bytes) / self.connections as u64
    }
}

/// Opens so many connections, lets them be for `quiet`, and reads the memory of the process.
///
/// # Errors
/// A connection was refused or ended, or the process's memory cannot be read.
pub async fn measure(
    server: SocketAddr,
    process: u32,
    connections: usize,
    rooms: &[RoomName],
    quiet: Duration,
) -> anyhow::Result<Idle> {
    let process = Process(process);
    // One who comes and goes first, so that what the server makes once is not counted.
    drop(Guest::enters(server, "first", rooms).await?);
    let before_bytes = process.resident_bytes()?;
    let mut staying = JoinSet::new();
    for first in (0..connections).step_by(AT_ONCE) {
        let mut entering = JoinSet::new();
        for nth in first..connections.min(first + AT_ONCE) {
            let rooms = rooms.to_vec();
            entering.spawn(async move { Guest::enters(server, &format!("g{nth}"), &rooms).await });
        }
        for guest in entering.join_all().await {
            staying.spawn(guest?.stays());
        }
    }
    let ended = tokio::time::timeout(quiet, staying.join_next()).await;
    anyhow::ensure!(ended.is_err(), "a connection ended: {ended:?}");
    let after_bytes = process.resident_bytes()?;
    Ok(Idle { connections, before_bytes, after_bytes })
}
