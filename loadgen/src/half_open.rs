//! Peers that vanish without a word, and peers that answer late: the server is to let go of the
//! first and to keep the others.
//!
//! It works in a network namespace of its own, where everything that comes from or goes to some
//! addresses is dropped. Where that is not allowed there is no figure.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use common::{Body, MessageId, RoomName};
use session::Event;
use tokio::{process::Command, sync::watch, task::JoinSet};

use crate::{clock, guest::Guest, peer::Peer, route::Route, tcp};

/// Where those live who vanish.
const VANISHING: [u8; 2] = [127, 200];
/// Between two looks at the connections.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Between two messages in the busy room.
const SAY_EVERY: Duration = Duration::from_millis(400);
/// The table of rules that drop.
const TABLE: &str = "madang_half_open";

/// How many, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Peers {
    /// Who vanishes: half of them in a room where much is said, half where nothing is.
    pub vanishing: usize,
    /// Whose every frame leaves late.
    pub late: usize,
    /// So late.
    pub delay: Duration,
    /// Who does nothing unusual.
    pub well: usize,
    /// How long all is watched after some vanished.
    pub lasting: Duration,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct HalfOpen {
    /// From vanishing until the server closed the connection, each, in order.
    pub gone: Vec<Duration>,
    /// From vanishing until the last was told to have left.
    pub told: Duration,
    /// Connections of the late and the well that ended, though they should not.
    pub false_closes: usize,
    /// Pings that the late and the well answered.
    pub answered: u64,
}

/// Lets some vanish and watches what becomes of all.
///
/// # Errors
/// This is not a network namespace of its own, something was lost, or a connection of those who
/// vanished is still there in the end.
pub async fn measure(server: SocketAddr, peers: Peers) -> anyhow::Result<HalfOpen> {
    is_apart()?;
    let stamp = clock::nanoseconds();
    let opener = Guest::signs_in(server, "opener").await?;
    let (busy, quiet) =
        (RoomName::new(format!("busy-{stamp}"))?, RoomName::new(format!("quiet-{stamp}"))?);
    opener.opens(&busy).await?;
    opener.opens(&quiet).await?;
    let (over, is_over) = watch::channel(false);
    let mut staying = JoinSet::new();
    let mut vanishing = Vec::new();
    let left: Left = Arc::default();
    for nth in 0..peers.vanishing + peers.late + peers.well {
        let room = if nth % 2 == 0 { &busy } else { &quiet };
        let mut route = Route::of_person(server, nth, 20);
        if nth < peers.vanishing {
            let [high, low] = u16::try_from(nth / 20)?.to_be_bytes();
            let [first, second] = VANISHING;
            route.from = Some(IpAddr::from([first, second, high, low + 1]));
        }
        let signed_in = Guest::signs_in(route, &format!("p{nth}")).await?;
        let mut peer = Peer::new(signed_in, u64::try_from(nth)?);
        peer.session().join(room.clone(), clock::now());
        peer.session().connect(clock::now());
        peer.lives_until_it(|peer| peer.has(room, 0)).await?;
        if nth < peers.vanishing {
            vanishing.push(peer);
            continue;
        }
        if nth < peers.vanishing + peers.late {
            peer.answers_late(peers.delay);
        }
        peer.tells(listener(&left));
        staying.spawn(stays(peer, is_over.clone()));
    }
    let mut speaking = JoinSet::new();
    speaking.spawn(speaks(opener.calls().await?, busy, is_over));

    let expected: Vec<_> = vanishing.iter().map(|peer| peer.signed_in().id.clone()).collect();
    let open = connections(server)?;
    ensure!(open.len() == peers.vanishing, "{} connections vanish", open.len());
    let begun = clock::now();
    nft(&rules()).await?;
    let watched = watch_them(server, open, begun + peers.lasting, &mut staying).await;
    nft(&format!("delete table ip {TABLE}")).await?;
    let gone = watched?.into_iter().map(|at| at - begun).collect();
    over.send(true)?;
    speaking.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut stayed = Vec::new();
    while let Some(ended) = staying.join_next().await {
        stayed.push(ended??);
    }
    let left = left.lock().unwrap_or_else(PoisonError::into_inner);
    let told: Option<Vec<Instant>> = expected.iter().map(|id| left.get(id).copied()).collect();
    let told = told.context("not everybody who vanished was told to have left")?;
    let told = told.into_iter().max().map_or(Duration::ZERO, |last| last - begun);
    let false_closes = stayed.iter().filter(|stayed| stayed.0 > 0).count();
    let answered = stayed.iter().map(|stayed| stayed.1).sum();
    Ok(HalfOpen { gone, told, false_closes, answered })
}

