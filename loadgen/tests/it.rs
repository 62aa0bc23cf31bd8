//! The measurements with small numbers: they run, and they notice when something goes wrong.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use common::RoomName;

async fn open_house() -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nth = NEXT.fetch_add(1, Ordering::Relaxed);
    let data = std::env::temp_dir().join(format!("madang-loadgen-{}-{nth}", std::process::id()));
    std::fs::create_dir_all(&data).unwrap();
    let data_dir = ["--data-dir", data.to_str().unwrap()];
    let flags = ["server", "--listen", "127.0.0.1:0", "--says-per-second", "100000"];
    let flags = flags.into_iter().chain(data_dir);
    let config = <server::Config as clap::Parser>::parse_from(flags);
    let listener = server::accept::bind(config.listen).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    tokio::spawn(server::run(listener, config, async move {
        let _ = stopped.await;
    }));
    tokio::task::yield_now().await;
    (address, stop)
}

#[tokio::test]
async fn idle_connections_stay_open_and_are_weighed() {
    let (address, stop) = open_house().await;
    let (quiet, rooms) = (Duration::from_millis(200), [RoomName::new("general").unwrap()]);
    let process = std::process::id();
    let idle = loadgen::idle::measure(address, process, 20, &rooms, quiet).await.unwrap();
    assert_eq!(idle.connections, 20);
    assert!(idle.before_bytes > 0);

    let unknown = [RoomName::new("unknown").unwrap()];
    let refused = loadgen::idle::measure(address, process, 1, &unknown, quiet).await;
    assert!(refused.unwrap_err().to_string().contains("NotFound"));
    drop(stop);
}

#[tokio::test]
async fn acks_are_counted_beside_a_plain_file() {
    let (address, stop) = open_house().await;
    let (directory, each) = (std::env::temp_dir(), Duration::from_millis(50));
    let found = loadgen::durable::measure(address, &directory, 4, each).await.unwrap();
    assert!(found.acks.per_second > 0.0 && found.plain.per_second > 0.0, "{found:?}");
    assert!(found.acks.p50 <= found.acks.p99);
    drop(stop);
}

#[tokio::test]
async fn whoever_comes_back_is_timed_and_missing_entries_are_no_figure() {
    let (address, stop) = open_house().await;
    let room = RoomName::new("general").unwrap();
    let mut guest =
        loadgen::guest::Guest::enters(address, "g", std::slice::from_ref(&room)).await.unwrap();
    for nth in 0..60 {
        let (id, body) = (format!("m{nth}"), format!("{nth}"));
        let (id, body) = (common::MessageId::new(id).unwrap(), common::Body::new(body).unwrap());
        guest.says(&room, id, body).await.unwrap();
    }
    let process = std::process::id();
    let found = loadgen::resume::measure(address, process, &room, 60).await.unwrap();
    assert_eq!(found.entries, 60);
    let refused = loadgen::resume::measure(address, process, &room, 61).await;
    assert!(refused.unwrap_err().to_string().contains("not there"));
    drop(stop);
}
