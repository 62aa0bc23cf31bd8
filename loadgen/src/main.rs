//! The program: one subcommand a measurement.

mod print;

mod speed;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use common::RoomName;
use loadgen::{
    half_open::{self, Peers},
    program::Program,
    soak::Load,
    stalled::Room,
    storm::{self, Crowd},
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
    },
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
    Speed(speed::Speed),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Args { server, measurement } = Args::parse();
    match measurement {
        Measurement::Resume { process, room, missed } => {
            let room = RoomName::new(room)?;
            print::resume(&loadgen::resume::measure(server, process, &room, missed).await?);
        }
        Measurement::Durable { directory, in_flight, seconds } => {
            for in_flight in in_flight {
                let each = Duration::from_secs(seconds);
                let found = loadgen::durable::measure(server, &directory, in_flight, each);
                print::durable(&found.await?);
            }
        }
        Measurement::Storm { process, program, data_dir, clients, rooms, missed, quiet_s } => {
            let met = match (process, program, data_dir) {
                (_, Some(path), Some(data_dir)) => {
                    let flags = vec!["--says-per-second".to_owned(), "100000".to_owned()];
                    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
                    storm::Server::Killed(Program { path, data_dir, listen, flags })
                }
                (process, _, _) => {
                    let process = process.context("--process or --program is required")?;
                    storm::Server::Running { address: server, process }
                }
            };
            let (quiet, back_max) = (Duration::from_secs(quiet_s), Duration::from_secs(120));
            let crowd = Crowd { clients, rooms, history: 100, missed, quiet, back_max };
            print::storm(&storm::measure(met, crowd).await?);
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
        Measurement::Stalled {
            process,
            good,
            stalled,
            says_per_second,
            body_bytes,
            pairs,
            seconds,
            behind,
            warm_up_s,
        } => {
            let (round, warm_up) = (Duration::from_secs(seconds), Duration::from_secs(warm_up_s));
            let room =
                Room { good, stalled, says_per_second, body_bytes, pairs, round, behind, warm_up };
            print::stalled(&loadgen::stalled::measure(server, process, room).await?);
        }
        Measurement::Soak { process, people, rooms, keep, deeds_per_second, minutes } => {
            let lasting = Duration::from_secs_f64(minutes * 60.0);
            let sample_every = Duration::from_secs(5).min(lasting / 20);
            let load = Load { people, rooms, keep, deeds_per_second, lasting, sample_every };
            print::soak(&loadgen::soak::measure(server, process, load).await?);
        }
        Measurement::Speed(measurement) => measurement.runs(server).await?,
    }
    Ok(())
}
