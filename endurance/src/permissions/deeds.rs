//! What people try, one thing after the other.

mod membership;
mod reading;

use anyhow::Context as _;
use common::{ErrorCode, Problem};
use serde_json::Value;

use super::{
    model::{Change, Due, Kind, Person, Room},
    world::World,
};
use crate::deadline;

/// A room that somebody asks for.
enum Asked {
    /// Of this world.
    Here(usize),
    /// Of another world.
    Elsewhere(String),
}

impl World {
    pub(super) async fn tries_something(&mut self) -> anyhow::Result<()> {
        let person = self.present[self.random.below(self.present.len())];
        match self.random.below(100) {
            0..13 => self.joins(person).await,
            13..16 => self.leaves(person).await,
            16..34 => self.says(person, false).await,
            34..37 => self.says(person, true).await,
            37..49 => self.changes(person).await,
            49..55 => self.reads_back(person).await,
            55..59 => self.marks(person).await,
            59..67 => self.reads_page(person).await,
            67..73 => self.searches_for(person).await,
            73..78 => self.lists(person).await,
            78..86 => self.admits(person).await,
            86..93 => self.removes(person).await,
            93..95 => self.asks_strangely(person).await,
            95..97 => self.waits_for_everything().await,
            97 => self.joins_by_address(person).await,
            98 => self.speaks_for_the_dead().await,
            _ => match self.random.below(6) {
                0 => self.signs_out(person).await,
                _ => self.opens_more(person).await,
            },
        }
    }

    /// Mostly a room of this world that somebody is in.
    fn some_room(&mut self) -> Asked {
        let elsewhere = self.all_private();
        if !elsewhere.is_empty() && self.random.chance(8) {
            let name = elsewhere[self.random.below(elsewhere.len())].clone();
            return match self.rooms.iter().position(|room| room.name == name) {
                Some(at) => Asked::Here(at),
                None => Asked::Elsewhere(name),
            };
        }
        Asked::Here(self.some_room_here())
    }

    fn some_room_here(&mut self) -> usize {
        let alive = |room: &Room| !room.private || !room.members.is_empty();
        let alive: Vec<usize> =
            (0..self.rooms.len()).filter(|at| alive(&self.rooms[*at])).collect();
        alive[self.random.below(alive.len())]
    }

    fn name_of(&self, room: &Asked) -> String {
        match room {
            Asked::Here(at) => self.rooms[*at].name.clone(),
            Asked::Elsewhere(name) => name.clone(),
        }
    }

    fn reads(&self, room: &Asked, person: Person) -> Due {
        match room {
            Asked::Here(at) => self.rooms[*at].reads(person),
            Asked::Elsewhere(_) => Due::Refused(ErrorCode::NotFound),
        }
    }

    /// A connection of this person.
    fn some_line(&mut self, person: Person) -> Option<usize> {
        let of_person = |at: &usize| self.lines[*at].person == person;
        let lines: Vec<usize> = (0..self.lines.len()).filter(of_person).collect();
        (!lines.is_empty()).then(|| lines[self.random.below(lines.len())])
    }

    /// Asks on a connection. What came before the reply is looked at after `done` has changed the
    /// model, for it may be of the change.
    async fn requests(
        &mut self,
        at: usize,
        due: Due,
        fields: &str,
        done: impl FnOnce(&mut Self),
    ) -> anyhow::Result<Option<Value>> {
        self.deed = format!("person {}: {fields}", self.lines[at].person);
        let Some(reply) = self.lines[at].asks(fields).await? else { return Ok(None) };
        let value: Value = serde_json::from_str(&reply)?;
        let problem: Option<Problem> = (value["type"] == "error")
            .then(|| serde_json::from_value(value["error"].clone()))
            .transpose()?;
        if self.judges(due, problem.as_ref()) {
            done(self);
        }
        for frame in self.lines[at].take_waiting() {
            self.verdict.heard += 1;
            self.looks_at(at, &frame)?;
        }
        self.looks_at(at, &reply)?;
        Ok(problem.is_none().then_some(value))
    }

