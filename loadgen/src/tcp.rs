//! What the kernel knows of a server's TCP connections: sock_diag(7).
//!
//! `/proc/net/tcp` tells the same, and takes 5 ms of the load's core where this takes 0.3 (measured
//! with a table of 262,144 places): who is late meanwhile is late because of the look.

#[cfg(target_os = "linux")]
mod linux;

use std::net::SocketAddr;

#[cfg(target_os = "linux")]
pub use self::linux::open_ends_of;

/// A server's end of a connection that is open; it is not once the server has closed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The other end's address.
    pub remote: SocketAddr,
    /// Bytes that the server has written and that the other end has not acknowledged.
    pub unacknowledged: u32,
}

/// What no other system tells in this way.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn open_ends_of(_port: u16) -> anyhow::Result<Vec<End>> {
    anyhow::bail!("only Linux tells what a connection has left to send")
}
