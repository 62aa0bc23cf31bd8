//! The measurements with small numbers: they run, and they notice when something goes wrong.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod lean;

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use common::{Body, MessageId, RoomName};
use loadgen::{
    guest::Guest,
    half_open::{self, Peers},
    peer::Peer,
    soak::{self, Load},
    stalled,
    storm::{self, Crowd},
};
use session::Content;

async fn open_house() -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
    open_house_with(&[]).await
}

async fn open_house_with(more: &[&str]) -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nth = NEXT.fetch_add(1, Ordering::Relaxed);
    let data = std::env::temp_dir().join(format!("madang-loadgen-{}-{nth}", std::process::id()));
    std::fs::create_dir_all(&data).unwrap();
    let data_dir = ["--data-dir", data.to_str().unwrap()];
    let flags = ["server", "--listen", "127.0.0.1:0", "--says-per-second", "100000"];
    let flags = flags.into_iter().chain(data_dir).chain(more.iter().copied());
    let config = <server::Config as clap::Parser>::parse_from(flags);
    let listener = server::accept::bind(config.listen).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    tokio::spawn(server::run(listener, config, async move {
        let _ = stopped.await;
    }));
    tokio::task::yield_now().await;
    (address, stop)
}

#[tokio::test]
async fn acks_are_counted_beside_a_plain_file() {
    let (address, stop) = open_house().await;
    let (directory, each) = (std::env::temp_dir(), Duration::from_millis(50));
    let found = loadgen::durable::measure(address, &directory, 4, each).await.unwrap();
    assert!(found.acks.per_second > 0.0 && found.plain.per_second > 0.0, "{found:?}");
    assert!(found.acks.p50 <= found.acks.p99);
    drop(stop);
}

#[tokio::test]
async fn whoever_comes_back_is_timed_and_missing_entries_are_no_figure() {
    let (address, stop) = open_house().await;
    let room = RoomName::new("general").unwrap();
    let mut guest =
        loadgen::guest::Guest::enters(address, "g", std::slice::from_ref(&room)).await.unwrap();
    for nth in 0..60 {
        let (id, body) = (format!("m{nth}"), format!("{nth}"));
        let (id, body) = (common::MessageId::new(id).unwrap(), common::Body::new(body).unwrap());
        guest.says(&room, id, body).await.unwrap();
    }
    let process = std::process::id();
    let found = loadgen::resume::measure(address, process, &room, 60).await.unwrap();
    assert_eq!(found.entries, 60);
    let refused = loadgen::resume::measure(address, process, &room, 61).await;
    assert!(refused.unwrap_err().to_string().contains("not there"));
    drop(stop);
}

#[tokio::test]
async fn what_is_missed_can_be_said_first_in_a_room_of_its_own() {
    let (address, stop) = open_house().await;
    let process = std::process::id();
    // More than is on its way at a time.
    let first = loadgen::resume::fills(address, 700).await.unwrap();
    let found = loadgen::resume::measure(address, process, &first, 700).await.unwrap();
    assert_eq!(found.entries, 700);
    // Nobody else was in it, and the next run has another.
    let other = loadgen::resume::fills(address, 33).await.unwrap();
    assert_ne!(other, first);
    let refused = loadgen::resume::measure(address, process, &other, 34).await;
    assert!(refused.unwrap_err().to_string().contains("not there"));
    drop(stop);
}

#[tokio::test]
async fn everybody_who_is_cut_comes_back_with_everything_and_is_timed() {
    let (address, stop) = open_house().await;
    let (quiet, back_max) = (Duration::ZERO, Duration::from_secs(30));
    let crowd = Crowd { clients: 12, rooms: 3, history: 10, missed: 5, quiet, back_max };
    let server = storm::Server::Running { address, process: std::process::id() };
    let found = storm::measure(server, crowd).await.unwrap();
    assert_eq!((found.clients, found.duplicates), (12, 0));
    assert!(found.attempts >= 12 && found.half <= found.last, "{found:?}");

    let crowd = Crowd { back_max: Duration::ZERO, ..crowd };
    let server = storm::Server::Running { address, process: std::process::id() };
    let late = storm::measure(server, crowd).await.unwrap_err();
    assert!(late.to_string().contains("came back in time"), "{late}");
    drop(stop);
}

#[tokio::test]
async fn people_do_everything_and_memory_is_watched() {
    let (address, stop) = open_house().await;
    let load = Load {
        people: 8,
        rooms: 6,
        keep: 50,
        deeds_per_second: 60.0,
        lasting: Duration::from_secs(2),
        sample_every: Duration::from_millis(50),
    };
    let found = soak::measure(address, std::process::id(), load).await.unwrap();
    assert!(found.deeds.said > 0 && found.deeds.heard >= found.deeds.said, "{found:?}");
    assert!(found.deeds.proofs > 0 && found.resident.is_some(), "{found:?}");
    drop(stop);
}

