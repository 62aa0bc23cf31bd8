//! Forgetting which messages were said, long after anybody would say them again.
//!
//! A message is known for a day at least, and as one of the last ten thousand of its author. What
//! is beyond both is looked for seldom, on a thread of its own, and taken away by the writer a few
//! at a time.

use std::{
    collections::HashMap,
    mem,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, params};

use super::{StoreError, compact::Id, opening};

/// Messages of an author that are always known.
const KNOWN_PER_AUTHOR: usize = 10_000;
/// Seconds that a message is known for at least.
const KNOWN_SECONDS: i64 = 24 * 60 * 60;
/// Messages after which it is time to look again.
const SAID: usize = 100_000;
/// Messages after a start before the first look.
const FIRST_SAID: usize = 10_000;
/// Messages that one look finds; the next one finds the others.
const FOUND_MAX: usize = 200_000;
/// Authors that one look considers.
const AUTHORS_MAX: usize = 16;
/// Messages that are taken away in one transaction.
const FORGOTTEN_MAX: usize = 64;

/// A message that need not be known.
pub(super) type Forgettable = (i64, Id);

/// What was found, and when it is time to look again.
#[derive(Debug)]
pub(super) struct Forgetting {
    said: usize,
    found: Arc<Mutex<Vec<Forgettable>>>,
    look: Option<JoinHandle<()>>,
}

impl Forgetting {
    /// The first look is sooner than others: a server that is started often forgets too.
    pub(super) fn new() -> Self {
        Self { said: SAID - FIRST_SAID, found: Arc::default(), look: None }
    }

    /// So many messages were said more, and it is so many seconds since 1970.
    pub(super) fn after(&mut self, messages: usize, path: &Path, seconds: i64) {
        self.said += messages;
        let looks = self.look.as_ref().is_some_and(|look| !look.is_finished());
        if self.said < SAID || looks || !lock(&self.found).is_empty() {
            return;
        }
        self.said = 0;
        let (path, found) = (path.to_owned(), Arc::clone(&self.found));
        let look = thread::Builder::new().name("forgetting".to_owned()).spawn(move || {
            match look(&path, seconds - KNOWN_SECONDS) {
                Ok(forgettable) => *lock(&found) = forgettable,
                Err(error) => tracing::warn!(%error, "what may be forgotten is not known"),
            }
        });
        self.look = look.ok();
    }

    /// Some that are to be taken away. Those of a transaction that fails are found again.
    pub(super) fn some(&self) -> Vec<Forgettable> {
        let mut found = lock(&self.found);
        if found.is_empty() {
            return Vec::new();
        }
        let rest = found.len().saturating_sub(FORGOTTEN_MAX);
        let some = found.split_off(rest);
        if rest == 0 {
            mem::take(&mut *found);
        }
        some
    }
}

impl Drop for Forgetting {
    fn drop(&mut self) {
        if let Some(look) = self.look.take() {
            // A panic of it was reported where it happened.
            drop(look.join());
        }
    }
}

/// Takes them away.
pub(super) fn forget(connection: &Connection, some: &[Forgettable]) -> rusqlite::Result<()> {
    let sql = "DELETE FROM said WHERE message_id = ? AND person = ?";
    let mut statement = connection.prepare_cached(sql)?;
    for (person, id) in some {
        statement.execute(params![id, person])?;
    }
    Ok(())
}

/// The messages that were said before `before` and are none of the last of their authors.
fn look(path: &Path, before: i64) -> Result<Vec<Forgettable>, StoreError> {
    let connection = opening::read_only(path)?;
    beyond(&connection, before, KNOWN_PER_AUTHOR).map_err(|error| StoreError::of(path, error))
}

fn beyond(
    connection: &Connection,
    before: i64,
    known: usize,
) -> rusqlite::Result<Vec<Forgettable>> {
    let mut statement = connection
        .prepare("SELECT message_id FROM said WHERE person = ?1 ORDER BY at, place LIMIT ?2")?;
    let mut found = Vec::new();
    for (person, count) in authors(connection, before, known)? {
        let most = i64::try_from(count.min(FOUND_MAX - found.len())).unwrap_or(i64::MAX);
        for id in statement.query_map([person, most], |row| row.get(0))? {
            found.push((person, id?));
        }
    }
    Ok(found)
}

/// Some of the authors who have messages to be forgotten, and how many: those that are old, and
/// more than are always known. The oldest are meant.
fn authors(
    connection: &Connection,
    before: i64,
    known: usize,
) -> rusqlite::Result<Vec<(i64, usize)>> {
    let mut counts: HashMap<i64, (usize, usize)> = HashMap::new();
    let mut statement = connection.prepare("SELECT person, at < ? FROM said")?;
    let mut rows = statement.query([before])?;
    while let Some(row) = rows.next()? {
        let (all, old) = counts.entry(row.get(0)?).or_default();
        *all += 1;
        *old += usize::from(row.get::<_, bool>(1)?);
    }
    let forgettable = |(all, old): (usize, usize)| old.min(all.saturating_sub(known));
    let authors = counts.into_iter().map(|(person, counts)| (person, forgettable(counts)));
    Ok(authors.filter(|(_, count)| *count > 0).take(AUTHORS_MAX).collect())
}

fn lock(found: &Mutex<Vec<Forgettable>>) -> MutexGuard<'_, Vec<Forgettable>> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use common::{MessageId, http::Keep};

    use super::*;
    use crate::log::sqlite::tests::{TempDir, new_room, post};

    #[test]
    fn only_what_is_old_and_none_of_the_last_of_its_author_is_forgotten() {
        let dir = TempDir::new();
        let store = dir.store();
        store.opens(new_room("general", Keep::Last(1))).unwrap();
        for nth in 1..=9 {
            store.says(post("hana", &format!("m{nth}"), "hi")).unwrap();
            store.says(post("duri", &format!("m{nth}"), "hi")).unwrap();
        }
        drop(store);
        let connection = Connection::open(dir.database()).unwrap();
        let age = "UPDATE said SET at = 100 * place & 0xffffffff";
        connection.execute(age, []).unwrap();
        connection.execute("DELETE FROM said WHERE person = 2 AND message_id > 'm6'", []).unwrap();
        let at = |message: &str| -> i64 {
            let sql = "SELECT at FROM said WHERE person = 1 AND message_id = ?";
            connection.query_row(sql, [message], |row| row.get(0)).unwrap()
        };
        let found = |before| {
            let mut ids = beyond(&connection, before, 6).unwrap();
            ids.sort_by_key(|(_, id)| id.text.clone());
            ids
        };
        let m = |nth: u32| (1, Id::new(MessageId::new(format!("m{nth}")).unwrap()));
        assert_eq!(found(i64::MAX), [m(1), m(2), m(3)]);
        assert_eq!(found(at("m2")), [m(1)]);
        assert_eq!(found(0), []);
        forget(&connection, &found(at("m3"))).unwrap();
        assert_eq!(found(i64::MAX), [m(3)]);
    }
}
