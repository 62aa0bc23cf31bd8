//! The way to the store: the committer, which is the one thread that changes what is kept, and
//! reading, which waits for nobody's commit.

mod committer;
pub mod sqlite;
pub mod store;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use common::{ErrorCode, Problem};
use tokio::sync::{Semaphore, mpsc, oneshot};

pub use committer::{Answers, Commits};
pub use sqlite::SqliteStore;
pub use store::{Change, Fault, Outcome, SavedSession, Store};

use crate::{contact::Contact, live::Asked};

/// Changes that wait for the committer; beyond it whoever asks is told to come again.
const WAITING_MAX: usize = 4_096;
/// When to come again after finding the committer busy.
const BUSY_RETRY: Duration = Duration::from_millis(500);
/// Reads from the store at the same time, by those who follow rooms.
const READS_MAX: usize = 12;
/// Reads from the store at the same time, by those who ask beside that: whoever asks much does not
/// stand in the way of those who come back.
const READS_ASIDE_MAX: usize = 4;
/// Whoever waits longer for their turn is told to come again.
const TURN_TIMEOUT: Duration = Duration::from_secs(20);
/// A read that takes longer is answered with a problem.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// When to come again after a failure of the store.
const FAULT_RETRY: Duration = Duration::from_secs(1);
/// When to come again after finding it full: somebody has to make room.
const FULL_RETRY: Duration = Duration::from_secs(3);

/// A change on its way into the store, and who waits for the answer.
#[derive(Debug)]
struct Waiting {
    change: Change,
    asker: Asker,
}

/// Who hears what became of a change.
#[derive(Debug)]
enum Asker {
    /// The connection that handed in a draft. It may have ended.
    Author(Weak<Contact>, Asked),
    /// A task that waits.
    Task(oneshot::Sender<Result<Outcome, Problem>>),
}

/// Hands changes to the committer, and reads from the store.
#[derive(Clone, Debug)]
pub struct Log {
    store: Arc<dyn Store>,
    waiting: mpsc::Sender<Waiting>,
    reads: Arc<Semaphore>,
    reads_aside: Arc<Semaphore>,
}

/// A way to this store, the committer's own half, to be run on a thread of its own, and what it
/// answers, to be run as a task.
#[must_use]
pub fn open(store: Arc<dyn Store>) -> (Log, Commits, Answers) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let turns = |most| Arc::new(Semaphore::new(most));
    let (reads, reads_aside) = (turns(READS_MAX), turns(READS_ASIDE_MAX));
    let log = Log { store: Arc::clone(&store), waiting: sender, reads, reads_aside };
    let (commits, answers) = Commits::new(receiver, store);
    (log, commits, answers)
}

impl Log {
    /// What is known without waiting: rooms and their heads.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Adds to a room's log; the answer comes into the author's mailbox.
    ///
    /// # Errors
    /// Too much waits already.
    pub fn append(
        &self,
        draft: rooms::Draft,
        author: Weak<Contact>,
        asked: Asked,
    ) -> Result<(), Problem> {
        self.submit(Change::Append(draft), Asker::Author(author, asked))
    }

    /// Makes a change and waits until it is durable.
    ///
    /// # Errors
    /// Too much waits already, or the store failed.
    pub async fn change(&self, change: Change) -> Result<Outcome, Problem> {
        let (sender, receiver) = oneshot::channel();
        self.submit(change, Asker::Task(sender))?;
        // The committer answers everybody; one that is gone answers nobody.
        receiver.await.unwrap_or_else(|_| Err(problem_of(Fault::Unavailable)))
    }