/// When each person was first told to have left.
type Left = Arc<Mutex<BTreeMap<common::UserId, Instant>>>;

fn listener(left: &Left) -> impl FnMut(&Event) + Send + 'static {
    let left = Arc::clone(left);
    move |event| {
        if let Event::Presence { left: gone, .. } = event {
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            for id in gone {
                left.entry(id.clone()).or_insert_with(clock::now);
            }
        }
    }
}

/// Stays until it is over; answers how often its connection ended, and the pings that it answered.
async fn stays(mut peer: Peer, mut over: watch::Receiver<bool>) -> anyhow::Result<(u64, u64)> {
    peer.lives_until(over.wait_for(|over| *over)).await??;
    Ok((peer.stats().attempts - 1, peer.pings()))
}

async fn speaks(
    mut guest: Guest,
    room: RoomName,
    mut over: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    guest.joins(&room, None, false).await?;
    for nth in 0.. {
        guest.says(&room, MessageId::new(format!("m{nth}"))?, Body::new("여기")?).await?;
        tokio::select! {
            _ = over.wait_for(|over| *over) => break,
            () = tokio::time::sleep(SAY_EVERY) => {}
        }
    }
    Ok(())
}

/// Watches the connections until the end; answers when each was closed by the server.
async fn watch_them(
    server: SocketAddr,
    mut open: Vec<SocketAddr>,
    end: Instant,
    staying: &mut JoinSet<anyhow::Result<(u64, u64)>>,
) -> anyhow::Result<Vec<Instant>> {
    let mut gone = Vec::new();
    while clock::now() < end {
        tokio::select! {
            Some(ended) = staying.join_next() => bail!("somebody went away: {:?}", ended??),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let now = connections(server)?;
        let before = open.len();
        open.retain(|remote| now.contains(remote));
        gone.extend(std::iter::repeat_n(clock::now(), before - open.len()));
    }
    ensure!(open.is_empty(), "{} connections of {} are still there", open.len(), gone.len());
    Ok(gone)
}

/// The far ends of the server's open connections to those who vanish.
fn connections(server: SocketAddr) -> anyhow::Result<Vec<SocketAddr>> {
    let is_vanishing = |end: &tcp::End| match end.remote.ip() {
        IpAddr::V4(address) => address.octets().starts_with(&VANISHING),
        IpAddr::V6(_) => false,
    };
    let ends = tcp::open_ends_of(server.port())?.into_iter().filter(is_vanishing);
    Ok(ends.map(|end| end.remote).collect())
}

/// Whether dropping packets here hurts nobody else.
fn is_apart() -> anyhow::Result<()> {
    let namespace = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net"));
    // Whoever may not even look at the first process's is in a namespace of users of its own.
    if namespace("1").is_ok_and(|first| namespace("self").is_ok_and(|own| own == first)) {
        bail!("packets are dropped only in a network namespace of its own: unshare --net");
    }
    Ok(())
}

fn rules() -> String {
    let [first, second] = VANISHING;
    let range = format!("{first}.{second}.0.0/16");
    format!(
        "table ip {TABLE} {{ chain arriving {{ type filter hook input priority 0; \
         ip saddr {range} drop; ip daddr {range} drop; }}\n}}"
    )
}

async fn nft(rules: &str) -> anyhow::Result<()> {
    let output = Command::new("nft").arg(rules).output().await.context("nft cannot be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "nft: {said}");
    Ok(())
}

/// Gives a network namespace its loopback addresses.
///
/// # Errors
/// It is not allowed.
pub async fn loopback() -> anyhow::Result<()> {
    let status = Command::new("ip").args(["link", "set", "lo", "up"]).status().await;
    ensure!(status.context("ip cannot be started")?.success(), "the loopback stays down");
    Ok(())
}
