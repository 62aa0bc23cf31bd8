//! The log: what was acknowledged stays, in its place, and can be shown to be whole.

use common::{Digest, EntryKind, ErrorCode, Position, ServerMessage};
use serde_json::{Value, json};

use crate::stage::{Caller, House};

fn position(position: &Position) -> Value {
    serde_json::to_value(position).unwrap()
}

fn acked(reply: &ServerMessage) -> Position {
    let ServerMessage::Ack { position, .. } = reply else { panic!("not acknowledged: {reply:?}") };
    position.clone()
}

fn edit(of: u64, message_id: &str, body: &str) -> Value {
    json!({ "type": "edit", "room": "general", "message_id": message_id, "of": of, "body": body })
}

fn delete(of: u64, message_id: &str) -> Value {
    json!({ "type": "delete", "room": "general", "message_id": message_id, "of": of })
}

fn react(of: u64, message_id: &str, emoji: &str) -> Value {
    json!({ "type": "react", "room": "general", "message_id": message_id, "of": of, "body": emoji })
}

/// A page of general: its entries, the digest before them, and what changes them later.
struct Page {
    entries: Vec<common::Entry>,
    base: Digest,
    later: Vec<common::Entry>,
}

async fn page(caller: &mut Caller, request: Value) -> Page {
    let reply = caller.requests(request).await;
    let ServerMessage::History { entries, base, later, .. } = reply else {
        panic!("no page: {reply:?}")
    };
    Page { entries, base, later }
}

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

#[tokio::test]
async fn whoever_signed_out_stays_out_after_a_restart() {
    let house = House::opens().await;
    let hana = house.guest("하나").await;
    hana.calls().await.hears_welcome().await;
    assert_eq!(hana.asks("DELETE", "/api/session", None).await.status, 204);
    let house = house.restarts().await;
    assert_eq!(hana.at(&house).asks("GET", "/api/session", None).await.status, 401);
}
