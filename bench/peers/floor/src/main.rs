//! The floor: what carrying frames to a room costs when nothing else is done.
//!
//! One thread and epoll. It knows no limits, checks nothing, keeps nothing, and whoever breaks the
//! rules is dropped. `--per-follower` writes every frame to every follower by itself; `--coalesced`
//! takes all that can be read in a turn, appends it to its room's bytes, and writes to each follower
//! once. A room of one is an echo.

mod frame;

mod upgrade;

mod floor;

use std::net::{Ipv4Addr, SocketAddr};

use crate::floor::{Floor, Writes};

const USAGE: &str = "usage: floor --port N --per-follower|--coalesced";

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().collect();
    let port = words.iter().skip_while(|word| *word != "--port").nth(1);
    let port: Option<u16> = port.and_then(|port| port.parse().ok());
    let has = |word: &str| words.iter().any(|given| given == word);
    let writes = match (has("--per-follower"), has("--coalesced")) {
        (true, false) => Some(Writes::PerFollower),
        (false, true) => Some(Writes::Coalesced),
        _ => None,
    };
    let (Some(port), Some(writes)) = (port, writes) else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut floor = Floor::bind(address, writes)?;
    println!("listening on {}", floor.address()?);
    floor.run()
}
