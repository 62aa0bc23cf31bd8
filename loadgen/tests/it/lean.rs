//! The lean measurements: against the real server, against a plain room, and against rooms that do
//! wrong.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::http::{Keep, RoomList};
use futures_util::{SinkExt as _, StreamExt as _, stream::SplitSink};
use loadgen::{
    guest::Guest,
    lean::{
        Target,
        dialect::Dialect,
        echo,
        fan_out::{self, FanOut},
        handshakes, idle, rooms,
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::broadcast,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
    },
};

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

/// The message with which a room does wrong, once: late enough that messages are counted.
const WRONG_AT: usize = 10;

/// Rooms for whoever connects, by the path; every text goes to everybody there.
async fn plain_room(manner: Manner) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let rooms = Arc::new(Mutex::new(HashMap::<String, PlainRoom>::new()));
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let rooms = rooms.clone();
            tokio::spawn(async move {
                let mut path = String::new();
                #[expect(clippy::result_large_err, reason = "the signature is tungstenite's")]
                let read_path = |request: &Request, response: Response| {
                    path = request.uri().path().to_owned();
                    Ok(response)
                };
                let socket = accept_hdr_async(stream, read_path).await.unwrap();
                let (room, member) = {
                    let mut rooms = rooms.lock().unwrap();
                    let room = rooms.entry(path).or_default();
                    room.members += 1;
                    (room.clone(), room.members)
                };
                let (sink, mut stream) = socket.split();
                tokio::spawn(tells(sink, room.everybody.subscribe(), manner, member));
                while let Some(Ok(message)) = stream.next().await {
                    if message.is_text() {
                        let mut said = room.said.lock().unwrap();
                        *said += 1;
                        room.everybody.send((*said, message)).unwrap();
                    }
                }
            });
        }
    });
    address
}

#[derive(Clone)]
struct PlainRoom {
    everybody: broadcast::Sender<(usize, Message)>,
    said: Arc<Mutex<usize>>,
    members: usize,
}

impl Default for PlainRoom {
    fn default() -> Self {
        let said = Arc::new(Mutex::new(0));
        Self { everybody: broadcast::channel(10_000).0, said, members: 0 }
    }
}

