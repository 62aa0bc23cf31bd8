//! Tickets and sessions on live connections.

use common::CloseCode;
use serde_json::json;

use crate::stage::{Caller, House, code, within};

#[tokio::test]
async fn a_ticket_that_is_worth_nothing_closes_4001_for_every_cause() {
    let house = House::opens().await;
    let (hana, duri) = (house.guest("하나").await, house.guest("두리").await);
    let used = hana.ticket().await;
    Caller::calls(house.address, &format!("/ws?ticket={used}")).await.hears_welcome().await;
    for ticket in [used.as_str(), "", "nonsense", "a%00b"] {
        let mut caller = Caller::calls(house.address, &format!("/ws?ticket={ticket}")).await;
        assert_eq!(caller.is_closed().await, code(CloseCode::TicketInvalid), "{ticket}");
    }
    let revoked = duri.ticket().await;
    assert_eq!(duri.asks("DELETE", "/api/session", None).await.status, 204);
    let mut caller = Caller::calls(house.address, &format!("/ws?ticket={revoked}")).await;
    assert_eq!(caller.is_closed().await, code(CloseCode::TicketInvalid));
}

#[tokio::test]
async fn a_ticket_is_foreign_to_a_browser_with_another_session() {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
    let house = House::opens().await;
    let (hana, thief) = (house.guest("하나").await, house.guest("도둑").await);
    let url = format!("ws://{}/ws?ticket={}", house.address, hana.ticket().await);
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("cookie", thief.cookie.parse().unwrap());
    let (mut socket, _) = within(tokio_tungstenite::connect_async(request)).await.unwrap();
    let frame = within(futures_util::StreamExt::next(&mut socket)).await.unwrap().unwrap();
    let tokio_tungstenite::tungstenite::Message::Close(Some(close)) = frame else {
        panic!("no close frame: {frame:?}")
    };
    assert_eq!(u16::from(close.code), code(CloseCode::TicketInvalid));
}

#[tokio::test]
async fn whoever_says_anything_before_hello_is_sent_away() {
    let house = House::opens().await;
    let mut caller = Caller::calls(house.address, "/ws").await;
    caller.sends_text(r#"{"type":"join","id":1,"room":"general"}"#).await;
    assert_eq!(caller.is_closed().await, code(CloseCode::TicketInvalid));
}

#[tokio::test]
async fn whoever_presents_no_ticket_in_time_is_stale() {
    let house = House::opens_with(&["--hello-timeout-ms", "100"]).await;
    let mut caller = Caller::calls(house.address, "/ws").await;
    assert_eq!(caller.is_closed().await, code(CloseCode::Stale));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_ticket_presented_by_many_connections_at_once_opens_one() {
    let house = House::opens().await;
    let (address, ticket) = (house.address, house.guest("하나").await.ticket().await);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let path = format!("/ws?ticket={ticket}");
        callers.spawn(async move { Caller::calls(address, &path).await.is_welcomed().await });
    }
    let welcomed = callers.join_all().await.into_iter().filter(|welcomed| *welcomed).count();
    assert_eq!(welcomed, 1);
}

#[tokio::test]
async fn signing_out_closes_the_sessions_connections() {
    let house = House::opens().await;
    let (hana, duri) = (house.guest("하나").await, house.guest("두리").await);
    let (mut of_hana, mut of_duri) = (hana.calls().await, duri.calls().await);
    assert_eq!(hana.asks("DELETE", "/api/session", None).await.status, 204);
    assert_eq!(of_hana.is_closed().await, code(CloseCode::SessionRevoked));
    assert_eq!(hana.asks("POST", "/ws/ticket", None).await.status, 401);
    of_duri.joins("general").await;
}

#[tokio::test]
async fn the_oldest_of_too_many_connections_makes_place() {
    let house = House::opens_with(&["--connections-per-user-max", "2"]).await;
    let hana = house.guest("하나").await;
    let (mut first, mut second) = (hana.calls().await, hana.calls().await);
    first.joins("general").await;
    let mut third = hana.calls().await;
    assert_eq!(first.is_closed().await, code(CloseCode::TooManyConnections));
    second.joins("general").await;
    third.joins("general").await;
}

#[tokio::test]
async fn two_windows_of_one_browser_are_two_guests() {
    let house = House::opens().await;
    let name = |name: &str| json!({ "name": name });
    let first = house.asks("POST", "/api/session", &[], Some(&name("하나"))).await;
    let second =
        house.asks("POST", "/api/session", &[("madang-slot", "1")], Some(&name("두리"))).await;
    let cookie = |answer: &crate::stage::Answer| {
        answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    };
    let both = format!("{}; {}", cookie(&first), cookie(&second));
    for (slot, expected) in [("0", "하나"), ("1", "두리")] {
        let headers = [("cookie", both.as_str()), ("madang-slot", slot)];
        let who = house.asks("GET", "/api/session", &headers, None).await;
        assert_eq!(who.json()["user"]["name"], expected);
    }
    let headers = [("cookie", both.as_str()), ("madang-slot", "2")];
    assert_eq!(house.asks("GET", "/api/session", &headers, None).await.status, 401);
    let wrong = house.asks("GET", "/api/session", &[("madang-slot", "8")], None).await;
    assert_eq!(wrong.status, 400);
}
