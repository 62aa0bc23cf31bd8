//! The request or the socket that a peer has at the moment.

use std::{future::Future, pin::Pin};

use common::http;
use futures_util::{SinkExt as _, StreamExt as _};
use session::{TicketRefusal, action::Generation};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message},
};

use super::LOST;
use crate::{
    guest::{self, SignedIn},
    route::Route,
};

type Pending<T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + Send>>;
/// It is boxed because most peers are many and their futures hold it.
pub(super) type Socket = Box<WebSocketStream<TcpStream>>;

/// Where an attempt stands.
pub(super) enum Line {
    Off,
    Asking(Generation, Pending<String>),
    Opening(Generation, Pending<Socket>),
    Up(Generation, Socket),
}

/// Why there is no ticket or no socket.
pub(super) enum Refusal {
    Unauthenticated,
    Unanswered,
    Busy { retry_after_s: Option<u64> },
}

/// What a line reports.
pub(super) enum Happened {
    Ticket(Generation, Result<String, Refusal>),
    Opened(Generation, Result<Socket, Refusal>),
    Text(Generation, String),
    Closed(Generation, u16),
}

impl Line {
    pub(super) fn asks(generation: Generation, signed_in: SignedIn) -> Self {
        Self::Asking(generation, Box::pin(async move { ticket(&signed_in).await }))
    }

    pub(super) fn opens(generation: Generation, route: Route) -> Self {
        Self::Opening(generation, Box::pin(async move { socket(&route).await }))
    }

    pub(super) fn generation(&self) -> Option<Generation> {
        match self {
            Self::Off => None,
            Self::Asking(generation, _)
            | Self::Opening(generation, _)
            | Self::Up(generation, _) => Some(*generation),
        }
    }

    /// The next thing that happens. Nothing is lost when it is not waited for to the end.
    pub(super) async fn happens(&mut self, reads: bool) -> Happened {
        match self {
            Self::Off => std::future::pending().await,
            Self::Asking(generation, pending) => Happened::Ticket(*generation, pending.await),
            Self::Opening(generation, pending) => Happened::Opened(*generation, pending.await),
            Self::Up(..) if !reads => std::future::pending().await,
            Self::Up(generation, socket) => match socket.next().await {
                Some(Ok(Message::Text(text))) => Happened::Text(*generation, text.to_string()),
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map_or(LOST, |frame| frame.code.into());
                    Happened::Closed(*generation, code)
                }
                // A frame that is none of ours, to be counted by the session.
                Some(Ok(_)) => Happened::Text(*generation, String::new()),
                Some(Err(_)) | None => Happened::Closed(*generation, LOST),
            },
        }
    }

    /// Sends, if there is a socket. That it is lost is noticed by reading.
    pub(super) async fn sends(&mut self, text: String) {
        if let Self::Up(_, socket) = self {
            let _ = socket.send(Message::text(text)).await;
        }
    }
}

impl Refusal {
    pub(super) fn of_ticket(&self) -> TicketRefusal {
        match self {
            Self::Unauthenticated => TicketRefusal::Unauthenticated,
            Self::Unanswered => TicketRefusal::Unreachable,
            Self::Busy { retry_after_s } => {
                TicketRefusal::RetryAfter { ms: retry_after_s.unwrap_or(0) * 1_000 }
            }
        }
    }
}

async fn ticket(signed_in: &SignedIn) -> Result<String, Refusal> {
    let SignedIn { route, cookie, .. } = signed_in;
    let answer = route.asks("POST", "/ws/ticket", cookie, "").await;
    let answer = answer.map_err(|_| Refusal::Unanswered)?;
    match answer.status {
        200 => serde_json::from_str::<http::Ticket>(&answer.body)
            .map(|ticket| ticket.ticket)
            .map_err(|_| Refusal::Unanswered),
        401 => Err(Refusal::Unauthenticated),
        429 | 503 => Err(Refusal::Busy { retry_after_s: answer.retry_after_s() }),
        _ => Err(Refusal::Unanswered),
    }
}

async fn socket(route: &Route) -> Result<Socket, Refusal> {
    let url = format!("ws://{}/ws", route.server);
    let stream = route.connects().await.map_err(|_| Refusal::Unanswered)?;
    let handshake = tokio_tungstenite::client_async_with_config(&url, stream, Some(guest::lean()));
    match handshake.await {
        Ok((socket, _)) => Ok(Box::new(socket)),
        Err(Error::Http(answer)) if answer.status() == 503 => {
            let retry_after = answer.headers().get("retry-after");
            let seconds = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
            Err(Refusal::Busy { retry_after_s: seconds })
        }
        Err(_) => Err(Refusal::Unanswered),
    }
}
