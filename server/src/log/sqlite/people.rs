//! People and what they are called, as numbers: a row with a number is shorter than one with names.

use std::collections::HashMap;

use common::{Member, UserId, UserName};
use rusqlite::{Connection, OptionalExtension as _};

/// Numbers that are remembered; beyond it all are looked up again.
const REMEMBERED_MAX: usize = 50_000;

/// The numbers of people and names, as far as they are remembered. What a transaction added must
/// be forgotten with it.
#[derive(Debug, Default)]
pub(super) struct People {
    people: HashMap<UserId, i64>,
    names: HashMap<(i64, UserName), i64>,
}

impl People {
    /// A transaction was rolled back.
    pub(super) fn forget(&mut self) {
        self.people.clear();
        self.names.clear();
    }

    /// Makes room, between transactions.
    pub(super) fn tidy(&mut self) {
        if self.people.len() + self.names.len() > REMEMBERED_MAX {
            self.forget();
        }
    }

    /// The number of somebody who has one.
    pub(super) fn find(
        &mut self,
        connection: &Connection,
        user: &UserId,
    ) -> rusqlite::Result<Option<i64>> {
        if let Some(person) = self.people.get(user) {
            return Ok(Some(*person));
        }
        let person = person(connection, user)?;
        if let Some(person) = person {
            self.people.insert(user.clone(), person);
        }
        Ok(person)
    }

    /// The number of a person; they get one if they have none.
    pub(super) fn person(
        &mut self,
        connection: &Connection,
        user: &UserId,
    ) -> rusqlite::Result<i64> {
        if let Some(person) = self.find(connection, user)? {
            return Ok(person);
        }
        let mut statement = connection.prepare_cached("INSERT INTO people (user) VALUES (?)")?;
        let person = statement.insert([user.as_str()])?;
        self.people.insert(user.clone(), person);
        Ok(person)
    }

    /// The number of a person under this name; they get one if they have none.
    pub(super) fn name(
        &mut self,
        connection: &Connection,
        member: &Member,
    ) -> rusqlite::Result<i64> {
        let person = self.person(connection, &member.id)?;
        let key = (person, member.name.clone());
        if let Some(name) = self.names.get(&key) {
            return Ok(*name);
        }
        let found = connection
            .prepare_cached("SELECT id FROM names WHERE person = ? AND name = ?")?
            .query_row((person, member.name.as_str()), |row| row.get(0))
            .optional()?;
        let name = match found {
            Some(name) => name,
            None => connection
                .prepare_cached("INSERT INTO names (person, name) VALUES (?, ?)")?
                .insert((person, member.name.as_str()))?,
        };
        self.names.insert(key, name);
        Ok(name)
    }
}

/// The number of somebody who has one.
pub(super) fn person(connection: &Connection, user: &UserId) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT id FROM people WHERE user = ?")?;
    statement.query_row([user.as_str()], |row| row.get(0)).optional()
}
