//! The measurements with small numbers: they run, and they notice when something goes wrong.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::{net::SocketAddr, time::Duration};

use common::RoomName;

async fn open_house() -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
    let data = std::env::temp_dir().join(format!("madang-loadgen-{}", std::process::id()));
    let flags = ["server", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()];
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
