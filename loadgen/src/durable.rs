//! Many people who wait for their acks: how much the log takes in a second, beside what the same
//! disk does for a plain file in the same run.

use std::{
    fs::File,
    io::Write as _,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use common::{Body, MessageId, RoomName};
use tokio::task::JoinSet;

use crate::{clock, guest::Guest};

/// People who enter at the same time.
const AT_ONCE: usize = 25;
/// What is said each time, in bytes: a sentence.
const BODY_BYTES: usize = 60;
/// Bytes that a record of the plain file has: the body, and about as much as names and places take.
const RECORD_BYTES: usize = 200;
/// Rounds in which server and plain file take turns.
const ROUNDS: u32 = 3;

/// What was found for so many in flight.
#[derive(Clone, Debug)]
pub struct Durable {
    /// Messages that wait for their acks at any time, each of another person in a room of their own.
    pub in_flight: usize,
    /// Of the server: acks a second, and how long each took.
    pub acks: Figures,
    /// Of the plain file: records a second, and how long each fdatasync of a batch took.
    pub plain: Figures,
}

/// How many, and how long each.
#[derive(Clone, Debug)]
pub struct Figures {
    /// In a second.
    pub per_second: f64,
    /// The median.
    pub p50: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
}

impl Durable {
    /// Acks a second for each record a second of the plain file.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.acks.per_second / self.plain.per_second
    }

    /// How many plain syncs the slowest acks but one in a hundred took.
    #[must_use]
    pub fn p99_in_syncs(&self) -> f64 {
        self.acks.p99.as_secs_f64() / self.plain.p50.as_secs_f64()
    }
}

/// Lets so many people say one thing after the other, for `each` in every round, and in between
/// appends and syncs a file in `directory` in batches of the same size.
///
/// # Errors
/// The server refused something, or acknowledged something at a place that was taken.
pub async fn measure(
    server: SocketAddr,
    directory: &Path,
    in_flight: usize,
    each: Duration,
) -> anyhow::Result<Durable> {
    let mut speakers = speakers(server, in_flight).await?;
    let (mut acks, mut plain) = (Vec::new(), Vec::new());
    let (mut acks_took, mut plain_took) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        let begun = clock::now();
        let mut speaking = JoinSet::new();
        for speaker in speakers {
            speaking.spawn(speaker.speaks_until(begun + each));
        }
        speakers = Vec::new();
        for spoken in speaking.join_all().await {
            let (speaker, latencies) = spoken?;
            speakers.push(speaker);
            acks.extend(latencies);
        }
        acks_took += clock::now() - begun;
        let directory = directory.to_owned();
        let (batches, took) =
            tokio::task::spawn_blocking(move || plain_file(&directory, in_flight, each)).await??;
        plain.extend(batches);
        plain_took += took;
    }
    let batch = in_flight as f64;
    Ok(Durable {
        in_flight,
        acks: figures(acks, acks_took, 1.0)?,
        plain: figures(plain, plain_took, batch)?,
    })
}

/// Somebody in a room of their own, who hears nothing but acks.
struct Speaker {
    guest: Guest,
    room: RoomName,
    said: u64,
    seq: u64,
}

impl Speaker {
    async fn enters(server: SocketAddr, nth: usize) -> anyhow::Result<Self> {
        let signed_in = Guest::signs_in(server, &format!("speaker {nth}")).await?;
        let mut name = format!("speaker-{nth}-");
        // Another run against the same server finds the rooms of the last.
        name.push_str(&clock::nanoseconds().to_string());
        let room = RoomName::new(name)?;
        signed_in.opens(&room).await?;
        let mut guest = signed_in.calls().await?;
        guest.joins(&room, None, false).await?;
        Ok(Self { guest, room, said: 0, seq: 0 })
    }

    async fn speaks_until(mut self, end: Instant) -> anyhow::Result<(Self, Vec<Duration>)> {
        let body = Body::new("가".repeat(BODY_BYTES / 3))?;
        let mut latencies = Vec::new();
        while clock::now() < end {
            self.said += 1;
            let message_id = MessageId::new(format!("{:032}", self.said))?;
            let begun = clock::now();
            let position = self.guest.says(&self.room, message_id, body.clone()).await?;
            latencies.push(clock::now() - begun);
            self.seq += 1;
            anyhow::ensure!(position.seq == self.seq, "acknowledged at {position:?}");
        }
        Ok((self, latencies))
    }
}

async fn speakers(server: SocketAddr, count: usize) -> anyhow::Result<Vec<Speaker>> {
    let mut speakers = Vec::new();
    for first in (0..count).step_by(AT_ONCE) {
        let mut entering = JoinSet::new();
        for nth in first..count.min(first + AT_ONCE) {
            entering.spawn(Speaker::enters(server, nth));
        }
        speakers.extend(entering.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?);
    }
    Ok(speakers)
}

/// Appends and syncs batches for so long; how long each took, and all of them.
fn plain_file(
    directory: &Path,
    batch: usize,
    each: Duration,
) -> anyhow::Result<(Vec<Duration>, Duration)> {
    let path = directory.join(format!("plain-file-{}", std::process::id()));
    let mut file = File::create(&path).with_context(|| format!("{}", path.display()))?;
    // Nobody needs its name, and so nothing is left behind however this ends.
    std::fs::remove_file(&path)?;
    let record = vec![b'x'; batch * RECORD_BYTES];
    let (begun, mut latencies) = (clock::now(), Vec::new());
    while clock::now() - begun < each {
        let one = clock::now();
        file.write_all(&record)?;
        file.sync_data()?;
        latencies.push(clock::now() - one);
    }
    Ok((latencies, clock::now() - begun))
}

fn figures(mut latencies: Vec<Duration>, took: Duration, each: f64) -> anyhow::Result<Figures> {
    anyhow::ensure!(!latencies.is_empty(), "nothing was measured");
    latencies.sort_unstable();
    let at = |per_cent: usize| latencies[(latencies.len() - 1) * per_cent / 100];
    let per_second = latencies.len() as f64 * each / took.as_secs_f64();
    Ok(Figures { per_second, p50: at(50), p99: at(99) })
}
