//! Clients that read nothing, among others in the same room: what they cost the server and the
//! others, when they are closed, and whether they have everything when they are back.

mod follower;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use common::RoomName;
use tokio::task::JoinSet;

use crate::{clock, guest::Guest, peer::Peer, process::Process, route::Route, tcp};
use follower::{Crowd, Speakers};

/// Between two looks at the connections and at the server's memory.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Bytes that the kernel takes for a client that does not read: little, so that it stalls soon.
const RECEIVE_BUFFER_BYTES: u32 = 4 * 1024;
/// Who does not read is closed before, or never.
const CLOSED_MAX: Duration = Duration::from_secs(30);
/// Until everybody who stalled has everything.
const BACK_MAX: Duration = Duration::from_secs(60);
/// The address behind that of everybody else.
const STALLED_FROM: usize = 5_000;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Who reads.
    pub good: usize,
    /// Who does not.
    pub stalled: usize,
    /// What is said in a second.
    pub says_per_second: f64,
    /// Bytes of each.
    pub body_bytes: usize,
    /// Rounds without and with those who do not read, in turns.
    pub pairs: usize,
    /// How long each is, at least.
    pub round: Duration,
    /// Whether those who stall have much to catch up with when they do: the server then holds the
    /// most for each. Else they have everything up to then.
    pub behind: bool,
    /// How long everybody speaks before the first: what the server makes once is not counted.
    pub warm_up: Duration,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Stalled {
    /// Of each round without and with those who stall: how late the good heard each entry.
    pub rounds: Vec<(Latency, Latency)>,
    /// What the server's resident memory grew by in each round with those who stall, in bytes, from
    /// its begin to the most that was seen. What the first makes stays for the others.
    pub more_bytes: Vec<u64>,
    /// From the last byte that the kernel took for somebody until the server closed, in order.
    pub closed_after: Vec<Duration>,
    /// Entries that those who stalled got when they were back.
    pub recovered: u64,
}

/// How late entries were heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// How many were heard.
    pub heard: usize,
    /// The median.
    pub p50: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
}

impl Stalled {
    /// What the round that took the most memory took for each of so many who stalled, in bytes.
    #[must_use]
    pub fn bytes_each(&self, stalled: usize) -> u64 {
        self.more_bytes.iter().max().copied().unwrap_or_default() / stalled.max(1) as u64
    }

    /// The good followers' p99 with the others there, for each of it without them: the geometric
    /// mean over the pairs.
    #[must_use]
    pub fn p99_ratio(&self) -> f64 {
        let ratio = |(without, with): &(Latency, Latency)| {
            (with.p99.as_secs_f64() / without.p99.as_secs_f64()).ln()
        };
        (self.rounds.iter().map(ratio).sum::<f64>() / self.rounds.len() as f64).exp()
    }
}

/// Lets people speak, follow and stall.
///
/// # Errors
/// Somebody missed something, or was not closed.
pub async fn measure(server: SocketAddr, process: u32, room: Room) -> anyhow::Result<Stalled> {
    let process = Process(process);
    let name = RoomName::new(format!("stalled-{}", clock::nanoseconds()))?;
    Guest::signs_in(server, "opener").await?.opens(&name).await?;
    let mut stalled = Vec::new();
    for nth in 0..room.stalled {
        let route = Route::of_person(server, STALLED_FROM + nth, 20);
        let route = Route { receive_buffer_bytes: Some(RECEIVE_BUFFER_BYTES), ..route };
        let signed_in = Guest::signs_in(route, &format!("stalled {nth}")).await?;
        let mut peer = Peer::new(signed_in, u64::try_from(nth)?);
        peer.passes_over_people();
        peer.session().join(name.clone(), clock::now());
        peer.session().connect(clock::now());
        peer.lives_until_it(|peer| peer.has(&name, 0)).await?;
        peer.is_cut();
        stalled.push(peer);
    }
    let good = Crowd::enters(server, &name, room.good).await?;
    let speakers = Speakers::begin(server, &name, room).await?;

    tokio::time::sleep(room.warm_up).await;
    let (mut rounds, mut more_bytes, mut closed_after) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..room.pairs {
        good.forgets();
        watch(server, process, Room { stalled: 0, ..room }).await?;
        let without = good.latency()?;
        let before = process.resident_bytes()?;
        let at_least = if room.behind { None } else { Some(speakers.said()) };
        stalled = stall(stalled, &name, at_least).await?;
        good.forgets();
        let watched = watch(server, process, room).await?;
        let with = good.latency()?;
        rounds.push((without, with));
        more_bytes.push(watched.most_bytes.saturating_sub(before));
        closed_after.extend(watched.closed_after);
        let head = speakers.said();
        stalled = come_back(stalled, &name, head).await?;
    }
    closed_after.sort_unstable();
    let said = speakers.end().await?;
    good.end(said).await?;
    let recovered = stalled.iter().map(|peer| peer.stats().entries).sum();
    let again: u64 = stalled.iter().map(|peer| peer.stats().holes).sum();
    ensure!(again == 0, "{again} holes were seen by those who stalled");
    Ok(Stalled { rounds, more_bytes, closed_after, recovered })
}

