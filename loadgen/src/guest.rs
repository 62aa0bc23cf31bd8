//! One person with one connection, as lean as it can be.

use std::time::Duration;

use anyhow::{Context as _, bail};
use common::{Body, ClientMessage, MessageId, Position, RoomName, ServerMessage, UserId, http};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use crate::route::{Answer, Route};

/// A server that answers 503 is asked again so many times.
const RETRIES_MAX: u32 = 50;
/// Between two tries; the server's own word is in seconds and would make a ramp too slow.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// What is held for reading a connection: thousands of them are in one process.
const READ_BUFFER_BYTES: usize = 4 * 1024;

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
        route: impl Into<Route>,
        name: &str,
        rooms: &[RoomName],
    ) -> anyhow::Result<Self> {
        let mut guest = Self::signs_in(route, name).await?.calls().await?;
        for room in rooms {
            guest.joins(room, None, true).await?;
        }
        Ok(guest)
    }

    /// Picks a name.
    ///
    /// # Errors
    /// The server refused.
    pub async fn signs_in(route: impl Into<Route>, name: &str) -> anyhow::Result<SignedIn> {
        let route = route.into();
        let body = serde_json::json!({ "name": name }).to_string();
        let answer = ask(&route, "/api/session", "", &body).await?;
        let cookie = answer.header("set-cookie").context("the answer has no cookie")?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let http::SessionInfo { user, .. } = serde_json::from_str(&answer.body)?;
        Ok(SignedIn { route, id: user.id, cookie })
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

    async fn connects(route: &Route, ticket: &str) -> anyhow::Result<Self> {
        let url = format!("ws://{}/ws?ticket={ticket}", route.server);
        for _ in 0..RETRIES_MAX {
            let stream = route.connects().await?;
            let handshake = tokio_tungstenite::client_async_with_config(&url, stream, Some(lean()));
            match handshake.await {
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

    pub(crate) async fn sends(&mut self, message: &ClientMessage) -> anyhow::Result<()> {
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
    /// The way to the server.
    pub route: Route,
    /// Who they are.
    pub id: UserId,
    /// What shows who they are.
    pub cookie: String,
}

impl SignedIn {
    /// Opens a room.
    ///
    /// # Errors
    /// The server refused.
    pub async fn opens(&self, room: &RoomName) -> anyhow::Result<()> {
        self.opens_keeping(room, http::Keep::Forever).await
    }

    /// Opens a room that keeps so much.
    ///
    /// # Errors
    /// The server refused.
    pub async fn opens_keeping(&self, room: &RoomName, keep: http::Keep) -> anyhow::Result<()> {
        let body = serde_json::json!({ "room": room, "keep": keep }).to_string();
        ask(&self.route, "/api/rooms", &self.cookie, &body).await?;
        Ok(())
    }

    /// Gets a ticket and connects.
    ///
    /// # Errors
    /// The server refused.
    pub async fn calls(&self) -> anyhow::Result<Guest> {
        let answer = ask(&self.route, "/ws/ticket", &self.cookie, "").await?;
        let http::Ticket { ticket, .. } = serde_json::from_str(&answer.body)?;
        let mut guest = Guest::connects(&self.route, &ticket).await?;
        guest.hears(|message| matches!(message, ServerMessage::Welcome { .. })).await?;
        Ok(guest)
    }
}

/// Settings of a connection of which there are thousands.
pub(crate) fn lean() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES)
}

/// One `POST`, again while the server is busy.
async fn ask(route: &Route, path: &str, cookie: &str, body: &str) -> anyhow::Result<Answer> {
    for _ in 0..RETRIES_MAX {
        let answer = route.asks("POST", path, cookie, body).await?;
        match answer.status {
            200 | 201 => return Ok(answer),
            503 => tokio::time::sleep(RETRY_AFTER).await,
            _ => bail!("{path} was answered with {}", answer.head),
        }
    }
    bail!("the server was busy too often")
}
