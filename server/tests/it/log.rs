//! The log: what was acknowledged stays, in its place.

use common::{Digest, EntryKind, ErrorCode, Position, ServerMessage};
use serde_json::{Value, json};

use crate::{
    requests::{acked, delete, edit, page, position, react},
    stage::House,
};

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let house = House::opens().await;
    let (hana, duri) = (house.guest("하나").await, house.guest("두리").await);
    let (mut of_hana, mut of_duri) = (hana.calls().await, duri.calls().await);
    of_hana.joins("general").await;
    of_duri.joins("general").await;
    let first = of_hana.says_as("general", "m-1", "하나").await.unwrap();
    of_duri.hears_post("general", "하나").await;
    of_duri.loses_network();
    let second = of_hana.says_as("general", "m-2", "둘").await.unwrap();
    let house = house.restarts().await;

    let (mut of_hana, mut of_duri) = (hana.at(&house).calls().await, duri.at(&house).calls().await);
    let joined = of_duri.joins_after("general", Some(first.clone())).await;
    assert!(matches!(joined, ServerMessage::Joined { recovered: true, .. }), "{joined:?}");
    assert_eq!(of_duri.hears_post("general", "둘").await, second.seq);
    of_hana.joins_after("general", Some(second.clone())).await;
    assert_eq!(of_hana.says_as("general", "m-1", "하나").await.unwrap(), first, "the first ack");
    let conflict = of_hana.says_as("general", "m-2", "셋").await.unwrap_err();
    assert_eq!((conflict.code, conflict.position), (ErrorCode::Conflict, Some(second.clone())));
    let third = of_hana.says_as("general", "m-3", "셋").await.unwrap();
    assert_eq!(third, Position { epoch: second.epoch, seq: second.seq + 1 });
}

#[tokio::test]
async fn whoever_was_away_sees_edits_and_deletions() {
    let house = House::opens().await;
    let duri = house.guest("두리").await;
    let (mut hana, mut before) = (house.enters("하나").await, duri.calls().await);
    hana.joins("general").await;
    before.joins("general").await;
    let kept = hana.says("general", "안녕").await;
    let taken_back = hana.says("general", "비밀").await;
    before.hears_post("general", "비밀").await;
    before.loses_network();
    let edited = acked(&hana.requests(edit(kept.seq, "e-1", "안녕하세요")).await);
    let deleted = acked(&hana.requests(delete(taken_back.seq, "d-1")).await);

    let mut after = duri.calls().await;
    after.joins_after("general", Some(taken_back.clone())).await;
    let heard = (after.hears_entry().await, after.hears_entry().await);
    assert_eq!(
        (heard.0.kind, heard.0.of, heard.0.seq),
        (EntryKind::Edit, Some(kept.seq), edited.seq)
    );
    assert_eq!(heard.0.body, "안녕하세요");
    assert_eq!((heard.1.kind, heard.1.of), (EntryKind::Delete, Some(taken_back.seq)));
    assert_eq!(heard.1.seq, deleted.seq);

    // Whoever comes new does not get what was taken back.
    let mut late = house.enters("늦은이").await;
    late.joins("general").await;
    let (first, second) = (late.hears_entry().await, late.hears_entry().await);
    assert_eq!((first.body.as_str(), first.erased), ("안녕", None));
    assert_eq!((second.body.as_str(), second.erased), ("", Some(Digest::of_body("비밀"))));
}

