//! Finding what was said.

use serde_json::{Value, json};

use crate::stage::{Guest, House, within};

/// Whoever waits for the index asks often.
const EAGER: [&str; 2] = ["--searches-per-second", "100000"];

/// What a question finds, once the index has caught up with what was said before it.
async fn finds(guest: &Guest, query: &str, expected: &[&str]) {
    let found = async {
        loop {
            let bodies = found(guest, query).await;
            if bodies == expected {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    within(found).await;
}

async fn found(guest: &Guest, query: &str) -> Vec<String> {
    let answer = guest.asks("GET", &format!("/api/search?{query}"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let hits = answer.json()["hits"].as_array().unwrap().clone();
    hits.iter().map(|hit| hit["body"].as_str().unwrap().to_owned()).collect()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn korean_is_found_inside_words_and_the_newest_comes_first() {
    let house = House::opens_with(&EAGER).await;
    let hana = house.guest("하나").await;
    let mut caller = hana.calls().await;
    caller.joins("general").await;
    caller.says("general", "내일 회의실에서 만나요").await;
    caller.says("general", "점심은 김밥").await;
    caller.says("general", "대회의장은 어디?").await;
    let query = format!("q={}", encoded("회의"));
    finds(&hana, &query, &["대회의장은 어디?", "내일 회의실에서 만나요"]).await;
    finds(&hana, &format!("q={}", encoded("김밥")), &["점심은 김밥"]).await;
}

#[tokio::test]
async fn edits_and_deletions_are_found_as_they_stand() {
    let house = House::opens_with(&EAGER).await;
    let hana = house.guest("하나").await;
    let mut caller = hana.calls().await;
    caller.joins("general").await;
    let first = caller.says("general", "apple").await;
    let second = caller.says("general", "apple pie").await;
    finds(&hana, "q=apple", &["apple pie", "apple"]).await;
    caller
        .requests(json!({ "type": "edit", "room": "general", "message_id": "e", "of": first.seq, "body": "pear" }))
        .await;
    caller
        .requests(
            json!({ "type": "delete", "room": "general", "message_id": "d", "of": second.seq }),
        )
        .await;
    finds(&hana, "q=apple", &[]).await;
    finds(&hana, "q=pear", &["pear"]).await;
}

#[tokio::test]
async fn nobody_finds_what_they_may_not_read() {
    let house = House::opens_with(&EAGER).await;
    let (hana, duri) = (house.guest("하나").await, house.guest("두리").await);
    hana.opens_private_room("secret", &[]).await;
    let mut caller = hana.calls().await;
    caller.joins("secret").await;
    caller.says("secret", "treasure").await;
    finds(&hana, "q=treasure", &["treasure"]).await;
    finds(&hana, "q=treasure&room=secret", &["treasure"]).await;
    assert_eq!(found(&duri, "q=treasure").await, Vec::<String>::new());
    assert_eq!(duri.asks("GET", "/api/search?q=treasure&room=secret", None).await.status, 404);
    assert_eq!(house.asks("GET", "/api/search?q=treasure", &[], None).await.status, 401);
}

#[tokio::test]
async fn what_was_found_comes_in_pages_and_is_found_after_a_restart() {
    let flags = [EAGER[0], EAGER[1], "--says-per-second", "1000"];
    let house = House::opens_with(&flags).await;
    let hana = house.guest("하나").await;
    let mut caller = hana.calls().await;
    caller.joins("general").await;
    for nth in 0..45 {
        caller.says("general", &format!("word {nth}")).await;
    }
    let house = house.restarts().await;
    let hana = hana.at(&house);
    finds(&hana, "q=44", &["word 44"]).await;
    finds(&hana, "q=0", &["word 0"]).await;
    let (mut bodies, mut query) = (Vec::new(), "q=word".to_owned());
    loop {
        let answer = hana.asks("GET", &format!("/api/search?{query}"), None).await.json();
        let hits = answer["hits"].as_array().unwrap();
        bodies.extend(hits.iter().map(|hit| hit["body"].as_str().unwrap().to_owned()));
        let Value::String(next) = &answer["next"] else { break };
        query = format!("q=word&before={next}");
    }
    assert_eq!(bodies, (0..45).rev().map(|nth| format!("word {nth}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_question_that_says_nothing_is_refused() {
    let house = House::opens_with(&EAGER).await;
    let hana = house.guest("하나").await;
    for query in ["", "q=", "q=%22", "q=a&before=nonsense", "q=a&colour=red"] {
        let answer = hana.asks("GET", &format!("/api/search?{query}"), None).await;
        assert_eq!(answer.status, 422, "{query}: {}", answer.body);
    }
    let long = "a".repeat(5_000);
    assert_eq!(hana.asks("GET", &format!("/api/search?q={long}"), None).await.status, 422);
}

#[tokio::test]
async fn whoever_searches_too_fast_is_told_when_to_go_on() {
    let house = House::opens().await;
    let hana = house.guest("하나").await;
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(hana.asks("GET", "/api/search?q=a", None).await.status);
    }
    assert_eq!(statuses[..20], [200; 20]);
    let refused = hana.asks("GET", "/api/search?q=a", None).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert_eq!(house.guest("두리").await.asks("GET", "/api/search?q=a", None).await.status, 200);
}
