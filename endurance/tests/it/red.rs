//! The rig is believed because it notices a server that is broken on purpose.

use endurance::{
    disk::Folder,
    faults::Fault,
    judge::Promise,
    rig::{Plan, Rig},
};

use crate::stage::{broken, plan, server, strike};

/// What is broken may hold by luck; so often it does not.
const TRIES: u64 = 8;

async fn is_found_out(breakage: &str, fault: Fault, promise: Promise) {
    let Some(plan) = broken(breakage).await else { return };
    for seed in 1..=TRIES {
        let Some(report) = strike(fault, &Plan { seed, ..plan.clone() }).await else { return };
        if report.broken(promise) > 0 {
            return;
        }
    }
    panic!("`{breakage}` held {TRIES} times: the rig would not notice it");
}

#[tokio::test]
async fn a_server_that_does_not_sync_its_commits_is_found_out() {
    is_found_out("synchronous-normal", Fault::Power, Promise::NothingLost).await;
}

#[tokio::test]
async fn a_server_that_acknowledges_before_the_commit_is_found_out() {
    is_found_out("ack-before-commit", Fault::Kill, Promise::NothingLost).await;
}

#[tokio::test]
async fn a_server_that_does_not_know_what_is_said_again_is_found_out() {
    is_found_out("no-dedupe", Fault::Kill, Promise::NothingDoubled).await;
}

#[tokio::test]
async fn a_server_that_begins_anew_is_found_out() {
    let Some(server) = server() else { return };
    let plan = plan(server);
    let folder = Folder::makes(&plan.scratch).unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("server.log"));
    let mut rig = Rig::opens(&plan, &data, &log).await.unwrap();
    // A witness who heard something comes back with a position.
    rig.director.sees("a follower to come back", |tally| tally.resumed > 0).await.unwrap();
    rig.dies().await.unwrap();
    std::fs::remove_dir_all(&data).unwrap();
    rig.starts().await.unwrap();
    let report = rig.ends("everything is taken away").await.unwrap();
    assert!(report.broken(Promise::NothingLost) > 0, "{report}");
    assert!(report.broken(Promise::EverythingResumed) > 0, "{report}");
}
