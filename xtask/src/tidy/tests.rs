use super::*;

/// Checks small files; `expected` are the beginnings of the complaints, in order.
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(*path, *text)).collect();
    let complaints: Vec<String> = super::check(&sources).iter().map(Complaint::to_string).collect();
    let matches = complaints.len() == expected.len()
        && complaints.iter().zip(expected).all(|(complaint, start)| complaint.starts_with(start));
    assert!(matches, "{files:?}\nfound    {complaints:#?}\nexpected {expected:#?}");
}

#[test]
fn the_checkout_is_tidy() {
    check_checkout().unwrap();
}

#[test]
fn the_two_halves_do_not_know_each_other() {
    check(
        &[
            ("session/Cargo.toml", "[dependencies]\ncommon.workspace = true\nrooms = \"1\"\n"),
            ("session/src/lib.rs", "use common::Entry;\nuse rooms::Room;\n"),
        ],
        &["session/Cargo.toml:3: session must not know rooms"],
    );
    check(
        &[
            ("server/Cargo.toml", "[dependencies]\nsession = { path = \"../session\" }\n"),
            ("server/src/lib.rs", "use session::Session;"),
        ],
        &["server/Cargo.toml:2: server must not know session"],
    );
}

#[test]
fn a_pure_crate_depends_on_little() {
    check(
        &[
            (
                "rooms/Cargo.toml",
                "[package]\nname = \"rooms\"\n[dependencies]\ntokio = \"1\"\n\
                 [dev-dependencies]\nproptest = \"1\"\n",
            ),
            ("rooms/src/lib.rs", "tokio::spawn(); proptest!{}"),
        ],
        &["rooms/Cargo.toml:4: tokio is not among what rooms may use"],
    );
}

#[test]
fn a_dependency_is_used_or_taken_out() {
    check(
        &[
            ("server/Cargo.toml", "[dependencies]\ntokio = \"1\"\nsome-thing = \"1\"\n"),
            ("server/src/lib.rs", "// some_thing\nuse tokio::net;"),
        ],
        &["server/Cargo.toml:3: no source of server names some-thing"],
    );
}

#[test]
fn a_pure_crate_neither_waits_nor_locks_nor_hashes() {
    for (code, expected) in [
        ("async fn f() {}", &["session/src/a.rs:1: `async` in session"] as &[_]),
        ("\nuse std::sync::{Arc, Mutex};", &["session/src/a.rs:2: `Mutex` in session"]),
        ("use std::collections::HashMap;", &["session/src/a.rs:1: `HashMap` in session"]),
        ("use std::{fs, fmt};", &["session/src/a.rs:1: `std::fs` in session"]),
        ("std::thread::spawn(f)", &["session/src/a.rs:1: `std::thread` in session"]),
        ("use std::{fmt, sync::Arc};", &[]),
        ("/// Never async, never HashMap.\nfn f() { g(\"async\") }", &[]),
        ("fn f() {}\n#[cfg(test)]\nmod tests {\n    use std::collections::HashMap;\n}", &[]),
    ] {
        check(&[("session/src/a.rs", code)], expected);
    }
    check(&[("server/src/a.rs", "async fn f(m: Mutex<HashMap>) {}")], &[]);
    check(
        &[("rooms/src/lookup.rs", "use std::collections::HashMap;\nuse std::sync::Mutex;")],
        &["rooms/src/lookup.rs:2: `Mutex` in rooms"],
    );
}

#[test]
fn a_crate_of_the_outside_is_named_in_few_places() {
    check(
        &[
            ("server/src/routes.rs", "use warp::Filter;"),
            ("server/src/transport/websocket.rs", "use warp::Filter;"),
            ("server/src/api/rooms.rs", "use warp::Filter;"),
            ("server/src/live.rs", "// warp\nuse warp::Filter;"),
            ("server/src/apiary.rs", "use warp::Filter;"),
        ],
        &["server/src/apiary.rs:1: only server/src/{routes", "server/src/live.rs:2: only server"],
    );
    check(
        &[
            ("frontend/src/connection.rs", "use gloo_net::http;\nuse gloo_net::websocket;"),
            ("frontend/src/room.rs", "\nuse gloo_net::http;"),
        ],
        &["frontend/src/room.rs:2: only frontend/src/connection.rs may name gloo_net"],
    );
}

#[test]
fn the_page_writes_no_html_no_style_and_asks_nobody() {
    for (path, text, expected) in [
        ("frontend/src/a.rs", "<p style={x}>", "frontend/src/a.rs:1: the content security"),
        (
            "frontend/src/a.rs",
            "\nVNode::from_html_unchecked(x)",
            "frontend/src/a.rs:2: what people",
        ),
        ("index.html", "<script>", "index.html:1: the content security policy refuses inline s"),
        ("index.html", "<p style=\"a\">", "index.html:1: the content security policy refuses"),
        ("index.html", "<link href=\"https://fonts\">", "index.html:1: the page asks nobody"),
        ("frontend/styles/a.css", "src: url(//x)", "frontend/styles/a.css:1: the page asks nobody"),
        ("e2e/stories/a.test.mjs", "await page.waitForTimeout(5)", "e2e/stories/a.test.mjs:1:"),
    ] {
        check(&[(path, text)], &[expected]);
    }
    check(&[("frontend/src/a.rs", "let style = 1; // style=\"\"")], &[]);
    check(&[("index.html", "<script type=\"module\" src=\"/start.js\"></script>")], &[]);
}

#[test]
fn a_file_is_not_too_long() {
    let lines = "f();\n".repeat(500);
    check(&[("server/src/a.rs", &lines)], &[]);
    check(&[("server/src/a.rs", &format!("{lines}g();\n"))], &["server/src/a.rs:501: 501 lines"]);
    check(&[("server/src/a.rs", &format!("{lines}mod tests {{\n{lines}}}\n"))], &[]);
    check(&[("server/tests/it/main.rs", &format!("{lines}{lines}"))], &[]);
    check(&[("frontend/styles/a.css", &format!("{lines}{lines}"))], &["frontend/styles/a.css:501"]);
}

#[test]
fn a_long_file_is_advised_before_it_is_refused() {
    let advice = |lines: usize| {
        let source = Source::new("server/src/a.rs", "f();\n".repeat(lines));
        text::long_files(&[source]).len()
    };
    assert_eq!([advice(400), advice(401), advice(500), advice(501)], [0, 1, 1, 0]);
}

#[test]
fn a_document_has_one_title() {
    check(&[("docs/a.md", "# A\n## B\n```\n# a comment\n```\n")], &[]);
    check(&[("docs/a.md", "# A\n\n# B\n")], &["docs/a.md:3: a second title"]);
    check(&[("README.md", "text\n")], &["README.md:1: no title"]);
}

#[test]
fn unfinished_work_and_mod_rs_are_named() {
    let mark = concat!("TO", "DO");
    check(&[("server/src/a.rs", &format!("\n// {mark}: later"))], &["server/src/a.rs:2:"]);
    check(&[("clippy.toml", "todo = \"warn\"")], &[]);
    check(&[("server/src/live/mod.rs", "")], &["server/src/live/mod.rs:1: name the file after"]);
}
