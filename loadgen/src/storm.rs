//! Everybody comes back at once: how long it takes until the last has everything that they missed.
//!
//! Each has the client's half that the page has, with its back-off, and comes by ticket, WebSocket,
//! `hello` and `join` with a position.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use common::{Body, MessageId, RoomName, limits::PAGE_ENTRIES};
use session::Content;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
};

use crate::{
    clock,
    guest::Guest,
    peer::{Attempts, Peer},
    process::Process,
    program::{Program, Running},
    route::Route,
};

/// People who share an address: the server's limits of one address stay as they are.
const PER_ADDRESS: usize = 20;
/// People who enter at the same time.
const AT_ONCE: usize = 100;
/// Rooms that each follows.
const ROOMS_EACH: usize = 2;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// Who is cut.
    pub clients: usize,
    /// Rooms; each client is in two of them.
    pub rooms: usize,
    /// Entries of each room before the cut.
    pub history: u64,
    /// Entries of each room that nobody hears: they are said right before the cut, while the
    /// clients take nothing from their sockets.
    pub missed: u64,
    /// How long they are connected before the cut. A client that was connected for 30 s comes back
    /// sooner.
    pub quiet: Duration,
    /// A run that takes longer is none.
    pub back_max: Duration,
}

/// The server that is met.
#[derive(Debug)]
pub enum Server {
    /// One that runs: the connections are closed.
    Running {
        /// Its address.
        address: SocketAddr,
        /// Its process id.
        process: u32,
    },
    /// One that is started here: it is killed (SIGKILL) and started again at the same address.
    Killed(Program),
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Storm {
    /// How many came back.
    pub clients: usize,
    /// From the cut until the middle one had everything.
    pub half: Duration,
    /// From the cut until 99 of 100 had everything.
    pub most: Duration,
    /// From the cut until the last had everything.
    pub last: Duration,
    /// From the cut until the server listened again, if it was killed.
    pub listened: Option<Duration>,
    /// Attempts to connect, all together.
    pub attempts: u64,
    /// The most that one made.
    pub attempts_max: u64,
    /// What became of those that failed.
    pub failed: Attempts,
    /// Entries that came twice on the wire, and were dropped.
    pub duplicates: u64,
    /// Seconds of a core that the server used until the last was back.
    pub server_cpu_seconds: f64,
    /// Seconds of a core that those who came back used themselves.
    pub own_cpu_seconds: f64,
}

/// Lets everybody in, cuts them, and waits until all are back.
///
/// # Errors
/// Somebody did not get everything, once and in order, in good time.
pub async fn measure(server: Server, crowd: Crowd) -> anyhow::Result<Storm> {
    let (address, process, program) = match server {
        Server::Running { address, process } => (address, process, None),
        Server::Killed(program) => {
            let running = program.starts().await?;
            (running.address, running.id, Some((program, running)))
        }
    };
    let (phase, told) = watch::channel(Phase::Together);
    let speakers = opens_rooms(address, crowd).await?;
    let rooms: Arc<[RoomName]> = speakers.iter().map(|(room, _)| room.clone()).collect();
    let mut saying = JoinSet::new();
    for (room, mut speaker) in speakers {
        let mut told = told.clone();
        saying.spawn(async move {
            speaker.lives_until(told.wait_for(|phase| *phase >= Phase::Deaf)).await??;
            says(speaker, room, crowd.history, crowd.missed).await
        });
    }
    let (back, mut comes_back) = mpsc::unbounded_channel();
    let mut clients = JoinSet::new();
    enters_all(address, crowd, &rooms, &mut clients, (told, back)).await?;
    tokio::time::sleep(crowd.quiet).await;
    phase.send(Phase::Deaf)?;
    while let Some(spoken) = saying.join_next().await {
        spoken??;
    }

    let own = Process(std::process::id());
    let (begun, cpu, own_cpu) = (clock::now(), Process(process).cpu_seconds()?, own.cpu_seconds()?);
    phase.send(Phase::Cut)?;
    let restarted = match program {
        Some((program, running)) => Some((restart(program, running).await?, clock::now() - begun)),
        None => None,
    };
    let times = all_back(begun, crowd, &mut comes_back, &mut clients).await?;
    let cpu = match &restarted {
        Some((running, _)) => Process(running.id).cpu_seconds()?,
        None => Process(process).cpu_seconds()? - cpu,
    };
    let own_cpu_seconds = own.cpu_seconds()? - own_cpu;
    phase.send(Phase::Over)?;
    let mut returned = Vec::new();
    while let Some(ended) = clients.join_next().await {
        returned.push(ended??);
    }
    ensure!(returned.len() == crowd.clients, "somebody went away");
    let at = |per_cent: usize| times[(times.len() - 1) * per_cent / 100];
    let mut failed = Attempts::default();
    returned.iter().for_each(|one| failed += one.failed);
    Ok(Storm {
        clients: times.len(),
        half: at(50),
        most: at(99),
        last: at(100),
        listened: restarted.map(|(_, listened)| listened),
        attempts: returned.iter().map(|one| one.attempts).sum(),
        attempts_max: returned.iter().map(|one| one.attempts).max().unwrap_or(0),
        failed,
        duplicates: returned.iter().map(|one| one.duplicates).sum(),
        server_cpu_seconds: cpu,
        own_cpu_seconds,
    })
}

/// From the cut until each was back, in order.
async fn all_back(
    begun: Instant,
    crowd: Crowd,
    comes_back: &mut mpsc::UnboundedReceiver<Instant>,
    clients: &mut JoinSet<anyhow::Result<Returned>>,
) -> anyhow::Result<Vec<Duration>> {
    let mut times: Vec<Duration> = Vec::new();
    while times.len() < crowd.clients {
        let left = (begun + crowd.back_max).saturating_duration_since(clock::now());
        tokio::select! {
            Some(at) = comes_back.recv() => times.push(at.saturating_duration_since(begun)),
            Some(ended) = clients.join_next() => { ended??; }
            () = tokio::time::sleep(left) => {
                anyhow::bail!("{} of {} came back in time", times.len(), crowd.clients);
            }
        }
    }
    times.sort_unstable();
    Ok(times)
}

/// What one of them lived through since the cut.
struct Returned {
    attempts: u64,
    failed: Attempts,
    duplicates: u64,
}

/// What is told to everybody, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Together,
    /// Clients take nothing from their sockets, and speakers say what is missed.
    Deaf,
    Cut,
    Over,
}

