//! Rooms that begin, people who come into them and go, and people who sign out.

use std::sync::PoisonError;

use anyhow::Context as _;
use common::ErrorCode;
use serde_json::Value;

use super::{
    super::{
        model::{Due, Person, Room},
        world::World,
    },
    Asked,
};

/// A world opens another private room when fewer than so many have members.
const ROOMS_MIN: usize = 4;
/// A world has so many private rooms at most that are alive.
const ROOMS_MAX: usize = 6;

impl World {
    pub(super) async fn admits(&mut self, person: Person) -> anyhow::Result<()> {
        let room = self.some_room();
        let other = self.present[self.random.below(self.present.len())];
        let due = match &room {
            Asked::Here(here) => self.rooms[*here].admits(person, other),
            Asked::Elsewhere(_) => Due::Refused(ErrorCode::NotFound),
        };
        let path = format!("/api/rooms/{}/members", self.name_of(&room));
        let body = format!(r#"{{"member":"{}"}}"#, self.people[other].id);
        let answer = self.asks(person, "POST", &path, &body).await?;
        if self.judges_answer(due, &answer)
            && let Asked::Here(here) = room
        {
            self.rooms[here].admitted(person, other);
        }
        Ok(())
    }

    pub(super) async fn removes(&mut self, person: Person) -> anyhow::Result<()> {
        let room = self.some_room();
        let other = self.present[self.random.below(self.present.len())];
        let due = match &room {
            Asked::Here(here) => self.rooms[*here].removes(person, other),
            Asked::Elsewhere(_) => Due::Refused(ErrorCode::NotFound),
        };
        // The last one stays more often than not: a room without members is nobody's.
        let is_last = matches!(&room, Asked::Here(here) if self.rooms[*here].members == [other]);
        if due == Due::Done && is_last && self.random.chance(95) {
            return Ok(());
        }
        let name = self.name_of(&room);
        let path = format!("/api/rooms/{name}/members/{}", self.people[other].id);
        let answer = self.asks(person, "DELETE", &path, "").await?;
        if self.judges_answer(due, &answer)
            && let Asked::Here(here) = room
        {
            self.rooms[here].removed(person, other);
            self.is_told(other, &name).await?;
        }
        Ok(())
    }

    /// Every connection of somebody who was sent away hears so, if it followed the room.
    async fn is_told(&mut self, other: Person, name: &str) -> anyhow::Result<()> {
        for at in 0..self.lines.len() {
            while self.lines[at].person == other
                && self.lines[at].follows.contains_key(name)
                && self.lines[at].closed.is_none()
            {
                if let Some(error) = self.awaits(at, "left").await? {
                    self.finds(&format!("a live connection was not told: {error}"));
                    self.lines[at].follows.remove(name);
                }
            }
        }
        Ok(())
    }

    /// Somebody signs out, and somebody else comes.
    pub(super) async fn signs_out(&mut self, person: Person) -> anyhow::Result<()> {
        let answer = self.asks(person, "DELETE", "/api/session", "").await?;
        if !self.judges_answer(Due::Done, &answer) {
            return Ok(());
        }
        self.people[person].signed_in = false;
        self.present.retain(|other| *other != person);
        for at in 0..self.lines.len() {
            while self.lines[at].person == person && self.lines[at].closed.is_none() {
                if let Some(error) = self.awaits(at, "a close").await? {
                    self.finds(&format!("a live connection outlasts its session: {error}"));
                    self.lines[at].closed = Some(1006);
                }
            }
        }
        self.somebody_enters().await
    }

    /// Rooms that became nobody's are followed by others.
    pub(super) async fn opens_more(&mut self, person: Person) -> anyhow::Result<()> {
        let alive = self.rooms.iter().filter(|room| room.private && room.is_used_by(&self.present));
        let alive = alive.count();
        if alive < ROOMS_MIN || (alive < ROOMS_MAX && self.random.chance(20)) {
            self.opens_room_as(person, true).await?;
        }
        Ok(())
    }

    pub(in crate::permissions) async fn opens_room(&mut self, private: bool) -> anyhow::Result<()> {
        let person = self.present[self.random.below(self.present.len())];
        self.opens_room_as(person, private).await
    }

    async fn opens_room_as(&mut self, person: Person, private: bool) -> anyhow::Result<()> {
        let secret = self.new_secret();
        // What is open is no secret.
        let name = if private { secret.clone() } else { secret.replacen("zq", "open-", 1) };
        let other = self.present[self.random.below(self.present.len())];
        let mut members = vec![person];
        if other != person {
            members.push(other);
        }
        let ids = members[1..].iter().map(|member| format!(r#""{}""#, self.people[*member].id));
        let ids = ids.collect::<Vec<_>>().join(",");
        let of_members = if private { format!(r#","members":[{ids}]"#) } else { String::new() };
        let body = format!(r#"{{"room":"{name}","keep":"forever"{of_members}}}"#);
        let cookie = self.people[person].cookie.clone();
        let answer = self.pipe.asks("POST", "/api/rooms", &cookie, &body).await?;
        if answer.status == 429 {
            return Ok(());
        }
        let info: Value = serde_json::from_str(answer.body())?;
        let epoch = info["position"]["epoch"].as_str().with_context(|| answer.bytes.clone())?;
        let members = if private { members } else { Vec::new() };
        let room = Room::new(name.clone(), secret, private, members, epoch.to_owned());
        self.rooms.push(room);
        if private {
            self.known.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        }
        Ok(())
    }
}
