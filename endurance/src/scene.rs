//! What everybody in a run knows: where the server is, how far the run has come, and what has
//! happened so far.

use std::{net::SocketAddr, sync::Arc};

use common::{ErrorCode, Problem};
use tokio::sync::watch;

use crate::deadline;

/// One life of the server, from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// The first is 1.
    pub number: u32,
    /// Where it listens.
    pub address: SocketAddr,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Authors say one message after the other.
    Talk,
    /// Authors say nothing new, and stop when what they said last was acknowledged.
    LastWords,
    /// Witnesses hear what is left, and stop.
    Curtain,
}

/// What has happened so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Messages that were acknowledged.
    pub acks: u64,
    /// Messages that were said again, and answered.
    pub resends: u64,
    /// Refusals because there was no room left.
    pub full: u64,
    /// Refusals because the store could not be written.
    pub unavailable: u64,
    /// Other refusals that ask to come again.
    pub slowed: u64,
    /// Followers who came back and went on from their position.
    pub resumed: u64,
    /// What went wrong last, for somebody who waits in vain.
    pub last_trouble: Option<String>,
}

/// The one who sets the scene.
#[derive(Debug)]
pub struct Director {
    life: watch::Sender<Option<Life>>,
    act: watch::Sender<Act>,
    barren: watch::Sender<bool>,
    tally: Arc<watch::Sender<Tally>>,
}

/// What the players see of it.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The server's present life; `None` while it has none.
    pub life: watch::Receiver<Option<Life>>,
    /// How far the run has come.
    pub act: watch::Receiver<Act>,
    /// Nothing can be made durable: no message that is said from here on may be acknowledged.
    pub barren: watch::Receiver<bool>,
    tally: Arc<watch::Sender<Tally>>,
}

impl Default for Director {
    fn default() -> Self {
        Self {
            life: watch::Sender::new(None),
            act: watch::Sender::new(Act::Talk),
            barren: watch::Sender::new(false),
            tally: Arc::new(watch::Sender::new(Tally::default())),
        }
    }
}

impl Director {
    /// A player's view.
    #[must_use]
    pub fn scene(&self) -> Scene {
        Scene {
            life: self.life.subscribe(),
            act: self.act.subscribe(),
            barren: self.barren.subscribe(),
            tally: Arc::clone(&self.tally),
        }
    }

    /// The server lives again, or does not.
    pub fn set_life(&self, life: Option<Life>) {
        self.life.send_replace(life);
    }

    /// The run goes on.
    pub fn set_act(&self, act: Act) {
        self.act.send_replace(act);
    }

    /// Says whether anything can be made durable. To be set after the server has noticed that
    /// nothing can, and taken back before anything can again.
    pub fn set_barren(&self, barren: bool) {
        self.barren.send_replace(barren);
    }

    /// What has happened so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally.borrow().clone()
    }

    /// Waits until something has happened.
    ///
    /// # Errors
    /// It does not happen; the error says what does.
    pub async fn sees(&self, what: &str, enough: impl Fn(&Tally) -> bool) -> anyhow::Result<()> {
        let mut tally = self.tally.subscribe();
        let seen = tally.wait_for(|tally| enough(tally));
        let seen = deadline::within(deadline::RECOVERY, what, seen).await.map(drop);
        seen.map_err(|error| error.context(format!("{:?}", self.tally())))
    }
}

impl Scene {
    /// Writes down what happened.
    pub fn counts(&self, happened: impl FnOnce(&mut Tally)) {
        self.tally.send_modify(happened);
    }

    /// Writes down a refusal that asks to come again.
    pub fn counts_refusal(&self, problem: &Problem) {
        self.counts(|tally| {
            if problem.code == ErrorCode::StorageFull {
                tally.full += 1;
            } else if problem.code == ErrorCode::StoreUnavailable {
                tally.unavailable += 1;
            } else {
                tally.slowed += 1;
            }
        });
    }

    /// The server's life, as soon as it has one. Waits as long as it has none: whoever calls it is
    /// stopped by the one who set the scene.
    pub async fn living(&mut self) -> Option<Life> {
        self.life.wait_for(Option::is_some).await.ok().and_then(|life| *life)
    }

    /// Whether the run has come so far.
    #[must_use]
    pub fn has_come_to(&self, act: Act) -> bool {
        *self.act.borrow() >= act
    }
}