type Signals = (watch::Receiver<Phase>, mpsc::UnboundedSender<Instant>);

/// Lets everybody in; done when the last is there and has the history.
async fn enters_all(
    server: SocketAddr,
    crowd: Crowd,
    rooms: &Arc<[RoomName]>,
    clients: &mut JoinSet<anyhow::Result<Returned>>,
    signals: Signals,
) -> anyhow::Result<()> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let (enters, mut entered) = mpsc::unbounded_channel::<()>();
    for nth in 0..crowd.clients {
        let (signals, enters) = (signals.clone(), enters.clone());
        let place = Arc::clone(&places).acquire_owned().await?;
        let rooms: Vec<RoomName> =
            (0..ROOMS_EACH).map(|which| rooms[(nth + which * 7) % rooms.len()].clone()).collect();
        clients.spawn(async move {
            let route = Route::of_person(server, nth, PER_ADDRESS);
            let signed_in = Guest::signs_in(route, &format!("c{nth}")).await?;
            let mut peer = Peer::new(signed_in, u64::try_from(nth)?);
            peer.passes_over_people();
            for room in &rooms {
                peer.session().join(room.clone(), clock::now());
            }
            peer.session().connect(clock::now());
            peer.lives_until_it(has_all(&rooms, crowd.history)).await?;
            drop(place);
            enters.send(())?;
            drop(enters);
            returns(peer, rooms, crowd, signals).await
        });
    }
    drop(enters);
    for _ in 0..crowd.clients {
        tokio::select! {
            biased;
            Some(ended) = clients.join_next() => {
                ended??;
                anyhow::bail!("somebody left before the cut");
            }
            came = entered.recv() => came.context("somebody did not come in")?,
        }
    }
    Ok(())
}

