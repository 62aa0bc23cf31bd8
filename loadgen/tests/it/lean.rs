//! The lean measurements: against the real server, against a plain room, and against rooms that do
//! wrong.

use std::{net::SocketAddr, time::Duration};

use common::http::Keep;
use futures_util::{SinkExt as _, StreamExt as _};
use loadgen::lean::{
    Target,
    dialect::Dialect,
    fan_out::{self, FanOut},
};
use tokio::{net::TcpListener, sync::broadcast};
use tokio_tungstenite::tungstenite::Message;

use crate::open_house_with;

/// With these nobody comes too fast.
const FAST: [&str; 2] = ["--opens-per-address-per-second", "100000"];

/// What a room does with what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Right,
    Doubling,
    Losing,
    Reordering,
    /// Only one of the members gets something else.
    LosingForOne,
    Altering,
}

/// A room for whoever connects; every text goes to everybody. What it does wrong it does once, late
/// enough that messages are counted.
async fn plain_room(manner: Manner) -> SocketAddr {
    const WRONG_AT: usize = 40;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (everybody, _) = broadcast::channel::<(usize, Message)>(10_000);
        let said = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        for member in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let (everybody, mut heard) = (everybody.clone(), everybody.subscribe());
            let said = said.clone();
            tokio::spawn(async move {
                let socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                let (mut sink, mut stream) = socket.split();
                tokio::spawn(async move {
                    let mut held = None;
                    while let Ok((nth, message)) = heard.recv().await {
                        let is_wrong =
                            nth == WRONG_AT && (member == 2 || manner != Manner::LosingForOne);
                        let altered =
                            Message::text(message.to_text().unwrap().replacen('x', "y", 1));
                        let messages = match manner {
                            _ if !is_wrong => vec![message],
                            Manner::Right => vec![message],
                            Manner::Doubling => vec![message.clone(), message],
                            Manner::Losing | Manner::LosingForOne => vec![],
                            Manner::Altering if member == 2 => vec![altered],
                            Manner::Altering => vec![message],
                            Manner::Reordering => {
                                held = Some(message);
                                continue;
                            }
                        };
                        for message in messages.into_iter().chain(held.take()) {
                            if sink.send(message).await.is_err() {
                                return;
                            }
                        }
                    }
                });
                while let Some(Ok(message)) = stream.next().await {
                    if message.is_text() {
                        let nth = said.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        everybody.send((nth, message)).unwrap();
                    }
                }
            });
        }
    });
    address
}

fn target(server: SocketAddr, dialect: Dialect) -> Target {
    Target { server, dialect, processes: vec![std::process::id()], keep: Keep::None }
}

fn load(in_flight: u64) -> fan_out::Load {
    let lasting = Duration::from_millis(400);
    fan_out::Load { followers: 5, in_flight, lasting, bytes: 256 }
}

fn is_whole(found: &FanOut) {
    assert!(found.messages > 0 && found.deliveries >= found.messages, "{found:?}");
    assert!(found.p50_us.unwrap() <= found.p99_us.unwrap(), "{found:?}");
    assert!(found.cost.server_cpu_seconds.is_some() && found.cost.seconds >= 0.4, "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_counted_in_a_room_of_ours() {
    let (address, stop) = open_house_with(&FAST).await;
    for keep in [Keep::None, Keep::Last(100), Keep::Forever] {
        for in_flight in [1, 8] {
            let target = Target { keep, ..target(address, Dialect::Madang) };
            is_whole(&fan_out::measure(&target, load(in_flight)).await.unwrap());
        }
    }
    let few = fan_out::Load { bytes: 100, ..load(1) };
    let refused = fan_out::measure(&target(address, Dialect::Madang), few).await.unwrap_err();
    assert!(refused.to_string().contains("too few"), "{refused}");
    drop(stop);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_counted_in_a_plain_room() {
    let target = target(plain_room(Manner::Right).await, Dialect::Plain);
    for in_flight in [1, 8] {
        is_whole(&fan_out::measure(&target, load(in_flight)).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_does_wrong_has_no_figure() {
    for (manner, expected) in [
        (Manner::Doubling, "doubled or reordered"),
        (Manner::Losing, "lost or reordered"),
        (Manner::Reordering, "lost or reordered"),
        (Manner::LosingForOne, "lost or reordered"),
        (Manner::Altering, "with other bytes than another member got"),
    ] {
        let target = target(plain_room(manner).await, Dialect::Plain);
        let found = fan_out::measure(&target, load(8)).await.unwrap_err();
        assert!(found.to_string().contains(expected), "{manner:?}: {found}");
    }
}
