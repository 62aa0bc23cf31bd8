//! What the kernel knows of TCP connections: proc(5), `/proc/net/tcp`.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Its own address.
    pub local: SocketAddr,
    /// The other end's.
    pub remote: SocketAddr,
    /// Whether it is open; it is not once its process has closed it.
    pub is_established: bool,
    /// Bytes that were written and that the other end has not acknowledged.
    pub unacknowledged: u32,
}

/// All ends that belong to this port, of IPv4 and this network namespace.
///
/// # Errors
/// The table cannot be read.
pub fn ends_of(port: u16) -> anyhow::Result<Vec<End>> {
    let table = std::fs::read_to_string("/proc/net/tcp").context("/proc/net/tcp")?;
    let ends = table.lines().skip(1).filter_map(end);
    Ok(ends.filter(|end| end.local.port() == port).collect())
}

fn end(line: &str) -> Option<End> {
    const ESTABLISHED: &str = "01";
    let mut fields = line.split_whitespace().skip(1);
    let (local, remote) = (address(fields.next()?)?, address(fields.next()?)?);
    let is_established = fields.next()? == ESTABLISHED;
    let (written, _) = fields.next()?.split_once(':')?;
    let unacknowledged = u32::from_str_radix(written, 16).ok()?;
    Some(End { local, remote, is_established, unacknowledged })
}

/// The address stands as the machine holds it in memory, the port as a number.
fn address(field: &str) -> Option<SocketAddr> {
    let (host, port) = field.split_once(':')?;
    let host = Ipv4Addr::from(u32::from_str_radix(host, 16).ok()?.to_ne_bytes());
    Some(SocketAddr::from((host, u16::from_str_radix(port, 16).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_read() {
        let line = "   1: 0100007F:0BB8 020001C8:9C40 01 00000A00:00000000 01:00000014 00000000";
        let own = if cfg!(target_endian = "little") { [127, 0, 0, 1] } else { [1, 0, 0, 127] };
        let found = end(line).expect("it is one");
        assert_eq!(found.local, SocketAddr::from((own, 3_000)));
        assert!(found.is_established);
        assert_eq!((found.remote.port(), found.unacknowledged), (40_000, 2_560));
        assert_eq!(end("  sl  local_address"), None);
    }
}
