//! A few people, their rooms and their connections; whatever they are told is held against the
//! model.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use common::{ErrorCode, Problem};
use serde_json::Value;

use super::{
    Verdict,
    line::Line,
    model::{Due, Person, Room},
    pipe::{Answer, Pipe},
};
use crate::{deadline, random::Random};

/// People of one world.
const PEOPLE: usize = 6;
/// Connections of one person.
const LINES: usize = 2;
/// What a secret begins with; sixteen hexadecimal digits follow.
const SECRET: &str = "zq";
const SECRET_BYTES: usize = SECRET.len() + 16;

/// Somebody with a session.
#[derive(Clone, Debug)]
pub(super) struct Somebody {
    pub(super) id: String,
    pub(super) cookie: String,
    pub(super) signed_in: bool,
}

/// One world.
#[derive(Debug)]
pub(super) struct World {
    pub(super) nth: u64,
    pub(super) server: SocketAddr,
    pub(super) random: Random,
    pub(super) pipe: Pipe,
    /// Everybody who ever was here.
    pub(super) people: Vec<Somebody>,
    /// Those who are here.
    pub(super) present: Vec<Person>,
    pub(super) rooms: Vec<Room>,
    pub(super) lines: Vec<Line>,
    /// The names of the private rooms of all worlds.
    pub(super) known: Arc<Mutex<Vec<String>>>,
    pub(super) verdict: Verdict,
    /// What is being done, for a finding.
    pub(super) deed: String,
}

impl World {
    pub(super) async fn begins(
        nth: u64,
        server: SocketAddr,
        random: Random,
        known: Arc<Mutex<Vec<String>>>,
    ) -> anyhow::Result<Self> {
        let (people, present, rooms, lines) = Default::default();
        let (pipe, verdict, deed) = (Pipe::new(server), Verdict::default(), String::new());
        let mut world =
            Self { nth, server, random, pipe, people, present, rooms, lines, known, verdict, deed };
        for _ in 0..PEOPLE {
            world.somebody_enters().await?;
        }
        world.opens_room(false).await?;
        for _ in 0..3 {
            world.opens_room(true).await?;
        }
        Ok(world)
    }

    /// Tries so many operations, and ends before that when it has found so much.
    pub(super) async fn lives(
        mut self,
        operations: u64,
        findings_max: usize,
    ) -> anyhow::Result<Verdict> {
        while self.verdict.judged < operations && self.verdict.findings.len() < findings_max {
            self.tries_something().await.with_context(|| self.deed.clone())?;
            self.hears_everybody().await?;
        }
        Ok(self.verdict)
    }

