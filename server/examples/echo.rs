//! Says back what it is told: the server's accept loop, upgrade and codec with nothing behind them.
//!
//! `cargo run --release -p server --example echo -- --listen 127.0.0.1:9001`, then
//! `ws://127.0.0.1:9001/`. For the Autobahn suite, and for measuring what a round trip costs.

use std::{future::poll_fn, net::SocketAddr, sync::Arc, time::Duration};

use clap::Parser;
use server::{
    App, Config, accept, clock,
    line::Leaves,
    routes,
    transport::websocket::{
        Arrival,
        socket::{Happened, Socket},
        upgrade,
    },
};
use warp::Filter as _;
use websocket::{Incoming, Limits, Opcode, write_close, write_frame};

/// The suite's longest message is 16 MiB, and its most pieces are those of 4 MiB in 64 bytes.
const LIMITS: Limits = Limits {
    message_bytes_max: 16 * 1024 * 1024,
    fragments_max: 128 * 1024,
    message_time_max: Duration::from_secs(60),
};
/// Bytes that wait before nothing more is read.
const WAITING_BYTES_MAX: usize = 64 * 1024;
/// From the close frame to dropping the TCP connection, when the client does not answer it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// An echo.
#[derive(Parser)]
struct Args {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the address is the program's answer to being started")]
async fn main() -> anyhow::Result<()> {
    let Args { listen } = Args::parse();
    let data_dir = std::env::temp_dir().join(format!("madang-echo-{}", std::process::id()));
    let config = config(&data_dir);
    let _lock = config.lock_data_dir()?;
    let house = server::open(config).await?;
    let listener = accept::bind(listen)?;
    println!("an echo is open at ws://{}/", listener.local_addr()?);
    let echoes = routes::handshake(house.app())
        .map(|(app, handshake): (Arc<App>, _)| upgrade::answer(handshake, &app, echo));
    let served = house.serve_instead(warp::service(echoes), listener, interrupted()).await;
    std::fs::remove_dir_all(&data_dir)?;
    served
}

/// As many connections from one address as anybody wants to measure with.
fn config(data_dir: &std::path::Path) -> Config {
    let flags =
        ["--connections-per-address-max", "20000", "--opens-per-address-per-second", "100000"];
    let program = ["echo", "--data-dir"].map(Into::into).into_iter();
    let data_dir = std::iter::once(data_dir.as_os_str().to_owned());
    Config::parse_from(program.chain(data_dir).chain(flags.map(Into::into)))
}

async fn interrupted() {
    // Without signals it runs until it is killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

async fn echo(arrival: Arrival, _app: Arc<App>) {
    let Arrival { stream, early, place: _place, .. } = arrival;
    let mut socket = Socket::new(stream, &early, &LIMITS, clock::now());
    loop {
        let mut out = Vec::new();
        let closing = answer(&mut socket, &mut out);
        socket.write(out, |_| Leaves::Now, clock::now());
        if let Some(closing) = closing {
            if closing == Closing::ByUs {
                let closed = poll_fn(|cx| socket.poll_close(&LIMITS, cx));
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, closed).await;
            }
            return;
        }
        let reads = socket.is_flushed();
        if reads && socket.has_undecoded() {
            tokio::task::yield_now().await;
            continue;
        }
        if poll_fn(|cx| socket.poll(reads, &LIMITS, cx, clock::now())).await == Happened::Lost {
            return;
        }
    }
}

/// Who ends it.
#[derive(PartialEq, Eq)]
enum Closing {
    ByUs,
    ByClient,
}

/// Says back what has arrived whole, as long as not too much waits.
fn answer(socket: &mut Socket, out: &mut Vec<u8>) -> Option<Closing> {
    while out.len() < WAITING_BYTES_MAX {
        match socket.next(clock::now()) {
            Ok(None) => return None,
            Ok(Some(Incoming::Text(text))) => write_frame(out, Opcode::Text, text.as_bytes()),
            Ok(Some(Incoming::Binary(bytes))) => write_frame(out, Opcode::Binary, &bytes),
            Ok(Some(Incoming::Ping(payload))) => write_frame(out, Opcode::Pong, &payload),
            Ok(Some(Incoming::Pong(_))) => {}
            Ok(Some(Incoming::Close(code))) => {
                write_close(out, code.unwrap_or(1000), "");
                return Some(Closing::ByClient);
            }
            Err(violation) => {
                write_close(out, violation.close_code(), "");
                return Some(Closing::ByUs);
            }
        }
    }
    None
}
