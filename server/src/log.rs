//! The way to the store: the committer, which is the one thread that changes what is kept, and
//! reading, which waits for nobody's commit.

mod committer;
pub mod sqlite;
pub mod store;

use std::{sync::Arc, time::Duration};

use common::{ErrorCode, Problem};
use rooms::{AppendRefusal, OpenRefusal};
use tokio::sync::{Semaphore, mpsc, oneshot};

pub use committer::Commits;
pub use sqlite::SqliteStore;
pub use store::{Change, Fault, Outcome, SavedSession, Store};

use crate::live::{Asked, Mailbox};

/// Changes that wait for the committer; beyond it whoever asks is told to come again.
const WAITING_MAX: usize = 4_096;
/// When to come again after finding the committer busy.
const BUSY_RETRY: Duration = Duration::from_millis(500);
/// Reads from the store at the same time.
const READS_MAX: usize = 16;
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
    /// The connection that handed in a draft.
    Author(Arc<Mailbox>, Asked),
    /// A task that waits.
    Task(oneshot::Sender<Result<Outcome, Problem>>),
    /// Nobody: it is kept with what follows it.
    Nobody,
}

/// Hands changes to the committer, and reads from the store.
#[derive(Clone, Debug)]
pub struct Log {
    store: Arc<dyn Store>,
    waiting: mpsc::Sender<Waiting>,
    reads: Arc<Semaphore>,
}

/// A way to this store, and the committer's own half: to be run on a thread of its own.
#[must_use]
pub fn open(store: Arc<dyn Store>) -> (Log, Commits) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let reads = Arc::new(Semaphore::new(READS_MAX));
    let log = Log { store: Arc::clone(&store), waiting: sender, reads };
    (log, Commits::new(receiver, store))
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
        author: Arc<Mailbox>,
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

    /// Makes a change that nobody waits for. It is durable before anything that is changed later
    /// is. When too much waits it is dropped.
    pub fn note(&self, change: Change) {
        if self.submit(change, Asker::Nobody).is_err() {
            tracing::warn!("the committer is busy; a session's change was not kept");
        }
    }

    /// Reads from the store, on a thread that may wait, when it is this reader's turn.
    ///
    /// # Errors
    /// The store cannot be read, or it takes too long.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Problem> {
        let unavailable = || problem_of(Fault::Unavailable);
        let turn = async {
            let permit = Arc::clone(&self.reads).acquire_owned().await;
            let store = Arc::clone(&self.store);
            // The thread gives the turn back: who gave up waiting does not.
            let thread = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                read(&*store)
            });
            thread.await.map_err(|_| unavailable())?.map_err(problem_of)
        };
        tokio::time::timeout(READ_TIMEOUT, turn).await.unwrap_or_else(|_| Err(unavailable()))
    }

    fn submit(&self, change: Change, asker: Asker) -> Result<(), Problem> {
        let busy = |_| Problem::new(ErrorCode::Busy).retry_after(BUSY_RETRY);
        self.waiting.try_send(Waiting { change, asker }).map_err(busy)
    }
}

/// What somebody is told whose change or question the store could not take.
pub(crate) fn problem_of(fault: Fault) -> Problem {
    match fault {
        Fault::Full => Problem::new(ErrorCode::StorageFull).retry_after(FULL_RETRY),
        Fault::Unavailable => Problem::new(ErrorCode::StoreUnavailable).retry_after(FAULT_RETRY),
    }
}

/// What an author is told whose draft did not become an entry.
pub(crate) fn problem_of_append(refusal: AppendRefusal) -> Problem {
    let titled = |code, title: &str| Problem::new(code).title(title);
    match refusal {
        AppendRefusal::NoSuchRoom(_) => Problem::new(ErrorCode::NotFound),
        AppendRefusal::NoSuchEntry(_) => titled(ErrorCode::NotFound, "there is no such entry"),
        AppendRefusal::WrongKind(_) => {
            let problem = Problem::field("/of", common::FieldFault::Invalid);
            problem.title("this cannot be done to an entry of this kind")
        }
        AppendRefusal::Forbidden => Problem::new(ErrorCode::Forbidden),
        AppendRefusal::Deleted(_) => titled(ErrorCode::Conflict, "it was deleted"),
        AppendRefusal::Already => titled(ErrorCode::Conflict, "it is so already"),
        AppendRefusal::Conflict(position) => {
            let problem = titled(ErrorCode::Conflict, "the message id was used for something else");
            Problem { position: Some(position), ..problem }
        }
    }
}

/// What somebody is told whose room could not be opened.
pub(crate) fn problem_of_open(refusal: OpenRefusal) -> Problem {
    match refusal {
        OpenRefusal::Exists => Problem::new(ErrorCode::Conflict).title("the room exists"),
    }
}