#[tokio::test]
async fn what_was_taken_back_is_gone_from_the_disk() {
    let house = House::opens().await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    let post = hana.says("general", "아무에게도-보이지-않을-말").await;
    hana.requests(edit(post.seq, "e-1", "이것도-사라질-말")).await;
    hana.requests(delete(post.seq, "d-1")).await;
    let page = page(&mut hana, json!({ "type": "history", "room": "general" })).await;
    assert!(page.entries[..2].iter().all(|entry| entry.body.is_empty() && entry.erased.is_some()));
    let data = house.data.0.clone();
    house.restarts().await.closes().await;
    let kept = std::fs::read(format!("{data}/madang.db")).unwrap_or_default();
    assert!(!contains(&kept, "아무에게도-보이지-않을-말"));
    assert!(!contains(&kept, "이것도-사라질-말"));
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn only_the_author_edits_and_deletes_and_nobody_what_is_gone() {
    let house = House::opens().await;
    let (mut hana, mut duri) = (house.enters("하나").await, house.enters("두리").await);
    hana.joins("general").await;
    duri.joins("general").await;
    let post = hana.says("general", "안녕").await;
    let code = |problem: common::Problem| problem.code;
    assert_eq!(
        code(duri.is_refused_for(edit(post.seq, "e-1", "나는 두리")).await),
        ErrorCode::Forbidden
    );
    assert_eq!(code(duri.is_refused_for(delete(post.seq, "d-1")).await), ErrorCode::Forbidden);
    assert_eq!(code(hana.is_refused_for(edit(99, "e-2", "어디?")).await), ErrorCode::NotFound);
    let reaction = acked(&duri.requests(react(post.seq, "r-1", "👍")).await);
    assert_eq!(
        code(hana.is_refused_for(edit(reaction.seq, "e-3", "👎")).await),
        ErrorCode::Validation
    );
    hana.requests(delete(post.seq, "d-2")).await;
    assert_eq!(code(duri.is_refused_for(react(post.seq, "r-2", "🎉")).await), ErrorCode::Conflict);
    assert_eq!(code(hana.is_refused_for(edit(post.seq, "e-4", "다시")).await), ErrorCode::Conflict);
    assert_eq!(code(hana.is_refused_for(delete(post.seq, "d-3")).await), ErrorCode::Conflict);
}

#[tokio::test]
async fn a_sign_is_put_on_a_post_once_and_can_be_taken_back() {
    let house = House::opens().await;
    let (mut hana, mut duri) = (house.enters("하나").await, house.enters("두리").await);
    hana.joins("general").await;
    duri.joins("general").await;
    let post = hana.says("general", "점심?").await;
    let sign = acked(&duri.requests(react(post.seq, "r-1", "👍")).await);
    assert_eq!(acked(&duri.requests(react(post.seq, "r-1", "👍")).await), sign, "said again");
    assert_eq!(duri.is_refused_for(react(post.seq, "r-2", "👍")).await.code, ErrorCode::Conflict);
    duri.requests(delete(sign.seq, "d-1")).await;
    let again = acked(&duri.requests(react(post.seq, "r-3", "👍")).await);
    assert!(again.seq > sign.seq);
}

#[tokio::test]
async fn what_was_sent_is_what_the_server_says_it_is() {
    let house = House::opens_with(&["--heartbeat-interval-ms", "200"]).await;
    let mut hana = house.enters("하나").await;
    let joined = hana.joins("general").await;
    let ServerMessage::Joined { base: Some(base), digest, .. } = joined else { panic!("no base") };
    assert_eq!(base, digest, "nothing was said");
    let mut own = base;
    hana.sends_text(r#"{"type":"say","id":90,"room":"general","message_id":"a","body":"안녕"}"#)
        .await;
    own = hana.hears_entry().await.digest_after(own);
    let told = hana.hears(|message| matches!(message, ServerMessage::Head { .. })).await;
    let ServerMessage::Head { position, digest, .. } = told else { unreachable!("just matched") };
    assert_eq!((position.seq, digest), (1, own));
}

#[tokio::test]
async fn what_was_read_is_known_on_every_connection_and_after_a_restart() {
    let house = House::opens().await;
    let hana = house.guest("하나").await;
    let (mut here, mut there, mut duri) =
        (hana.calls().await, hana.calls().await, house.enters("두리").await);
    here.joins("general").await;
    there.joins("general").await;
    duri.joins("general").await;
    let first = duri.says("general", "하나").await;
    duri.says("general", "둘").await;
    let last = duri.says("general", "@하나야 셋").await;
    let mark =
        |at: &Position| json!({ "type": "mark", "room": "general", "position": position(at) });
    let reply = here.requests(mark(&first)).await;
    let ServerMessage::Marked { unread, .. } = reply else { panic!("not marked: {reply:?}") };
    assert_eq!((unread.read, unread.posts, unread.mentions), (1, 2, 1));
    let told = there.hears(|message| matches!(message, ServerMessage::Marked { .. })).await;
    assert!(matches!(told, ServerMessage::Marked { id: None, unread: u, .. } if u == unread));

    here.requests(mark(&last)).await;
    let back = here.requests(mark(&first)).await;
    assert!(
        matches!(back, ServerMessage::Marked { unread, .. } if unread.read == last.seq),
        "never back"
    );
    duri.says("general", "넷").await;
    let house = house.restarts().await;
    let list = hana.at(&house).asks("GET", "/api/rooms", None).await.json();
    assert_eq!(list["rooms"][0]["unread"], json!({ "read": last.seq, "posts": 1, "mentions": 0 }));
}

#[tokio::test]
async fn what_a_room_is_about_is_listed_and_kept() {
    let house = House::opens().await;
    let hana = house.guest("하나").await;
    let mut caller = hana.calls().await;
    caller.joins("general").await;
    let topic = |id: &str, body: &str| json!({ "type": "topic", "room": "general", "message_id": id, "body": body });
    caller.requests(topic("t-1", "이번 주 배포")).await;
    let house = house.restarts().await;
    let hana = hana.at(&house);
    let list = hana.asks("GET", "/api/rooms", None).await.json();
    assert_eq!(list["rooms"][0]["topic"], "이번 주 배포");
    let mut caller = hana.calls().await;
    caller.joins("general").await;
    caller.requests(topic("t-2", "")).await;
    let list = hana.asks("GET", "/api/rooms", None).await.json();
    assert_eq!(list["rooms"][0]["topic"], Value::Null);
}

#[tokio::test]
async fn a_room_that_keeps_nothing_never_touches_the_disk() {
    let house = House::opens().await;
    let hana = house.guest("하나").await;
    let none = json!({ "room": "ticker", "keep": "none" });
    assert_eq!(hana.asks("POST", "/api/rooms", Some(&none)).await.status, 201);
    let (mut of_hana, mut duri) = (hana.calls().await, house.enters("두리").await);
    of_hana.joins("ticker").await;
    duri.joins("ticker").await;
    let said = of_hana.says_as("ticker", "m-1", "지나가는-한마디").await.unwrap();
    assert_eq!(of_hana.says_as("ticker", "m-1", "지나가는-한마디").await.unwrap(), said);
    duri.hears_post("ticker", "지나가는-한마디").await;
    for file in std::fs::read_dir(&house.data.0).unwrap() {
        let path = file.unwrap().path();
        assert!(!contains(&std::fs::read(&path).unwrap(), "지나가는-한마디"), "{}", path.display());
    }
    let house = house.restarts().await;
    let mut after = hana.at(&house).calls().await;
    let joined = after.joins_after("ticker", Some(said.clone())).await;
    let ServerMessage::Joined { position, recovered, .. } = joined else { panic!("not joined") };
    assert!(!recovered && position.epoch != said.epoch && position.seq == 0, "{position:?}");
}

#[tokio::test]
async fn where_nothing_is_kept_nothing_is_unread() {
    let house = House::opens().await;
    let hana = house.guest("하나").await;
    let none = json!({ "room": "ticker", "keep": "none" });
    assert_eq!(hana.asks("POST", "/api/rooms", Some(&none)).await.status, 201);
    let mut caller = hana.calls().await;
    caller.joins("ticker").await;
    let at = caller.says("ticker", "지나가는 말").await;
    let mark = json!({ "type": "mark", "room": "ticker", "position": position(&at) });
    let marked = caller.requests(mark).await;
    assert!(
        matches!(marked, ServerMessage::Marked { unread, .. } if (unread.read, unread.posts) == (1, 0)),
        "{marked:?}"
    );
    let history = json!({ "type": "history", "room": "ticker" });
    let page = page(&mut caller, history).await;
    assert!(page.entries.is_empty());
}

#[tokio::test]
async fn whoever_signed_out_stays_out_after_a_restart() {
    let house = House::opens().await;
    let hana = house.guest("하나").await;
    hana.calls().await.hears_welcome().await;
    assert_eq!(hana.asks("DELETE", "/api/session", None).await.status, 204);
    let house = house.restarts().await;
    assert_eq!(hana.at(&house).asks("GET", "/api/session", None).await.status, 401);
}
