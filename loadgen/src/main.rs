//! The program: one subcommand a measurement.

use std::{net::SocketAddr, time::Duration};

use clap::{Parser, Subcommand};
use common::RoomName;

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
    }
    Ok(())
}
