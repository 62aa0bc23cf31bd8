//! Those who speak, and those who follow and read.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use common::{Body, MessageId, RoomName};
use session::{Content, Event};
use tokio::{sync::watch, task::JoinSet};

use super::{Latency, Room};
use crate::{clock, guest::Guest, peer::Peer, route::Route};

/// People who share what is said, so that nobody waits for their own ack.
const SPEAKERS: usize = 10;
/// Until the last entry has come.
const SETTLE_MAX: Duration = Duration::from_secs(20);

/// How late each entry was heard, in nanoseconds.
type Heard = Arc<Mutex<Vec<u64>>>;

/// Everybody who reads.
pub(super) struct Crowd {
    heard: Heard,
    following: JoinSet<anyhow::Result<()>>,
    /// Where the log ends, once nothing more is said.
    end: watch::Sender<Option<u64>>,
}

impl Crowd {
    pub(super) async fn enters(
        server: SocketAddr,
        room: &RoomName,
        count: usize,
    ) -> anyhow::Result<Self> {
        let heard = Heard::default();
        let (end, ends) = watch::channel(None);
        let mut following = JoinSet::new();
        for nth in 0..count {
            let route = Route::of_person(server, nth, 20);
            let signed_in = Guest::signs_in(route, &format!("good {nth}")).await?;
            let mut peer = Peer::new(signed_in, u64::try_from(nth)?);
            peer.passes_over_people();
            let heard = Arc::clone(&heard);
            peer.tells(move |event| hears(event, &heard));
            peer.session().join(room.clone(), clock::now());
            peer.session().connect(clock::now());
            peer.lives_until_it(|peer| peer.has(room, 0)).await?;
            following.spawn(follows(peer, room.clone(), ends.clone()));
        }
        Ok(Self { heard, following, end })
    }

    pub(super) fn forgets(&self) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn latency(&self) -> anyhow::Result<Latency> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ensure!(!heard.is_empty(), "nothing was heard");
        heard.sort_unstable();
        let at = |per_cent| Duration::from_nanos(heard[(heard.len() - 1) * per_cent / 100]);
        Ok(Latency { heard: heard.len(), p50: at(50), p99: at(99) })
    }

    /// Nothing more is said: everybody must come to have everything, on the first connection.
    pub(super) async fn end(mut self, said: u64) -> anyhow::Result<()> {
        self.end.send(Some(said))?;
        while let Some(ended) = self.following.join_next().await {
            ended??;
        }
        Ok(())
    }
}

async fn follows(
    mut peer: Peer,
    room: RoomName,
    mut end: watch::Receiver<Option<u64>>,
) -> anyhow::Result<()> {
    let said = peer.lives_until(end.wait_for(Option::is_some)).await??.unwrap_or_default();
    let all = peer.lives_until_it(|peer| peer.has(&room, said));
    tokio::time::timeout(SETTLE_MAX, all).await.context("a good follower missed something")??;
    ensure!(peer.stats().connects == 1, "a good follower lost the connection");
    Ok(())
}

/// A body begins with the moment at which it was written.
fn hears(event: &Event, heard: &Heard) {
    if let Event::Entry { entry } = event
        && let Some(written) = entry.body.split(' ').next().and_then(|at| at.parse::<u128>().ok())
    {
        let late = clock::nanoseconds().saturating_sub(written);
        let late = u64::try_from(late).unwrap_or(u64::MAX);
        heard.lock().unwrap_or_else(PoisonError::into_inner).push(late);
    }
}

/// Everybody who speaks.
pub(super) struct Speakers {
    said: Arc<AtomicU64>,
    speaking: JoinSet<anyhow::Result<()>>,
    over: watch::Sender<bool>,
}

impl Speakers {
    pub(super) async fn begin(
        server: SocketAddr,
        name: &RoomName,
        room: Room,
    ) -> anyhow::Result<Self> {
        let said = Arc::new(AtomicU64::new(0));
        let (over, is_over) = watch::channel(false);
        let mut speaking = JoinSet::new();
        for nth in 0..SPEAKERS {
            let signed_in = Guest::signs_in(server, &format!("speaker {nth}")).await?;
            let mut peer = Peer::new(signed_in, u64::try_from(nth)?);
            peer.passes_over_people();
            peer.session().join(name.clone(), clock::now());
            peer.session().connect(clock::now());
            peer.lives_until_it(|peer| peer.has(name, 0)).await?;
            let every = Duration::from_secs_f64(SPEAKERS as f64 / room.says_per_second);
            let (name, said, is_over) = (name.clone(), Arc::clone(&said), is_over.clone());
            let speaks = async move {
                tokio::time::sleep(every * u32::try_from(nth)? / u32::try_from(SPEAKERS)?).await;
                speaks(peer, name, room.body_bytes, every, said, is_over).await
            };
            speaking.spawn(speaks);
        }
        Ok(Self { said, speaking, over })
    }

    /// Entries that stand for certain.
    pub(super) fn said(&self) -> u64 {
        self.said.load(Ordering::Relaxed)
    }

    /// Says nothing more; answers how many entries there are.
    pub(super) async fn end(mut self) -> anyhow::Result<u64> {
        self.over.send(true)?;
        while let Some(ended) = self.speaking.join_next().await {
            ended??;
        }
        Ok(self.said())
    }
}

async fn speaks(
    mut peer: Peer,
    room: RoomName,
    body_bytes: usize,
    every: Duration,
    said: Arc<AtomicU64>,
    over: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let mut turns = tokio::time::interval(every);
    for nth in 0_u64.. {
        peer.lives_until(turns.tick()).await?;
        if *over.borrow() {
            break;
        }
        let body = format!("{} {}", clock::nanoseconds(), "x".repeat(body_bytes));
        let (id, content) = (MessageId::new(format!("m{nth}"))?, Content::Post(Body::new(body)?));
        let written = peer.session().write(room.clone(), id, content, clock::now());
        written.map_err(|_| anyhow::anyhow!("the outbox is full"))?;
        // What was written a turn ago stands.
        let stands = peer.lives_until_it(|peer| peer.unconfirmed() == 0);
        tokio::time::timeout(SETTLE_MAX, stands).await.context("an ack is missing")??;
        said.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
