//! Talking: joining, saying, resuming, being present.

use common::{ErrorCode, ServerMessage};
use serde_json::json;

use crate::stage::{Caller, House};

#[tokio::test]
async fn two_people_talk_both_ways() {
    let house = House::opens().await;
    let (mut hana, mut duri) = (house.enters("하나").await, house.enters("두리").await);
    hana.joins("general").await;
    duri.joins("general").await;
    hana.says("general", "안녕").await;
    assert_eq!(duri.hears_post("general", "안녕").await, 1);
    duri.says("general", "반가워").await;
    assert_eq!(hana.hears_post("general", "반가워").await, 2);
}

#[tokio::test]
async fn the_room_in_the_address_is_joined_at_once() {
    let house = House::opens().await;
    let hana = house.guest("하나").await;
    hana.opens_room("마당").await;
    let ticket = hana.ticket().await;
    let path = format!("/ws/%EB%A7%88%EB%8B%B9?ticket={ticket}");
    let mut caller = Caller::calls(house.address, &path).await;
    caller.hears_welcome().await;
    let joined = caller.hears_next().await;
    assert!(
        matches!(&joined, ServerMessage::Joined { id: None, room, .. } if room.as_str() == "마당"),
        "{joined:?}"
    );
}

#[tokio::test]
async fn a_ticket_may_come_as_the_first_message() {
    let house = House::opens().await;
    let ticket = house.guest("하나").await.ticket().await;
    let mut caller = Caller::calls(house.address, "/ws/general").await;
    caller.sends_text(&json!({ "type": "hello", "ticket": ticket }).to_string()).await;
    caller.hears_welcome().await;
    let joined = caller.hears_next().await;
    assert!(matches!(joined, ServerMessage::Joined { id: None, .. }), "{joined:?}");
}

#[tokio::test]
async fn whoever_comes_back_hears_everything_that_was_missed_in_order() {
    let house = House::opens().await;
    let duri = house.guest("두리").await;
    let (mut hana, mut before) = (house.enters("하나").await, duri.calls().await);
    hana.joins("general").await;
    before.joins("general").await;
    let seen = hana.says("general", "1").await;
    before.hears_post("general", "1").await;
    before.loses_network();
    for text in ["2", "3", "4"] {
        hana.says("general", text).await;
    }
    let mut after = duri.calls().await;
    let joined = after.joins_after("general", Some(seen)).await;
    let ServerMessage::Joined { position, after: from, recovered, .. } = joined else {
        panic!("not joined")
    };
    assert_eq!((position.seq, from, recovered), (4, 1, true));
    for (seq, text) in [(2, "2"), (3, "3"), (4, "4")] {
        let next = after.hears(|message| matches!(message, ServerMessage::Entry(_))).await;
        assert!(matches!(next, ServerMessage::Entry(e) if e.seq == seq && e.body == text));
    }
}

#[tokio::test]
async fn a_message_said_twice_stands_once() {
    let house = House::opens().await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    let first = hana.says_as("general", "m-1", "안녕").await.unwrap();
    assert_eq!(hana.says_as("general", "m-1", "안녕").await.unwrap(), first);
    let conflict = hana.says_as("general", "m-1", "잘 가").await.unwrap_err();
    assert_eq!((conflict.code, conflict.position), (ErrorCode::Conflict, Some(first)));
    assert_eq!(hana.says_as("general", "m-2", "잘 가").await.unwrap().seq, 2);
}

#[tokio::test]
async fn whoever_falls_behind_the_tail_reads_the_log_and_then_goes_on_live() {
    let flags = ["--keep-default", "5000", "--opens-per-address-per-second", "1000"];
    let house = House::opens_with(&flags).await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    // More than the tail of a running room holds; several people, because one may not say so much.
    for author in 0..40 {
        let mut author = house.enters(&format!("손님{author}")).await;
        author.joins("general").await;
        for nth in 0..16 {
            author.says("general", &format!("{nth}")).await;
        }
    }
    let epoch = hana.says("general", "끝").await.epoch;
    let mut late = house.enters("늦은이").await;
    late.joins_after("general", Some(common::Position { epoch, seq: 0 })).await;
    for seq in 1..=641 {
        let next = late.hears(|message| matches!(message, ServerMessage::Entry(_))).await;
        assert!(matches!(next, ServerMessage::Entry(e) if e.seq == seq));
    }
    hana.says("general", "이어서").await;
    assert_eq!(late.hears_post("general", "이어서").await, 642);
}

#[tokio::test]
async fn nobody_hears_a_room_after_leaving_it() {
    let house = House::opens().await;
    let (mut hana, mut duri) = (house.enters("하나").await, house.enters("두리").await);
    hana.joins("general").await;
    duri.joins("general").await;
    duri.leaves("general").await;
    hana.says("general", "안녕").await;
    duri.sends_text(r#"{"type":"ping","id":7}"#).await;
    assert_eq!(duri.hears_next().await, ServerMessage::Pong { id: 7 });
    let refused = duri.says_as("general", "m-1", "들려요?").await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
}

#[tokio::test]
async fn a_closed_tab_is_told_as_left_and_a_quick_return_is_not() {
    let house = House::opens_with(&["--presence-grace-ms", "300"]).await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    let (duri, sena) = (house.guest("두리").await, house.guest("세나").await);
    let (mut of_duri, mut of_sena) = (duri.calls().await, sena.calls().await);
    of_duri.joins("general").await;
    of_sena.joins("general").await;
    of_sena.loses_network();
    let mut back = sena.calls().await;
    back.joins("general").await;
    of_duri.loses_network();
    let told = hana
        .hears(
            |message| matches!(message, ServerMessage::Presence { left, .. } if !left.is_empty()),
        )
        .await;
    let ServerMessage::Presence { left, count, .. } = told else { unreachable!("just matched") };
    assert_eq!(left.iter().map(common::UserId::as_str).collect::<Vec<_>>(), [duri.id.as_str()]);
    assert_eq!(count, 2);
}

#[tokio::test]
async fn a_private_room_is_no_room_to_strangers() {
    let house = House::opens().await;
    let (hana, duri) = (house.guest("하나").await, house.guest("두리").await);
    let (mut of_duri, mut stranger) = (duri.calls().await, house.enters("낯선이").await);
    let room = json!({ "room": "둘이", "members": [duri.id] });
    assert_eq!(hana.asks("POST", "/api/rooms", Some(&room)).await.status, 201);
    of_duri.hears(|message| matches!(message, ServerMessage::Opened { .. })).await;

    stranger.sends_text(r#"{"type":"join","id":1,"room":"둘이"}"#).await;
    assert_eq!(stranger.is_refused().await.code, ErrorCode::NotFound);
    stranger.sends_text(r#"{"type":"join","id":1,"room":"없는-방"}"#).await;
    assert_eq!(stranger.is_refused().await.code, ErrorCode::NotFound);
    let list = house.guest("또다른이").await.asks("GET", "/api/rooms", None).await;
    assert!(!list.body.contains("둘이"), "{}", list.body);

    let mut of_hana = hana.calls().await;
    of_hana.joins("둘이").await;
    of_duri.joins("둘이").await;
    of_hana.says("둘이", "우리끼리").await;
    of_duri.hears_post("둘이", "우리끼리").await;
}