#[tokio::test]
async fn a_peer_that_is_cut_resumes_and_one_whose_room_is_gone_is_no_figure() {
    let (address, stop) = open_house().await;
    let general = RoomName::new("general").unwrap();
    let signed_in = Guest::signs_in(address, "peer").await.unwrap();
    let mut peer = Peer::new(signed_in, 1);
    peer.session().join(general.clone(), loadgen::clock::now());
    peer.session().connect(loadgen::clock::now());
    peer.lives_until_it(|peer| peer.has(&general, 0)).await.unwrap();
    let (id, body) = (MessageId::new("m1").unwrap(), Body::new("안녕").unwrap());
    peer.is_cut();
    let (content, now) = (Content::Post(body), loadgen::clock::now());
    peer.session().write(general.clone(), id, content, now).unwrap();
    peer.lives_until_it(|peer| peer.unconfirmed() == 0).await.unwrap();
    assert_eq!((peer.stats().connects, peer.stats().holes), (2, 0));

    let unknown = RoomName::new("unknown").unwrap();
    peer.session().join(unknown, loadgen::clock::now());
    let refused = peer.lives_until_it(|_| false).await.unwrap_err();
    assert!(refused.to_string().contains("JoinRefused"), "{refused}");
    drop(stop);
}

#[tokio::test]
async fn whoever_reads_nothing_is_closed_and_gets_everything_afterwards() {
    let flags = ["--write-stall-ms", "1500", "--opens-per-address-per-second", "1000"];
    let (address, stop) = open_house_with(&flags).await;
    let room = stalled::Room {
        good: 3,
        stalled: 2,
        says_per_second: 400.0,
        body_bytes: 3_900,
        pairs: 1,
        round: Duration::from_millis(1_500),
        behind: false,
        warm_up: Duration::ZERO,
    };
    let found = stalled::measure(address, std::process::id(), room).await.unwrap();
    assert_eq!(found.closed_after.len(), 2, "{found:?}");
    assert!(found.rounds.iter().all(|(without, with)| without.heard > 0 && with.heard > 0));
    assert!(found.recovered > 0, "{found:?}");
    assert_eq!(found.bytes_each(2), found.more_bytes[0] / 2);
    drop(stop);
}

/// The test runs itself once more, in a network namespace of its own.
#[test]
fn whoever_vanishes_is_let_go_of_and_whoever_answers_late_is_kept() {
    const INSIDE: &str = "MADANG_LOADGEN_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        return vanishing_inside();
    }
    let name = "whoever_vanishes_is_let_go_of_and_whoever_answers_late_is_kept";
    let apart = |program: &std::path::Path, arguments: &[&str]| {
        let mut command = std::process::Command::new("unshare");
        command.args(["--map-root-user", "--net"]).arg(program).args(arguments);
        command.env(INSIDE, "1").output()
    };
    let allowed = apart("nft".as_ref(), &["list", "ruleset"]);
    if !allowed.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no network namespace, or no nft, is to be had here");
        return;
    }
    let this = std::env::current_exe().unwrap();
    let output = apart(&this, &["--exact", name, "--nocapture"]).unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

fn vanishing_inside() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        half_open::loopback().await.unwrap();
        let flags = ["--heartbeat-interval-ms", "1000", "--heartbeat-timeout-ms", "1500"];
        let flags = [&flags[..], &["--presence-grace-ms", "0"]].concat();
        let (address, stop) = open_house_with(&flags).await;
        let (delay, lasting) = (Duration::from_millis(500), Duration::from_secs(6));
        let peers = Peers { vanishing: 4, late: 4, delay, well: 4, lasting };
        let found = half_open::measure(address, peers).await.unwrap();
        assert_eq!((found.gone.len(), found.false_closes), (4, 0), "{found:?}");
        assert!(found.answered > 0, "{found:?}");

        // They are not gone before a ping was due.
        let peers = Peers { lasting: Duration::from_millis(100), ..peers };
        let still_there = half_open::measure(address, peers).await.unwrap_err();
        assert!(still_there.to_string().contains("still there"), "{still_there}");
        drop(stop);
    });
}

#[tokio::test]
async fn packets_are_dropped_nowhere_else() {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let delay = Duration::ZERO;
    let peers = Peers { vanishing: 1, late: 0, delay, well: 0, lasting: delay };
    if std::fs::read_link("/proc/1/ns/net").is_ok() {
        let refused = half_open::measure(nowhere, peers).await.unwrap_err();
        assert!(refused.to_string().contains("unshare --net"), "{refused}");
    }
}