    pub(super) async fn somebody_enters(&mut self) -> anyhow::Result<()> {
        let person = self.people.len();
        let body = format!(r#"{{"name":"world {} person {person}"}}"#, self.nth);
        let answer = self.pipe.asks("POST", "/api/session", "", &body).await?;
        let cookie = answer.bytes.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = cookie.and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.context("a session has a cookie")?.to_owned();
        let info: Value = serde_json::from_str(answer.body())?;
        let id = info["user"]["id"].as_str().context("somebody has an id")?.to_owned();
        self.people.push(Somebody { id, cookie, signed_in: true });
        self.present.push(person);
        for _ in 0..LINES {
            self.connects(person, "/ws").await?;
        }
        Ok(())
    }

    /// Connects somebody and answers which connection it is; none where tickets come too slowly.
    pub(super) async fn connects(
        &mut self,
        person: Person,
        path: &str,
    ) -> anyhow::Result<Option<usize>> {
        let cookie = self.people[person].cookie.clone();
        let answer = self.pipe.asks("POST", "/ws/ticket", &cookie, "").await?;
        if answer.status == 429 {
            return Ok(None);
        }
        let ticket: Value = serde_json::from_str(answer.body())?;
        let ticket = ticket["ticket"].as_str().with_context(|| answer.bytes.clone())?;
        let mut line = Line::opens(self.server, person, &format!("{path}?ticket={ticket}")).await?;
        deadline::within(deadline::ANSWER, "a welcome", line.hears()).await??;
        self.lines.push(line);
        Ok(Some(self.lines.len() - 1))
    }

    /// Everything that has come, on every connection.
    pub(super) async fn hears_everybody(&mut self) -> anyhow::Result<()> {
        for at in 0..self.lines.len() {
            self.hears(at)?;
        }
        // Whoever lost a connection gets another.
        for at in (0..self.lines.len()).rev() {
            let Line { closed, person, .. } = self.lines[at];
            if closed.is_some() {
                self.lines.swap_remove(at);
                if self.people[person].signed_in {
                    self.connects(person, "/ws").await?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn hears(&mut self, at: usize) -> anyhow::Result<()> {
        while let Some(frame) = self.lines[at].next()? {
            self.verdict.heard += 1;
            self.looks_at(at, &frame)?;
        }
        Ok(())
    }

    /// Waits for the next frame of a connection, or its end. Answers why, where neither comes.
    pub(super) async fn awaits(
        &mut self,
        at: usize,
        what: &str,
    ) -> anyhow::Result<Option<anyhow::Error>> {
        match deadline::within(deadline::ANSWER, what, self.lines[at].hears()).await {
            Ok(Ok(Some(frame))) => self.looks_at(at, &frame).map(|()| None),
            Ok(Ok(None)) => Ok(None),
            Ok(Err(error)) | Err(error) => Ok(Some(error)),
        }
    }

    /// Holds a frame against the model, and takes from it what the connection follows.
    pub(super) fn looks_at(&mut self, at: usize, frame: &str) -> anyhow::Result<()> {
        let person = self.lines[at].person;
        let is_echo = frame.starts_with(r#"{"type":"left""#);
        self.looks_for_secrets(person, frame, is_echo);
        let value: Value = serde_json::from_str(frame)?;
        let kind = value["type"].as_str().unwrap_or_default();
        let Some(name) = value["room"].as_str().map(str::to_owned) else { return Ok(()) };
        let line = &mut self.lines[at];
        let follows = line.follows.contains_key(&name);
        match kind {
            "joined" => {
                line.follows.insert(name.clone(), value["after"].as_u64().unwrap_or(0));
                line.removed.remove(&name);
            }
            "left" => {
                line.follows.remove(&name);
                if value["removed"] == true {
                    line.removed.insert(name.clone());
                }
            }
            "entry" => {
                if let Some(position) = line.follows.get_mut(&name) {
                    *position = value["seq"].as_u64().unwrap_or(0);
                }
                let seq = value["seq"].as_u64().unwrap_or(u64::MAX);
                let room = self.rooms.iter().find(|room| room.name == name);
                if room.is_some_and(|room| !room.may_have(person, seq)) {
                    self.finds(&format!("person {person} heard entry {seq} of {name}"));
                }
            }
            _ => {}
        }
        let needs_to_follow = matches!(kind, "entry" | "head" | "presence");
        if needs_to_follow && !follows {
            self.finds(&format!("person {person}, who does not follow {name}, heard {frame}"));
        }
        Ok(())
    }

    /// Looks for secrets that this person may not know.
    pub(super) fn looks_for_secrets(&mut self, person: Person, bytes: &str, is_echo: bool) {
        self.verdict.bytes += bytes.len() as u64;
        let mut leaks = Vec::new();
        for (at, _) in bytes.match_indices(SECRET) {
            let Some(secret) = bytes.get(at..at + SECRET_BYTES) else { continue };
            if !secret[SECRET.len()..].bytes().all(|byte| byte.is_ascii_hexdigit()) {
                continue;
            }
            let digits = bytes[at + SECRET_BYTES..].strip_prefix('n').map(|rest| {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                rest[..end].parse::<u64>().unwrap_or(u64::MAX)
            });
            let room = self.rooms.iter().find(|room| room.secret == secret);
            let may = match (room, digits) {
                (Some(room), Some(seq)) => room.may_have(person, seq),
                (Some(room), None) => is_echo || room.knew.contains(&person),
                (None, digits) => is_echo && digits.is_none(),
            };
            if !may {
                let end = (at + 60).min(bytes.len());
                let around = bytes.get(at.saturating_sub(60)..end).unwrap_or(secret);
                leaks.push(format!("person {person} was told {around}"));
            }
        }
        for leak in leaks {
            self.finds(&leak);
        }
    }

    /// Asks over HTTP; every byte of the answer is searched.
    pub(super) async fn asks(
        &mut self,
        person: Person,
        method: &str,
        path: &str,
        body: &str,
    ) -> anyhow::Result<Answer> {
        self.deed = format!("person {person}: {method} {path} {body}");
        let cookie = self.people[person].cookie.clone();
        let answer = self.pipe.asks(method, path, &cookie, body).await?;
        self.looks_for_secrets(person, &answer.bytes, false);
        Ok(answer)
    }

    /// Holds an answer against what it has to be. Says whether it was done.
    pub(super) fn judges(&mut self, due: Due, problem: Option<&Problem>) -> bool {
        let code = problem.map(|problem| problem.code);
        if matches!(code, Some(ErrorCode::RateLimited | ErrorCode::Busy)) {
            self.verdict.put_off += 1;
            return false;
        }
        self.verdict.judged += 1;
        let is_due = match due {
            Due::Done => code.is_none(),
            Due::Refused(one) => code == Some(one),
            Due::RefusedAs(one, other) => code == Some(one) || code == Some(other),
        };
        self.verdict.refused += u64::from(due != Due::Done);
        if !is_due {
            self.finds(&format!("{code:?} in place of {due:?}"));
        }
        code.is_none()
    }

    /// The same for an answer over HTTP.
    pub(super) fn judges_answer(&mut self, due: Due, answer: &Answer) -> bool {
        if answer.status < 300 {
            return self.judges(due, None);
        }
        match serde_json::from_str::<Problem>(answer.body()) {
            Ok(problem) => self.judges(due, Some(&problem)),
            Err(error) => {
                self.finds(&format!("{} without a problem: {error}", answer.status));
                false
            }
        }
    }

    pub(super) fn finds(&mut self, what: &str) {
        self.verdict.findings.push(format!("world {}: {}: {what}", self.nth, self.deed));
    }

    pub(super) fn all_private(&self) -> Vec<String> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A number that nobody guesses, for a private room.
    pub(super) fn new_secret(&mut self) -> String {
        format!("{SECRET}{:016x}", self.random.number())
    }
}
