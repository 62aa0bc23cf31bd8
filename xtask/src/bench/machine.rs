//! What a bench ran on, and with which versions.

use std::{fs, process::Command};

use super::{contender::Contender, measurement::Effort};
use crate::{command, place};

/// What it is and what was found, in the order of the report.
pub(super) fn about(effort: Effort, rounds: usize) -> Vec<(String, String)> {
    let rows = [
        (
            "Measured",
            format!(
                "{}, {}",
                said("date", &["--utc", "+%-d %B %Y, %H:%M UTC"]),
                runs(effort, rounds)
            ),
        ),
        ("Load average before", first_words("/proc/loadavg", 3)),
        ("Machine", machine()),
        ("System", system()),
        ("Madang", said("git", &["describe", "--always", "--dirty"])),
        ("Compiler", format!("{}, release profile", said("rustc", &["--version"]))),
        (
            "Python, Node",
            format!("{}, Node {}", said("python3", &["--version"]), said("node", &["--version"])),
        ),
        ("Peers", peers()),
    ];
    rows.into_iter().map(|(what, found)| (what.to_owned(), found)).collect()
}

/// Time of all processors since the machine began, and what of it the host gave to others
/// (proc_stat(5)), in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Processors {
    all: u64,
    stolen: u64,
}

impl Processors {
    pub(super) fn now() -> Self {
        Self::of(&read("/proc/stat"))
    }

    fn of(stat: &str) -> Self {
        let first = stat.lines().next().unwrap_or_default();
        // User, nice, system, idle, iowait, irq, softirq, steal; guests are counted as users.
        let ticks = first.split_whitespace().skip(1).take(8).map(|word| word.parse().unwrap_or(0));
        let ticks: Vec<u64> = ticks.collect();
        Self { all: ticks.iter().sum(), stolen: ticks.get(7).copied().unwrap_or_default() }
    }

    /// What the host gave to others since then, for the report.
    pub(super) fn stolen_since(self, before: Self) -> (String, String) {
        let all = self.all.saturating_sub(before.all).max(1);
        let per_cent = self.stolen.saturating_sub(before.stolen) as f64 * 100.0 / all as f64;
        ("Taken by the host meanwhile".to_owned(), format!("{per_cent:.1} % of the processors"))
    }
}

/// How many rounds, and of which length. What was measured once is a first look.
fn runs(effort: Effort, rounds: usize) -> String {
    let count = match rounds {
        1 => "one round".to_owned(),
        2 => "two rounds".to_owned(),
        3 => "three rounds".to_owned(),
        more => format!("{more} rounds"),
    };
    let length = match effort {
        Effort::Quick => " of short runs",
        Effort::Whole => "",
    };
    if rounds == 1 { format!("**{count}{length}: provisional**") } else { count + length }
}

fn said(program: &str, words: &[&str]) -> String {
    let asked = command::read(Command::new(program).args(words).current_dir(place::root()));
    asked.map_or_else(|_| format!("no {program}"), |said| said.trim().to_owned())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn first_words(path: &str, count: usize) -> String {
    read(path).split_whitespace().take(count).collect::<Vec<_>>().join(" ")
}

/// The value of the first line that begins with `key`.
fn value<'a>(text: &'a str, key: &str, separator: char) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.split_once(separator)).map_or("unknown", |pair| pair.1.trim())
}

fn machine() -> String {
    let processors = read("/proc/cpuinfo");
    let cores = processors.lines().filter(|line| line.starts_with("processor")).count();
    let memory = read("/proc/meminfo");
    let kilobytes = value(&memory, "MemTotal", ':').split(' ').next().unwrap_or_default();
    let gigabytes = kilobytes.parse::<f64>().unwrap_or_default() / f64::from(1 << 20);
    format!("{cores} × {}, {gigabytes:.0} GiB", value(&processors, "model name", ':'))
}

fn system() -> String {
    let release = read("/etc/os-release");
    let name = value(&release, "PRETTY_NAME", '=').trim_matches('"').to_owned();
    format!("{name}, Linux {}", first_words("/proc/sys/kernel/osrelease", 1))
}

/// As the peers' own files pin them.
fn peers() -> String {
    let pinned = |path: &str, name: &str, mark: &str| {
        let text = read(&place::root().join("bench").join(path).to_string_lossy());
        let from = text.find(mark).map_or("", |at| &text[at + mark.len()..]);
        let version: String =
            from.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
        format!("{name} {version}")
    };
    let nats = said("/usr/sbin/nats-server", &["--version"]);
    [
        pinned(
            "peers/uwebsockets/Cargo.toml",
            "uWebSockets of libuwebsockets-sys",
            "version = \"=",
        ),
        pinned("peers/socketify/requirements.txt", "socketify", "socketify=="),
        format!("{} {}", Contender::Nats.title(), nats.rsplit(' ').next().unwrap_or_default()),
        pinned("Cargo.lock", "warp", "name = \"warp\"\nversion = \""),
        pinned("peers/node-ws/package.json", "ws", "\"ws\": \""),
        pinned("peers/fastapi/requirements.txt", "FastAPI", "fastapi=="),
        pinned("peers/fastapi/requirements.txt", "uvicorn", "uvicorn=="),
        pinned("peers/socketio/package.json", "Socket.IO", "\"socket.io\": \""),
        pinned("Cargo.lock", "floor on mio", "name = \"mio\"\nversion = \""),
    ]
    .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_took_is_a_part_of_all_time() {
        let before = Processors::of("cpu  10 0 10 80 0 0 0 0 0 0\ncpu0 1 1 1 1");
        let after = Processors::of("cpu  20 0 20 125 0 0 10 25 5 0\n");
        assert_eq!(after.stolen_since(before).1, "25.0 % of the processors");
        assert_eq!(Processors::of(""), Processors { all: 0, stolen: 0 });
        assert!(Processors::now().all > 0);
    }

    #[test]
    fn a_report_says_how_many_rounds_of_which_length_there_were() {
        for (effort, rounds, expected) in [
            (Effort::Quick, 1, "**one round of short runs: provisional**"),
            (Effort::Quick, 3, "three rounds of short runs"),
            (Effort::Whole, 1, "**one round: provisional**"),
            (Effort::Whole, 3, "three rounds"),
            (Effort::Whole, 12, "12 rounds"),
        ] {
            assert_eq!(runs(effort, rounds), expected);
        }
    }

    #[test]
    fn every_peer_has_the_version_that_its_file_pins() {
        let peers = peers();
        for name in [
            "libuwebsockets-sys 0.",
            "socketify 0.",
            "warp 0.4.",
            "ws 8.",
            "FastAPI 0.",
            "Socket.IO 4.",
            "mio 1.",
        ] {
            assert!(peers.contains(name), "{name} is not in {peers}");
        }
    }
}
