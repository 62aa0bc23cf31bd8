//! HTTP on one connection that stays open, as bytes.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::deadline;

/// An answer, with every byte of it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) bytes: String,
    pub(super) body_at: usize,
}

impl Answer {
    pub(super) fn body(&self) -> &str {
        &self.bytes[self.body_at..]
    }
}

/// A connection for one question after the other.
#[derive(Debug)]
pub(super) struct Pipe {
    server: SocketAddr,
    stream: Option<TcpStream>,
}

impl Pipe {
    pub(super) fn new(server: SocketAddr) -> Self {
        Self { server, stream: None }
    }

    pub(super) async fn asks(
        &mut self,
        method: &str,
        path: &str,
        cookie: &str,
        body: &str,
    ) -> anyhow::Result<Answer> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncookie: {cookie}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.server,
            body.len()
        );
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(self.server).await?,
        };
        match deadline::within(deadline::ANSWER, path, exchange(stream, &request)).await? {
            Ok((answer, stream)) => {
                self.stream = Some(stream);
                Ok(answer)
            }
            // It was idle for too long, and is asked again on another one.
            Err(_) => {
                let stream = TcpStream::connect(self.server).await?;
                let (answer, stream) =
                    deadline::within(deadline::ANSWER, path, exchange(stream, &request)).await??;
                self.stream = Some(stream);
                Ok(answer)
            }
        }
    }
}

async fn exchange(mut stream: TcpStream, request: &str) -> anyhow::Result<(Answer, TcpStream)> {
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    let body_at = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        anyhow::ensure!(stream.read_buf(&mut bytes).await? > 0, "the connection ended");
    };
    let head = std::str::from_utf8(&bytes[..body_at])?.to_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let end = body_at + length.unwrap_or(0);
    while bytes.len() < end {
        anyhow::ensure!(stream.read_buf(&mut bytes).await? > 0, "the connection ended");
    }
    let status = status.with_context(|| head.clone())?;
    Ok((Answer { status, bytes: String::from_utf8(bytes)?, body_at }, stream))
}
