//! Plain HTTP: the page, the API, and what is refused.

use serde_json::{Value, json};

use crate::stage::{House, TempDir, asks_raw};

#[tokio::test]
async fn a_refusal_is_a_problem_with_a_code() {
    let house = House::opens().await;
    for (method, path, status, code) in [
        ("GET", "/ws", 426, "upgrade_required"),
        ("GET", "/ws/general", 426, "upgrade_required"),
        ("GET", "/api/session", 401, "unauthenticated"),
        ("GET", "/api/rooms", 401, "unauthenticated"),
        ("POST", "/ws/ticket", 401, "unauthenticated"),
        ("GET", "/api/nothing", 404, "not_found"),
        ("PUT", "/api/rooms", 405, "method_not_allowed"),
        ("PUT", "/api/search", 405, "method_not_allowed"),
        ("POST", "/api/rooms/general/entries", 405, "method_not_allowed"),
        ("GET", "/api/rooms/general/members", 405, "method_not_allowed"),
        ("GET", "/api/rooms/general/nothing", 404, "not_found"),
        ("DELETE", "/ws/ticket", 405, "method_not_allowed"),
        ("POST", "/rooms/general", 405, "method_not_allowed"),
        ("GET", "/missing.js", 404, "not_found"),
    ] {
        let answer = house.asks(method, path, &[], None).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.json()["code"], code, "{method} {path}");
        assert_eq!(answer.json()["status"], status);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn a_handshake_is_refused_before_the_upgrade() {
    let house = House::opens().await;
    let good = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let handshake = |path: &'static str, change: (&'static str, &'static str)| {
        let kept = good.iter().filter(move |(name, _)| *name != change.0).copied();
        let headers: Vec<_> = kept.chain([change]).filter(|(_, value)| !value.is_empty()).collect();
        let house = house.address;
        async move {
            let lines: String = headers.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
            let request = format!("GET {path} HTTP/1.1\r\nhost: {house}\r\n{lines}\r\n");
            let mut stream = tokio::net::TcpStream::connect(house).await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
            let mut head = [0; 12];
            tokio::io::AsyncReadExt::read_exact(&mut stream, &mut head).await.unwrap();
            String::from_utf8_lossy(&head[9..]).into_owned()
        }
    };
    for (path, change, status) in [
        ("/ws", ("x-any", "thing"), "101"),
        ("/ws", ("sec-websocket-protocol", "soap, madang.v1.json"), "101"),
        ("/ws", ("sec-websocket-protocol", "soap"), "400"),
        ("/ws", ("sec-websocket-version", "8"), "426"),
        ("/ws", ("sec-websocket-key", "short"), "426"),
        ("/ws", ("sec-websocket-key", ""), "426"),
        ("/ws", ("upgrade", "h2c"), "426"),
        ("/ws", ("origin", "http://evil.example"), "403"),
        ("/ws", ("origin", "null"), "403"),
        ("/ws/Big%20Room", ("x-any", "thing"), "422"),
        ("/ws/%ff", ("x-any", "thing"), "422"),
    ] {
        assert_eq!(handshake(path, change).await, status, "{path} {change:?}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_a_rule_is_told_where() {
    let house = House::opens().await;
    let sign_in = |body: &'static str, media_type: &'static str| {
        let house = house.address;
        async move {
            let length = body.len();
            let request = format!(
                "POST /api/session HTTP/1.1\r\nhost: {house}\r\nconnection: close\r\n\
                 content-type: {media_type}\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            asks_raw(house, request.as_bytes()).await
        }
    };
    let json_type = "application/json; charset=utf-8";
    for (body, media_type, status, pointer, fault) in [
        ("{\"name\":\"하나\"}", "text/plain", 415, None, None),
        ("{\"name\":", json_type, 400, None, None),
        ("{\"name\":\"a\"} x", json_type, 400, None, None),
        ("{}", json_type, 422, Some("/name"), Some("missing")),
        ("{\"name\":\"\"}", json_type, 422, Some("/name"), Some("empty")),
        ("{\"name\":7}", json_type, 422, Some("/name"), Some("invalid")),
        ("{\"name\":\"a\\nb\"}", json_type, 422, Some("/name"), Some("invalid")),
        ("{\"name\":\"a\",\"admin\":true}", json_type, 422, Some("/admin"), Some("unknown_field")),
    ] {
        let answer = sign_in(body, media_type).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        let error = &answer.json()["errors"][0];
        assert_eq!(error["pointer"], pointer.map_or(Value::Null, Value::from), "{body}");
        assert_eq!(error["code"], fault.map_or(Value::Null, Value::from), "{body}");
    }
    let long = json!({ "name": "가".repeat(41) });
    let answer = house.asks("POST", "/api/session", &[], Some(&long)).await;
    assert_eq!(answer.json()["errors"][0]["code"], "too_long");
    let huge = json!({ "name": "a".repeat(70_000) });
    assert_eq!(house.asks("POST", "/api/session", &[], Some(&huge)).await.status, 413);
}

#[tokio::test]
async fn a_page_of_another_site_can_change_nothing() {
    let house = House::opens_with(&["--allowed-origins", "https://app.example"]).await;
    let name = json!({ "name": "하나" });
    let sign_in = |header: (&'static str, &'static str)| {
        let (house, name) = (&house, &name);
        async move { house.asks("POST", "/api/session", &[header], Some(name)).await.status }
    };
    assert_eq!(sign_in(("origin", "https://evil.example")).await, 403);
    assert_eq!(sign_in(("sec-fetch-site", "cross-site")).await, 403);
    assert_eq!(sign_in(("origin", "https://app.example")).await, 201);
    assert_eq!(sign_in(("sec-fetch-site", "same-origin")).await, 201);
}

#[tokio::test]
async fn a_room_is_opened_once_and_says_what_it_keeps() {
    let house = House::opens().await;
    let hana = house.guest("하나").await;
    let open = |body: Value| {
        let hana = hana.clone();
        async move { hana.asks("POST", "/api/rooms", Some(&body)).await }
    };
    assert_eq!(open(json!({ "room": "tech", "keep": { "last": 10 } })).await.status, 201);
    assert_eq!(open(json!({ "room": "tech" })).await.json()["code"], "conflict");
    assert_eq!(open(json!({ "room": "cursors", "keep": "none" })).await.status, 201);
    for (body, pointer) in [
        (json!({ "room": "a", "keep": "everything" }), "/keep"),
        (json!({ "room": "a", "keep": { "last": 0 } }), "/keep"),
        (json!({ "room": "a", "keep": { "last": -1 } }), "/keep/last"),
        (json!({ "room": "Big Room" }), "/room"),
        (json!({ "room": "a", "members": ["nobody"] }), "/members/0"),
    ] {
        let answer = open(body).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer);
    }
    let names: Vec<Value> = hana.asks("GET", "/api/rooms", None).await.json()["rooms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|room| room["room"].clone())
        .collect();
    assert_eq!(names, ["cursors", "general", "tech"]);
}

#[tokio::test]
async fn one_person_opens_a_tenth_of_the_rooms_and_not_all_at_once() {
    let house = House::opens_with(&["--rooms-max", "100"]).await;
    let hana = house.guest("하나").await;
    for nth in 0..10 {
        hana.opens_room(&format!("room-{nth}")).await;
    }
    let one_more = hana.asks("POST", "/api/rooms", Some(&json!({ "room": "one-more" }))).await;
    assert_eq!((one_more.status, one_more.json()["code"].as_str()), (429, Some("limit_reached")));
    house.guest("두리").await.opens_room("of-duri").await;

    let house = House::opens().await;
    let hurried = house.guest("하나").await;
    let mut statuses = Vec::new();
    for nth in 0..22 {
        let room = json!({ "room": format!("room-{nth}") });
        statuses.push(hurried.asks("POST", "/api/rooms", Some(&room)).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 20);
    assert_eq!(statuses.last(), Some(&429));
}

#[tokio::test]
async fn the_page_may_do_nothing_but_what_it_needs() {
    let house = House::opens().await;
    let page = house.asks("GET", "/", &[], None).await;
    let policy = page.header("content-security-policy").unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{rule} is not in {policy}");
    }
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(page.header(name), Some(value));
    }
}

#[tokio::test]
async fn the_page_is_served_with_its_policy_and_compressed() {
    /// `echo -n 'init()' | openssl dgst -sha256 -binary | base64`
    const SHA256_OF_INIT: &str = "w4ujnOpjBoH2vcasx+reJRUwYivG8Q3afx/XevGJod8=";
    let dist = TempDir::new();
    let file = |name: &str, text: &str| std::fs::write(format!("{}/{name}", dist.0), text).unwrap();
    file("index.html", "<html><script type=\"module\">init()</script></html>");
    file("page-0f3a9c1d2e4b5a69.js", "plain");
    file("page-0f3a9c1d2e4b5a69.js.br", "brotli");
    let house = House::opens_with(&["--page-dir", &dist.0]).await;
    for path in ["/", "/rooms/general", "/rooms/%EB%A7%88%EB%8B%B9", "/index.html"] {
        let page = house.asks("GET", path, &[], None).await;
        assert_eq!((page.status, page.header("cache-control")), (200, Some("no-cache")), "{path}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains(&format!("'sha256-{SHA256_OF_INIT}'")), "{policy}");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    }
    let script = "/page-0f3a9c1d2e4b5a69.js";
    let plain = house.asks("GET", script, &[], None).await;
    assert_eq!((plain.body.as_str(), plain.header("content-encoding")), ("plain", None));
    let small = house.asks("GET", script, &[("accept-encoding", "gzip, br")], None).await;
    assert_eq!((small.body.as_str(), small.header("content-encoding")), ("brotli", Some("br")));
    assert!(small.header("cache-control").unwrap().contains("immutable"));
    let head = house.asks("HEAD", script, &[], None).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(house.asks("GET", "/..%2fCargo.toml", &[], None).await.status, 404);
}

#[tokio::test]
async fn a_server_without_a_page_says_how_to_build_it() {
    let empty = TempDir::new();
    let house = House::opens_with(&["--page-dir", &empty.0]).await;
    let page = house.asks("GET", "/", &[], None).await;
    assert_eq!(page.status, 503);
    assert!(page.body.contains("cargo xtask run"));
}

#[tokio::test]
async fn health_is_told_to_whoever_asks() {
    let house = House::opens().await;
    assert_eq!(house.asks("GET", "/healthz", &[], None).await.json()["status"], "ok");
    assert_eq!(house.asks("GET", "/readyz", &[], None).await.status, 200);
}

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