    async fn joins(&mut self, person: Person) -> anyhow::Result<()> {
        let (room, Some(at)) = (self.some_room(), self.some_line(person)) else { return Ok(()) };
        let (due, name) = (self.reads(&room, person), self.name_of(&room));
        let after = match &room {
            Asked::Here(here) if self.random.chance(40) => {
                let (head, epoch) = (self.rooms[*here].head(), self.rooms[*here].epoch.clone());
                let back = self.random.below(40) as u64;
                format!(r#","after":{{"epoch":"{epoch}","seq":{}}}"#, head.saturating_sub(back))
            }
            Asked::Here(_) | Asked::Elsewhere(_) => String::new(),
        };
        let fields = format!(r#""type":"join","room":"{name}"{after}"#);
        let joined = self.requests(at, due, &fields, |_| ()).await?;
        if let (Some(joined), Asked::Here(here)) = (joined, room) {
            let head = self.rooms[here].head();
            if joined["position"]["seq"].as_u64() != Some(head) {
                self.finds(&format!("joined at {} in place of {head}", joined["position"]));
            }
            let present = joined["members"].as_array().into_iter().flatten();
            let strangers = present.filter(|member| {
                let is = |person: &Person| member["id"] == self.people[*person].id.as_str();
                self.rooms[here].private && !self.rooms[here].members.iter().any(is)
            });
            let strangers: Vec<String> = strangers.map(Value::to_string).collect();
            for stranger in strangers {
                self.finds(&format!("{stranger} is present and does not belong there"));
            }
        }
        Ok(())
    }

    async fn leaves(&mut self, person: Person) -> anyhow::Result<()> {
        let (room, Some(at)) = (self.some_room(), self.some_line(person)) else { return Ok(()) };
        let fields = format!(r#""type":"leave","room":"{}""#, self.name_of(&room));
        self.requests(at, Due::Done, &fields, |_| ()).await.map(drop)
    }

    /// Whether a connection follows a room, so that it may speak there; mostly one that does.
    fn follower(&mut self, person: Person) -> Option<(usize, usize, bool)> {
        let here = self.some_room_here();
        let name = self.rooms[here].name.clone();
        let at = self.some_line(person)?;
        let follows = self.lines[at].follows.contains_key(&name);
        // Refusals end a connection when they are many.
        (follows || self.random.chance(15)).then_some((at, here, follows))
    }

    async fn says(&mut self, person: Person, topic: bool) -> anyhow::Result<()> {
        let Some((at, here, follows)) = self.follower(person) else { return Ok(()) };
        let room = &self.rooms[here];
        let due = room.follower_reads(person, follows);
        let fields = format!(
            r#""type":"{}","room":"{}","message_id":"{:016x}","body":"{}""#,
            if topic { "topic" } else { "say" },
            room.name,
            self.random.number(),
            room.text(),
        );
        let kind = if topic { Kind::Other } else { Kind::Post };
        let said =
            self.requests(at, due, &fields, |world| world.rooms[here].adds(person, kind)).await?;
        self.stands_at_the_head(here, said.as_ref());
        Ok(())
    }

    async fn changes(&mut self, person: Person) -> anyhow::Result<()> {
        let Some((at, here, follows)) = self.follower(person) else { return Ok(()) };
        let change = [Change::Edit, Change::Delete, Change::React][self.random.below(3)];
        let room = &self.rooms[here];
        let own = room.entries.iter().rposition(|entry| entry.author == person);
        // Half of the time something of one's own, if there is anything.
        let of = match own {
            Some(own) if self.random.chance(50) => own as u64 + 1,
            Some(_) | None => {
                let back = self.random.below(20) as u64;
                (self.rooms[here].head() + 1).saturating_sub(back).max(1)
            }
        };
        let room = &self.rooms[here];
        let due = room.changes(person, follows, change, of);
        let (kind, body) = match change {
            Change::Edit => ("edit", format!(r#","body":"{}""#, room.text())),
            Change::Delete => ("delete", String::new()),
            Change::React => ("react", r#","body":"👍""#.to_owned()),
        };
        let fields = format!(
            r#""type":"{kind}","room":"{}","message_id":"{:016x}","of":{of}{body}"#,
            room.name,
            self.random.number(),
        );
        let done = |world: &mut Self| world.rooms[here].changed(person, change, of);
        let said = self.requests(at, due, &fields, done).await?;
        self.stands_at_the_head(here, said.as_ref());
        Ok(())
    }

    fn stands_at_the_head(&mut self, here: usize, ack: Option<&Value>) {
        let head = self.rooms[here].head();
        if let Some(ack) = ack
            && ack["position"]["seq"].as_u64() != Some(head)
        {
            self.finds(&format!("it stands at {} in place of {head}", ack["position"]));
        }
    }

    async fn reads_back(&mut self, person: Person) -> anyhow::Result<()> {
        let Some((at, here, follows)) = self.follower(person) else { return Ok(()) };
        let room = &self.rooms[here];
        let due = room.follower_reads(person, follows);
        let limit = 1 + self.random.below(20);
        let fields = format!(r#""type":"history","room":"{}","limit":{limit}"#, room.name);
        self.requests(at, due, &fields, |_| ()).await.map(drop)
    }

    async fn marks(&mut self, person: Person) -> anyhow::Result<()> {
        let Some((at, here, follows)) = self.follower(person) else { return Ok(()) };
        let room = &self.rooms[here];
        let due = room.follower_reads(person, follows);
        let fields = format!(
            r#""type":"mark","room":"{}","position":{{"epoch":"{}","seq":{}}}"#,
            room.name,
            room.epoch,
            room.head()
        );
        self.requests(at, due, &fields, |_| ()).await.map(drop)
    }

    /// Everybody who follows a room comes to its head.
    async fn waits_for_everything(&mut self) -> anyhow::Result<()> {
        self.deed = "everybody hears everything".to_owned();
        for at in 0..self.lines.len() {
            for here in 0..self.rooms.len() {
                let (name, head) = (self.rooms[here].name.clone(), self.rooms[here].head());
                loop {
                    let line = &self.lines[at];
                    let behind = line.follows.get(&name).is_some_and(|at| *at < head);
                    if !behind || line.closed.is_some() {
                        break;
                    }
                    if let Some(error) = self.awaits(at, &name).await? {
                        let follows = &self.lines[at].follows;
                        self.finds(&format!("{follows:?} did not come to {head}: {error}"));
                        self.lines[at].follows.remove(&name);
                    }
                }
            }
        }
        self.verdict.judged += 1;
        Ok(())
    }

    /// Addresses that are none, and a name that is taken: the answer tells nothing.
    async fn asks_strangely(&mut self, person: Person) -> anyhow::Result<()> {
        let room = self.some_room();
        let name = self.name_of(&room);
        let (method, path, code) = match self.random.below(4) {
            0 => ("GET", format!("/api/rooms/{name}"), ErrorCode::NotFound),
            1 => ("GET", format!("/api/rooms/{name}/members"), ErrorCode::MethodNotAllowed),
            2 => ("GET", format!("/api/rooms/{name}/topic"), ErrorCode::NotFound),
            _ => {
                let body = format!(r#"{{"room":"{name}"}}"#);
                let answer = self.asks(person, "POST", "/api/rooms", &body).await?;
                self.judges_answer(Due::Refused(ErrorCode::Conflict), &answer);
                return Ok(());
            }
        };
        let answer = self.asks(person, method, &path, "").await?;
        self.judges_answer(Due::Refused(code), &answer);
        Ok(())
    }

    /// The room stands in the address of the connection.
    async fn joins_by_address(&mut self, person: Person) -> anyhow::Result<()> {
        let room = self.some_room();
        let (due, name) = (self.reads(&room, person), self.name_of(&room));
        self.deed = format!("person {person}: /ws/{name}");
        let Some(at) = self.connects(person, &format!("/ws/{name}")).await? else { return Ok(()) };
        let reply = self.lines[at].hears();
        let reply = deadline::within(deadline::ANSWER, "a reply", reply).await??;
        let reply = reply.context("it goes on")?;
        let value: Value = serde_json::from_str(&reply)?;
        let problem: Option<Problem> = serde_json::from_value(value["error"].clone()).ok();
        self.judges(due, problem.as_ref());
        self.looks_at(at, &reply)?;
        // The other connection of this person goes, so that they do not become too many.
        let of_person = |line: &super::line::Line| line.person == person;
        if let Some(oldest) = self.lines.iter().position(of_person) {
            self.lines.swap_remove(oldest);
        }
        Ok(())
    }

    /// The cookie of somebody who signed out is worth nothing.
    async fn speaks_for_the_dead(&mut self) -> anyhow::Result<()> {
        let dead: Vec<Person> =
            (0..self.people.len()).filter(|person| !self.people[*person].signed_in).collect();
        if dead.is_empty() {
            return Ok(());
        }
        let person = dead[self.random.below(dead.len())];
        let here = self.some_room_here();
        let name = self.rooms[here].name.clone();
        let (method, path) = match self.random.below(4) {
            0 => ("GET", "/api/rooms".to_owned()),
            1 => ("GET", format!("/api/rooms/{name}/entries")),
            2 => ("GET", format!("/api/search?q={name}")),
            _ => ("POST", "/ws/ticket".to_owned()),
        };
        let answer = self.asks(person, method, &path, "").await?;
        self.judges_answer(Due::Refused(ErrorCode::Unauthenticated), &answer);
        Ok(())
    }
}
