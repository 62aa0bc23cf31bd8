//! What an operator can set: each by a flag or an environment variable, each with a safe default.

use std::{
    fs::{File, TryLockError},
    net::SocketAddr,
    os::unix::fs::DirBuilderExt as _,
    path::PathBuf,
    time::Duration,
};

use anyhow::Context as _;
use clap::{Parser, ValueEnum, builder::RangedU64ValueParser};
use common::{
    http::Keep,
    limits::{HEARTBEAT_INTERVAL_MS, HEARTBEAT_TIMEOUT_MS},
};
use rooms::{Settings, rate::Rate};
use tracing_subscriber::filter::Targets;

use crate::commands::Command;

/// Madang: a realtime rooms server with its browser client.
#[derive(Clone, Debug, Parser)]
#[command(name = "server", version)]
pub struct Config {
    /// Address to listen on.
    #[arg(long, env = "MADANG_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,

    /// Directory of everything that is kept. One server at a time uses it.
    #[arg(long, env = "MADANG_DATA_DIR", default_value = "data", global = true)]
    pub data_dir: PathBuf,

    /// Origins other than the server's own whose pages may speak to it, such as
    /// `https://chat.example.org`. A debug build allows `trunk serve`.
    #[arg(long, env = "MADANG_ALLOWED_ORIGINS", value_delimiter = ',', default_values_t = trunk_serve())]
    pub allowed_origins: Vec<String>,

    /// Send cookies over HTTPS only: set it when a proxy in front speaks HTTPS.
    #[arg(long, env = "MADANG_SECURE_COOKIES")]
    pub secure_cookies: bool,

    /// Serve the page from this directory instead of the one inside the program.
    #[arg(long, env = "MADANG_PAGE_DIR")]
    pub page_dir: Option<PathBuf>,

    /// Entries that are kept of a room which does not say otherwise; without it all of them.
    #[arg(long, env = "MADANG_KEEP_DEFAULT", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep_default: Option<u32>,

    /// Messages that one person may say in a second, and half as many in one room; a burst of twice
    /// as many at once. Above the default, what one connection may send in bytes grows with it.
    #[arg(long, env = "MADANG_SAYS_PER_SECOND", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub says_per_second: u32,

    /// Searches that one person may make in a second; ten times as many at once.
    #[arg(long, env = "MADANG_SEARCHES_PER_SECOND", default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub searches_per_second: u32,

    /// Milliseconds between two pings.
    #[arg(long, env = "MADANG_HEARTBEAT_INTERVAL_MS", default_value_t = HEARTBEAT_INTERVAL_MS,
        value_parser = clap::value_parser!(u32).range(100..))]
    pub heartbeat_interval_ms: u32,

    /// Milliseconds from a ping to the sign of life that is due.
    #[arg(long, env = "MADANG_HEARTBEAT_TIMEOUT_MS", default_value_t = HEARTBEAT_TIMEOUT_MS,
        value_parser = clap::value_parser!(u32).range(50..))]
    pub heartbeat_timeout_ms: u32,

    /// Milliseconds from a connection's begin to its ticket.
    #[arg(long, env = "MADANG_HELLO_TIMEOUT_MS", default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub hello_timeout_ms: u32,

    /// Milliseconds that a client may take nothing while something waits for it.
    #[arg(long, env = "MADANG_WRITE_STALL_MS", default_value_t = 15_000,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub write_stall_ms: u32,

    /// Milliseconds until the head of an HTTP request is there.
    #[arg(long, env = "MADANG_HEADER_TIMEOUT_MS", default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub header_timeout_ms: u32,

    /// Milliseconds from losing somebody's last connection to telling that they left.
    #[arg(long, env = "MADANG_PRESENCE_GRACE_MS", default_value_t = 5_000)]
    pub presence_grace_ms: u32,

    /// TCP connections in all.
    #[arg(long, env = "MADANG_CONNECTIONS_MAX", default_value_t = 20_000,
        value_parser = at_least_one())]
    pub connections_max: usize,

    /// TCP connections of one address.
    #[arg(long, env = "MADANG_CONNECTIONS_PER_ADDRESS_MAX", default_value_t = 200,
        value_parser = at_least_one())]
    pub connections_per_address_max: usize,

    /// WebSocket connections of one person; the oldest makes place.
    #[arg(long, env = "MADANG_CONNECTIONS_PER_USER_MAX", default_value_t = 20,
        value_parser = at_least_one())]
    pub connections_per_user_max: usize,

    /// Sessions and WebSocket connections that one address may open in a second; five times as
    /// many at once.
    #[arg(long, env = "MADANG_OPENS_PER_ADDRESS_PER_SECOND", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub opens_per_address_per_second: u32,

    /// Sessions and WebSocket connections that may be opened in a second, over all addresses; twice
    /// as many at once. Whoever is refused backs off twice as far as before, so that it must not be
    /// low: 10,000 who were cut at the same moment are to be back within 8 s, and each of them costs
    /// about half a millisecond of a core.
    #[arg(long, env = "MADANG_OPENS_PER_SECOND", default_value_t = 2_000,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub opens_per_second: u32,

    /// Rooms in all; a tenth of them for one person.
    #[arg(long, env = "MADANG_ROOMS_MAX", default_value_t = 2_000,
        value_parser = at_least_one())]
    pub rooms_max: usize,

    /// Milliseconds that a stop may take.
    #[arg(long, env = "MADANG_DRAIN_MS", default_value_t = 30_000,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub drain_ms: u32,

    /// What is logged: a level, or levels by module, such as `info,hyper=debug`.
    #[arg(long, env = "MADANG_LOG", default_value = "info")]
    pub log: Targets,

    /// How it is logged.
    #[arg(long, env = "MADANG_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// What to do; without it, serve.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Break the server on purpose, to see whether a test notices.
    #[cfg(feature = "mutants")]
    #[arg(long = "break", value_enum, hide = true)]
    pub broken: Option<crate::mutant::Breakage>,
}

fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// Where `trunk serve` serves the page: it forwards the browser's origin with the requests.
fn trunk_serve() -> Vec<String> {
    if cfg!(debug_assertions) {
        ["localhost", "127.0.0.1"].map(|host| format!("http://{host}:8080")).to_vec()
    } else {
        Vec::new()
    }
}

/// How log lines are written, on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Config {
    /// The numbers that the pure half lives by.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let ms = |ms: u32| Duration::from_millis(ms.into());
        let (says, searches) =
            (f64::from(self.says_per_second), f64::from(self.searches_per_second));
        let Settings { says: usual, inbound_bytes, .. } = Settings::default();
        // Whoever may say more may send the bytes of it.
        let faster = (says / usual.per_second).max(1.0);
        Settings {
            heartbeat_interval: ms(self.heartbeat_interval_ms),
            heartbeat_timeout: ms(self.heartbeat_timeout_ms),
            hello_timeout: ms(self.hello_timeout_ms),
            presence_grace: ms(self.presence_grace_ms),
            rooms_per_user_max: (self.rooms_max / 10).max(1),
            says: Rate { per_second: says, burst: 2.0 * says },
            searches: Rate { per_second: searches, burst: 10.0 * searches },
            says_in_room: Rate { per_second: says / 2.0, burst: 2.0 * says },
            inbound_bytes: Rate {
                per_second: faster * inbound_bytes.per_second,
                burst: faster * inbound_bytes.burst,
            },
            connections_per_user_max: self.connections_per_user_max,
            ..Settings::default()
        }
    }

    /// How much is kept of a room that does not say otherwise.
    #[must_use]
    pub fn keep_default(&self) -> Keep {
        self.keep_default.map_or(Keep::Forever, Keep::Last)
    }

    /// How fast one address may open sessions and connections.
    #[must_use]
    pub fn opens_per_address(&self) -> Rate {
        let per_second = f64::from(self.opens_per_address_per_second);
        Rate { per_second, burst: 5.0 * per_second }
    }

    /// How fast all addresses together may open sessions and connections.
    #[must_use]
    pub fn opens_in_all(&self) -> Rate {
        let per_second = f64::from(self.opens_per_second);
        Rate { per_second, burst: 2.0 * per_second }
    }

    /// How long a client may take nothing while something waits for it.
    #[must_use]
    pub fn write_stall(&self) -> Duration {
        Duration::from_millis(self.write_stall_ms.into())
    }

    /// How long the head of a request may take.
    #[must_use]
    pub fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms.into())
    }

    /// How long a stop may take.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms.into())
    }

    /// Creates the data directory and takes it for this process, until the file is dropped.
    ///
    /// # Errors
    /// It cannot be written, or another server uses it.
    pub fn lock_data_dir(&self) -> anyhow::Result<File> {
        let path = self.data_dir.join("lock");
        let named = || format!("the data directory {} cannot be used", self.data_dir.display());
        // What people said is nobody else's on this machine.
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&self.data_dir).with_context(named)?;
        let file = File::create(&path).with_context(named)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(anyhow::anyhow!("another server holds it")).with_context(named)
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(named),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn who_may_say_more_may_send_the_bytes_of_it_and_nobody_fewer() {
        let bytes = |says: &str| {
            let config = Config::parse_from(["server", "--says-per-second", says]);
            config.settings().inbound_bytes.per_second
        };
        assert!((bytes("100") - 10.0 * bytes("10")).abs() < 1.0);
        assert!((bytes("1") - bytes("10")).abs() < 1.0);
    }

    #[test]
    fn the_data_directory_may_stand_before_or_after_a_command() {
        let lines = ["server --data-dir here check", "server check --data-dir here"];
        for line in lines {
            let config = Config::parse_from(line.split(' '));
            assert_eq!(config.data_dir, PathBuf::from("here"));
            assert!(config.command.is_some());
        }
    }
}
