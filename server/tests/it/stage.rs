//! The stage: a house that is open, and people who come to it.

mod http;
mod witness;

use std::{net::SocketAddr, time::Duration};

use clap::Parser as _;
use common::{Body, ClientMessage, CloseCode, MessageId, Position, RoomName, ServerMessage};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use server::Config;
use tokio::{net::TcpStream, sync::oneshot, task::JoinHandle};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

pub(crate) use self::{
    http::{Answer, asks, asks_raw},
    witness::Witness,
};

/// Longer than anything here takes; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<anyhow::Result<()>>,
    flags: Vec<String>,
    pub(crate) data: TempDir,
}

impl House {
    pub(crate) async fn opens() -> Self {
        Self::opens_with(&[]).await
    }

    /// With settings as an operator writes them.
    #[expect(clippy::unused_async, reason = "a server is spawned: it needs a runtime")]
    pub(crate) async fn opens_with(flags: &[&str]) -> Self {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Self::opens_on(TempDir::new(), flags)
    }

    fn opens_on(data: TempDir, flags: Vec<String>) -> Self {
        let fixed = ["server", "--listen", "127.0.0.1:0", "--data-dir", &data.0];
        let config = Config::parse_from(fixed.into_iter().chain(flags.iter().map(String::as_str)));
        let listener = server::accept::bind(config.listen).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let running = tokio::spawn(server::run(listener, config, shutdown));
        Self { address, stop: Some(stop), running, flags, data }
    }

    /// Closes and opens again with what it kept, at another address.
    pub(crate) async fn restarts(mut self) -> Self {
        self.begins_to_close();
        within(self.running).await.unwrap().unwrap();
        Self::opens_on(self.data, self.flags)
    }

    /// Is told to stop; answers when it has.
    pub(crate) async fn closes(mut self) {
        self.begins_to_close();
        self.has_closed().await;
    }

    pub(crate) fn begins_to_close(&mut self) {
        self.stop.take().expect("a house closes once").send(()).unwrap();
    }

    pub(crate) async fn has_closed(self) {
        within(self.running).await.unwrap().unwrap();
    }

    /// Somebody who has picked a name.
    pub(crate) async fn guest(&self, name: &str) -> Guest {
        let answer = self.asks("POST", "/api/session", &[], Some(&json!({ "name": name }))).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let cookie = answer.header("set-cookie").expect("a session's cookie");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let id = answer.json()["user"]["id"].as_str().unwrap().to_owned();
        Guest { house: self.address, cookie, id }
    }

    /// Somebody who has picked a name and is connected.
    pub(crate) async fn enters(&self, name: &str) -> Caller {
        let guest = self.guest(name).await;
        let mut caller = guest.calls().await;
        caller.hears_welcome().await;
        caller
    }

    pub(crate) async fn asks(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        asks(self.address, method, path, headers, body).await
    }
}

/// Somebody with a session.
#[derive(Clone)]
pub(crate) struct Guest {
    house: SocketAddr,
    pub(crate) cookie: String,
    pub(crate) id: String,
}

impl Guest {
    pub(crate) async fn asks(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        asks(self.house, method, path, &[("cookie", &self.cookie)], body).await
    }

