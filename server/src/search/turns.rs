//! Asks the search index for people: a few questions at a time, on threads that may wait.
//!
//! A question of common words takes a core for a while. What people read and say does not wait for
//! those who search.

use std::{sync::Arc, time::Duration};

use common::{ErrorCode, Problem};
use tokio::sync::Semaphore;

use super::Search;

/// Questions at the same time.
const AT_ONCE: usize = 2;
/// Whoever waits longer for their turn is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

/// The index, and the turns of those who ask it.
#[derive(Debug)]
pub struct Searching {
    search: Search,
    turns: Arc<Semaphore>,
}

impl Searching {
    /// Nobody asks.
    #[must_use]
    pub fn new(search: Search) -> Self {
        Self { search, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Asks, when it is this question's turn.
    ///
    /// # Errors
    /// Too many ask.
    pub async fn find<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Search) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || Problem::new(ErrorCode::Busy).retry_after(PATIENCE);
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned());
        let turn = turn.await.map_err(|_| busy())?;
        let search = self.search.clone();
        let thread = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            question(&search)
        });
        thread.await.map_err(|_| Problem::new(ErrorCode::Internal))
    }
}
