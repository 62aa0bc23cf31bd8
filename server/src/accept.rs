//! The accept loop: TCP connections, how many there may be, and how long they may say nothing.
//!
//! `warp::serve` sets no timer, so a client that sends nothing stays for ever, and it accepts
//! HTTP/2 in clear text; hence hyper's HTTP/1 connection is driven here.

mod guard;

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tower::Service;

pub use guard::Guard;

use crate::{App, clock, connections::Place, transport::reply::Response};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4_096;
/// Bytes of a request's head.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Headers of a request.
const HEADERS_MAX: usize = 100;
/// Bytes that the kernel holds for a client that does not read.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// After an error of `accept`, such as too many open files: the loop must not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Who a request comes from: carried with it as an extension.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The address of the TCP connection.
    pub address: IpAddr,
    /// Its place, to be kept as long as the connection lives, also after an upgrade.
    pub place: Arc<Place>,
}

/// Binds a listener that takes a storm of connections.
///
/// # Errors
/// The address is in use or not ours.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts for ever, and lets `service` answer.
pub(crate) async fn serve<S>(listener: TcpListener, service: S, app: Arc<App>)
where
    S: Service<http::Request<Incoming>, Response = Response, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
{
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(error = %error, "accepting failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(place) = app.connections.arrive(address.ip(), clock::now()) else {
            refuse(&stream);
            continue;
        };
        set_options(&stream);
        let peer = Peer { address: address.ip(), place: Arc::new(place) };
        let app_of_task = Arc::clone(&app);
        app.tasks.spawn(serve_connection(stream, peer, service.clone(), app_of_task));
    }
}

/// One TCP connection, until it is closed or upgraded.
async fn serve_connection<S>(stream: TcpStream, peer: Peer, service: S, app: Arc<App>)
where
    S: Service<http::Request<Incoming>, Response = Response, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let with_peer = tower::service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        service.clone().call(request)
    });
    // Whoever comes while the server stops is answered once, so as to be told.
    let late = app.stopping.is_cancelled();
    let connection = http1::Builder::new()
        .keep_alive(!late)
        .timer(TokioTimer::new())
        .header_read_timeout(app.config.header_timeout())
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(
            TokioIo::new(Guard::new(stream, app.config.write_stall())),
            TowerToHyperService::new(with_peer),
        )
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = app.stopping.cancelled(), if !late => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients go away in the middle of things all the time.
        tracing::debug!(error = %error, "a connection ended early");
    }
}

fn set_options(stream: &TcpStream) {
    let socket = socket2::SockRef::from(stream);
    let set = socket.set_tcp_nodelay(true).and(socket.set_send_buffer_size(SEND_BUFFER_BYTES));
    if let Err(error) = set {
        tracing::debug!(error = %error, "a socket's options cannot be set");
    }
}

/// Tells a client that there is no place for it, without waiting for it to listen.
fn refuse(stream: &TcpStream) {
    let answer = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let _ = stream.try_write(answer);
    // What came already is taken: closing a socket that holds unread bytes resets the connection,
    // and the answer with it (RFC 2525 section 2.17).
    let _ = stream.try_read(&mut [0; 4096]);
}
