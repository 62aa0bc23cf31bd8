//! What a rig of many people found out about who is told what.

use common::ServerMessage;
use tokio_tungstenite::tungstenite::Message;

use crate::stage::House;

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
