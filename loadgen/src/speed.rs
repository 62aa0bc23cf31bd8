//! The measurements of [`loadgen::lean`] on the command line: what they are told, and their figures,
//! for people or as one line of JSON.

#![expect(clippy::print_stdout, reason = "figures are the program's answer")]

use std::{net::SocketAddr, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use common::http::Keep;
use loadgen::lean::{
    Target,
    cost::Cost,
    dialect::Dialect,
    fan_out::{self, FanOut},
};
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
        };
        let (target, as_json) = (of.target(server), of.json);
        let dialect = target.dialect.name();
        let found = self.measures(&target).await;
        let mut shown = json!({ "measurement": name, "dialect": dialect });
        match &found {
            Ok(fields) => merges(&mut shown, fields),
            Err(error) => shown["failed"] = json!(format!("{error:#}")),
        }
        if as_json {
            println!("{shown}");
        } else if found.is_ok() {
            people_read(&shown, "");
        }
        found.map(drop)
    }

    async fn measures(self, target: &Target) -> anyhow::Result<Value> {
        match self {
            Self::FanOut { followers, in_flight, seconds, bytes, .. } => {
                let lasting = Duration::from_secs_f64(seconds);
                let load = fan_out::Load { followers, in_flight, lasting, bytes };
                let FanOut { messages, deliveries, p50_us, p99_us, cost, resident_bytes } =
                    fan_out::measure(target, load).await?;
                let mut shown = json!({
                    "followers": followers,
                    "in_flight": in_flight,
                    "bytes": bytes,
                    "messages": messages,
                    "deliveries": deliveries,
                    "deliveries_per_second": deliveries as f64 / cost.seconds,
                    "server_cpu_us_per_delivery": cost.server_us_each(deliveries),
                    "p50_us": p50_us,
                    "p99_us": p99_us,
                    "server_resident_bytes": resident_bytes,
                });
                merges(&mut shown, &used(&cost));
                Ok(shown)
            }
        }
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

fn used(cost: &Cost) -> Value {
    json!({
        "seconds": cost.seconds,
        "own_cpu": cost.own_cpu,
        "load_generator_full": cost.load_generator_full(),
    })
}

fn merges(shown: &mut Value, more: &Value) {
    if let (Value::Object(shown), Value::Object(more)) = (shown, more) {
        shown.extend(more.clone());
    }
}

/// A line for each figure; what was found step by step is a line for each step.
fn people_read(shown: &Value, indent: &str) {
    let Value::Object(fields) = shown else { return };
    for (name, value) in fields {
        let name = name.replace('_', " ");
        match value {
            Value::Array(steps) => {
                println!("{indent}{name}");
                for step in steps {
                    println!("{indent}  {}", in_one_line(step));
                }
            }
            Value::Object(_) => println!("{indent}{name:<28} {}", in_one_line(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                println!("{indent}{name:<28} {}", figure(value));
            }
        }
    }
}

fn in_one_line(step: &Value) -> String {
    let Value::Object(fields) = step else { return figure(step) };
    let shown =
        |(name, value): (&String, &Value)| format!("{} {}", name.replace('_', " "), figure(value));
    fields.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn figure(value: &Value) -> String {
    match (value.as_f64(), value.as_str()) {
        (Some(number), _) if value.is_f64() && number >= 1_000.0 => format!("{number:.0}"),
        (Some(number), _) if value.is_f64() => format!("{number:.3}"),
        (_, Some(text)) => text.to_owned(),
        _ => value.to_string(),
    }
}
