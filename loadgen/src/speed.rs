//! The measurements of [`loadgen::lean`] on the command line: what they are told, and their figures,
//! for people or as one line of JSON.

#![expect(clippy::print_stdout, reason = "figures are the program's answer")]

mod figures;

pub(crate) use self::figures::line;

use std::{net::SocketAddr, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use common::http::Keep;
use loadgen::lean::{Target, dialect::Dialect, echo, fan_out, handshakes, idle, rooms};
use serde_json::{Value, json};

/// Measurements that are made of other servers too.
#[derive(Debug, Subcommand)]
pub(crate) enum Speed {
    /// What a delivery to everybody in one room costs. Ours needs `--says-per-second 100000`.
    FanOut {
        #[command(flatten)]
        of: Of,
        /// Members of the room, the author among them.
        #[arg(long, default_value_t = 1_000)]
        followers: usize,
        /// Messages on their way at a time.
        #[arg(long, default_value_t = 64)]
        in_flight: u64,
        /// Seconds.
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
        /// What a delivery carries.
        #[arg(long, default_value_t = 256)]
        bytes: usize,
    },
    /// Many rooms in which everybody speaks in turn: the most that goes through in time, or what one
    /// rate costs.
    Rooms {
        #[command(flatten)]
        of: Of,
        /// Rooms.
        #[arg(long, default_value_t = 200)]
        rooms: usize,
        /// Members of each.
        #[arg(long, default_value_t = 10)]
        members: usize,
        /// Rooms beside them, with as many followers each, in which nothing is said. Only ours has
        /// them; with more than 2,000 rooms in all it needs `--rooms-max`.
        #[arg(long, default_value_t = 0)]
        silent_rooms: usize,
        /// What a delivery carries.
        #[arg(long, default_value_t = 256)]
        bytes: usize,
        /// What 99 of 100 deliveries may take.
        #[arg(long, default_value_t = 50.0)]
        p99_max_ms: f64,
        /// Seconds of each step.
        #[arg(long, default_value_t = 3.0)]
        step_seconds: f64,
        /// Messages a second of the first step.
        #[arg(long, default_value_t = 1_000.0)]
        start_rate: f64,
        /// Messages a second, all rooms together; only this is measured.
        #[arg(long)]
        rate: Option<f64>,
    },
    /// What an idle connection costs.
    Idle {
        #[command(flatten)]
        of: Of,
        /// Connections to open.
        #[arg(long, default_value_t = 5_000)]
        connections: usize,
        /// Rooms that each of them joins; elsewhere than with us only the first.
        #[arg(long, value_delimiter = ',', default_value = "general")]
        rooms: Vec<String>,
        /// Seconds to let them be.
        #[arg(long, default_value_t = 40)]
        quiet_s: u64,
    },
    /// Connections that are opened, upgraded and closed.
    Handshakes {
        #[command(flatten)]
        of: Of,
        /// Connections at the same time.
        #[arg(long, default_value_t = 64)]
        connections: usize,
        /// Seconds.
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
        /// No more than that in a second; our own server is asked for 1,900.
        #[arg(long)]
        per_second_max: Option<f64>,
    },
    /// One connection that hears itself.
    Echo {
        #[command(flatten)]
        of: Of,
        /// Messages on their way at a time.
        #[arg(long, default_value_t = 1)]
        in_flight: u64,
        /// Seconds.
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
        /// What a round trip carries.
        #[arg(long, default_value_t = 256)]
        bytes: usize,
        /// Where a plain server echoes.
        #[arg(long, default_value = "/echo")]
        path: String,
    },
}

/// Which server, and how its figures are shown.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// How the server is spoken to.
    #[arg(long, value_enum, default_value_t = Spoken::Madang)]
    dialect: Spoken,
    /// Process ids of the server.
    #[arg(long, value_delimiter = ',')]
    process: Vec<u32>,
    /// How much rooms keep: `forever`, `none`, or so many entries.
    #[arg(long, value_parser = keep, default_value = "none")]
    keep: Keep,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Spoken {
    Madang,
    Plain,
    Socketio,
    Nats,
}

impl Speed {
    /// Measures and prints.
    ///
    /// # Errors
    /// There is no figure.
    pub(crate) async fn runs(self, server: SocketAddr) -> anyhow::Result<()> {
        let (name, of) = match &self {
            Self::FanOut { of, .. } => ("fan-out", of),
            Self::Rooms { of, .. } => ("rooms", of),
            Self::Idle { of, .. } => ("idle", of),
            Self::Handshakes { of, .. } => ("handshakes", of),
            Self::Echo { of, .. } => ("echo", of),
        };
        let (target, as_json) = (of.target(server), of.json);
        let dialect = target.dialect.name();
        let found = self.measures(&target).await;
        let shown = line(json!({ "measurement": name, "dialect": dialect }), &found);
        if as_json {
            println!("{shown}");
        } else if found.is_ok() {
            figures::people_read(&shown);
        }
        found.map(drop)
    }

    async fn measures(self, target: &Target) -> anyhow::Result<Value> {
        let mut shown;
        let found = match self {
            Self::FanOut { of: _, followers, in_flight, seconds, bytes } => {
                shown = json!({ "followers": followers, "in_flight": in_flight, "bytes": bytes });
                let lasting = Duration::from_secs_f64(seconds);
                let load = fan_out::Load { followers, in_flight, lasting, bytes };
                figures::fan_out(&fan_out::measure(target, load).await?)
            }
            Self::Rooms {
                of: _,
                rooms,
                members,
                silent_rooms: silent,
                bytes,
                p99_max_ms,
                step_seconds,
                start_rate,
                rate,
            } => {
                shown = json!({ "rooms": rooms, "silent_rooms": silent, "members": members });
                shown["bytes"] = json!(bytes);
                let lasting = Duration::from_secs_f64(step_seconds);
                let load = rooms::Load { rooms, members, silent, bytes, lasting };
                if let Some(rate) = rate {
                    let step = rooms::at_rate(target, load, rate).await?;
                    json!({ "step": figures::step(&step) })
                } else {
                    shown["p99_max_ms"] = json!(p99_max_ms);
                    let search = rooms::Search { p99_max_us: p99_max_ms * 1e3, start_rate };
                    figures::search(&rooms::search(target, load, search).await?)
                }
            }
            Self::Idle { of: _, connections, rooms, quiet_s } => {
                shown = json!({ "rooms": rooms });
                target.opens_missing(&rooms).await?;
                let quiet = Duration::from_secs(quiet_s);
                figures::idle(&idle::measure(target, connections, &rooms, quiet).await?)
            }
            Self::Handshakes { of: _, connections, seconds, per_second_max } => {
                shown = json!({ "connections": connections });
                let lasting = Duration::from_secs_f64(seconds);
                let load = handshakes::Load { connections, lasting, per_second_max };
                figures::handshakes(&handshakes::measure(target, load).await?)
            }
            Self::Echo { of: _, in_flight, seconds, bytes, path } => {
                shown = json!({ "in_flight": in_flight, "bytes": bytes });
                let lasting = Duration::from_secs_f64(seconds);
                figures::echo(&echo::measure(target, &path, in_flight, lasting, bytes).await?)
            }
        };
        figures::merges(&mut shown, &found);
        Ok(shown)
    }
}

impl Of {
    fn target(&self, server: SocketAddr) -> Target {
        let dialect = match self.dialect {
            Spoken::Madang => Dialect::Madang,
            Spoken::Plain => Dialect::Plain,
            Spoken::Socketio => Dialect::Socketio,
            Spoken::Nats => Dialect::Nats,
        };
        Target { server, dialect, processes: self.process.clone(), keep: self.keep }
    }
}

fn keep(text: &str) -> Result<Keep, String> {
    match text {
        "forever" => Ok(Keep::Forever),
        "none" => Ok(Keep::None),
        entries => entries.parse().map(Keep::Last).map_err(|error| format!("{error}")),
    }
}
