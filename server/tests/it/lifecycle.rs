//! Starting and stopping.

use common::CloseCode;

use crate::stage::{Caller, House, asks, code};

#[tokio::test]
async fn a_stop_sends_everybody_away_with_1012_and_ends() {
    let mut house = House::opens().await;
    let (mut hana, mut duri) = (house.enters("하나").await, house.enters("두리").await);
    hana.joins("general").await;
    house.begins_to_close();
    assert_eq!(hana.is_closed().await, code(CloseCode::ServiceRestart));
    assert_eq!(duri.is_closed().await, code(CloseCode::ServiceRestart));
    house.has_closed().await;
}

#[tokio::test]
async fn a_stop_also_sends_away_who_has_shown_no_ticket() {
    let mut house = House::opens().await;
    let mut unknown = Caller::calls(house.address, "/ws").await;
    house.begins_to_close();
    assert_eq!(unknown.is_closed().await, code(CloseCode::ServiceRestart));
    house.has_closed().await;
}

#[tokio::test]
async fn a_stop_sends_hundreds_away_one_batch_after_the_other() {
    let flags = [
        "--opens-per-address-per-second",
        "1000",
        "--connections-per-user-max",
        "1000",
        "--connections-per-address-max",
        "1000",
        "--drain-ms",
        "2000",
    ];
    let mut house = House::opens_with(&flags).await;
    let mut everybody = Vec::new();
    for nth in 0..250 {
        everybody.push(house.enters(&format!("손님{nth}")).await);
    }
    house.begins_to_close();
    let told = everybody.iter_mut().map(|caller| Box::pin(caller.is_closed()));
    let ((first, ..), _) = (futures_util::future::select_all(told).await, ());
    assert_eq!(first, code(CloseCode::ServiceRestart));
    let mut open = 0;
    for caller in &mut everybody {
        open += usize::from(caller.is_closed_already().await.is_none());
    }
    assert!(open >= 50, "of 250, {open} were left for the next batches");
    house.has_closed().await;
}

#[tokio::test]
async fn a_stop_waits_no_longer_than_it_may() {
    let house = House::opens_with(&["--drain-ms", "200"]).await;
    // A request that never ends keeps its connection; nobody waits for it for ever.
    let mut endless = tokio::net::TcpStream::connect(house.address).await.unwrap();
    let head = "POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                content-length: 10\r\n\r\n{";
    tokio::io::AsyncWriteExt::write_all(&mut endless, head.as_bytes()).await.unwrap();
    house.closes().await;
}

#[tokio::test]
async fn a_stop_ends_though_somebody_does_not_listen() {
    let house = House::opens().await;
    let address = house.address;
    let idle = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut deaf = house.enters("하나").await;
    deaf.joins("general").await;
    house.closes().await;
    drop(idle);
}

#[tokio::test]
async fn nobody_else_on_the_machine_reads_a_data_directory() {
    use std::os::unix::fs::PermissionsExt as _;

    use clap::Parser as _;
    let data = crate::stage::TempDir::new();
    let inner = format!("{}/inner", data.0);
    let config = server::Config::parse_from(["server", "--data-dir", &inner]);
    config.lock_data_dir().unwrap();
    assert_eq!(std::fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn one_server_at_a_time_uses_a_data_directory() {
    use clap::Parser as _;
    let data = crate::stage::TempDir::new();
    let config = || server::Config::parse_from(["server", "--data-dir", &data.0]);
    let held = config().lock_data_dir().unwrap();
    assert!(config().lock_data_dir().is_err());
    drop(held);
    config().lock_data_dir().unwrap();
}

#[tokio::test]
async fn whoever_asks_while_the_server_stops_is_told() {
    let mut house = House::opens().await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    house.begins_to_close();
    // Hana does not answer the close frame yet: the server waits a second for her.
    let ready = house.asks("GET", "/readyz", &[], None).await;
    assert_eq!((ready.status, ready.json()["code"].as_str()), (503, Some("draining")));
    let handshake = [
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let refused = house.asks("GET", "/ws", &handshake, None).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (503, Some("draining")));
    assert_eq!(hana.is_closed().await, code(CloseCode::ServiceRestart));
    house.has_closed().await;
}

#[tokio::test]
async fn nobody_listens_after_a_stop() {
    let house = House::opens().await;
    let address = house.address;
    assert_eq!(asks(address, "GET", "/healthz", &[], None).await.status, 200);
    house.closes().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
