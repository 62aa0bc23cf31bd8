//! Who may what, asked a great many times: people in private and open rooms, whose members change,
//! try everything that anybody could learn something by, and a small model says what each of them
//! may be told.
//!
//! Each private room has a secret that stands in its name and in every text said there. Every byte
//! that comes from the server is searched for secrets, whoever asked for it and however it came.
//!
//! Several worlds of people live beside each other, each asking one thing at a time, so that its
//! model is exact; to the people of one the rooms of all others are strange.

mod deeds;
mod line;
mod model;
mod pipe;
mod world;

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use tokio::task::JoinSet;

use crate::{deadline, disk::Folder, process::Program, random::Random};
use world::World;

/// So many findings are written out.
const FINDINGS_SHOWN: usize = 12;

/// How much is tried.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server's program.
    pub server: PathBuf,
    /// Flags for it, beyond the rig's own.
    pub flags: Vec<String>,
    /// Operations in all, over all worlds.
    pub operations: u64,
    /// Worlds beside each other, of six people each.
    pub worlds: u64,
    /// What is tried follows from it.
    pub seed: u64,
    /// A world ends when it has found so much: a server that is wrong so often is wrong.
    pub findings_max: usize,
    /// Where the server's directory is made.
    pub scratch: PathBuf,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Operations that were answered as the model says, or otherwise.
    pub judged: u64,
    /// Those of them that had to be refused.
    pub refused: u64,
    /// Answers that say nothing of permission, because too much was asked in too short a time.
    pub put_off: u64,
    /// Frames that came without being asked for.
    pub heard: u64,
    /// Bytes that were searched for secrets.
    pub bytes: u64,
    /// What is wrong.
    pub findings: Vec<String>,
    seed: u64,
    took: Duration,
}

impl Verdict {
    /// Whether everybody was told what they may know, and nothing else.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, other: Self) {
        self.judged += other.judged;
        self.refused += other.refused;
        self.put_off += other.put_off;
        self.heard += other.heard;
        self.bytes += other.bytes;
        self.findings.extend(other.findings);
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed                   {}", self.seed)?;
        writeln!(f, "took                   {:.1} s", self.took.as_secs_f64())?;
        writeln!(f, "operations judged      {}", self.judged)?;
        writeln!(f, "  to be refused        {}", self.refused)?;
        writeln!(f, "put off: too fast      {}", self.put_off)?;
        writeln!(f, "frames not asked for   {}", self.heard)?;
        writeln!(f, "bytes searched         {}", self.bytes)?;
        write!(f, "leaks and errors       {}", self.findings.len())?;
        for finding in self.findings.iter().take(FINDINGS_SHOWN) {
            write!(f, "\n  {finding}")?;
        }
        Ok(())
    }
}

/// Starts a server and tries it.
///
/// # Errors
/// The run could not be judged.
pub async fn run(plan: &Plan) -> anyhow::Result<Verdict> {
    let begun = deadline::now();
    let folder = Folder::makes(&plan.scratch)?;
    let program = Program {
        path: plan.server.clone(),
        flags: flags().into_iter().chain(plan.flags.iter().cloned()).collect(),
        data: folder.path().join("data"),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        log: folder.path().join("server.log"),
    };
    let mut process = program.starts()?;
    let address = process.is_ready().await?;
    let mut random = Random::new(plan.seed);
    let known = Arc::new(Mutex::new(Vec::new()));
    let mut worlds = JoinSet::new();
    let share = plan.operations.div_ceil(plan.worlds.max(1));
    for nth in 0..plan.worlds.max(1) {
        let world = World::begins(nth, address, random.fork(), Arc::clone(&known));
        let findings_max = plan.findings_max;
        worlds.spawn(async move { world.await?.lives(share, findings_max).await });
    }
    let mut verdict = Verdict { seed: plan.seed, ..Verdict::default() };
    while let Some(ended) = worlds.join_next().await {
        verdict.add(ended?.context("a world")?);
    }
    process.is_killed().await?;
    verdict.took = begun.elapsed();
    Ok(verdict)
}

/// What is limited elsewhere is not what is tried here.
fn flags() -> Vec<String> {
    let set = [
        ("--opens-per-address-per-second", "100000"),
        ("--connections-per-address-max", "20000"),
        ("--says-per-second", "100000"),
        ("--searches-per-second", "100000"),
        ("--rooms-max", "100000"),
    ];
    set.iter().flat_map(|(flag, value)| [(*flag).to_owned(), (*value).to_owned()]).collect()
}
