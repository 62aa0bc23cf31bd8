//! The past: pages both ways, and what they show to be whole.

use common::{Digest, ErrorCode, Position, ServerMessage};
use serde_json::json;

use crate::{
    requests::{acked, edit, page, position, react},
    stage::House,
};

#[tokio::test]
async fn the_past_can_be_read_both_ways_and_shown_to_be_whole() {
    let house = House::opens_with(&["--says-per-second", "1000"]).await;
    let mut hana = house.enters("하나").await;
    let joined = hana.joins("general").await;
    let ServerMessage::Joined { position: Position { epoch, .. }, .. } = joined else {
        panic!("not joined")
    };
    for nth in 1..=130 {
        hana.says("general", &format!("말 {nth}")).await;
    }
    let at = |seq| json!({ "epoch": epoch, "seq": seq });
    let mut back = Vec::new();
    let mut request = json!({ "type": "history", "room": "general" });
    let mut edge: Option<Digest> = None;
    loop {
        let page = page(&mut hana, request).await;
        let Some(first) = page.entries.first().map(|entry| entry.seq) else { break };
        let digest =
            page.entries.iter().fold(page.base, |before, entry| entry.digest_after(before));
        assert!(edge.is_none_or(|edge| edge == digest), "the pages join");
        edge = Some(page.base);
        back.splice(0..0, page.entries.iter().map(|entry| entry.seq));
        request = json!({ "type": "history", "room": "general", "before": at(first), "limit": 50 });
    }
    assert_eq!(back, (1..=130).collect::<Vec<u64>>());
    let request = json!({ "type": "history", "room": "general", "after": at(7), "limit": 100 });
    let forth = page(&mut hana, request).await;
    let seqs: Vec<u64> = forth.entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (8..=107).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_page_says_what_changed_in_it_later() {
    let house = House::opens().await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    let post = hana.says("general", "1").await;
    for nth in 2..=5 {
        hana.says("general", &nth.to_string()).await;
    }
    hana.requests(edit(post.seq, "e-1", "하나")).await;
    let last = acked(&hana.requests(edit(post.seq, "e-2", "일")).await);
    let sign = acked(&hana.requests(react(post.seq, "r-1", "👍")).await);
    let request = json!({ "type": "history", "room": "general", "before": position(&Position { seq: 3, ..post }) });
    let page = page(&mut hana, request).await;
    assert_eq!(page.entries.len(), 2);
    let later: Vec<u64> = page.later.iter().map(|entry| entry.seq).collect();
    assert_eq!(later, [last.seq, sign.seq]);
}

#[tokio::test]
async fn a_position_of_another_log_or_ahead_of_it_is_refused_with_a_code() {
    let house = House::opens().await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    let Position { epoch, .. } = hana.says("general", "안녕").await;
    let history = |seq: i64, epoch: &str| json!({ "type": "history", "room": "general", "before": { "epoch": epoch, "seq": seq } });
    assert_eq!(hana.is_refused_for(history(1, "elsewhere")).await.code, ErrorCode::CursorExpired);
    assert_eq!(hana.is_refused_for(history(9, epoch.as_str())).await.code, ErrorCode::CursorAhead);
    assert_eq!(hana.is_refused_for(history(-1, epoch.as_str())).await.code, ErrorCode::Validation);
    let mark =
        json!({ "type": "mark", "room": "general", "position": { "epoch": epoch, "seq": 2 } });
    assert_eq!(hana.is_refused_for(mark).await.code, ErrorCode::CursorAhead);
    let stranger = json!({ "type": "history", "room": "없는-방" });
    assert_eq!(hana.is_refused_for(stranger).await.code, ErrorCode::Forbidden);
}

#[tokio::test]
async fn a_room_keeps_as_much_as_it_says() {
    let house = House::opens_with(&["--says-per-second", "1000"]).await;
    let hana = house.guest("하나").await;
    let last = json!({ "room": "short", "keep": { "last": 10 } });
    assert_eq!(hana.asks("POST", "/api/rooms", Some(&last)).await.status, 201);
    let mut caller = hana.calls().await;
    caller.joins("short").await;
    let first = caller.says("short", "0").await;
    for nth in 1..200 {
        caller.says("short", &nth.to_string()).await;
    }
    let page = page(&mut caller, json!({ "type": "history", "room": "short", "limit": 100 })).await;
    assert_eq!(
        page.entries.iter().map(|e| e.seq).collect::<Vec<_>>(),
        (191..=200).collect::<Vec<_>>()
    );
    let before = json!({ "type": "history", "room": "short", "after": position(&first) });
    assert_eq!(caller.is_refused_for(before).await.code, ErrorCode::CursorExpired);
    let mut back = hana.calls().await;
    back.sends_text(
        &json!({ "type": "join", "id": 1, "room": "short", "after": position(&first) }).to_string(),
    )
    .await;
    let resync = back.hears(|message| matches!(message, ServerMessage::Resync { .. })).await;
    assert!(matches!(resync, ServerMessage::Resync { after: 190, .. }), "{resync:?}");
}

#[tokio::test]
async fn programs_read_the_past_over_http() {
    let house = House::opens().await;
    let hana = house.guest("하나").await;
    let mut caller = hana.calls().await;
    caller.joins("general").await;
    for nth in 1..=5 {
        caller.says("general", &nth.to_string()).await;
    }
    let all = hana.asks("GET", "/api/rooms/general/entries", None).await.json();
    let epoch = all["position"]["epoch"].as_str().unwrap().to_owned();
    assert_eq!(all["entries"].as_array().unwrap().len(), 5);
    let path = format!("/api/rooms/general/entries?before={epoch}:4&limit=2");
    let page = hana.asks("GET", &path, None).await.json();
    let seqs: Vec<u64> =
        page["entries"].as_array().unwrap().iter().map(|e| e["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [2, 3]);
    for (query, status) in [
        ("before=elsewhere:1", 410),
        ("after=nonsense", 422),
        ("limit=0", 422),
        ("limit=101", 422),
        ("colour=red", 422),
    ] {
        let answer = hana.asks("GET", &format!("/api/rooms/general/entries?{query}"), None).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
    }
    let ahead = format!("/api/rooms/general/entries?before={epoch}:99");
    assert_eq!(hana.asks("GET", &ahead, None).await.status, 409);
    assert_eq!(hana.asks("GET", "/api/rooms/nowhere/entries", None).await.status, 404);
    assert_eq!(house.asks("GET", "/api/rooms/general/entries", &[], None).await.status, 401);
}

#[tokio::test]
async fn whoever_comes_to_large_entries_can_check_them_too() {
    let house = House::opens_with(&["--says-per-second", "1000"]).await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    // A page of these is more than a running room holds in memory.
    let text = "가".repeat(4_000);
    for author in 0..4 {
        let mut author = house.enters(&format!("손님{author}")).await;
        author.joins("general").await;
        for _ in 0..15 {
            author.says("general", &text).await;
        }
    }
    let mut late = house.enters("늦은이").await;
    let joined = late.joins("general").await;
    let ServerMessage::Joined { position, after, base, digest, .. } = joined else {
        panic!("not joined")
    };
    assert_eq!((position.seq, after), (60, 10));
    let mut own = base.expect("the digest where reading begins");
    for _ in after..position.seq {
        own = late.hears_entry().await.digest_after(own);
    }
    assert_eq!(own, digest);
}

#[tokio::test]
async fn a_page_is_shorter_where_what_changed_it_weighs_much() {
    let house = House::opens_with(&["--says-per-second", "1000"]).await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    let mut last = hana.says("general", "0").await;
    for nth in 1..30 {
        last = hana.says("general", &nth.to_string()).await;
    }
    let text = "가".repeat(4_000);
    for seq in 1..=30 {
        hana.requests(edit(seq, &format!("e-{seq}"), &text)).await;
    }
    // The edits weigh 24 KB each in memory, and a page has 128 KiB.
    let before = Position { seq: last.seq + 1, ..last };
    let request = json!({ "type": "history", "room": "general", "before": position(&before) });
    let page = page(&mut hana, request).await;
    assert!(page.entries.len() < 10 && !page.entries.is_empty(), "{}", page.entries.len());
    assert_eq!(page.entries.last().unwrap().seq, 30);
    assert_eq!(page.later.len(), page.entries.len(), "of each post the last edit");
}

#[tokio::test]
async fn whoever_signs_out_while_pages_are_read_is_sent_away_before_the_last_of_them() {
    let house = House::opens_with(&["--says-per-second", "1000"]).await;
    let hana = house.guest("하나").await;
    let mut caller = hana.calls().await;
    caller.joins("general").await;
    for nth in 0..50 {
        caller.says("general", &nth.to_string()).await;
    }
    for id in 0..100 {
        let history = json!({ "type": "history", "room": "general", "id": 1_000 + id });
        caller.sends_text(&history.to_string()).await;
    }
    caller.hears(|message| matches!(message, ServerMessage::History { id: 1_000, .. })).await;
    assert_eq!(hana.asks("DELETE", "/api/session", None).await.status, 204);
    assert_eq!(caller.is_closed().await, 4003);
}
