//! Requests and the socket: the only module that names gloo-net.

mod json;

use std::{
    cell::Cell,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use common::{
    ErrorCode, Problem, RoomName, ServerMessage, UserName,
    codec::{read::Read, write},
    http::{Found, OpenRoom, RoomInfo, RoomList, SessionInfo, SignIn, Ticket},
};
use futures_util::{Sink, Stream, future::LocalBoxFuture};
use gloo_net::websocket::{Message, WebSocketError, futures::WebSocket};
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, Response};

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
    ask("GET", "/api/session", None).await
}

/// Enters as a guest.
///
/// # Errors
/// When the server takes no such guest, or nobody answers.
pub async fn sign_in(name: UserName) -> Result<SessionInfo, Refusal> {
    ask("POST", "/api/session", Some(write::sign_in(&SignIn { name }))).await
}

/// Signs out. When nobody answers, the session ends by its age.
pub async fn sign_out() {
    let _ = fetch("DELETE", "/api/session", None).await;
}

/// The rooms this person may see.
///
/// # Errors
/// When nobody is signed in, or nobody answers.
pub async fn rooms() -> Result<RoomList, Refusal> {
    ask("GET", "/api/rooms", None).await
}

/// Opens a room.
///
/// # Errors
/// `conflict` when it exists already.
pub async fn open_room(room: &OpenRoom) -> Result<RoomInfo, Refusal> {
    ask("POST", "/api/rooms", Some(write::open_room(room))).await
}

/// Posts that hold these words, the newest first; of one room, if one is named; the page after the
/// one that named it, if one did.
///
/// # Errors
/// `validation` when there are too many words or none, `rate_limited` when it was asked too often.
pub async fn search(
    words: &str,
    room: Option<&RoomName>,
    before: Option<&str>,
) -> Result<Found, Refusal> {
    let mut path = String::from("/api/search");
    let fields =
        [("?q=", Some(words)), ("&room=", room.map(RoomName::as_str)), ("&before=", before)];
    for (name, value) in fields {
        if let Some(value) = value {
            path.push_str(name);
            path.push_str(&String::from(js_sys::encode_uri_component(value)));
        }
    }
    ask("GET", &path, None).await
}

/// The right to open one connection.
///
/// # Errors
/// When nobody is signed in, the server has too much to do, or nobody answers.
pub async fn ticket() -> Result<Ticket, Refusal> {
    ask("POST", "/ws/ticket", Some("{}".to_owned())).await
}

async fn ask<T: Read>(method: &str, path: &str, body: Option<String>) -> Result<T, Refusal> {
    // Boxed, so that what waits is compiled once and not anew into everybody who asks.
    let exchanged: LocalBoxFuture<'_, _> = Box::pin(exchange(method, path, body));
    let Ok((is_ok, body)) = exchanged.await else {
        return Err(Refusal::Unreachable);
    };
    if is_ok {
        return json::from_value(body).ok_or(Refusal::Unreachable);
    }
    // A proxy in between answers in its own words.
    Err(json::from_value(body).map_or(Refusal::Unreachable, Refusal::Refused))
}

/// An answer's body, and whether the server said yes.
async fn exchange(
    method: &str,
    path: &str,
    body: Option<String>,
) -> Result<(bool, JsValue), JsValue> {
    let answer = fetch(method, path, body).await?;
    Ok((answer.ok(), JsFuture::from(answer.json()?).await?))
}

async fn fetch(method: &str, path: &str, body: Option<String>) -> Result<Response, JsValue> {
    let pair = |name: &str, value: &str| Array::of2(&name.into(), &value.into());
    let slot = pair(SLOT_HEADER, &SLOT.get().to_string());
    let media_type = pair("content-type", "application/json");
    let request = RequestInit::new();
    request.set_method(method);
    request.set_headers(&Array::of2(&slot, &media_type));
    if let Some(body) = body {
        request.set_body(&body.into());
    }
    // A request that nobody ever answers would hold one of the few connections that a browser
    // opens to a server; six of them, and nothing passes any more.
    request.set_signal(Some(&AbortSignal::timeout_with_u32(ANSWER_DUE_MS)));
    JsFuture::from(window().fetch_with_str_and_init(path, &request)).await?.dyn_into()
}

/// What happened on a socket.
#[derive(Debug)]
pub enum SocketEvent {
    /// It can be written to.
    Open,
    /// A text frame: a message, or nothing that can be read.
    Heard(Option<ServerMessage>),
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
                Poll::Ready(Some(SocketEvent::Heard(json::from_text(&text))))
            }
            Poll::Ready(Some(Err(WebSocketError::ConnectionClose(close)))) => {
                Poll::Ready(Some(SocketEvent::Closed(close.code)))
            }
            // Binary frames are another subprotocol's; after an error the close itself follows.
            Poll::Ready(Some(Ok(Message::Bytes(_)) | Err(_))) => continue,
        };
    }
}
