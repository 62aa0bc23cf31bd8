//! The program: one subcommand a measurement.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};
use common::RoomName;
use loadgen::durable::Figures;

/// Load for a running server.
#[derive(Debug, Parser)]
struct Args {
    /// Address of the server.
    #[arg(long, default_value = "127.0.0.1:3000")]
    server: SocketAddr,
    #[command(subcommand)]
    measurement: Measurement,
}

#[derive(Debug, Subcommand)]
enum Measurement {
    /// Server memory for one idle connection.
    Idle {
        /// Process id of the server.
        #[arg(long)]
        process: u32,
        /// Connections to open.
        #[arg(long, default_value_t = 5_000)]
        connections: usize,
        /// Rooms that each of them joins.
        #[arg(long, value_delimiter = ',', default_value = "general")]
        rooms: Vec<String>,
        /// Seconds to let them be.
        #[arg(long, default_value_t = 40)]
        quiet_s: u64,
    },
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
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "figures are the program's answer")]
async fn main() -> anyhow::Result<()> {
    let Args { server, measurement } = Args::parse();
    match measurement {
        Measurement::Idle { process, connections, rooms, quiet_s } => {
            let rooms: Vec<RoomName> = rooms.iter().map(RoomName::new).collect::<Result<_, _>>()?;
            let quiet = Duration::from_secs(quiet_s);
            let idle = loadgen::idle::measure(server, process, connections, &rooms, quiet).await?;
            println!("connections            {}", idle.connections);
            println!("resident before        {} KiB", idle.before_bytes / 1024);
            println!("resident after         {} KiB", idle.after_bytes / 1024);
            println!("bytes per connection   {}", idle.bytes_per_connection());
        }
        Measurement::Resume { process, room, missed } => {
            let room = RoomName::new(room)?;
            let found = loadgen::resume::measure(server, process, &room, missed).await?;
            let (entries, mib) = (found.entries as f64, 1024 * 1024);
            println!("entries                    {}", found.entries);
            println!("a second                   {:.0}", entries / found.seconds);
            println!("a second of a server core  {:.0}", entries / found.server_cpu_seconds);
            println!("resident before            {} MiB", found.before_bytes / mib);
            println!("resident at most           {} MiB", found.most_bytes / mib);
        }
        Measurement::Durable { directory, in_flight, seconds } => {
            for in_flight in in_flight {
                let each = Duration::from_secs(seconds);
                let found = loadgen::durable::measure(server, &directory, in_flight, each).await?;
                let Figures { per_second, p50, p99 } = found.acks;
                println!("in flight {in_flight}");
                println!("  of the plain file      {:.2}", found.ratio());
                println!("  p99 in plain syncs     {:.1}", found.p99_in_syncs());
                println!("  acks a second          {per_second:.0}, p50 {p50:.1?}, p99 {p99:.1?}");
                let Figures { per_second, p50, p99 } = found.plain;
                println!("  plain file             {per_second:.0}, p50 {p50:.1?}, p99 {p99:.1?}");
            }
        }
    }
    Ok(())
}
