//! A server that dies again and again, under people who write down what it promised.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use common::{Body, Digest, Epoch, MessageId, Position, RoomName, ServerMessage};
use tokio::task::JoinSet;

use crate::{
    author::Author,
    deadline,
    judge::{Evidence, Finding, judge},
    ledger::{Ledger, Record},
    process::{Process, Program},
    random::Random,
    report::Report,
    scene::{Act, Director, Life},
    wire::{self, Caller, Guest},
    witness::Witness,
};

/// For all authors to have their last message acknowledged, and for all witnesses to hear it.
const LAST_WORDS: Duration = Duration::from_secs(60);

/// What is done to which server.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server's program.
    pub server: PathBuf,
    /// Flags for it, beyond the rig's own.
    pub flags: Vec<String>,
    /// How often it is hurt.
    pub cycles: u32,
    /// Authors speak so long at most before it is hurt.
    pub window: Duration,
    /// How many speak.
    pub authors: usize,
    /// In how many rooms; the first is `general`.
    pub rooms: usize,
    /// What happens by chance follows from it.
    pub seed: u64,
    /// Where the server listens; 0 for any that is free, another one at each start.
    pub port: u16,
    /// Where directories and images are made.
    pub scratch: PathBuf,
}

/// A server and its people.
#[derive(Debug)]
pub struct Rig {
    /// What everybody sees.
    pub director: Director,
    /// What is done next follows from it.
    pub random: Random,
    /// The server, while it lives.
    pub process: Option<Process>,
    plan: Plan,
    program: Program,
    lives: u32,
    longest_start: Duration,
    began: Instant,
    rooms: Vec<RoomName>,
    authors: JoinSet<Author>,
    witnesses: JoinSet<Witness>,
}

impl Rig {
    /// Starts the server on this data directory, opens the rooms and lets people in.
    ///
    /// # Errors
    /// The server does not start or refuses.
    pub async fn opens(plan: &Plan, data: &Path, log: &Path) -> anyhow::Result<Self> {
        let rooms = (0..plan.rooms.max(1)).map(|nth| match nth {
            0 => RoomName::new("general"),
            nth => RoomName::new(format!("rig-{nth}")),
        });
        let mut rig = Self {
            director: Director::default(),
            random: Random::new(plan.seed),
            process: None,
            plan: plan.clone(),
            program: program(plan, data, log),
            lives: 0,
            longest_start: Duration::ZERO,
            began: deadline::now(),
            rooms: rooms.collect::<Result<_, _>>()?,
            authors: JoinSet::new(),
            witnesses: JoinSet::new(),
        };
        let life = rig.starts().await?;
        let host = Guest::enters(life.address, "host").await?;
        for room in &rig.rooms[1..] {
            host.opens(life.address, room).await.with_context(|| format!("opening {room}"))?;
        }
        rig.let_people_in();
        Ok(rig)
    }

    fn let_people_in(&mut self) {
        for nth in 0..self.plan.authors {
            let room = self.rooms[nth % self.rooms.len()].clone();
            let author = Author::new(format!("author-{nth}"), room, self.random.fork());
            self.authors.spawn(author.speaks(self.director.scene()));
        }
        for room in &self.rooms {
            let witness = Witness::new(room.clone(), self.random.fork());
            self.witnesses.spawn(witness.listens(self.director.scene()));
        }
    }

    /// The server begins another life, and everybody learns where.
    ///
    /// # Errors
    /// It is not ready in good time.
    pub async fn starts(&mut self) -> anyhow::Result<Life> {
        let begun = deadline::now();
        let mut process = self.begins()?;
        let address = process.is_ready().await?;
        self.longest_start = self.longest_start.max(begun.elapsed());
        let life = Life { number: self.lives, address };
        self.process = Some(process);
        self.director.set_life(Some(life));
        Ok(life)
    }

