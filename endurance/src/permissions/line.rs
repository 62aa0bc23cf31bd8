//! One WebSocket connection of somebody, frame by frame.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
};

use anyhow::bail;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use super::model::Person;
use crate::deadline;

/// A connection, and what its frames have said so far.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) person: Person,
    /// The rooms that it follows, by what it was told: how far it has come in each.
    pub(super) follows: BTreeMap<String, u64>,
    /// Rooms of which it was told that it may not read them any more.
    pub(super) removed: BTreeSet<String>,
    /// The code with which it ended.
    pub(super) closed: Option<u16>,
    socket: WebSocketStream<TcpStream>,
    /// Frames that came while an answer was awaited.
    waiting: VecDeque<String>,
    requests: u64,
}

impl Line {
    pub(super) async fn opens(
        server: SocketAddr,
        person: Person,
        path: &str,
    ) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let handshake = tokio_tungstenite::client_async(format!("ws://{server}{path}"), stream);
        let (socket, _) = deadline::within(deadline::ANSWER, "a handshake", handshake).await??;
        let (follows, removed, waiting) = Default::default();
        Ok(Self { person, follows, removed, closed: None, socket, waiting, requests: 0 })
    }

    /// Sends a request and answers the frame that replies to it, and none where the connection
    /// ended. What comes before is kept for [`Self::next`].
    pub(super) async fn asks(&mut self, fields: &str) -> anyhow::Result<Option<String>> {
        self.requests += 1;
        let id = self.requests;
        let request = format!(r#"{{"id":{id},{fields}}}"#);
        if self.socket.send(Message::text(request)).await.is_err() {
            self.hears_the_end().await;
            return Ok(None);
        }
        let mark = format!(r#""id":{id},"#);
        loop {
            let frame = deadline::within(deadline::ANSWER, fields, self.hears()).await??;
            let Some(frame) = frame else { return Ok(None) };
            // Only replies carry a number behind their type.
            let is_reply =
                frame.find(&mark).is_some_and(|at| frame[..at].matches('{').count() == 1);
            if is_reply {
                return Ok(Some(frame));
            }
            self.waiting.push_back(frame);
        }
    }

    /// What came before the last reply.
    pub(super) fn take_waiting(&mut self) -> VecDeque<String> {
        std::mem::take(&mut self.waiting)
    }

    /// A frame that is there already.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<String>> {
        if let Some(frame) = self.waiting.pop_front() {
            return Ok(Some(frame));
        }
        if self.closed.is_some() {
            return Ok(None);
        }
        match self.hears().now_or_never() {
            Some(frame) => frame,
            None => Ok(None),
        }
    }

    /// A frame, as soon as it comes; none at the end.
    pub(super) async fn hears(&mut self) -> anyhow::Result<Option<String>> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) if text.as_str() == r#"{"type":"ping"}"# => {
                    let _ = self.socket.send(Message::text(r#"{"type":"pong"}"#)).await;
                }
                Some(Ok(Message::Text(text))) => return Ok(Some(text.as_str().to_owned())),
                Some(Ok(Message::Close(frame))) => {
                    self.closed = Some(frame.map_or(1005, |frame| frame.code.into()));
                    return Ok(None);
                }
                Some(Ok(other)) => bail!("{other:?}"),
                Some(Err(_)) | None => {
                    self.closed.get_or_insert(1006);
                    return Ok(None);
                }
            }
        }
    }

    async fn hears_the_end(&mut self) {
        while let Ok(Some(frame)) = self.hears().await {
            self.waiting.push_back(frame);
        }
    }
}
