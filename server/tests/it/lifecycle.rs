//! Starting and stopping.

use common::CloseCode;

use crate::stage::{House, asks, code};

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
async fn a_restart_begins_a_new_epoch() {
    let house = House::opens().await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    let before = hana.says("general", "안녕").await;
    house.closes().await;
    let house = House::opens().await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    assert_ne!(hana.says("general", "안녕").await.epoch, before.epoch);
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
    assert_eq!(hana.is_closed().await, code(CloseCode::ServiceRestart));
    house.has_closed().await;
}

#[tokio::test]
async fn nothing_new_begins_while_the_server_stops() {
    let house = House::opens().await;
    let address = house.address;
    assert_eq!(asks(address, "GET", "/healthz", &[], None).await.status, 200);
    house.closes().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