/// All come back from where they stood and read nothing more: once they have everything up to
/// `at_least`, or as soon as they have asked for what they missed.
async fn stall(
    stalled: Vec<Peer>,
    room: &RoomName,
    at_least: Option<u64>,
) -> anyhow::Result<Vec<Peer>> {
    let mut coming = JoinSet::new();
    for mut peer in stalled {
        let room = room.clone();
        coming.spawn(async move {
            let is_ready = |peer: &Peer| match at_least {
                Some(seq) => peer.has(&room, seq),
                None => *peer.link() == session::LinkState::Open,
            };
            peer.lives_until_it(is_ready).await?;
            peer.stalls();
            anyhow::Ok(peer)
        });
    }
    coming.join_all().await.into_iter().collect()
}

/// What was seen while nobody read.
struct Watched {
    most_bytes: u64,
    closed_after: Vec<Duration>,
}

/// Looks on until all who stall are closed and the round is over. Rounds without them are looked at
/// as well: a look takes its time from those who read.
async fn watch(server: SocketAddr, process: Process, room: Room) -> anyhow::Result<Watched> {
    struct Seen {
        unacknowledged: u32,
        since: Instant,
    }
    let begun = clock::now();
    let mut open: BTreeMap<SocketAddr, Seen> = BTreeMap::new();
    let (mut most_bytes, mut closed_after) = (0, Vec::new());
    let first = Route::of_person(server, STALLED_FROM, 20).from.context("it has one")?;
    while clock::now() - begun < room.round || closed_after.len() < room.stalled {
        ensure!(
            closed_after.len() == room.stalled || clock::now() - begun < CLOSED_MAX.max(room.round),
            "{} of {} are closed",
            closed_after.len(),
            room.stalled
        );
        tokio::time::sleep(LOOK_EVERY).await;
        most_bytes = most_bytes.max(process.resident_bytes()?);
        let (ends, now) = (tcp::open_ends_of(server.port())?, clock::now());
        let theirs = |end: &&tcp::End| end.remote.ip() >= first;
        let ends: BTreeMap<SocketAddr, u32> =
            ends.iter().filter(theirs).map(|end| (end.remote, end.unacknowledged)).collect();
        for (remote, unacknowledged) in &ends {
            let seen = Seen { unacknowledged: *unacknowledged, since: now };
            let known = open.entry(*remote).or_insert(seen);
            if known.unacknowledged != *unacknowledged {
                *known = Seen { unacknowledged: *unacknowledged, since: now };
            }
        }
        open.retain(|remote, seen| {
            let is_there = ends.contains_key(remote);
            if !is_there {
                closed_after.push(now - seen.since);
            }
            is_there
        });
    }
    Ok(Watched { most_bytes, closed_after })
}

/// All who stalled come back and get what they missed; then they go.
async fn come_back(stalled: Vec<Peer>, room: &RoomName, head: u64) -> anyhow::Result<Vec<Peer>> {
    let mut coming = JoinSet::new();
    for mut peer in stalled {
        let room = room.clone();
        coming.spawn(async move {
            peer.is_cut();
            let back = peer.lives_until_it(|peer| peer.has(&room, head));
            tokio::time::timeout(BACK_MAX, back).await.context("somebody is not back")??;
            peer.is_cut();
            anyhow::Ok(peer)
        });
    }
    coming.join_all().await.into_iter().collect()
}
