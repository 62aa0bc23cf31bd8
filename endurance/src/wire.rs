//! The protocol from a client's end, over real sockets, as lean as it can be: sessions and tickets
//! over HTTP, everything else over WebSocket.

use std::{fmt, net::SocketAddr, time::Duration};

use common::{
    Body, ClientMessage, Digest, ErrorCode, MessageId, Position, Problem, ResyncReason, RoomName,
    ServerMessage, UserId, http,
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use crate::deadline;

/// Why something did not come about.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The server said no.
    #[error("the server refused: {:?}", .0.code)]
    Refused(Box<Problem>),
    /// The connection could not be made, or ended.
    #[error("the connection ended: {0}")]
    Cut(String),
    /// Nothing came in good time.
    #[error("{0} did not come in good time")]
    Silence(&'static str),
    /// Something came that does not belong there.
    #[error("not of the protocol: {0}")]
    Nonsense(String),
}

impl Trouble {
    /// The server said no and will not say otherwise: the room is gone, or what was asked is wrong.
    #[must_use]
    pub fn is_for_good(&self) -> bool {
        match self {
            Self::Refused(problem) => !problem.retryable && !self.requires_sign_in(),
            Self::Cut(_) | Self::Silence(_) | Self::Nonsense(_) => false,
        }
    }

    /// The session that spoke is over, or never was.
    #[must_use]
    pub fn requires_sign_in(&self) -> bool {
        match self {
            Self::Refused(problem) => problem.code == ErrorCode::Unauthenticated,
            Self::Cut(_) | Self::Silence(_) | Self::Nonsense(_) => false,
        }
    }
}

/// What an HTTP request was answered with.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    head: String,
    body: String,
}

/// One request on a connection of its own.
///
/// # Errors
/// There was no answer.
pub async fn ask(
    server: SocketAddr,
    method: &str,
    path: &str,
    cookie: &str,
    body: &str,
) -> Result<Answer, Trouble> {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\ncookie: {cookie}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let answer = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = in_time("an HTTP answer", answer).await?.map_err(cut)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| cut("no HTTP answer"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| nonsense(head))?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (other, value) = line.split_once(':')?;
            other.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body of an answer that is no refusal.
    fn accepted(self) -> Result<Self, Trouble> {
        match self.status {
            200..=299 => Ok(self),
            _ => match serde_json::from_str(&self.body) {
                Ok(problem) => Err(Trouble::Refused(Box::new(problem))),
                // A connection for which there is no place gets a bare 503.
                Err(_) => Err(cut(format!("{} without a problem", self.status))),
            },
        }
    }
}

/// Somebody with a session.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Who they are.
    pub id: UserId,
    cookie: String,
}

impl Guest {
    /// Picks a name.
    ///
    /// # Errors
    /// The server refused or did not answer.
    pub async fn enters(server: SocketAddr, name: &str) -> Result<Self, Trouble> {
        let body = serde_json::json!({ "name": name }).to_string();
        let answer = ask(server, "POST", "/api/session", "", &body).await?.accepted()?;
        let cookie = answer.header("set-cookie").ok_or_else(|| nonsense("no cookie"))?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let info: http::SessionInfo = serde_json::from_str(&answer.body).map_err(nonsense)?;
        Ok(Self { id: info.user.id, cookie })
    }

    /// Opens a room that keeps everything.
    ///
    /// # Errors
    /// The server refused or did not answer.
    pub async fn opens(&self, server: SocketAddr, room: &RoomName) -> Result<(), Trouble> {
        self.opens_with(server, room, http::Keep::Forever).await
    }

    /// Opens a room that keeps so much.
    ///
    /// # Errors
    /// The server refused or did not answer.
    pub async fn opens_with(
        &self,
        server: SocketAddr,
        room: &RoomName,
        keep: http::Keep,
    ) -> Result<(), Trouble> {
        let body = serde_json::json!({ "room": room, "keep": keep }).to_string();
        ask(server, "POST", "/api/rooms", &self.cookie, &body).await?.accepted().map(|_| ())
    }

    async fn ticket(&self, server: SocketAddr) -> Result<String, Trouble> {
        let answer = ask(server, "POST", "/ws/ticket", &self.cookie, "").await?.accepted()?;
        let ticket: http::Ticket = serde_json::from_str(&answer.body).map_err(nonsense)?;
        Ok(ticket.ticket)
    }
}

/// What a `join` was answered with.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The head of the log.
    pub head: Position,
    /// The digest of the log at its head.
    pub digest: Digest,
    /// The entries that follow begin behind this one.
    pub after: u64,
    /// Everything after the named position comes.
    pub recovered: bool,
    /// Why it does not.
    pub resync: Option<ResyncReason>,
}

/// One WebSocket connection.
#[derive(Debug)]
pub struct Caller {
    socket: WebSocketStream<TcpStream>,
    requests: u64,
}