async fn tells(
    mut sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    mut heard: broadcast::Receiver<(usize, Message)>,
    manner: Manner,
    member: usize,
) {
    let mut held = None;
    while let Ok((nth, message)) = heard.recv().await {
        let altered = Message::text(message.to_text().unwrap().replacen('x', "y", 1));
        let messages = match manner {
            _ if nth != WRONG_AT => vec![message],
            Manner::Doubling => vec![message.clone(), message],
            Manner::Losing => vec![],
            Manner::LosingForOne if member == 2 => vec![],
            Manner::Altering if member == 2 => vec![altered],
            Manner::Right | Manner::LosingForOne | Manner::Altering => vec![message],
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
    // Nobody can fall behind what these keep.
    for (keep, in_flight) in [
        (Keep::None, 1),
        (Keep::Last(1), 1),
        (Keep::Last(1_000_000), 8),
        (Keep::Forever, 1),
        (Keep::Forever, 8),
    ] {
        let target = Target { keep, ..target(address, Dialect::Madang) };
        is_whole(&fan_out::measure(&target, load(in_flight)).await.unwrap());
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

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_stay_open_and_are_weighed() {
    let (address, stop) = open_house_with(&FAST).await;
    let (quiet, rooms) = (Duration::from_millis(200), ["general".to_owned(), "second".to_owned()]);
    let ours = target(address, Dialect::Madang);
    let refused = idle::measure(&ours, 1, &rooms, quiet).await.unwrap_err();
    assert!(refused.to_string().contains("NotFound"), "{refused}");

    ours.opens_missing(&rooms).await.unwrap();
    let plain = target(plain_room(Manner::Right).await, Dialect::Plain);
    for target in [ours, plain] {
        let idle = idle::measure(&target, 20, &rooms, quiet).await.unwrap();
        assert_eq!(idle.connections, 20);
        assert!(idle.before_bytes > 0 && idle.cost.server_cpu_seconds.is_some(), "{idle:?}");
    }
    drop(stop);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_of_many_rooms_is_raised_until_it_takes_too_long() {
    let (address, stop) = open_house_with(&FAST).await;
    let lasting = Duration::from_millis(200);
    let load = rooms::Load { rooms: 4, members: 3, silent: 0, bytes: 256, lasting };
    let ours = target(address, Dialect::Madang);
    let plain = target(plain_room(Manner::Right).await, Dialect::Plain);
    for target in [ours, plain] {
        let step = rooms::at_rate(&target, load, 200.0).await.unwrap();
        assert!(step.deliveries > 0 && step.p99_us.is_some(), "{step:?}");
        // Nothing is that quick.
        let search = rooms::Search { p99_max_us: 0.0, start_rate: 8.0 };
        let found = rooms::search(&target, load, search).await.unwrap();
        assert!(
            found.best.is_none() && found.half.is_none() && found.steps.len() == 6,
            "{found:?}"
        );
    }
    drop(stop);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_many_rooms_are_busy_everybody_is_answered_all_the_same() {
    let (address, stop) = open_house_with(&FAST).await;
    let lasting = Duration::from_millis(200);
    let load = rooms::Load { rooms: 200, members: 2, silent: 0, bytes: 256, lasting };
    // It ends when all that was said is acknowledged, or fails.
    let step = rooms::at_rate(&target(address, Dialect::Madang), load, 10_000.0).await.unwrap();
    assert!(step.deliveries > 0, "{step:?}");
    drop(stop);
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_spoken_in_at_one_rate_while_others_are_only_there() {
    let (address, stop) = open_house_with(&FAST).await;
    let lasting = Duration::from_millis(200);
    // One connection does not follow them all.
    let load = rooms::Load { rooms: 3, members: 2, silent: 110, bytes: 256, lasting };
    let ours = target(address, Dialect::Madang);
    let step = rooms::at_rate(&ours, load, 300.0).await.unwrap();
    assert!(step.messages > 0 && step.deliveries > 0, "{step:?}");
    let there = Guest::signs_in(address, "who looks").await.unwrap();
    let there = there.route.asks("GET", "/api/rooms", &there.cookie, "").await.unwrap();
    let RoomList { rooms } = serde_json::from_str(&there.body).unwrap();
    // And the one that a new server has.
    assert_eq!(rooms.len(), 3 + 110 + 1);

    let plain = target(plain_room(Manner::Right).await, Dialect::Plain);
    let refused = rooms::at_rate(&plain, load, 300.0).await.unwrap_err();
    assert!(refused.to_string().contains("one room only"), "{refused}");
    drop(stop);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measurement_lasts_until_its_author_hears_themselves() {
    let (address, stop) = open_house_with(&FAST).await;
    let ours = target(address, Dialect::Madang);
    let plain = target(plain_room(Manner::Right).await, Dialect::Plain);
    for target in [ours, plain] {
        for in_flight in [1, 8] {
            // The time is over before anything was said.
            let load = fan_out::Load { lasting: Duration::ZERO, ..load(in_flight) };
            let found = fan_out::measure(&target, load).await.unwrap();
            assert!(found.messages > 0 && found.p50_us.is_some(), "{found:?}");
        }
    }
    drop(stop);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_of_many_authors_that_does_wrong_has_no_figure() {
    let lasting = Duration::from_millis(400);
    let load = rooms::Load { rooms: 1, members: 4, silent: 0, bytes: 64, lasting };
    for (manner, expected) in [
        (Manner::Doubling, "doubled or reordered"),
        (Manner::Losing, "lost or reordered"),
        (Manner::LosingForOne, "lost or reordered"),
    ] {
        let target = target(plain_room(manner).await, Dialect::Plain);
        let found = rooms::at_rate(&target, load, 500.0).await.unwrap_err();
        assert!(found.to_string().contains(expected), "{manner:?}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_are_counted_and_a_refusal_is_no_figure() {
    let (address, stop) = open_house_with(&FAST).await;
    let lasting = Duration::from_millis(200);
    let load = handshakes::Load { connections: 4, lasting, per_second_max: Some(200.0) };
    let ours = target(address, Dialect::Madang);
    let plain = target(plain_room(Manner::Right).await, Dialect::Plain);
    for target in [ours, plain] {
        let found = handshakes::measure(&target, load).await.unwrap();
        let has_tickets = target.dialect == Dialect::Madang;
        assert!(found.handshakes > 0 && found.server_us_per_ticket.is_some() == has_tickets);
    }
    let refused = handshakes::measure(&target(address, Dialect::Plain), load).await.unwrap_err();
    assert!(refused.to_string().contains("refused"), "{refused}");
    drop(stop);
}

#[tokio::test(flavor = "multi_thread")]
async fn round_trips_are_counted() {
    let (address, stop) = open_house_with(&FAST).await;
    let ours = target(address, Dialect::Madang);
    let plain = target(plain_room(Manner::Right).await, Dialect::Plain);
    for target in [ours, plain] {
        for in_flight in [1, 8] {
            let lasting = Duration::from_millis(400);
            is_whole(&echo::measure(&target, "/echo", in_flight, lasting, 256).await.unwrap());
        }
    }
    drop(stop);
}
