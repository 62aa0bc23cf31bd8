//! One thing after the other: virtual time, what is on its way, and who is called next.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
    time::{Duration, Instant},
};

use crate::{
    Broken, Failure, Report,
    client::{Being, Client},
    disk::Disk,
    happening::Happening,
    judge::{Judge, Verdict, broken},
    network::Wire,
    plan::Plan,
    random::Random,
    server::Server,
    story::Story,
};

/// Steps of a whole world, and steps at one moment; more means that it never ends.
const STEPS_MAX: u64 = 3_000_000;
const STEPS_AT_ONCE_MAX: u64 = 50_000;
/// From the last fault until everything is well: a half-open connection is noticed within 45 s,
/// then come back-off (30 s at the most), a flood that was allowed to run off, and a page.
const HEALING: Duration = Duration::from_secs(240);
const QUIET: Duration = Duration::from_secs(120);
/// A dead peer is noticed within 30 + 10 s; grace and allowances take a few more.
const FORGETTING: Duration = Duration::from_secs(100);

pub(crate) struct World {
    seed: u64,
    pub(crate) broken: Broken,
    pub(crate) plan: Plan,
    pub(crate) random: Random,
    begin: Instant,
    pub(crate) now: Instant,
    pub(crate) queue: BTreeMap<(Instant, u64), Happening>,
    pub(crate) planned: u64,
    pub(crate) clients: Vec<Client>,
    /// Who each browser is signed in as.
    pub(crate) cookies: Vec<Option<u64>>,
    /// What came for those who sleep.
    pub(crate) backlog: BTreeMap<usize, Vec<Happening>>,
    pub(crate) offline: BTreeSet<usize>,
    pub(crate) wires: BTreeMap<u64, Wire>,
    pub(crate) wires_made: u64,
    pub(crate) server: Option<Server>,
    /// The disk, while no process has it.
    pub(crate) disk: Disk,
    pub(crate) lives: u64,
    pub(crate) judge: Judge,
    pub(crate) story: Story,
    pub(crate) healthy_from: Option<Instant>,
    pub(crate) quiet: bool,
    pub(crate) slow_store: bool,
    /// The server dies while it commits the next time.
    pub(crate) dies_committing: bool,
    /// Changes of membership that were asked for.
    pub(crate) memberships: u64,
    /// What the next process finds was put there out of a backup.
    pub(crate) restored: bool,
    pub(crate) report: Report,
    steps_at_once: u64,
}

/// Every world begins here; only differences of moments matter.
#[expect(clippy::disallowed_methods, reason = "virtual time needs one real moment to begin at")]
fn begin() -> Instant {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    *BEGIN.get_or_init(Instant::now)
}

impl World {
    pub(crate) fn new(seed: u64, broken: Broken, told: bool) -> Self {
        let mut random = Random::new(seed);
        let plan = Plan::new(&mut random);
        let begin = begin();
        let (mutant, browsers) = (broken.client(), plan.people());
        let disk = Disk::with_rooms(plan.rooms.iter().cloned());
        let mut client = |n: usize| Client::new(n, n % browsers, random.next(), mutant);
        let clients = (0..plan.clients).map(&mut client).collect();
        Self {
            seed,
            broken,
            judge: Judge::new(&plan),
            plan,
            random,
            begin,
            now: begin,
            queue: BTreeMap::new(),
            planned: 0,
            clients,
            cookies: vec![None; browsers],
            backlog: BTreeMap::new(),
            offline: BTreeSet::new(),
            wires: BTreeMap::new(),
            wires_made: 0,
            server: None,
            disk,
            lives: 0,
            story: Story::new(begin, told),
            healthy_from: None,
            quiet: false,
            slow_store: false,
            dies_committing: false,
            memberships: 0,
            restored: false,
            report: Report::default(),
            steps_at_once: 0,
        }
    }

