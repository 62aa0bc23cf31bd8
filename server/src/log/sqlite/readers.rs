//! Connections that read. In WAL mode they see the last commit and wait for none.

use std::{
    path::PathBuf,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::rows::ReadError;

/// Connections at the same time.
const CONNECTIONS_MAX: usize = 16;
/// How long a read waits where SQLite itself has to (while a log is begun anew).
const BUSY: Duration = Duration::from_secs(5);
/// Memory for pages that a connection has read, in KiB: the operating system has them as well, and
/// 16 connections with SQLite's own 2 MiB each are 32.
const CACHE_KIB: i64 = 256;
/// Prepared statements that a connection keeps.
const STATEMENTS_MAX: usize = 32;

/// Connections, made when they are needed first.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    pool: Mutex<Pool>,
    given_back: Condvar,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Connection>,
    count: usize,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, pool: Mutex::default(), given_back: Condvar::new() }
    }

    /// Reads when a connection is free. Everything that the question looks at is of one moment.
    pub(super) fn with<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let mut lent = Lent { readers: self, connection: self.idle() };
        let connection = match &lent.connection {
            Some(connection) => connection,
            None => lent.connection.insert(self.connect()?),
        };
        let moment = connection.unchecked_transaction()?;
        question(&moment)
    }

    /// Connections that nobody uses let go of the pages that they have read.
    pub(super) fn release_memory(&self) {
        for connection in &self.lock().idle {
            let _ = connection.release_memory();
        }
    }

    /// A connection that nobody uses, or the right to make one.
    fn idle(&self) -> Option<Connection> {
        let is_taken = |pool: &mut Pool| pool.idle.is_empty() && pool.count == CONNECTIONS_MAX;
        let mut pool = self
            .given_back
            .wait_while(self.lock(), is_taken)
            .unwrap_or_else(PoisonError::into_inner);
        let idle = pool.idle.pop();
        if idle.is_none() {
            pool.count += 1;
        }
        idle
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Ok(connection)
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection, or the right to one: it goes back whatever becomes of the read.
struct Lent<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.lock();
        match self.connection.take() {
            Some(connection) => pool.idle.push(connection),
            None => pool.count -= 1,
        }
        self.readers.given_back.notify_one();
    }
}
