//! How somebody gets to where they can hear and speak: in each dialect another way. This is not
//! measured, and so it may be done many at a time.

use std::time::Duration;

use anyhow::{Context as _, bail};
use common::{ClientMessage, Member, RoomName, ServerMessage, http};
use futures_util::StreamExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
};

use super::{
    Target,
    dialect::Dialect,
    frame::{self, Frame},
};
use crate::route::Route;

/// People who come at the same time.
const AT_ONCE: usize = 64;
/// People who share an address: with default limits a server lets no more in at once.
const PER_ADDRESS: usize = 20;
/// A server that answers 503 is asked again so many times.
const RETRIES_MAX: usize = 200;
/// Between two tries.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// A handshake that takes longer fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// Any key does: what a server makes of it is not looked at (RFC 6455 section 4.1 has this one).
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Somebody who is where they wanted to go.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) stream: std::net::TcpStream,
    /// What was read and is not understood yet.
    pub(super) leftover: Vec<u8>,
    /// Who they are, where that is known.
    pub(super) user: Option<Member>,
}

/// Whoever arrived, by their number among all.
pub(super) type Arrivals = mpsc::UnboundedReceiver<anyhow::Result<(usize, Arrived)>>;

/// Lets everybody come, each into their rooms, and hands them over as they arrive.
pub(super) fn comes(target: Target, rooms: Vec<Vec<String>>) -> Arrivals {
    let (sender, arrivals) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let coming = rooms.into_iter().enumerate().map(|(nth, rooms)| {
            let target = &target;
            async move { arrives(target, nth, &rooms).await.map(|arrived| (nth, arrived)) }
        });
        let mut coming = futures_util::stream::iter(coming).buffer_unordered(AT_ONCE);
        while let Some(one) = coming.next().await {
            // Whoever does not listen any more has given up.
            if sender.send(one).is_err() {
                return;
            }
        }
    });
    arrivals
}

/// Lets one come. In other dialects than ours a connection stands in the first of the rooms only.
async fn arrives(target: &Target, nth: usize, rooms: &[String]) -> anyhow::Result<Arrived> {
    let route = Route::of_person(target.server, nth, PER_ADDRESS);
    let mut signed_in = None;
    for _ in 0..RETRIES_MAX {
        let arriving = async {
            let mut wire = Wire::connects(&route).await?;
            let entry = match target.dialect {
                Dialect::Madang => wire.madang(nth, &mut signed_in, rooms).await,
                Dialect::Plain => wire.plain(rooms).await,
                Dialect::Socketio => wire.socketio(rooms).await,
                Dialect::Nats => wire.nats(rooms).await,
            };
            anyhow::Ok((wire, entry?))
        };
        let arrived =
            tokio::time::timeout(PATIENCE, arriving).await.context("no answer in time")?;
        match arrived? {
            (Wire { stream, unread, .. }, Entry::In { user }) => {
                return Ok(Arrived { stream: stream.into_std()?, leftover: unread, user });
            }
            (_, Entry::Busy) => tokio::time::sleep(RETRY_AFTER).await,
        }
    }
    bail!("the server was busy too often")
}

/// What came of wanting to enter.
enum Entry {
    In { user: Option<Member> },
    Busy,
}

/// A connection, first of HTTP, then of WebSocket.
pub(super) struct Wire {
    stream: TcpStream,
    host: String,
    /// What was read and not used.
    unread: Vec<u8>,
}

impl Wire {
    pub(super) async fn connects(route: &Route) -> anyhow::Result<Self> {
        let stream = route.connects().await?;
        Ok(Self { stream, host: route.server.to_string(), unread: Vec::new() })
    }

