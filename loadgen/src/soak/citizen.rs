//! One of the people who do everything.

use std::{
    collections::BTreeMap,
    ops::AddAssign,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use common::{Body, MessageId, Position, RoomName};
use session::{Content, Edge, Event, LinkState, PageFailure};

use crate::{clock, guest::SignedIn, peer::Peer, random::Random};

/// Rooms that each person is in.
const ROOMS_EACH: usize = 4;
/// Who goes away stays away so long at most.
const AWAY_S_MAX: usize = 30;
/// A room has been quiet for this long when everybody is expected to have everything.
const SETTLE_MAX: Duration = Duration::from_secs(60);
/// What people speak of.
const WORDS: &[&str] = &[
    "회의",
    "배포",
    "점심",
    "server",
    "message",
    "내일",
    "release",
    "커피",
    "search",
    "일정",
    "review",
    "오류",
    "테스트",
    "room",
    "안녕하세요",
    "확인",
    "deploy",
    "문서",
    "휴가",
    "memory",
];

/// What all citizens know.
#[derive(Clone, Debug)]
pub(super) struct Town {
    pub(super) pause: Duration,
    pub(super) end: Instant,
    pub(super) rooms: Vec<RoomName>,
}

/// How often people did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Messages that were said and acknowledged.
    pub said: u64,
    /// Entries that were delivered.
    pub heard: u64,
    /// Rooms that were left for others.
    pub moved: u64,
    /// Connections that were cut, and came back.
    pub returned: u64,
    /// Pages of the past that came.
    pub pages: u64,
    /// Searches that were answered.
    pub searched: u64,
    /// Times that digests were the same.
    pub proofs: u64,
}

impl AddAssign for Deeds {
    fn add_assign(&mut self, other: Self) {
        self.said += other.said;
        self.heard += other.heard;
        self.moved += other.moved;
        self.returned += other.returned;
        self.pages += other.pages;
        self.searched += other.searched;
        self.proofs += other.proofs;
    }
}

pub(super) struct Citizen {
    peer: Peer,
    nth: usize,
    town: Town,
    random: Random,
    rooms: Vec<RoomName>,
    written: u64,
    deeds: Deeds,
    disproved_pages: Arc<AtomicU64>,
}

impl Citizen {
    pub(super) fn new(signed_in: SignedIn, nth: usize, town: Town) -> Self {
        let seed = u64::try_from(nth).unwrap_or(0);
        let mut peer = Peer::new(signed_in, seed);
        let disproved_pages = Arc::new(AtomicU64::new(0));
        let counts = Arc::clone(&disproved_pages);
        peer.tells(move |event| {
            if matches!(event, Event::HistoryFailed { failure: PageFailure::Disproved, .. }) {
                counts.fetch_add(1, Ordering::Relaxed);
            }
        });
        let (random, deeds) = (Random::new(seed), Deeds::default());
        Self { peer, nth, town, random, rooms: Vec::new(), written: 0, deeds, disproved_pages }
    }

    pub(super) fn signed_in(&self) -> &SignedIn {
        self.peer.signed_in()
    }

    /// Does one thing after the other until the end, and then waits for its acks.
    pub(super) async fn lives(mut self) -> anyhow::Result<Self> {
        for nth in 0..ROOMS_EACH.min(self.town.rooms.len()) {
            let room = self.town.rooms[(self.nth + nth) % self.town.rooms.len()].clone();
            self.rooms.push(room.clone());
            self.peer.session().join(room, clock::now());
        }
        self.peer.session().connect(clock::now());
        loop {
            let next = clock::now() + self.random.wait(self.town.pause);
            let until = next.min(self.town.end);
            self.peer.lives_until(tokio::time::sleep_until(until.into())).await?;
            if until == self.town.end {
                break;
            }
            self.does_something().await?;
        }
        let acked = self.peer.lives_until_it(Peer::has_nothing_to_say);
        tokio::time::timeout(SETTLE_MAX, acked).await.context("acks are missing")??;
        Ok(self)
    }

