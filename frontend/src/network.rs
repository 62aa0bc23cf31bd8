//! Requests and the socket: the only module that names gloo-net.

use std::{
    cell::Cell,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use common::{
    ErrorCode, Problem, UserName, encode,
    http::{OpenRoom, RoomInfo, RoomList, SessionInfo, SignIn, Ticket},
};
use futures_util::{Sink, Stream};
use gloo_net::{
    http::{Method, RequestBuilder},
    websocket::{Message, WebSocketError, futures::WebSocket},
};
use serde::de::DeserializeOwned;

use crate::browser::window;

/// Milliseconds until a request without an answer is given up.
const ANSWER_DUE_MS: u32 = 10_000;

/// The header that says for which of the browser's sessions a request speaks.
const SLOT_HEADER: &str = "madang-slot";

thread_local! {
    static SLOT: Cell<u8> = const { Cell::new(0) };
}

/// Every request speaks for this one of the browser's sessions from here on.
pub fn speak_for(slot: u8) {
    SLOT.set(slot);
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody answered, or not as this server does.
    Unreachable,
    /// The server said no.
    Refused(Problem),
}

impl Refusal {
    /// Whether nobody is signed in.
    #[must_use]
    pub fn requires_sign_in(&self) -> bool {
        match self {
            Self::Unreachable => false,
            Self::Refused(problem) => problem.code == ErrorCode::Unauthenticated,
        }
    }
}

/// Who is signed in.
///
/// # Errors
/// When nobody is, or nobody answers.
pub async fn who_am_i() -> Result<SessionInfo, Refusal> {
    ask(Method::GET, "/api/session", None).await
}

/// Enters as a guest.
///
/// # Errors
/// When the server takes no such guest, or nobody answers.
pub async fn sign_in(name: UserName) -> Result<SessionInfo, Refusal> {
    ask(Method::POST, "/api/session", Some(encode(&SignIn { name }))).await
}

/// Signs out. When nobody answers, the session ends by its age.
pub async fn sign_out() {
    let _ = exchange(Method::DELETE, "/api/session", None).await;
}

/// The rooms this person may see.
///
/// # Errors
/// When nobody is signed in, or nobody answers.
pub async fn rooms() -> Result<RoomList, Refusal> {
    ask(Method::GET, "/api/rooms", None).await
}

/// Opens a room.
///
/// # Errors
/// `conflict` when it exists already.
pub async fn open_room(room: OpenRoom) -> Result<RoomInfo, Refusal> {
    ask(Method::POST, "/api/rooms", Some(encode(&room))).await
}

/// The right to open one connection.
///
/// # Errors
/// When nobody is signed in, the server has too much to do, or nobody answers.
pub async fn ticket() -> Result<Ticket, Refusal> {
    ask(Method::POST, "/ws/ticket", Some("{}".to_owned())).await
}

async fn ask<T: DeserializeOwned>(
    method: Method,
    path: &str,
    body: Option<String>,
) -> Result<T, Refusal> {
    let text = exchange(method, path, body).await?;
    serde_json::from_str(&text).map_err(|_| Refusal::Unreachable)
}

async fn exchange(method: Method, path: &str, body: Option<String>) -> Result<String, Refusal> {
    let unreachable = |_| Refusal::Unreachable;
    // A request that nobody ever answers would hold one of the few connections that a browser
    // opens to a server; six of them, and nothing passes any more.
    let due = web_sys::AbortSignal::timeout_with_u32(ANSWER_DUE_MS);
    let request = RequestBuilder::new(path)
        .method(method)
        .header(SLOT_HEADER, &SLOT.get().to_string())
        .abort_signal(Some(&due));
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body),
        None => request.build(),
    };
    let answer = request.map_err(unreachable)?.send().await.map_err(unreachable)?;
    let text = answer.text().await.map_err(unreachable)?;
    if answer.ok() {
        return Ok(text);
    }
    // A proxy in between answers in its own words.
    Err(serde_json::from_str(&text).map_or(Refusal::Unreachable, Refusal::Refused))
}

/// What happened on a socket.
#[derive(Debug)]
pub enum SocketEvent {
    /// It can be written to.
    Open,
    /// A text frame.
    Text(String),
    /// It is closed, with this code; 1006 for any loss.
    Closed(u16),
}

/// A socket that tells what happens on it until it is dropped.
pub struct Socket {
    raw: web_sys::WebSocket,
    dropped: Rc<Cell<bool>>,
}

/// What a browser reports for any loss.
const LOST: u16 = 1006;

impl Socket {
    /// Opens the socket to the page's own server. It offers no subprotocol: that means JSON, and
    /// some proxies lose the offer. `None` when the browser refuses the address.
    pub fn open(tell: impl Fn(SocketEvent) + 'static) -> Option<Self> {
        let origin = window().location().origin().ok()?;
        let raw =
            web_sys::WebSocket::new(&format!("ws{}/ws", origin.strip_prefix("http")?)).ok()?;
        let socket = WebSocket::try_from(raw.clone()).ok()?;
        let dropped = Rc::new(Cell::new(false));
        wasm_bindgen_futures::spawn_local(listen(socket, raw.clone(), dropped.clone(), tell));
        Some(Self { raw, dropped })
    }

    /// Sends a frame. On a socket that is no longer open nothing happens: only an ack counts.
    pub fn send(&self, text: &str) {
        let _ = self.raw.send_with_str(text);
    }

    /// Lets go at once: nothing more is told.
    pub fn close(&self, code: u16) {
        self.dropped.set(true);
        let _ = self.raw.close_with_code(code);
    }
}

async fn listen(
    mut socket: WebSocket,
    raw: web_sys::WebSocket,
    dropped: Rc<Cell<bool>>,
    tell: impl Fn(SocketEvent),
) {
    let mut open = false;
    loop {
        let event = poll_fn(|context| next(&mut socket, &raw, &mut open, context)).await;
        if dropped.get() {
            return;
        }
        let closed = matches!(event, Some(SocketEvent::Closed(_)) | None);
        tell(event.unwrap_or(SocketEvent::Closed(LOST)));
        if closed {
            return;
        }
    }
}

/// The socket is reported open when it can be written to: sending is never awaited, so nothing
/// waits behind it.
fn next(
    socket: &mut WebSocket,
    raw: &web_sys::WebSocket,
    open: &mut bool,
    context: &mut Context<'_>,
) -> Poll<Option<SocketEvent>> {
    if !*open
        && Pin::new(&mut *socket).poll_ready(context).is_ready()
        && raw.ready_state() == web_sys::WebSocket::OPEN
    {
        *open = true;
        return Poll::Ready(Some(SocketEvent::Open));
    }
    loop {
        return match Pin::new(&mut *socket).poll_next(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Ok(Message::Text(text)))) => {
                Poll::Ready(Some(SocketEvent::Text(text)))
            }
            Poll::Ready(Some(Err(WebSocketError::ConnectionClose(close)))) => {
                Poll::Ready(Some(SocketEvent::Closed(close.code)))
            }
            // Binary frames are another subprotocol's; after an error the close itself follows.
            Poll::Ready(Some(Ok(Message::Bytes(_)) | Err(_))) => continue,
        };
    }
}
