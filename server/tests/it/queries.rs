//! Queries and bodies that no program of ours writes.

use serde_json::json;

use crate::stage::House;

#[tokio::test]
async fn a_strange_field_of_a_query_is_named_by_a_pointer_and_not_at_length() {
    let house = House::opens().await;
    let hana = house.guest("하나").await;
    let name = format!("a%2Fb~{}", "x".repeat(4_000));
    for path in ["/api/rooms/general/entries", "/api/search"] {
        let refused = hana.asks("GET", &format!("{path}?{name}=1"), None).await;
        assert_eq!(refused.status, 422);
        let pointer = refused.json()["errors"][0]["pointer"].as_str().unwrap().to_owned();
        assert!(pointer.starts_with("/a~1b~0xxx") && pointer.len() < 80, "{pointer}");
    }
}

#[tokio::test]
async fn a_strange_field_of_a_body_is_named_once_and_escaped() {
    let house = House::opens().await;
    let hana = house.guest("하나").await;
    let body = json!({ "a/b~": 1, "room": "tech" });
    let refused = hana.asks("POST", "/api/rooms", Some(&body)).await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/a~1b~0", "{}", refused.body);
}
