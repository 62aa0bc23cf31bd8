//! One person with one connection, as lean as it can be.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, bail};
use common::{Body, ClientMessage, MessageId, Position, RoomName, ServerMessage, http};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

/// A server that answers 503 is asked again so many times.
const RETRIES_MAX: u32 = 50;
/// Between two tries; the server's own word is in seconds and would make a ramp too slow.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Somebody who is connected.
#[derive(Debug)]
pub struct Guest {
    socket: WebSocketStream<TcpStream>,
}

impl Guest {
    /// Picks a name, gets a ticket, connects, and joins the rooms.
    ///
    /// # Errors
    /// The server refused, or answered something that does not belong there.
    pub async fn enters(
        server: SocketAddr,
        name: &str,
        rooms: &[RoomName],
    ) -> anyhow::Result<Self> {
        let mut guest = Self::signs_in(server, name).await?.calls().await?;
        for room in rooms {
            guest.joins(room, None, true).await?;
        }
        Ok(guest)
    }

    /// Picks a name.
    ///
    /// # Errors
    /// The server refused.
    pub async fn signs_in(server: SocketAddr, name: &str) -> anyhow::Result<SignedIn> {
        let body = serde_json::json!({ "name": name }).to_string();
        let (head, _) = ask(server, "/api/session", "", &body).await?;
        let cookie = header(&head, "set-cookie").context("the answer has no cookie")?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(SignedIn { server, cookie })
    }

    /// Follows a room and answers its `joined`.
    ///
    /// # Errors
    /// The server refused.
    pub async fn joins(
        &mut self,
        room: &RoomName,
        after: Option<Position>,
        echo: bool,
    ) -> anyhow::Result<ServerMessage> {
        let (id, room) = (Some(1), room.clone());
        self.sends(&ClientMessage::Join { id, room, after, echo }).await?;
        self.hears(|message| matches!(message, ServerMessage::Joined { .. })).await
    }

    /// Says something and waits for its ack; answers where it stands.
    ///
    /// # Errors
    /// The server refused.
    pub async fn says(
        &mut self,
        room: &RoomName,
        message_id: MessageId,
        body: Body,
    ) -> anyhow::Result<Position> {
        let (expected, room) = (message_id.clone(), room.clone());
        self.sends(&ClientMessage::Say { id: 2, room, message_id, body }).await?;
        let ack = self.hears(|message| matches!(message, ServerMessage::Ack { .. })).await?;
        let ServerMessage::Ack { message_id, position, .. } = ack else { bail!("just matched") };
        anyhow::ensure!(message_id == expected, "the ack of {message_id} came for {expected}");
        Ok(position)
    }

    async fn connects(server: SocketAddr, ticket: &str) -> anyhow::Result<Self> {
        let url = format!("ws://{server}/ws?ticket={ticket}");
        for _ in 0..RETRIES_MAX {
            let stream = TcpStream::connect(server).await?;
            match tokio_tungstenite::client_async(&url, stream).await {
                Ok((socket, _)) => return Ok(Self { socket }),
                Err(tokio_tungstenite::tungstenite::Error::Http(answer))
                    if answer.status() == 503 =>
                {
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        bail!("the server was busy too often");
    }

    async fn sends(&mut self, message: &ClientMessage) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::text(common::encode(message))).await?)
    }

    /// The next message that fits; an error is one.
    ///
    /// # Errors
    /// The connection ended, or the server refused something.
    pub async fn hears(
        &mut self,
        fits: impl Fn(&ServerMessage) -> bool,
    ) -> anyhow::Result<ServerMessage> {
        loop {
            let message = self.next().await?;
            if fits(&message) {
                return Ok(message);
            }
            if let ServerMessage::Error { error, .. } = message {
                bail!("the server refused: {error:?}");
            }
        }
    }

    async fn next(&mut self) -> anyhow::Result<ServerMessage> {
        loop {
            let frame = self.socket.next().await.context("the connection ended")??;
            let Message::Text(text) = frame else { bail!("no text frame: {frame:?}") };
            let message = common::decode_server(&text).context("no message of the protocol")?;
            if message != (ServerMessage::Ping {}) {
                return Ok(message);
            }
            self.sends(&ClientMessage::Pong {}).await?;
        }
    }

    /// Answers pings and passes over everything else, until the connection ends.
    ///
    /// # Errors
    /// Always: this is how the connection ended.
    pub async fn stays(mut self) -> anyhow::Result<std::convert::Infallible> {
        loop {
            self.next().await?;
        }
    }
}

/// Somebody with a name and no connection.
#[derive(Clone, Debug)]
pub struct SignedIn {
    server: SocketAddr,
    cookie: String,
}

impl SignedIn {
    /// Opens a room.
    ///
    /// # Errors
    /// The server refused.
    pub async fn opens(&self, room: &RoomName) -> anyhow::Result<()> {
        let body = serde_json::json!({ "room": room }).to_string();
        ask(self.server, "/api/rooms", &self.cookie, &body).await?;
        Ok(())
    }

    /// Gets a ticket and connects.
    ///
    /// # Errors
    /// The server refused.
    pub async fn calls(&self) -> anyhow::Result<Guest> {
        let (_, body) = ask(self.server, "/ws/ticket", &self.cookie, "").await?;
        let http::Ticket { ticket, .. } = serde_json::from_str(&body)?;
        let mut guest = Guest::connects(self.server, &ticket).await?;
        guest.hears(|message| matches!(message, ServerMessage::Welcome { .. })).await?;
        Ok(guest)
    }
}

/// One `POST`, again while the server is busy. Answers head and body.
async fn ask(
    server: SocketAddr,
    path: &str,
    cookie: &str,
    body: &str,
) -> anyhow::Result<(String, String)> {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\ncookie: {cookie}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    for _ in 0..RETRIES_MAX {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
        match head.split(' ').nth(1) {
            Some("200" | "201") => return Ok((head.to_owned(), body.to_owned())),
            Some("503") => tokio::time::sleep(RETRY_AFTER).await,
            _ => bail!("{path} was answered with {head}"),
        }
    }
    bail!("the server was busy too often")
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (other, value) = line.split_once(':')?;
        other.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