    /// Waits until it has everything up to the heads.
    pub(super) async fn settles(mut self, heads: BTreeMap<RoomName, u64>) -> anyhow::Result<Deeds> {
        let rooms = self.rooms;
        let has_all = |peer: &Peer| rooms.iter().all(|room| peer.has(room, heads[room]));
        self.peer.lives_until_it(has_all).await?;
        let disproved = self.disproved_pages.load(Ordering::Relaxed);
        ensure!(disproved == 0, "{disproved} pages of the past are not what the log says");
        let stats = self.peer.stats();
        ensure!(stats.unreadable == 0, "{} frames were no message", stats.unreadable);
        self.deeds.said = self.written;
        self.deeds.heard = stats.entries;
        self.deeds.returned = stats.reconnects;
        self.deeds.pages = stats.pages;
        self.deeds.proofs = stats.proofs;
        Ok(self.deeds)
    }

    async fn does_something(&mut self) -> anyhow::Result<()> {
        let Some(room) = self.random.pick(&self.rooms).cloned() else { bail!("no room") };
        let now = clock::now();
        match self.random.below(100) {
            0..66 => self.says(room)?,
            66..72 => self.moves(&room),
            72..77 => self.peer.is_cut(),
            77..79 => self.is_away().await,
            79..88 => {
                let edge = match self.peer.session().position(&room).cloned() {
                    Some(Position { epoch, seq }) => {
                        let back = self.random.below(200) as u64;
                        Edge::Before(Position { epoch, seq: seq.saturating_sub(back).max(1) })
                    }
                    None => Edge::Newest,
                };
                self.peer.session().history(&room, edge, now);
            }
            88..93 => self.searches().await?,
            _ => {
                if let Some(position) = self.peer.session().position(&room).cloned() {
                    self.peer.session().mark(&room, position, now);
                }
            }
        }
        Ok(())
    }

    fn says(&mut self, room: RoomName) -> anyhow::Result<()> {
        self.written += 1;
        let words: Vec<&str> = (0..8).filter_map(|_| self.random.pick(WORDS).copied()).collect();
        let body = Body::new(format!("{} {}", words.join(" "), self.written))?;
        let message_id = MessageId::new(format!("{}-{}", clock::nanoseconds(), self.nth))?;
        let (content, now) = (Content::Post(body), clock::now());
        let taken = self.peer.session().write(room, message_id, content, now);
        taken.map_err(|_| anyhow::anyhow!("the outbox is full: acks do not come"))
    }

    fn moves(&mut self, from: &RoomName) {
        // What was not acknowledged would wait in the outbox until the room is joined again.
        if self.peer.session().outbox().any(|pending| pending.room == *from) {
            return;
        }
        let elsewhere: Vec<RoomName> =
            self.town.rooms.iter().filter(|room| !self.rooms.contains(room)).cloned().collect();
        let Some(to) = self.random.pick(&elsewhere).cloned() else { return };
        self.rooms.retain(|room| room != from);
        self.rooms.push(to.clone());
        self.peer.session().leave(from, clock::now());
        self.peer.session().join(to, clock::now());
        self.deeds.moved += 1;
    }

    /// A laptop sleeps.
    async fn is_away(&mut self) {
        self.peer.is_cut();
        let seconds = self.random.below(AWAY_S_MAX) as u64;
        let back = (clock::now() + Duration::from_secs(seconds)).min(self.town.end);
        tokio::time::sleep_until(back.into()).await;
    }

    async fn searches(&mut self) -> anyhow::Result<()> {
        let SignedIn { route, cookie, .. } = self.peer.signed_in();
        // The words that are no ASCII would have to be encoded.
        let ascii: Vec<&str> = WORDS.iter().copied().filter(|word| word.is_ascii()).collect();
        let word = self.random.pick(&ascii).copied().unwrap_or_default();
        let answer = route.asks("GET", &format!("/api/search?q={word}"), cookie, "").await?;
        match answer.status {
            200 => self.deeds.searched += 1,
            429 | 503 => {}
            _ => bail!("a search was answered with {}", answer.head),
        }
        Ok(())
    }
}

impl Peer {
    /// Whether it is connected and everything that it wrote stands.
    fn has_nothing_to_say(&self) -> bool {
        *self.link() == LinkState::Open && self.unconfirmed() == 0
    }
}