    /// Whoever has signed in before, only to find the server busy, need not do so again.
    async fn madang(
        &mut self,
        nth: usize,
        signed_in: &mut Option<(String, Member)>,
        rooms: &[String],
    ) -> anyhow::Result<Entry> {
        if signed_in.is_none() {
            *signed_in = self.signs_in(nth).await?;
        }
        let Some((cookie, user)) = signed_in.clone() else { return Ok(Entry::Busy) };
        let Some(ticket) = self.gets_ticket(&cookie).await? else { return Ok(Entry::Busy) };
        if !self.upgrades(&format!("/ws?ticket={ticket}")).await? {
            return Ok(Entry::Busy);
        }
        self.hears(|text| text.starts_with(br#"{"type":"welcome""#)).await?;
        for room in rooms {
            let (id, room) = (Some(1), RoomName::new(room)?);
            let join = ClientMessage::Join { id, room, after: None, echo: true };
            self.sends(frame::TEXT, common::encode(&join).as_bytes()).await?;
            let answer = |text: &[u8]| {
                text.starts_with(br#"{"type":"joined""#) || text.starts_with(br#"{"type":"error""#)
            };
            let answer = String::from_utf8(self.hears(answer).await?)?;
            if let Some(ServerMessage::Error { error, .. }) = common::decode_server(&answer) {
                bail!("the server refused: {error:?}");
            }
        }
        Ok(Entry::In { user: Some(user) })
    }

    async fn plain(&mut self, rooms: &[String]) -> anyhow::Result<Entry> {
        let room = rooms.first().context("no room")?;
        let is_in = self.upgrades(&format!("/{room}")).await?;
        Ok(if is_in { Entry::In { user: None } } else { Entry::Busy })
    }

    async fn socketio(&mut self, rooms: &[String]) -> anyhow::Result<Entry> {
        let room = rooms.first().context("no room")?;
        if !self.upgrades("/socket.io/?EIO=4&transport=websocket").await? {
            return Ok(Entry::Busy);
        }
        self.hears(|text| text.starts_with(b"0{")).await?;
        self.sends(frame::TEXT, b"40").await?;
        self.hears(|text| text.starts_with(b"40")).await?;
        self.sends(frame::TEXT, format!(r#"42["join","{room}"]"#).as_bytes()).await?;
        Ok(Entry::In { user: None })
    }

    async fn nats(&mut self, rooms: &[String]) -> anyhow::Result<Entry> {
        let room = rooms.first().context("no room")?;
        if !self.upgrades("/").await? {
            return Ok(Entry::Busy);
        }
        let hello = r#"CONNECT {"verbose":false,"pedantic":false,"lang":"rust","version":"0"}"#;
        let hello = format!("{hello}\r\nSUB {room} 1\r\nPING\r\n");
        self.sends(frame::BINARY, hello.as_bytes()).await?;
        self.hears(|text| text.windows(6).any(|part| part == b"PONG\r\n")).await?;
        Ok(Entry::In { user: None })
    }

    /// Who they are, and what shows it; nothing when the server is busy.
    pub(super) async fn signs_in(
        &mut self,
        nth: usize,
    ) -> anyhow::Result<Option<(String, Member)>> {
        let body = serde_json::json!({ "name": format!("m{nth:05}") }).to_string();
        let (head, answer) = self.posts("/api/session", "", &body).await?;
        if is(&head, "503") {
            return Ok(None);
        }
        let cookie = header(&head, "set-cookie").context("the answer has no cookie")?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let http::SessionInfo { user, .. } = serde_json::from_str(&answer)?;
        Ok(Some((cookie, user)))
    }

    /// A ticket; nothing when the server is busy.
    pub(super) async fn gets_ticket(&mut self, cookie: &str) -> anyhow::Result<Option<String>> {
        let (head, answer) = self.posts("/ws/ticket", cookie, "").await?;
        if is(&head, "503") {
            return Ok(None);
        }
        let http::Ticket { ticket, .. } =
            serde_json::from_str(&answer).with_context(|| format!("no ticket: {head}"))?;
        Ok(Some(ticket))
    }

    async fn posts(
        &mut self,
        path: &str,
        cookie: &str,
        body: &str,
    ) -> anyhow::Result<(String, String)> {
        let (host, length) = (&self.host, body.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes()).await?;
        let head = self.head().await?;
        let length = header(&head, "content-length").and_then(|length| length.parse().ok());
        let length = length.unwrap_or(0);
        while self.unread.len() < length {
            self.reads().await?;
        }
        let body = self.unread.drain(..length).collect();
        Ok((head, String::from_utf8(body)?))
    }

    /// Whether it is a WebSocket; it is not when the server is busy.
    async fn upgrades(&mut self, path: &str) -> anyhow::Result<bool> {
        self.stream.write_all(upgrade(path, &self.host).as_bytes()).await?;
        let head = self.head().await?;
        if is(&head, "503") {
            return Ok(false);
        }
        anyhow::ensure!(is(&head, "101"), "the handshake was answered with {head}");
        Ok(true)
    }

    /// Status line and headers.
    async fn head(&mut self) -> anyhow::Result<String> {
        const END: &[u8] = b"\r\n\r\n";
        loop {
            if let Some(at) = self.unread.windows(END.len()).position(|part| part == END) {
                let head = self.unread.drain(..at + END.len()).collect();
                return Ok(String::from_utf8(head)?);
            }
            self.reads().await?;
        }
    }

    async fn sends(&mut self, opcode: u8, payload: &[u8]) -> anyhow::Result<()> {
        let mut wire = Vec::new();
        frame::write(opcode, payload, &mut wire);
        Ok(self.stream.write_all(&wire).await?)
    }

    /// The next frame that fits; the others are passed over.
    async fn hears(&mut self, fits: impl Fn(&[u8]) -> bool) -> anyhow::Result<Vec<u8>> {
        loop {
            while let Some(Frame { opcode, payload, bytes }) = frame::first(&self.unread)? {
                if opcode == frame::CLOSE {
                    bail!("the server closed: {}", String::from_utf8_lossy(payload));
                }
                let payload = payload.to_vec();
                self.unread.drain(..bytes);
                if fits(&payload) {
                    return Ok(payload);
                }
            }
            self.reads().await?;
        }
    }

    async fn reads(&mut self) -> anyhow::Result<()> {
        let read = self.stream.read_buf(&mut self.unread).await?;
        anyhow::ensure!(read > 0, "the server ended the connection");
        Ok(())
    }
}

/// A handshake's request.
pub(super) fn upgrade(path: &str, host: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n\r\n"
    )
}

fn is(head: &str, status: &str) -> bool {
    head.split(' ').nth(1) == Some(status)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (other, value) = line.split_once(':')?;
        other.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
