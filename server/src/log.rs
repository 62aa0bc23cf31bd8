//! The store of all logs, and the committer: the one task that adds to them.

mod memory;

use std::{fmt, sync::Arc, time::Duration};

use common::{Epoch, ErrorCode, Member, Problem, RoomName, Timestamp, http::Keep};
pub use memory::MemoryStore;
use rooms::{AppendRefusal, Appended, Draft, Entry, OpenRefusal, RoomRecord};
use tokio::sync::mpsc;

use crate::{
    clock,
    live::{Live, Mailbox},
};

/// Drafts that wait for the committer; beyond it authors are told to come again.
const WAITING_MAX: usize = 4_096;
/// Drafts of one commit.
const BATCH_MAX: usize = 1_024;
/// When to come again after finding the committer busy.
const BUSY_RETRY: Duration = Duration::from_millis(500);

/// Where the logs are kept.
pub trait Store: fmt::Debug + Send + Sync {
    /// Gives each draft its place in its room's log, once, and keeps them all. What is answered is
    /// as durable as this store makes it.
    fn append(&self, drafts: Vec<Draft>, at: Timestamp) -> Vec<Result<Appended, AppendRefusal>>;

    /// Opens a room.
    ///
    /// # Errors
    /// A room of this name exists.
    fn open(
        &self,
        room: RoomName,
        epoch: Epoch,
        keep: Keep,
        members: Option<Vec<Member>>,
    ) -> Result<RoomRecord, OpenRefusal>;

    /// A room and the last entries of its log, oldest first, as of one moment.
    fn load(&self, room: &RoomName, last: usize) -> Option<(RoomRecord, Vec<Arc<Entry>>)>;

    /// Entries after `after`, at most `most`, oldest first; none where they are no longer kept.
    fn read_after(&self, room: &RoomName, after: u64, most: usize) -> Vec<Arc<Entry>>;

    /// All rooms, in the order of their names.
    fn rooms(&self) -> Vec<RoomRecord>;
}

/// A draft on its way into the log, and who waits for the answer.
#[derive(Debug)]
struct Waiting {
    id: u64,
    draft: Draft,
    author: Arc<Mailbox>,
}

/// Hands drafts to the committer.
#[derive(Clone, Debug)]
pub struct Committer {
    waiting: mpsc::Sender<Waiting>,
}

/// The committer's own half: to be run as one task.
#[derive(Debug)]
pub struct Commits {
    waiting: mpsc::Receiver<Waiting>,
    store: Arc<dyn Store>,
}

/// A committer for this store.
#[must_use]
pub fn committer(store: Arc<dyn Store>) -> (Committer, Commits) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Committer { waiting: sender }, Commits { waiting: receiver, store })
}

impl Committer {
    /// Adds a draft to its room's log; the answer comes into the author's mailbox.
    ///
    /// # Errors
    /// Too much waits already.
    pub fn append(&self, id: u64, draft: Draft, author: Arc<Mailbox>) -> Result<(), Problem> {
        let retry_after_ms = u64::try_from(BUSY_RETRY.as_millis()).unwrap_or(u64::MAX);
        self.waiting
            .try_send(Waiting { id, draft, author })
            .map_err(|_| Problem::new(ErrorCode::Busy).retry_after_ms(retry_after_ms))
    }
}

impl Commits {
    /// Commits what waits, all rooms together, until nobody can hand in anything more. A commit
    /// begins when the one before has ended and something waits: there is no timer.
    pub async fn run(mut self, live: Arc<Live>) {
        let mut batch = Vec::new();
        while self.waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
            let (askers, drafts): (Vec<_>, Vec<_>) = batch
                .drain(..)
                .map(|Waiting { id, draft, author }| {
                    let said = (draft.room.clone(), draft.message_id.clone());
                    ((id, said, author), draft)
                })
                .unzip();
            let outcomes = self.store.append(drafts, clock::wall());
            for ((id, (room, message_id), author), outcome) in askers.into_iter().zip(outcomes) {
                if let Ok(Appended::New(entry)) = &outcome {
                    live.deliver(entry);
                }
                author.answer(id, room, message_id, outcome.map(position_of).map_err(problem));
            }
        }
    }
}

fn position_of(appended: Appended) -> common::Position {
    match appended {
        Appended::New(entry) => entry.position(),
        Appended::Repeated(position) => position,
    }
}

fn problem(refusal: AppendRefusal) -> Problem {
    match refusal {
        AppendRefusal::NoSuchRoom(_) => Problem::new(ErrorCode::NotFound),
        AppendRefusal::Conflict(position) => {
            let problem = Problem::new(ErrorCode::Conflict)
                .title("the message id was used for something else");
            Problem { position: Some(position), ..problem }
        }
    }
}