    /// Reads for somebody who follows a room, when it is this reader's turn.
    ///
    /// # Errors
    /// The store cannot be read, or it takes too long.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Problem> {
        self.read_in_turn(&self.reads, read).await
    }

    /// Reads for somebody who asks beside following: what is unread, a list, what was found.
    ///
    /// # Errors
    /// The store cannot be read, or it takes too long.
    pub async fn read_aside<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Problem> {
        self.read_in_turn(&self.reads_aside, read).await
    }

    /// Reads on a thread that may wait.
    async fn read_in_turn<T: Send + 'static>(
        &self,
        turns: &Arc<Semaphore>,
        read: impl FnOnce(&dyn Store) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Problem> {
        let unavailable = || problem_of(Fault::Unavailable);
        let busy = |_| Problem::new(ErrorCode::Busy).retry_after(BUSY_RETRY);
        let turn = tokio::time::timeout(TURN_TIMEOUT, Arc::clone(turns).acquire_owned());
        let turn = turn.await.map_err(busy)?;
        let store = Arc::clone(&self.store);
        // The thread gives the turn back: who gave up waiting does not.
        let thread = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            read(&*store)
        });
        let done = tokio::time::timeout(READ_TIMEOUT, thread).await.map_err(|_| unavailable())?;
        done.map_err(|_| unavailable())?.map_err(problem_of)
    }

    fn submit(&self, change: Change, asker: Asker) -> Result<(), Problem> {
        let busy = |_| Problem::new(ErrorCode::Busy).retry_after(BUSY_RETRY);
        self.waiting.try_send(Waiting { change, asker }).map_err(busy)
    }
}

/// Lets an idle store free its memory, for ever: an idle server should hold people, and not pages of
/// the database.
pub async fn keep_time(log: Log) {
    const EVERY: Duration = Duration::from_millis(10_007);
    let mut interval = tokio::time::interval(EVERY);
    loop {
        interval.tick().await;
        let rested = log.read_aside(|store| {
            store.release_memory_if_idle();
            Ok(())
        });
        // Where it is busy it does not rest.
        let _ = rested.await;
    }
}

/// What somebody is told whose change or question the store could not take.
pub(crate) fn problem_of(fault: Fault) -> Problem {
    match fault {
        Fault::Full => Problem::new(ErrorCode::StorageFull).retry_after(FULL_RETRY),
        Fault::Unavailable => Problem::new(ErrorCode::StoreUnavailable).retry_after(FAULT_RETRY),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::{Condvar, Mutex},
    };

    use futures_util::FutureExt as _;

    use super::{sqlite::tests::TempDir, *};

    /// Those who read have begun, and go on when they are let.
    #[derive(Default)]
    struct Gate {
        open: Mutex<bool>,
        opened: Condvar,
    }

    #[tokio::test]
    async fn no_more_than_sixteen_read_at_the_same_time() {
        let dir = TempDir::new();
        let (log, _commits, _answers) = open(Arc::new(dir.store()));
        let gate = Arc::new(Gate::default());
        let (begun, mut begins) = mpsc::unbounded_channel();
        let waits = || {
            let (gate, begun) = (Arc::clone(&gate), begun.clone());
            move |_: &dyn Store| {
                begun.send(()).unwrap();
                drop(gate.opened.wait_while(gate.open.lock().unwrap(), |open| !*open).unwrap());
                Ok(())
            }
        };
        let mut reading = tokio::task::JoinSet::new();
        for _ in 0..READS_MAX {
            let (log, read) = (log.clone(), waits());
            reading.spawn(async move { log.read(read).await });
        }
        for _ in 0..READS_ASIDE_MAX {
            let (log, read) = (log.clone(), waits());
            reading.spawn(async move { log.read_aside(read).await });
        }
        for _ in 0..16 {
            begins.recv().await.unwrap();
        }
        let mut one_more = pin!(log.read(waits()));
        assert!(one_more.as_mut().now_or_never().is_none());
        assert_eq!((log.reads.available_permits(), log.reads_aside.available_permits()), (0, 0));
        assert!(begins.is_empty());

        *gate.open.lock().unwrap() = true;
        gate.opened.notify_all();
        one_more.await.unwrap();
        assert!(reading.join_all().await.into_iter().all(|read| read.is_ok()));
    }
}
