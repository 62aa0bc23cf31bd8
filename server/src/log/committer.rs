//! The committer: takes all changes that wait, of all rooms and connections, makes them durable in
//! one transaction, hands the entries to the rooms in order, and only then answers.

use std::sync::{Arc, Weak};

use common::Problem;
use rooms::Appended;
use tokio::sync::mpsc;

use super::{Asker, Change, Outcome, Store, Waiting, problem_of, problem_of_append};
use crate::{clock, indexing::Waker, live::Live};

/// Changes of one commit.
const BATCH_MAX: usize = 1_024;

/// What waits for the committer, and the store that it writes to.
#[derive(Debug)]
pub struct Commits {
    waiting: mpsc::Receiver<Waiting>,
    store: Arc<dyn Store>,
}

impl Commits {
    pub(super) fn new(waiting: mpsc::Receiver<Waiting>, store: Arc<dyn Store>) -> Self {
        Self { waiting, store }
    }

    /// Commits what waits until nobody can hand in anything more, and lets the search index know. To
    /// be run on a thread of its own.
    ///
    /// A commit begins when the one before has ended and something waits: there is no timer, and
    /// the batch grows with the load, for whoever comes during a commit is in the next.
    pub(crate) fn run(mut self, live: &Weak<Live>, indexer: &Waker) {
        let (mut changes, mut askers) = (Vec::new(), Vec::new());
        while let Some(first) = self.waiting.blocking_recv() {
            take(first, &mut changes, &mut askers);
            while changes.len() < BATCH_MAX
                && let Ok(next) = self.waiting.try_recv()
            {
                take(next, &mut changes, &mut askers);
            }
            let outcomes = self.store.commit(&changes, &clock::wall());
            changes.clear();
            match outcomes {
                Ok(outcomes) => {
                    answer(askers.drain(..).zip(outcomes), live);
                    indexer.wake();
                }
                Err(fault) => {
                    askers.drain(..).for_each(|asker| asker.hear(Err(problem_of(fault))));
                }
            }
            // Whoever was answered may have more to say: with it the next batch is whole.
            std::thread::yield_now();
        }
    }
}

fn take(waiting: Waiting, changes: &mut Vec<Change>, askers: &mut Vec<Asker>) {
    changes.push(waiting.change);
    askers.push(waiting.asker);
}

/// The rooms hear of what is new before its authors do.
fn answer(outcomes: impl Iterator<Item = (Asker, Outcome)>, live: &Weak<Live>) {
    let live = live.upgrade();
    for (asker, outcome) in outcomes {
        if let (Outcome::Appended(Ok(Appended::New(entry))), Some(live)) = (&outcome, &live) {
            live.deliver(entry);
        }
        asker.hear(Ok(outcome));
    }
}

impl Asker {
    fn hear(self, outcome: Result<Outcome, Problem>) {
        match self {
            Self::Author(mailbox, asked) => {
                let position = match outcome {
                    Ok(Outcome::Appended(Ok(appended))) => Ok(appended.position()),
                    Ok(Outcome::Appended(Err(refusal))) => Err(problem_of_append(refusal)),
                    Ok(Outcome::Opened(_) | Outcome::Done) => return,
                    Err(problem) => Err(problem),
                };
                mailbox.answer(asked, position);
            }
            // Whoever asked may have gone.
            Self::Task(sender) => drop(sender.send(outcome)),
        }
    }
}
