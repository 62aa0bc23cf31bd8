//! Measurements of our own server that a bench makes too: coming back and stalling. They print
//! their figures for people, or as one line of JSON.

#![expect(clippy::print_stdout, reason = "figures are the program's answer")]

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::Subcommand;
use common::RoomName;
use loadgen::{
    process::Process,
    program::Program,
    resume::{self, Resume},
    stalled::{self, Latency, Room, Stalled},
    storm::{self, Crowd, Storm},
};
use serde_json::{Value, json};

use crate::{print, speed::line};

/// How long a storm may take.
const BACK_MAX: Duration = Duration::from_secs(120);
/// Entries of a room before a storm.
const HISTORY: u64 = 100;

/// What only our own server is asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Ours {
    /// How fast somebody gets what they missed.
    Resume {
        /// Process id of the server.
        #[arg(long)]
        process: u32,
        /// The room.
        #[arg(long, default_value = "general")]
        room: String,
        /// Entries that were missed.
        #[arg(long, default_value_t = 100_000)]
        missed: u64,
        /// Says them first, in a room of its own: the server needs `--says-per-second 100000`.
        #[arg(long, conflicts_with = "room")]
        fill: bool,
        /// One line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// How soon everybody is back who was cut at the same moment. A room's history is said by one
    /// person: the server needs `--says-per-second 100000`.
    Storm {
        /// Process id of the server, which is left running.
        #[arg(long, required_unless_present = "program")]
        process: Option<u32>,
        /// The server's program, to be started, killed and started again.
        #[arg(long, requires = "data_dir")]
        program: Option<PathBuf>,
        /// The data directory of the server that is started.
        #[arg(long)]
        data_dir: Option<PathBuf>,
        /// Who is cut.
        #[arg(long, default_value_t = 10_000)]
        clients: usize,
        /// Rooms; each client is in two of them.
        #[arg(long, default_value_t = 100)]
        rooms: usize,
        /// Entries of each room that are said while everybody is away.
        #[arg(long, default_value_t = 20)]
        missed: u64,
        /// Seconds that everybody is connected before.
        #[arg(long, default_value_t = 32)]
        quiet_s: u64,
        /// One line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// What clients cost that read nothing. The server needs `--says-per-second 100000`.
    Stalled {
        /// Process id of the server.
        #[arg(long)]
        process: u32,
        /// Who reads.
        #[arg(long, default_value_t = 100)]
        good: usize,
        /// Who does not.
        #[arg(long, default_value_t = 100)]
        stalled: usize,
        /// What is said in a second.
        #[arg(long, default_value_t = 100.0)]
        says_per_second: f64,
        /// Bytes of each.
        #[arg(long, default_value_t = 1_000)]
        body_bytes: usize,
        /// Rounds without and with those who do not read, in turns.
        #[arg(long, default_value_t = 3)]
        pairs: usize,
        /// Seconds of each.
        #[arg(long, default_value_t = 15)]
        seconds: u64,
        /// Those who stall have much to catch up with.
        #[arg(long)]
        behind: bool,
        /// Seconds that everybody speaks before: what the server makes once is not counted.
        #[arg(long, default_value_t = 60)]
        warm_up_s: u64,
        /// One line of JSON.
        #[arg(long)]
        json: bool,
    },
}

impl Ours {
    /// Measures and prints.
    ///
    /// # Errors
    /// There is no figure.
    pub(crate) async fn runs(self, server: SocketAddr) -> anyhow::Result<()> {
        match self {
            Self::Resume { process, room, missed, fill, json } => {
                let found = resumes(server, process, &room, missed, fill).await;
                answers("resume", json, found, resume_fields, print::resume)
            }
            Self::Storm { process, program, data_dir, clients, rooms, missed, quiet_s, json } => {
                let quiet = Duration::from_secs(quiet_s);
                let (history, back_max) = (HISTORY, BACK_MAX);
                let crowd = Crowd { clients, rooms, history, missed, quiet, back_max };
                let found = match met(server, process, program.zip(data_dir)) {
                    Ok(met) => storm::measure(met, crowd).await,
                    Err(error) => Err(error),
                };
                answers("storm", json, found, storm_fields, print::storm)
            }
            Self::Stalled {
                process,
                good,
                stalled,
                says_per_second,
                body_bytes,
                pairs,
                seconds,
                behind,
                warm_up_s,
                json,
            } => {
                let round = Duration::from_secs(seconds);
                let warm_up = Duration::from_secs(warm_up_s);
                let room = Room {
                    good,
                    stalled,
                    says_per_second,
                    body_bytes,
                    pairs,
                    round,
                    behind,
                    warm_up,
                };
                let found = stalled::measure(server, process, room).await;
                let fields = |found: &Stalled| stalled_fields(found, room);
                answers("stalled", json, found, fields, print::stalled)
            }
        }
    }
}

async fn resumes(
    server: SocketAddr,
    process: u32,
    room: &str,
    missed: u64,
    fill: bool,
) -> anyhow::Result<Resume> {
    let room = if fill {
        let room = resume::fills(server, missed).await?;
        // What was just said is put into the search index for a while.
        Process(process).rests().await?;
        room
    } else {
        RoomName::new(room)?
    };
    resume::measure(server, process, &room, missed).await
}

fn met(
    address: SocketAddr,
    process: Option<u32>,
    program: Option<(PathBuf, PathBuf)>,
) -> anyhow::Result<storm::Server> {
    let Some((path, data_dir)) = program else {
        let process = process.context("--process or --program is required")?;
        return Ok(storm::Server::Running { address, process });
    };
    let flags = vec!["--says-per-second".to_owned(), "100000".to_owned()];
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    Ok(storm::Server::Killed(Program { path, data_dir, listen, flags }))
}

/// Prints a line of JSON in any case, and text when there is a figure.
fn answers<T>(
    measurement: &str,
    as_json: bool,
    found: anyhow::Result<T>,
    fields: impl Fn(&T) -> Value,
    people_read: impl Fn(&T),
) -> anyhow::Result<()> {
    if as_json {
        let found = found.map(|found| fields(&found));
        println!("{}", line(json!({ "measurement": measurement }), &found));
        return found.map(drop);
    }
    people_read(&found?);
    Ok(())
}

fn resume_fields(found: &Resume) -> Value {
    let entries = found.entries as f64;
    json!({
        "entries": found.entries,
        "seconds": found.seconds,
        "server_cpu_seconds": found.server_cpu_seconds,
        "entries_per_second": entries / found.seconds,
        "entries_per_server_core_second": entries / found.server_cpu_seconds,
        "before_bytes": found.before_bytes,
        "most_bytes": found.most_bytes,
    })
}

fn storm_fields(found: &Storm) -> Value {
    let failed = &found.failed;
    json!({
        "clients": found.clients,
        "half_s": found.half.as_secs_f64(),
        "most_s": found.most.as_secs_f64(),
        "last_s": found.last.as_secs_f64(),
        "attempts": found.attempts,
        "attempts_max": found.attempts_max,
        "refused": failed.tickets_refused + failed.handshakes_refused,
        "unanswered": failed.unanswered,
        "server_cpu_seconds": found.server_cpu_seconds,
        "own_cpu": found.own_cpu_seconds / found.last.as_secs_f64(),
    })
}

fn stalled_fields(found: &Stalled, room: Room) -> Value {
    let p99_us = |latency: &Latency| latency.p99.as_secs_f64() * 1e6;
    json!({
        "good": room.good,
        "stalled": room.stalled,
        "without_p99_us": found.rounds.iter().map(|(it, _)| p99_us(it)).collect::<Vec<_>>(),
        "with_p99_us": found.rounds.iter().map(|(_, it)| p99_us(it)).collect::<Vec<_>>(),
        "p99_ratio": found.p99_ratio(),
        "more_bytes": found.more_bytes,
        "bytes_per_stalled": found.bytes_each(room.stalled),
        "closed": found.closed_after.len(),
        "closed_after_s_max": found.closed_after.last().map(Duration::as_secs_f64),
        "recovered": found.recovered,
    })
}