    pub(crate) async fn ticket(&self) -> String {
        let answer = self.asks("POST", "/ws/ticket", None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["ticket"].as_str().unwrap().to_owned()
    }

    /// The same person, at the address where the house is open after a restart.
    pub(crate) fn at(&self, house: &House) -> Self {
        Self { house: house.address, ..self.clone() }
    }

    /// Opens a room that only these people and the guest may see.
    pub(crate) async fn opens_private_room(&self, room: &str, others: &[&Guest]) {
        let others: Vec<&str> = others.iter().map(|guest| guest.id.as_str()).collect();
        let body = json!({ "room": room, "members": others });
        assert_eq!(self.asks("POST", "/api/rooms", Some(&body)).await.status, 201);
    }

    pub(crate) async fn opens_room(&self, room: &str) {
        let answer = self.asks("POST", "/api/rooms", Some(&json!({ "room": room }))).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    pub(crate) async fn calls(&self) -> Caller {
        let ticket = self.ticket().await;
        Caller::calls(self.house, &format!("/ws?ticket={ticket}")).await
    }
}

/// One WebSocket connection.
pub(crate) struct Caller {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    requests: u64,
}

impl Caller {
    pub(crate) async fn calls(house: SocketAddr, path: &str) -> Self {
        let (socket, _) =
            within(tokio_tungstenite::connect_async(format!("ws://{house}{path}"))).await.unwrap();
        Self { socket, requests: 0 }
    }

    pub(crate) async fn sends(&mut self, message: &ClientMessage) {
        self.sends_text(&common::encode(message)).await;
    }

    pub(crate) async fn sends_text(&mut self, text: &str) {
        within(self.socket.send(Message::text(text))).await.unwrap();
    }

    pub(crate) async fn sends_raw(&mut self, message: Message) {
        within(self.socket.send(message)).await.unwrap();
    }

    /// Sends a request, given without its id, and answers the reply to it.
    pub(crate) async fn requests(&mut self, mut request: Value) -> ServerMessage {
        let expected = self.next_id();
        request["id"] = json!(expected);
        self.sends_text(&request.to_string()).await;
        self.hears(|message| {
            let (ServerMessage::Ack { id, .. } | ServerMessage::History { id, .. }) = message
            else {
                let (ServerMessage::Marked { id, .. } | ServerMessage::Error { id, .. }) = message
                else {
                    return false;
                };
                return *id == Some(expected);
            };
            *id == expected
        })
        .await
    }

    /// The same for what is refused.
    pub(crate) async fn is_refused_for(&mut self, request: Value) -> common::Problem {
        let reply = self.requests(request).await;
        let ServerMessage::Error { error, .. } = reply else { panic!("not refused: {reply:?}") };
        error
    }

    /// The next entry of any room.
    pub(crate) async fn hears_entry(&mut self) -> common::Entry {
        let message = self.hears(|message| matches!(message, ServerMessage::Entry(_))).await;
        let ServerMessage::Entry(entry) = message else { unreachable!("it was just matched") };
        entry
    }

    fn next_id(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// Follows a room and answers its `joined`.
    pub(crate) async fn joins(&mut self, room: &str) -> ServerMessage {
        self.joins_after(room, None).await
    }

    pub(crate) async fn joins_after(
        &mut self,
        room: &str,
        after: Option<Position>,
    ) -> ServerMessage {
        let (id, room) = (Some(self.next_id()), RoomName::new(room).unwrap());
        self.sends(&ClientMessage::Join { id, room, after, echo: true }).await;
        let expected = id;
        self.hears(|message| matches!(message, ServerMessage::Joined { id, .. } if *id == expected))
            .await
    }

    pub(crate) async fn leaves(&mut self, room: &str) {
        let (id, room) = (self.next_id(), RoomName::new(room).unwrap());
        self.sends(&ClientMessage::Leave { id, room }).await;
        self.hears(|message| matches!(message, ServerMessage::Left { .. })).await;
    }

    /// Says something and waits for the ack.
    pub(crate) async fn says(&mut self, room: &str, body: &str) -> Position {
        let message_id = format!("m{}", self.requests);
        self.says_as(room, &message_id, body).await.expect("what is said is acknowledged")
    }

    /// Says something under a name, and answers the ack's position or the refusal.
    pub(crate) async fn says_as(
        &mut self,
        room: &str,
        message_id: &str,
        body: &str,
    ) -> Result<Position, common::Problem> {
        let request = self.next_id();
        let say = ClientMessage::Say {
            id: request,
            room: RoomName::new(room).unwrap(),
            message_id: MessageId::new(message_id).unwrap(),
            body: Body::new(body).unwrap(),
        };
        self.sends(&say).await;
        let outcome = |message: &ServerMessage| match message.clone() {
            ServerMessage::Ack { id, position, .. } if id == request => Some(Ok(position)),
            ServerMessage::Error { id, error } if id == Some(request) => Some(Err(error)),
            _ => None,
        };
        let reply = self.hears(|message| outcome(message).is_some()).await;
        outcome(&reply).expect("it was just matched")
    }

    /// The next message that fits; others are passed over, and pings answered.
    pub(crate) async fn hears(&mut self, fits: impl Fn(&ServerMessage) -> bool) -> ServerMessage {
        loop {
            let message = self.hears_next().await;
            if fits(&message) {
                return message;
            }
        }
    }

    /// The next message but pings, which are answered.
    pub(crate) async fn hears_next(&mut self) -> ServerMessage {
        loop {
            let frame = within(self.socket.next()).await.expect("the connection lives").unwrap();
            let Message::Text(text) = frame else { panic!("no text frame: {frame:?}") };
            match common::decode_server(&text).expect("the server speaks the protocol") {
                ServerMessage::Ping {} => self.sends(&ClientMessage::Pong {}).await,
                message => return message,
            }
        }
    }

    pub(crate) async fn hears_welcome(&mut self) {
        let first = self.hears_next().await;
        assert!(matches!(first, ServerMessage::Welcome { .. }), "{first:?}");
    }

    /// Whether the ticket was accepted.
    pub(crate) async fn is_welcomed(&mut self) -> bool {
        let frame = within(self.socket.next()).await.expect("an answer").unwrap();
        matches!(frame, Message::Text(text) if text.contains("welcome"))
    }

    /// Hears so many pings and answers each.
    pub(crate) async fn answers_pings(&mut self, pings: u32) {
        let mut answered = 0;
        while answered < pings {
            let frame = within(self.socket.next()).await.expect("the connection lives").unwrap();
            let Message::Text(text) = frame else { panic!("no text frame: {frame:?}") };
            if common::decode_server(&text) == Some(ServerMessage::Ping {}) {
                self.sends(&ClientMessage::Pong {}).await;
                answered += 1;
            }
        }
    }

    /// Hears this text in the room, and answers its place.
    pub(crate) async fn hears_post(&mut self, room: &str, body: &str) -> u64 {
        let (room, body) = (RoomName::new(room).unwrap(), body.to_owned());
        let message = self
            .hears(|message| {
                matches!(message, ServerMessage::Entry(e) if e.room == room && e.body == body)
            })
            .await;
        let ServerMessage::Entry(entry) = message else { unreachable!("it was just matched") };
        entry.seq
    }

    /// Hears an error frame and answers it.
    pub(crate) async fn is_refused(&mut self) -> common::Problem {
        let message = self.hears(|message| matches!(message, ServerMessage::Error { .. })).await;
        let ServerMessage::Error { error, .. } = message else { unreachable!("just matched") };
        error
    }

    /// Passes over everything until the connection is closed, and answers the code.
    pub(crate) async fn is_closed(&mut self) -> u16 {
        loop {
            match within(self.socket.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(Message::Close(None))) | None => return 1005,
                Some(Ok(_)) => {}
                Some(Err(_)) => return 1006,
            }
        }
    }

    /// The close code, if the connection is closed by what has arrived so far.
    pub(crate) async fn is_closed_already(&mut self) -> Option<u16> {
        tokio::task::yield_now().await;
        while let Some(frame) = self.socket.next().now_or_never() {
            match frame {
                Some(Ok(Message::Close(Some(frame)))) => return Some(frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Some(1006),
            }
        }
        None
    }

    /// The network is gone, without a word.
    pub(crate) fn loses_network(self) {
        drop(self.socket);
    }
}

/// The code of the class that every test of a close expects.
pub(crate) fn code(close: CloseCode) -> u16 {
    close.code()
}

/// Waits, but not for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it happens in good time")
}

/// A directory of a test's own, gone with it.
pub(crate) struct TempDir(pub(crate) String);

impl TempDir {
    pub(crate) fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("madang-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path.to_str().expect("a readable path").to_owned())
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
