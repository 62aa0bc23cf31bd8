//! The program: one subcommand a measurement.

mod print;

mod ours;

mod speed;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};
use loadgen::{
    half_open::{self, Peers},
    program::Program,
    soak::Load,
};

/// Load for a running server.
#[derive(Debug, Parser)]
struct Args {
    /// Address of the server.
    #[arg(long, default_value = "127.0.0.1:3000", global = true)]
    server: SocketAddr,
    #[command(subcommand)]
    measurement: Measurement,
}

#[derive(Debug, Subcommand)]
enum Measurement {
    /// Acknowledged messages in a second, beside a plain file on the same disk. The server needs
    /// `--says-per-second 100000`, and limits of one address that let so many in.
    Durable {
        /// A directory on the disk that the server writes to.
        #[arg(long)]
        directory: PathBuf,
        /// Messages in flight, one measurement after the other.
        #[arg(long, value_delimiter = ',', default_value = "1,16,256")]
        in_flight: Vec<usize>,
        /// Seconds of each of three rounds.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
    /// What becomes of peers that vanish without a word, and of peers that answer late. It starts
    /// its own server and works in a network namespace of its own: `unshare --net loadgen …`.
    HalfOpen {
        /// The server's program.
        #[arg(long)]
        program: PathBuf,
        /// The data directory of the server.
        #[arg(long)]
        data_dir: PathBuf,
        /// Who vanishes, as many who answer late, and as many who do nothing unusual.
        #[arg(long, default_value_t = 100)]
        each: usize,
        /// Seconds that an answer comes late.
        #[arg(long, default_value_t = 9)]
        delay_s: u64,
        /// Seconds.
        #[arg(long, default_value_t = 130)]
        seconds: u64,
    },
    /// Whether the server's memory grows while people do everything.
    Soak {
        /// Process id of the server.
        #[arg(long)]
        process: u32,
        /// People.
        #[arg(long, default_value_t = 200)]
        people: usize,
        /// Rooms.
        #[arg(long, default_value_t = 40)]
        rooms: usize,
        /// Entries that each room keeps.
        #[arg(long, default_value_t = 1_000)]
        keep: u32,
        /// What all people together do in a second.
        #[arg(long, default_value_t = 60.0)]
        deeds_per_second: f64,
        /// Minutes.
        #[arg(long, default_value_t = 30.0)]
        minutes: f64,
    },
    #[command(flatten)]
    Ours(ours::Ours),
    #[command(flatten)]
    Speed(speed::Speed),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Args { server, measurement } = Args::parse();
    match measurement {
        Measurement::Durable { directory, in_flight, seconds } => {
            for in_flight in in_flight {
                let each = Duration::from_secs(seconds);
                let found = loadgen::durable::measure(server, &directory, in_flight, each);
                print::durable(&found.await?);
            }
        }
        Measurement::HalfOpen { program: path, data_dir, each, delay_s, seconds } => {
            half_open::loopback().await?;
            let listen = SocketAddr::from(([127, 0, 0, 1], 0));
            let program = Program { path, data_dir, listen, flags: Vec::new() };
            let (delay, lasting) = (Duration::from_secs(delay_s), Duration::from_secs(seconds));
            let peers = Peers { vanishing: each, late: each, delay, well: each, lasting };
            let running = program.starts().await?;
            print::half_open(&half_open::measure(running.address, peers).await?);
        }
        Measurement::Soak { process, people, rooms, keep, deeds_per_second, minutes } => {
            let lasting = Duration::from_secs_f64(minutes * 60.0);
            let sample_every = Duration::from_secs(5).min(lasting / 20);
            let load = Load { people, rooms, keep, deeds_per_second, lasting, sample_every };
            print::soak(&loadgen::soak::measure(server, process, load).await?);
        }
        Measurement::Ours(measurement) => measurement.runs(server).await?,
        Measurement::Speed(measurement) => measurement.runs(server).await?,
    }
    Ok(())
}