    /// Begins to start the server and leaves it to itself for some part of this time: it may be
    /// ready or not, and nobody is told where it is.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn starts_for_a_moment(&mut self, longest: Duration) -> anyhow::Result<()> {
        let process = self.begins()?;
        self.process = Some(process);
        tokio::time::sleep(self.random.part_of(longest)).await;
        Ok(())
    }

    fn begins(&mut self) -> anyhow::Result<Process> {
        self.lives += 1;
        self.program.starts()
    }

    /// How long a start has taken at most.
    #[must_use]
    pub fn longest_start(&self) -> Duration {
        self.longest_start
    }

    /// Authors speak for a moment that nobody can foresee.
    pub async fn talks(&mut self) {
        tokio::time::sleep(self.random.part_of(self.plan.window)).await;
    }

    /// Waits until so many more messages were acknowledged.
    ///
    /// # Errors
    /// They are not; the error says what happened.
    pub async fn hears_acks(&self, more: u64) -> anyhow::Result<()> {
        let before = self.director.tally().acks;
        let what = "messages to be acknowledged";
        self.director.sees(what, |tally| tally.acks >= before + more).await
    }

    /// Somebody reads `general` from its first entry to its head, and the server says that it
    /// lives.
    ///
    /// # Errors
    /// It cannot be read, or the server does not answer.
    pub async fn is_read_by(&self, reader: &Guest) -> anyhow::Result<()> {
        let life = self.director.scene().living().await.context("there is no server")?;
        let alive = wire::ask(life.address, "GET", "/healthz", "", "").await?;
        ensure!(alive.status == 200, "/healthz says {}", alive.status);
        let mut caller = Caller::connects(life.address, reader).await?;
        let Position { epoch, seq: head } = caller.joins(&self.rooms[0], None).await?.head;
        caller.joins(&self.rooms[0], Some(Position { epoch, seq: 0 })).await?;
        let mut read = 0;
        while read < head {
            if let ServerMessage::Entry(entry) = caller.next().await? {
                read = entry.seq;
            }
        }
        Ok(())
    }

    /// Somebody says something in a room that keeps nothing, and hears it.
    ///
    /// # Errors
    /// It was refused, or not heard.
    pub async fn says_what_nobody_keeps(
        &self,
        author: &Guest,
        room: &RoomName,
    ) -> anyhow::Result<()> {
        let life = self.director.scene().living().await.context("there is no server")?;
        let mut caller = Caller::connects(life.address, author).await?;
        let head = caller.joins(room, None).await?.head.seq;
        let message_id = MessageId::new(format!("fleeting-{head}"))?;
        caller.says(room, &message_id, &Body::new("this is not kept")?).await?;
        caller.joins(room, None).await?;
        loop {
            if let ServerMessage::Entry(entry) = caller.next().await?
                && entry.message_id == message_id
            {
                return Ok(());
            }
        }
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// The server had ended by itself.
    pub async fn dies(&mut self) -> anyhow::Result<()> {
        // Whoever looks for the server from here on waits for its next life.
        self.director.set_life(None);
        self.process.take().context("there is no server")?.is_killed().await
    }

    /// Lets everybody finish, reads every room from its first entry, and judges.
    ///
    /// # Errors
    /// The run cannot be judged: somebody did not finish, or a room cannot be read.
    pub async fn ends(mut self, fault: &'static str) -> anyhow::Result<Report> {
        if self.process.is_none() {
            self.starts().await?;
        }
        self.director.set_act(Act::LastWords);
        let authors = std::mem::take(&mut self.authors);
        let authors = self.finish("the authors' last words", authors).await?;
        let (mut logs, mut findings) = (Vec::new(), Vec::new());
        for room in &self.rooms {
            let read = self.reads(room, &mut findings).await;
            logs.push(read.with_context(|| format!("reading {room}"))?);
        }
        self.director.set_act(Act::Curtain);
        let witnesses = std::mem::take(&mut self.witnesses);
        let witnesses = self.finish("the witnesses to hear everything", witnesses).await?;

        for (room, log) in self.rooms.iter().zip(&logs) {
            findings.extend(judge_room(room, log, &authors, &witnesses));
        }
        let last_life = self.process.take().context("there is no server")?;
        last_life.is_killed().await?;
        Ok(Report {
            fault,
            cycles: self.plan.cycles,
            lives: self.lives,
            tally: self.director.tally(),
            entries: logs.iter().map(|log| log.lines.len() as u64).sum(),
            longest_start: self.longest_start,
            took: self.began.elapsed(),
            seed: self.plan.seed,
            findings,
        })
    }

    async fn finish<T: 'static>(&self, what: &str, players: JoinSet<T>) -> anyhow::Result<Vec<T>> {
        let finished = deadline::within(LAST_WORDS, what, players.join_all()).await;
        finished.with_context(|| format!("{:?}", self.director.tally()))
    }

    /// A room from its first entry to its head, as somebody reads it who was never there before.
    /// One that is gone has no entries.
    async fn reads(&self, room: &RoomName, findings: &mut Vec<Finding>) -> anyhow::Result<Record> {
        let life = self.director.scene().living().await.context("there is no server")?;
        let guest = Guest::enters(life.address, "reader").await?;
        let mut caller = Caller::connects(life.address, &guest).await?;
        let epoch = match caller.joins(room, None).await {
            Ok(joined) => joined.head.epoch,
            Err(trouble) if trouble.is_for_good() => {
                let room = room.clone();
                findings.push(Finding::NotResumed { room, reason: None, life: life.number });
                return Ok(Record { epoch: Epoch::new("gone")?, lines: Vec::new() });
            }
            Err(trouble) => return Err(trouble.into()),
        };
        let first = Position { epoch: epoch.clone(), seq: 0 };
        let joined = caller.joins(room, Some(first)).await?;
        let (mut lines, mut digest) = (Vec::new(), Digest::start(&epoch));
        while (lines.len() as u64) < joined.head.seq {
            if let ServerMessage::Entry(entry) = caller.next().await? {
                digest = entry.digest_after(digest);
                lines.push(entry.into());
            }
        }
        if digest != joined.digest {
            findings.push(Finding::Unproven { room: room.clone() });
        }
        Ok(Record { epoch, lines })
    }
}

fn judge_room(
    room: &RoomName,
    log: &Record,
    authors: &[Author],
    witnesses: &[Witness],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ledgers: Vec<&Ledger> = Vec::new();
    for author in authors.iter().filter(|author| author.room == *room) {
        findings.extend(author.findings.iter().cloned());
        ledgers.extend(&author.ledgers);
    }
    for witness in witnesses.iter().filter(|witness| witness.room == *room) {
        findings.extend(witness.findings.iter().cloned());
        let nothing = Record { epoch: log.epoch.clone(), lines: Vec::new() };
        let heard = witness.record.as_ref().unwrap_or(&nothing);
        findings.extend(judge(Evidence { log, ledgers: &ledgers, witness: heard }));
    }
    findings
}

fn program(plan: &Plan, data: &Path, log: &Path) -> Program {
    // All people come from one address, and all of them come back at once.
    let crowd =
        ["--opens-per-address-per-second", "100000", "--connections-per-address-max", "20000"];
    let flags = crowd.into_iter().map(str::to_owned).chain(plan.flags.iter().cloned());
    Program {
        path: plan.server.clone(),
        flags: flags.collect(),
        data: data.to_owned(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, plan.port)),
        log: log.to_owned(),
    }
}
