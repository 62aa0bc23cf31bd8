//! Whatever a server says: the client's half goes on, never spins, and shows each entry once and
//! in order.
//!
//! An input is lines: a frame each; `+` with a number is milliseconds that pass, `=` waits until
//! the session wants to be called, `c` with a number closes the socket, `j`, `l` and `h` join a
//! room, leave it, and ask for its past, `s` says something, `w` looks again.

#![no_main]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use common::{Body, MessageId, RoomName};
use libfuzzer_sys::fuzz_target;
use session::{Action, Content, Edge, Event, Generation, Session};

/// Calls that one moment may need until the session waits for a later one.
const CALLS_MAX: u32 = 64;

struct Page {
    session: Session,
    now: Instant,
    generation: Option<Generation>,
    said: u32,
    /// The last entry that was shown of each room.
    shown: BTreeMap<RoomName, u64>,
}

fn room(text: &str) -> RoomName {
    RoomName::new(text).unwrap_or_else(|_| RoomName::new("general").expect("it is a name"))
}

impl Page {
    fn new() -> Self {
        let (mut session, now) = (Session::new(1), Instant::now());
        session.join(room("general"), now);
        session.connect(now);
        Self { session, now, generation: None, said: 0, shown: BTreeMap::new() }
    }

    fn lives(&mut self, line: &str) {
        let (first, rest) = line.split_at_checked(1).unwrap_or(("", ""));
        let (now, rest) = (self.now, rest.trim());
        match first {
            "+" => {
                self.passes(now + Duration::from_millis(rest.parse::<u16>().unwrap_or(1).into()))
            }
            "=" => self.passes(self.session.poll_timeout().unwrap_or(now)),
            "c" => {
                if let Some(generation) = self.generation {
                    let code = rest.parse().unwrap_or(1006);
                    self.session.handle_closed(generation, code, now);
                }
            }
            "j" => self.session.join(room(rest), now),
            "l" => self.session.leave(&room(rest), now),
            "h" => self.session.history(&room(rest), Edge::Newest, now),
            "w" => self.session.handle_wake(now),
            "s" => {
                self.said += 1;
                let id = MessageId::new(format!("m{}", self.said)).expect("it is an id");
                if let Ok(body) = Body::new(rest) {
                    let _ = self.session.write(room("general"), id, Content::Post(body), now);
                }
            }
            _ => {
                if let Some(generation) = self.generation {
                    self.session.handle_text(generation, line, now);
                }
            }
        }
        self.acts();
        self.shows();
    }

    /// Time passes, and the session is called as often as it wants.
    fn passes(&mut self, until: Instant) {
        let mut calls = 0;
        self.now = until.max(self.now);
        while self.session.poll_timeout().is_some_and(|at| at <= self.now) {
            self.session.handle_timeout(self.now);
            self.acts();
            self.shows();
            calls += 1;
            assert!(calls < CALLS_MAX, "it wants to be called again and again");
        }
    }

    fn acts(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::FetchTicket { generation } => {
                    self.session.handle_ticket(generation, Ok("ticket".to_owned()), self.now);
                }
                Action::Connect { generation, .. } => {
                    self.generation = Some(generation);
                    self.session.handle_open(generation, self.now);
                }
                Action::Send { text, .. } => {
                    common::decode_client(&text).expect("what is sent can be read");
                }
                // What the shell still hears of an older connection is dropped.
                Action::Disconnect { .. } => {}
            }
        }
    }

    fn shows(&mut self) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Joined { room, recovered: None, .. }
                | Event::Resynced { room, .. }
                | Event::Disproved { room, .. }
                | Event::Left { room }
                | Event::Removed { room }
                | Event::JoinRefused { room, .. } => {
                    self.shown.remove(&room);
                }
                Event::Entry { entry } => {
                    let before = self.shown.insert(entry.room.clone(), entry.seq);
                    let follows = before.is_none_or(|before| entry.seq == before + 1);
                    assert!(follows, "{before:?}, then {}", entry.seq);
                }
                Event::LinkChanged
                | Event::Welcome { .. }
                | Event::Joined { .. }
                | Event::Recovered { .. }
                | Event::Proven { .. }
                | Event::History { .. }
                | Event::HistoryFailed { .. }
                | Event::Marked { .. }
                | Event::Presence { .. }
                | Event::Opened { .. }
                | Event::OutboxChanged { .. }
                | Event::Acked { .. } => {}
            }
        }
    }
}

fuzz_target!(|text: &str| {
    let mut page = Page::new();
    page.lives("=");
    for line in text.lines().take(256) {
        page.lives(line);
    }
});
