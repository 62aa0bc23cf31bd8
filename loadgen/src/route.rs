//! The way to the server: TCP connections from an address of one's own, and requests over HTTP.

use std::net::{IpAddr, SocketAddr};

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

/// From where to where connections are made.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The server.
    pub server: SocketAddr,
    /// The address that connections come from; the system's choice when left out. The server limits
    /// what comes from one address, and one address has only so many ports.
    pub from: Option<IpAddr>,
    /// Bytes that the kernel takes for somebody who does not read; the system's choice when left
    /// out.
    pub receive_buffer_bytes: Option<u32>,
}

impl From<SocketAddr> for Route {
    fn from(server: SocketAddr) -> Self {
        Self { server, from: None, receive_buffer_bytes: None }
    }
}

impl Route {
    /// The same way for the `nth` of many people, `each` of whom share a loopback address.
    #[must_use]
    pub fn of_person(server: SocketAddr, nth: usize, each: usize) -> Self {
        let host = u32::try_from(nth / each.max(1)).unwrap_or(u32::MAX).saturating_add(1);
        let [_, high, middle, low] = host.to_be_bytes();
        // 127.1.0.0 and after: the server's own address is none of them (RFC 1122 section 3.2.1.3).
        let from = IpAddr::from([127, high.saturating_add(1), middle, low]);
        Self { from: Some(from), ..Self::from(server) }
    }

    /// Connects.
    ///
    /// # Errors
    /// The system refused.
    pub async fn connects(&self) -> std::io::Result<TcpStream> {
        let socket = if self.server.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket?;
        if let Some(bytes) = self.receive_buffer_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(from) = self.from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        let stream = socket.connect(self.server).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// One request on a connection of its own.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn asks(
        &self,
        method: &str,
        path: &str,
        cookie: &str,
        body: &str,
    ) -> anyhow::Result<Answer> {
        let (server, length) = (self.server, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n\
             cookie: {cookie}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
             \r\n{body}"
        );
        let mut stream = self.connects().await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.with_context(|| format!("no status: {head}"))?;
        Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
    }
}

/// What a request was answered with.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (other, value) = line.split_once(':')?;
            other.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Seconds that the server asks to wait.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u64> {
        self.header("retry-after")?.parse().ok()
    }
}