async fn returns(
    mut peer: Peer,
    rooms: Vec<RoomName>,
    crowd: Crowd,
    (mut told, back): Signals,
) -> anyhow::Result<Returned> {
    peer.lives_until(told.wait_for(|phase| *phase >= Phase::Deaf)).await??;
    let (before, failed_before) = (peer.stats().clone(), *peer.attempts());
    ensure!(before.reconnects == 0, "a connection ended before the cut");
    peer.stalls();
    peer.lives_until(told.wait_for(|phase| *phase >= Phase::Cut)).await??;
    peer.is_cut();
    peer.lives_until_it(has_all(&rooms, crowd.history + crowd.missed)).await?;
    back.send(clock::now())?;
    peer.lives_until(told.wait_for(|phase| *phase >= Phase::Over)).await??;
    let stats = peer.stats();
    // Whoever comes for the first time gets a page.
    let expected = (crowd.history.min(PAGE_ENTRIES) + crowd.missed) * rooms.len() as u64;
    ensure!(stats.entries == expected, "{} entries came of {expected}", stats.entries);
    Ok(Returned {
        attempts: stats.attempts - before.attempts,
        failed: peer.attempts().since(&failed_before),
        duplicates: stats.duplicates,
    })
}

fn has_all(rooms: &[RoomName], seq: u64) -> impl Fn(&Peer) -> bool + use<'_> {
    move |peer| rooms.iter().all(|room| peer.has(room, seq))
}

/// Opens every room and says its history; answers rooms and speakers.
async fn opens_rooms(server: SocketAddr, crowd: Crowd) -> anyhow::Result<Vec<(RoomName, Peer)>> {
    let mut opening = JoinSet::new();
    for nth in 0..crowd.rooms {
        opening.spawn(async move {
            let route = Route::of_person(server, crowd.clients + nth, PER_ADDRESS);
            let signed_in = Guest::signs_in(route, &format!("speaker {nth}")).await?;
            // Another run against the same server finds the rooms of the last.
            let room = RoomName::new(format!("storm-{nth}-{}", clock::nanoseconds()))?;
            signed_in.opens(&room).await?;
            let mut speaker = Peer::new(signed_in, u64::try_from(crowd.clients + nth)?);
            speaker.session().join(room.clone(), clock::now());
            speaker.session().connect(clock::now());
            let speaker = says(speaker, room.clone(), 0, crowd.history).await?;
            anyhow::Ok((room, speaker))
        });
    }
    opening.join_all().await.into_iter().collect()
}

/// Says so many messages, the first behind `after`, and waits until all stand.
async fn says(mut speaker: Peer, room: RoomName, after: u64, count: u64) -> anyhow::Result<Peer> {
    for nth in after + 1..=after + count {
        let (id, body) = (MessageId::new(format!("m{nth}"))?, Body::new(format!("말 {nth}"))?);
        let content = Content::Post(body);
        let written = speaker.session().write(room.clone(), id, content, clock::now());
        written.map_err(|_| anyhow::anyhow!("the outbox is full"))?;
    }
    let stands = |speaker: &Peer| speaker.position(&room).map_or(0, |position| position.seq);
    let all_said = |speaker: &Peer| speaker.unconfirmed() == 0 && stands(speaker) >= after + count;
    speaker.lives_until_it(all_said).await?;
    ensure!(stands(&speaker) == after + count, "something was said twice");
    Ok(speaker)
}

async fn restart(program: Program, running: Running) -> anyhow::Result<Running> {
    let listen = running.address;
    running.is_killed().await?;
    Program { listen, ..program }.starts().await
}
