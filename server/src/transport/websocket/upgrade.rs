//! The handshake (RFC 6455 section 4.2): what is refused before the upgrade, and taking the bare
//! TCP connection out of hyper after it.

use std::{future::Future, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::{ErrorCode, FieldFault, Problem, RoomName, SUBPROTOCOL_JSON};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use sha1::{Digest as _, Sha1};
use tokio::net::TcpStream;
use warp::reply::Reply as _;

use super::Arrival;
use crate::{
    App,
    accept::{Guard, Peer},
    accounts::cookie,
    clock, origin,
    transport::reply::{self, Response},
};

/// The subprotocols that are spoken here, the preferred one first.
const SUBPROTOCOLS: &[&str] = &[SUBPROTOCOL_JSON];

/// A handshake as it arrived.
pub struct Handshake {
    /// The room in the address.
    pub room: Option<String>,
    /// The query, as written.
    pub query: Option<String>,
    /// All headers.
    pub headers: HeaderMap,
    /// Who it comes from.
    pub peer: Peer,
    /// The way to the TCP connection; none when the request did not ask for an upgrade.
    pub on_upgrade: Option<OnUpgrade>,
}

/// Answers 101 and hands the connection to `serve`, or refuses it with a problem.
pub fn answer<F>(
    handshake: Handshake,
    app: &Arc<App>,
    serve: impl FnOnce(Arrival, Arc<App>) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    match accept(handshake, app, serve) {
        Ok(response) => response,
        Err(problem) => {
            let mut response = reply::problem(&problem);
            if problem.code == ErrorCode::UpgradeRequired {
                let headers = response.headers_mut();
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
                headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            response
        }
    }
}

fn accept<F>(
    handshake: Handshake,
    app: &Arc<App>,
    serve: impl FnOnce(Arrival, Arc<App>) -> F + Send + 'static,
) -> Result<Response, Problem>
where
    F: Future<Output = ()> + Send + 'static,
{
    let Handshake { room, query, headers, peer, on_upgrade } = handshake;
    origin::check(&headers, &app.config)?;
    let (Some(key), Some(on_upgrade)) = (websocket_key(&headers), on_upgrade) else {
        return Err(Problem::new(ErrorCode::UpgradeRequired));
    };
    let subprotocol = choose_subprotocol(&headers)?;
    let room = room.as_deref().map(room_in_address).transpose()?;
    if app.stopping.is_cancelled() {
        return Err(Problem::new(ErrorCode::Draining).retry_after_ms(1_000));
    }
    app.connections.may_open(peer.address, clock::now())?;

    let sessions = cookie::all_sessions(&headers, app.config.secure_cookies);
    let ticket = query.as_deref().and_then(ticket_in_query);
    let app_of_task = Arc::clone(app);
    app.tasks.spawn(async move {
        let Some((stream, early)) = take_out(on_upgrade).await else { return };
        let place = peer.place;
        let arrival = Arrival { stream, early, ticket, room, sessions, place };
        // A task of its own, so that what waited for the upgrade is freed.
        let tasks = app_of_task.tasks.clone();
        tasks.spawn(serve(arrival, app_of_task));
    });
    let mut response = http::Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept_key(&key));
    if let Some(subprotocol) = subprotocol {
        response = response.header(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
    }
    let response = response.body("").expect("the parts are valid header values");
    Ok(response.into_response())
}

/// Takes the TCP connection out of hyper, with what was read of it already.
async fn take_out(on_upgrade: OnUpgrade) -> Option<(TcpStream, Vec<u8>)> {
    let upgraded = on_upgrade.await.ok()?;
    let Ok(parts) = upgraded.downcast::<TokioIo<Guard>>() else {
        tracing::error!("the upgraded connection is no TCP connection");
        return None;
    };
    Some((parts.io.into_inner().into_inner(), parts.read_buf.to_vec()))
}

/// The key of a complete handshake; `None` for any other request.
pub(crate) fn websocket_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let has = |name, token: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|t| t.trim().eq_ignore_ascii_case(token))
    };
    let asked = has(header::UPGRADE, "websocket") && has(header::CONNECTION, "upgrade");
    let version = headers.get(header::SEC_WEBSOCKET_VERSION)?.as_bytes() == b"13";
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    let key_bytes = STANDARD.decode(key.as_bytes()).ok()?;
    (asked && version && key_bytes.len() == 16).then(|| key.clone())
}

/// The first of ours that is offered; none when nothing is offered.
pub(crate) fn choose_subprotocol(headers: &HeaderMap) -> Result<Option<&'static str>, Problem> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    let offers: Vec<&str> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    if offers.is_empty() {
        return Ok(None);
    }
    let chosen = SUBPROTOCOLS.iter().find(|ours| offers.contains(ours));
    chosen.copied().map(Some).ok_or_else(|| Problem::new(ErrorCode::SubprotocolNotSupported))
}

pub(crate) fn room_in_address(segment: &str) -> Result<RoomName, Problem> {
    let decoded = percent_encoding::percent_decode_str(segment).decode_utf8();
    let name = decoded.map_err(|_| Problem::field("/room", FieldFault::Invalid))?;
    RoomName::new(name).map_err(|error| Problem::field("/room", error.into()))
}

pub(crate) fn ticket_in_query(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "ticket").map(|(_, ticket)| ticket.into_owned())
}

/// Section 4.2.2, step 5.4.
fn accept_key(key: &HeaderValue) -> String {
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    STANDARD.encode(Sha1::new().chain_update(key.as_bytes()).chain_update(GUID).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rfcs_own_key_is_answered_as_the_rfc_says() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept_key(&key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
