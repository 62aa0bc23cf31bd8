//! The committer: takes all changes that wait, of all rooms and connections, and makes them durable
//! in one transaction. What came of them is told by a task beside those whom it wakes: a thread
//! that wakes them from outside of the runtime pays for each of them.

use std::sync::{Arc, Weak};

use common::Problem;
use rooms::Appended;
use tokio::sync::mpsc;

use super::{Asker, Change, Outcome, Store, Waiting, problem_of};
use crate::{clock, live::Live, search::following::Waker};

/// Changes of one commit.
const BATCH_MAX: usize = 1_024;
/// Commits of which nobody was told yet; beyond it the committer waits.
const UNTOLD_MAX: usize = 4;

/// What waits for the committer, and the store that it writes to.
#[derive(Debug)]
pub struct Commits {
    waiting: mpsc::Receiver<Waiting>,
    store: Arc<dyn Store>,
    made: mpsc::Sender<Made>,
}

/// What came of changes, on its way to the rooms and to those who asked.
#[derive(Debug)]
pub struct Answers(mpsc::Receiver<Made>);

/// What came of the changes of one commit.
type Made = Vec<(Asker, Result<Outcome, Problem>)>;

impl Commits {
    pub(super) fn new(waiting: mpsc::Receiver<Waiting>, store: Arc<dyn Store>) -> (Self, Answers) {
        let (made, answers) = mpsc::channel(UNTOLD_MAX);
        (Self { waiting, store, made }, Answers(answers))
    }

    /// Commits what waits until nobody can hand in anything more, and lets the search index know. To
    /// be run on a thread of its own.
    ///
    /// A commit begins when the one before has ended and something waits: there is no timer, and
    /// the batch grows with the load, for whoever comes during a commit is in the next.
    pub(crate) fn run(mut self, indexer: &Waker) {
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
            let askers = askers.drain(..);
            let made = match outcomes {
                Ok(outcomes) => askers.zip(outcomes.into_iter().map(Ok)).collect(),
                Err(fault) => askers.map(|asker| (asker, Err(problem_of(fault)))).collect(),
            };
            // Nobody listens where the runtime has ended, and everybody with it.
            if self.made.blocking_send(made).is_err() {
                return;
            }
            indexer.wake();
        }
    }
}

impl Answers {
    /// Hands what is new to the rooms, in the order of the log, and answers those who asked, until
    /// the committer has ended. The rooms hear of what is new before its authors do.
    pub(crate) async fn run(mut self, live: Weak<Live>) {
        while let Some(made) = self.0.recv().await {
            let live = live.upgrade();
            for (asker, outcome) in made {
                if let (Ok(Outcome::Appended(Ok(Appended::New(entry)))), Some(live)) =
                    (&outcome, &live)
                {
                    live.deliver(entry);
                }
                asker.hear(outcome);
                // Those who were woken have their turn.
                tokio::task::coop::consume_budget().await;
            }
        }
    }
}

fn take(waiting: Waiting, changes: &mut Vec<Change>, askers: &mut Vec<Asker>) {
    changes.push(waiting.change);
    askers.push(waiting.asker);
}

impl Asker {
    fn hear(self, outcome: Result<Outcome, Problem>) {
        match self {
            Self::Author(author, asked) => {
                let position = match outcome {
                    Ok(Outcome::Appended(Ok(appended))) => Ok(appended.position()),
                    Ok(Outcome::Appended(Err(refusal))) => Err(refusal.into()),
                    Ok(Outcome::Opened(_) | Outcome::Done) => return,
                    Err(problem) => Err(problem),
                };
                if let Some(author) = author.upgrade() {
                    author.mailbox().answer(asked, position);
                }
            }
            // Whoever asked may have gone.
            Self::Task(sender) => drop(sender.send(outcome)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::Mutex,
        task::{Context, Wake},
        thread,
    };

    use common::http::Keep;

    use super::*;
    use crate::{
        contact::{Contact, tests::contact_of},
        line::tests::connected,
        log::{
            self,
            sqlite::tests::{TempDir, new_room, post, room},
        },
        search::following,
    };

    /// Looks, in the moment in which an author is answered, whether a follower was woken.
    struct Look {
        follower: Arc<Contact>,
        seen: Mutex<Vec<bool>>,
    }

    impl Wake for Look {
        fn wake(self: Arc<Self>) {
            let woken = self.follower.mailbox().take().is_some_and(|mail| !mail.dirty.is_empty());
            self.seen.lock().unwrap().push(woken);
        }
    }

    #[tokio::test]
    async fn a_room_hears_of_what_is_new_before_its_author_does() {
        let dir = TempDir::new();
        let (log, commits, answers) = log::open(Arc::new(dir.store()));
        let live = Arc::new(Live::new(Arc::default(), log));
        let (waker, _woken) = following::waker();
        let committer = thread::spawn(move || commits.run(&waker));
        tokio::spawn(answers.run(Arc::downgrade(&live)));
        live.log().change(Change::Open(new_room("general", Keep::Forever))).await.unwrap();
        let (near, _far) = connected().await;
        let follower = contact_of("duri", near);
        live.follow(&room("general"), &follower, None).await.unwrap();
        follower.mailbox().take();

        let look = Arc::new(Look { follower, seen: Mutex::default() });
        {
            let mut said = pin!(live.log().change(Change::Append(post("hana", "m1", "안녕"))));
            let waker = Arc::clone(&look).into();
            assert!(said.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            while look.seen.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            said.await.unwrap();
        }
        assert_eq!(*look.seen.lock().unwrap(), [true]);
        drop(live);
        committer.join().unwrap();
    }
}