impl Caller {
    /// Connects, and hears who it is.
    ///
    /// # Errors
    /// The server refused or did not answer.
    pub async fn connects(server: SocketAddr, guest: &Guest) -> Result<Self, Trouble> {
        let url = format!("ws://{server}/ws?ticket={}", guest.ticket(server).await?);
        let stream = in_time("a TCP connection", TcpStream::connect(server)).await?.map_err(cut)?;
        // Small frames one after the other: each is to leave at once.
        stream.set_nodelay(true).map_err(cut)?;
        let handshake = tokio_tungstenite::client_async(&url, stream);
        let (socket, _) = in_time("a WebSocket handshake", handshake).await?.map_err(cut)?;
        let mut caller = Self { socket, requests: 0 };
        let first = caller.next().await?;
        if matches!(first, ServerMessage::Welcome { .. }) {
            Ok(caller)
        } else {
            Err(nonsense(format!("{first:?} in place of a welcome")))
        }
    }

    /// Follows a room.
    ///
    /// # Errors
    /// The server refused or did not answer.
    pub async fn joins(
        &mut self,
        room: &RoomName,
        after: Option<Position>,
    ) -> Result<Joined, Trouble> {
        let id = self.next_id();
        let room = room.clone();
        self.sends(&ClientMessage::Join { id: Some(id), room, after, echo: true }).await?;
        let mut resync = None;
        loop {
            let message = self.next().await?;
            refused(id, &message)?;
            if let ServerMessage::Resync { reason, .. } = message {
                resync = Some(reason);
            } else if let ServerMessage::Joined {
                id: of, position, digest, after, recovered, ..
            } = message
                && of == Some(id)
            {
                return Ok(Joined { head: position, digest, after, recovered, resync });
            }
        }
    }

    /// Says something and waits for its place.
    ///
    /// # Errors
    /// The server refused or did not answer; whether it was taken is not known then.
    pub async fn says(
        &mut self,
        room: &RoomName,
        message_id: &MessageId,
        body: &Body,
    ) -> Result<Position, Trouble> {
        let id = self.next_id();
        let (room, message_id, body) = (room.clone(), message_id.clone(), body.clone());
        self.sends(&ClientMessage::Say { id, room, message_id, body }).await?;
        let answer = async {
            loop {
                let message = self.next_reply().await?;
                refused(id, &message)?;
                if let ServerMessage::Ack { id: of, position, .. } = message
                    && of == id
                {
                    return Ok(position);
                }
            }
        };
        in_time("an ack", answer).await?
    }

    /// The next message but pings, which are answered.
    ///
    /// # Errors
    /// The connection ended, or nothing came.
    pub async fn next(&mut self) -> Result<ServerMessage, Trouble> {
        in_time("a message", self.next_that(|_| true)).await?
    }

    /// The next message that is no entry. Entries are many, and are not even decoded.
    async fn next_reply(&mut self) -> Result<ServerMessage, Trouble> {
        self.next_that(|text| !text.starts_with(r#"{"type":"entry""#)).await
    }

    async fn next_that(
        &mut self,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<ServerMessage, Trouble> {
        loop {
            let text = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => return Err(cut(format!("{frame:?}"))),
                Some(Ok(other)) => return Err(nonsense(format!("{other:?}"))),
                Some(Err(error)) => return Err(cut(error)),
                None => return Err(cut("without a word")),
            };
            if !is_wanted(&text) {
                continue;
            }
            let message = common::decode_server(&text).ok_or_else(|| nonsense(&*text))?;
            if message != (ServerMessage::Ping {}) {
                return Ok(message);
            }
            self.sends(&ClientMessage::Pong {}).await?;
        }
    }

    async fn sends(&mut self, message: &ClientMessage) -> Result<(), Trouble> {
        let sent = self.socket.send(Message::text(common::encode(message)));
        in_time("room for a frame", sent).await?.map_err(cut)
    }

    fn next_id(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }
}

/// Whether this request was refused.
fn refused(request: u64, message: &ServerMessage) -> Result<(), Trouble> {
    if let ServerMessage::Error { id, error } = message
        && *id == Some(request)
    {
        return Err(Trouble::Refused(Box::new(error.clone())));
    }
    Ok(())
}

/// How long a refusal asks to wait; 1 s when it does not say. A little more, because coming back
/// too early is a strike.
#[must_use]
pub fn wait_of(problem: &Problem) -> Duration {
    Duration::from_millis(problem.retry_after_ms.unwrap_or(1_000) + 10)
}

async fn in_time<T>(what: &'static str, future: impl Future<Output = T>) -> Result<T, Trouble> {
    tokio::time::timeout(deadline::ANSWER, future).await.map_err(|_| Trouble::Silence(what))
}

fn cut(why: impl fmt::Display) -> Trouble {
    Trouble::Cut(format!("{why}"))
}

fn nonsense(what: impl fmt::Display) -> Trouble {
    Trouble::Nonsense(format!("{what}"))
}
