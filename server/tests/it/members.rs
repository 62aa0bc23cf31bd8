//! Who belongs to a private room, and what that is worth.

use common::{EntryKind, ErrorCode, ServerMessage};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::stage::House;

#[tokio::test]
async fn whoever_is_sent_away_hears_nothing_of_what_follows() {
    let house = House::opens().await;
    let (hana, duri) = (house.guest("하나").await, house.guest("두리").await);
    hana.opens_private_room("둘이", &[&duri]).await;
    let (mut of_hana, mut of_duri) = (hana.calls().await, duri.calls().await);
    of_hana.joins("둘이").await;
    of_duri.joins("둘이").await;
    of_hana.says("둘이", "잘 가").await;
    of_duri.hears_post("둘이", "잘 가").await;
    let path = format!("/api/rooms/%EB%91%98%EC%9D%B4/members/{}", duri.id);
    assert_eq!(hana.asks("DELETE", &path, None).await.status, 204);
    let left = of_duri.hears(|message| matches!(message, ServerMessage::Left { .. })).await;
    assert!(matches!(left, ServerMessage::Left { id: None, removed: true, .. }), "{left:?}");
    let kicked = of_hana.hears_entry().await;
    let kicked = if kicked.kind == EntryKind::Post { of_hana.hears_entry().await } else { kicked };
    assert_eq!((kicked.kind, kicked.body.as_str()), (EntryKind::Membership, "kicked"));
    assert_eq!(kicked.member.unwrap().id.as_str(), duri.id);
    of_hana.says("둘이", "이제 혼자").await;
    of_duri.sends_text(r#"{"type":"ping","id":7}"#).await;
    assert_eq!(of_duri.hears_next().await, ServerMessage::Pong { id: 7 });
    of_duri.sends_text(r#"{"type":"join","id":8,"room":"둘이"}"#).await;
    assert_eq!(of_duri.is_refused().await.code, ErrorCode::NotFound);

    let path = "/api/rooms/%EB%91%98%EC%9D%B4/members";
    let back = hana.asks("POST", path, Some(&json!({ "member": duri.id }))).await;
    assert_eq!(back.status, 201, "{}", back.body);
    of_duri.hears(|message| matches!(message, ServerMessage::Opened { .. })).await;
    of_duri.joins("둘이").await;
    of_duri.hears_post("둘이", "이제 혼자").await;
    let house = house.restarts().await;
    let mut after = duri.at(&house).calls().await;
    after.joins("둘이").await;
}

#[tokio::test]
async fn only_whoever_opened_a_private_room_sends_others_away() {
    let house = House::opens().await;
    let (hana, duri) = (house.guest("하나").await, house.guest("두리").await);
    let stranger = house.guest("낯선이").await;
    hana.opens_private_room("duo", &[&duri]).await;
    let path = |id: &str| format!("/api/rooms/duo/members/{id}");
    assert_eq!(duri.asks("DELETE", &path(&hana.id), None).await.status, 403);
    assert_eq!(stranger.asks("DELETE", &path(&hana.id), None).await.status, 404);
    let admit = json!({ "member": stranger.id });
    assert_eq!(stranger.asks("POST", "/api/rooms/duo/members", Some(&admit)).await.status, 404);
    assert_eq!(duri.asks("DELETE", &path(&duri.id), None).await.status, 204, "one may go");
    let of_general = format!("/api/rooms/general/members/{}", duri.id);
    assert_eq!(hana.asks("DELETE", &of_general, None).await.status, 403, "nobody belongs to it");
    assert_eq!(hana.asks("DELETE", &path(&duri.id), None).await.status, 409, "gone already");
    let open = json!({ "member": duri.id });
    assert_eq!(hana.asks("POST", "/api/rooms/general/members", Some(&open)).await.status, 403);
}

#[tokio::test]
async fn letting_people_in_costs_as_much_as_speaking() {
    let house = House::opens().await;
    let (hana, duri) = (house.guest("하나").await, house.guest("두리").await);
    hana.opens_private_room("duo", &[]).await;
    let mut statuses = Vec::new();
    for _ in 0..15 {
        let admit = json!({ "member": duri.id });
        let admitted = hana.asks("POST", "/api/rooms/duo/members", Some(&admit)).await;
        let path = format!("/api/rooms/duo/members/{}", duri.id);
        statuses.extend([admitted.status, hana.asks("DELETE", &path, None).await.status]);
    }
    assert_eq!(statuses[..20], [201, 204].repeat(10));
    assert!(statuses[20..].contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn whoever_is_sent_away_while_their_connection_is_lost_is_not_awaited() {
    let house = House::opens_with(&["--presence-grace-ms", "600000"]).await;
    let (hana, duri) = (house.guest("하나").await, house.guest("두리").await);
    hana.opens_private_room("duo", &[&duri]).await;
    let (mut of_hana, mut of_duri) = (hana.calls().await, duri.calls().await);
    of_duri.joins("duo").await;
    of_hana.joins("duo").await;
    of_duri.sends_raw(Message::Close(None)).await;
    of_duri.is_closed().await;
    let path = format!("/api/rooms/duo/members/{}", duri.id);
    assert_eq!(hana.asks("DELETE", &path, None).await.status, 204);
    let ServerMessage::Joined { members, count, .. } = of_hana.joins("duo").await else {
        panic!("it can be joined");
    };
    let present: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
    assert_eq!((present, count), (vec![hana.id.as_str()], 1));
}
