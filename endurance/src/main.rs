//! The program: one fault, or all of them, and a report.

use std::{
    hash::{BuildHasher as _, RandomState},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, ValueEnum};
use endurance::{
    faults::{Fault, Outcome},
    permissions,
    process::Program,
    rig::Plan,
};

/// Tries to make a server lose, double or reorder what it acknowledged.
#[derive(Debug, Parser)]
struct Args {
    /// What is done to it.
    what: What,
    /// The server's program. Left out: the one beside this program.
    #[arg(long, env = "MADANG_TEST_SERVER")]
    server: Option<PathBuf>,
    /// How often it is hurt.
    #[arg(long, default_value_t = 20)]
    cycles: u32,
    /// Seconds that authors speak at most before it is hurt.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How many speak.
    #[arg(long, default_value_t = 32)]
    authors: usize,
    /// In how many rooms.
    #[arg(long, default_value_t = 4)]
    rooms: usize,
    /// What happens by chance follows from it. Left out: another one each time.
    #[arg(long)]
    seed: Option<u64>,
    /// Operations that are judged, for `permissions`.
    #[arg(long, default_value_t = 3_000)]
    operations: u64,
    /// Worlds of six people beside each other, for `permissions`.
    #[arg(long, default_value_t = 4)]
    worlds: u64,
    /// Where the server listens; 0 for any port that is free.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Where directories and images are made: on a disk that is meant.
    #[arg(long)]
    scratch: Option<PathBuf>,
    /// Flags for the server, such as `--break=no-dedupe` for one that was built with `mutants`.
    #[arg(last = true)]
    flags: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// `kill -9` at any moment, also while it starts.
    Kill,
    /// The power is cut: what was not synced is gone.
    Power,
    /// There is no room left, and then there is again.
    DiskFull,
    /// `fsync` fails, and then it does not.
    FsyncError,
    /// The disk can be read and not be written, and then it can.
    ReadOnly,
    /// One after the other.
    All,
    /// Nothing: people in private rooms try what they may not.
    Permissions,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = tokio::select! {
        outcome = run(args) => outcome,
        // What was mounted and started goes with what is dropped here.
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("the run could not be judged: {error:#}");
        ExitCode::from(2)
    })
}

#[expect(clippy::print_stdout, reason = "the report is the program's answer")]
async fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.what == What::Permissions {
        let verdict = permissions::run(&permission_plan(args)?).await?;
        println!("{verdict}");
        let is_good = verdict.is_good();
        return Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let faults = match args.what {
        What::Kill => vec![Fault::Kill],
        What::Power => vec![Fault::Power],
        What::DiskFull => vec![Fault::DiskFull],
        What::FsyncError => vec![Fault::FsyncError],
        What::ReadOnly => vec![Fault::ReadOnly],
        What::All => Fault::ALL.to_vec(),
        What::Permissions => Vec::new(),
    };
    let plan = Plan {
        server: args.server.map_or_else(Program::beside_this, Ok)?,
        flags: args.flags,
        cycles: args.cycles,
        window: Duration::try_from_secs_f64(args.seconds)?,
        authors: args.authors,
        rooms: args.rooms,
        seed: args.seed.unwrap_or_else(|| RandomState::new().hash_one(0)),
        port: args.port,
        scratch: args.scratch.unwrap_or_else(std::env::temp_dir),
    };
    let mut is_good = true;
    for fault in faults {
        match fault.strikes(&plan).await? {
            Outcome::Judged(report) => {
                println!("{report}\n");
                is_good &= report.is_good();
            }
            Outcome::LeftOut(why) => println!("left out: {why}\n"),
        }
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn permission_plan(args: Args) -> anyhow::Result<permissions::Plan> {
    Ok(permissions::Plan {
        server: args.server.map_or_else(Program::beside_this, Ok)?,
        flags: args.flags,
        operations: args.operations,
        worlds: args.worlds,
        findings_max: 50,
        seed: args.seed.unwrap_or_else(|| RandomState::new().hash_one(0)),
        scratch: args.scratch.unwrap_or_else(std::env::temp_dir),
    })
}
