//! Who may what, asked a few thousand times; and whether a server that does not ask is found out.

use endurance::permissions::{self, Plan, Verdict};

use crate::stage::{broken, server};

async fn verdict(plan: &Plan) -> Verdict {
    let verdict = permissions::run(plan).await;
    verdict.unwrap_or_else(|error| panic!("not judged: {error:#}"))
}

fn plan(server: std::path::PathBuf) -> Plan {
    Plan {
        server,
        flags: Vec::new(),
        operations: 3_000,
        worlds: 3,
        seed: 1,
        findings_max: 10,
        scratch: std::env::temp_dir(),
    }
}

#[tokio::test]
async fn nobody_is_told_what_they_may_not_know_or_refused_what_they_may() {
    let Some(server) = server() else { return };
    let verdict = verdict(&plan(server)).await;
    assert!(verdict.is_good(), "{verdict}");
    assert!(verdict.refused > 500 && verdict.judged - verdict.refused > 500, "{verdict}");
}

async fn is_found_out(breakage: &str) {
    let Some(broken) = broken(breakage).await else { return };
    let plan = Plan { flags: broken.flags, worlds: 1, findings_max: 1, ..plan(broken.server) };
    let verdict = verdict(&plan).await;
    assert!(!verdict.is_good(), "`{breakage}` was not noticed:\n{verdict}");
}

#[tokio::test]
async fn a_server_whose_logs_take_whatever_anybody_says_is_found_out() {
    is_found_out("rules-ignored").await;
}

#[tokio::test]
async fn a_server_that_does_not_tell_live_connections_of_a_kick_is_found_out() {
    is_found_out("kick-not-told").await;
}

#[tokio::test]
async fn a_server_that_searches_all_rooms_is_found_out() {
    is_found_out("search-does-not-ask").await;
}

#[tokio::test]
async fn a_server_that_gives_pages_to_everybody_is_found_out() {
    is_found_out("page-does-not-ask").await;
}

#[tokio::test]
async fn a_server_that_lists_all_rooms_is_found_out() {
    is_found_out("list-does-not-ask").await;
}

#[tokio::test]
async fn a_server_whose_connections_outlast_their_session_is_found_out() {
    is_found_out("sign-out-not-told").await;
}