    pub(crate) fn run(mut self) -> Result<Report, Box<Failure>> {
        match self.live() {
            Ok(()) => Ok(self.report),
            Err(what) => {
                let (at, story) = (self.now - self.begin, self.story.into_lines());
                Err(Box::new(Failure { seed: self.seed, at, what, story }))
            }
        }
    }

    fn live(&mut self) -> Verdict {
        let plan = format!("{:?}", self.plan);
        self.story.tell(self.now, || plan);
        self.start_server()?;
        self.plan_in(Duration::from_secs(7), Happening::Sweep);
        for client in 0..self.clients.len() {
            let due = self.random.ms(0, 3_000);
            self.plan_in(due, Happening::Deed { client });
            self.clients[client].session.connect(self.now);
            self.settle(client)?;
        }
        let first = self.random.ms(2_000, 2_000 + self.plan.fault_every_ms);
        self.plan_in(first, Happening::Fault);
        self.run_until(self.begin + self.plan.chaos)?;
        self.heal()?;
        self.run_until(self.now + HEALING)?;
        self.all_is_well()?;
        self.quiet = true;
        self.run_until(self.now + QUIET)?;
        self.all_is_well()?;
        self.quiet = false;
        self.everybody_goes()?;
        self.run_until(self.now + FORGETTING)?;
        self.nobody_is_remembered()
    }

    pub(crate) fn plan_at(&mut self, due: Instant, happening: Happening) {
        self.planned += 1;
        self.queue.insert((due, self.planned), happening);
    }

    pub(crate) fn plan_in(&mut self, wait: Duration, happening: Happening) {
        self.plan_at(self.now + wait, happening);
    }

    fn run_until(&mut self, end: Instant) -> Verdict {
        while let Some(due) = self.next_due().filter(|due| *due <= end) {
            self.report.steps += 1;
            self.steps_at_once = if due > self.now { 0 } else { self.steps_at_once + 1 };
            if self.report.steps > STEPS_MAX || self.steps_at_once > STEPS_AT_ONCE_MAX {
                broken!("the world does not come to rest");
            }
            self.now = self.now.max(due);
            if self.queue.first_key_value().is_some_and(|((at, _), _)| *at <= self.now) {
                let Some((_, happening)) = self.queue.pop_first() else { continue };
                self.happens(happening)?;
            } else {
                self.time_passes()?;
            }
            self.server_writes()?;
        }
        self.now = end;
        Ok(())
    }

    fn next_due(&self) -> Option<Instant> {
        let planned = self.queue.first_key_value().map(|((due, _), _)| *due);
        let awake = self.clients.iter().filter(|client| client.state == Being::Awake);
        let sessions = awake.filter_map(|client| client.session.poll_timeout()).min();
        let server = self.server.as_ref().and_then(Server::poll_timeout);
        [planned, sessions, server].into_iter().flatten().min()
    }

    fn time_passes(&mut self) -> Verdict {
        if let Some(server) = &mut self.server
            && server.poll_timeout().is_some_and(|due| due <= self.now)
        {
            server.handle_timeout(self.now);
        }
        for number in 0..self.clients.len() {
            let client = &mut self.clients[number];
            let due = client.session.poll_timeout().is_some_and(|due| due <= self.now);
            if due && client.state == Being::Awake {
                client.session.handle_timeout(self.now);
                self.settle(number)?;
            }
        }
        Ok(())
    }

    pub(crate) fn next_deed(&mut self, client: usize) -> Verdict {
        if self.healthy_from.is_some() {
            return Ok(());
        }
        let next = self.random.ms(200, self.plan.deed_every_ms);
        self.plan_in(next, Happening::Deed { client });
        self.deed(client)
    }

    pub(crate) fn next_fault(&mut self) -> Verdict {
        if self.healthy_from.is_some() {
            return Ok(());
        }
        let next = self.random.ms(100, self.plan.fault_every_ms);
        self.plan_in(next, Happening::Fault);
        self.fault()
    }
}
