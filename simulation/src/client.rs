//! One person with one page: the shell around a `session::Session`, and what the page shows.
//!
//! It holds the session to its part of the contract with the shell: one attempt at a time, and
//! nothing done for a connection that is gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use common::{Body, MessageId, RoomName};
use session::{
    Action, Content, EndReason, Event, Generation, LinkState, Pending, PendingState, Session,
};

use crate::{
    judge::{Judge, Verdict, broken},
    report::Report,
    screen::{Page, Screen},
};

/// More actions or events than this after one call mean that there is no end to them.
const ANSWERS_MAX: usize = 10_000;

pub(crate) struct Client {
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) session: Session,
    /// Grows with each load of the page; what belongs to an older page reaches nobody.
    pub(crate) load: u64,
    /// Tabs of one browser are one person.
    pub(crate) browser: usize,
    pub(crate) page: Page,
    pub(crate) attempt: Option<Attempt>,
    /// The generations of this load, and the wires they had: what still comes of them is late.
    pub(crate) earlier: Vec<Generation>,
    pub(crate) state: Being,
    pub(crate) signing_in: bool,
    pub(crate) messages: u64,
    mutant: Option<session::Mutant>,
}

/// Whether the person's machine does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Being {
    Awake,
    Asleep,
    /// The page is closed for good.
    Gone,
}

/// The attempt or connection that the shell holds.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) generation: Generation,
    pub(crate) wire: Option<u64>,
    pub(crate) open: bool,
}

/// What the world has to do for a session.
#[derive(Debug)]
pub(crate) enum Wish {
    Ticket {
        generation: Generation,
    },
    Connect {
        generation: Generation,
    },
    Send {
        wire: u64,
        text: String,
    },
    /// The wire, if it came to one, is dropped on this side.
    Drop {
        wire: Option<u64>,
        code: u16,
    },
    SignIn,
}

impl Client {
    pub(crate) fn new(
        number: usize,
        browser: usize,
        seed: u64,
        mutant: Option<session::Mutant>,
    ) -> Self {
        Self {
            number,
            name: format!("p{number}"),
            session: new_session(seed, mutant),
            load: 0,
            browser,
            page: Page::default(),
            attempt: None,
            earlier: Vec::new(),
            state: Being::Awake,
            signing_in: false,
            messages: 0,
            mutant,
        }
    }

    /// The page is loaded again: only the outbox was kept, and which rooms were open.
    pub(crate) fn reload(&mut self, seed: u64, now: Instant) -> Option<u64> {
        let kept: Vec<Pending> = self.session.outbox().cloned().collect();
        let rooms: Vec<RoomName> = self.page.rooms.keys().cloned().collect();
        self.load += 1;
        self.session = new_session(seed, self.mutant);
        self.page = Page::default();
        self.earlier.clear();
        self.signing_in = false;
        self.session.restore(kept);
        for room in rooms {
            self.join(room, now);
        }
        self.session.connect(now);
        self.attempt.take().and_then(|attempt| attempt.wire)
    }

    pub(crate) fn join(&mut self, room: RoomName, now: Instant) {
        self.page.rooms.insert(room.clone(), Screen::default());
        self.session.join(room, now);
    }

    pub(crate) fn leave(&mut self, room: &RoomName, now: Instant) {
        self.page.rooms.remove(room);
        self.session.leave(room, now);
    }

    /// Says something; the answer is the message's name, if the outbox took it.
    pub(crate) fn say(
        &mut self,
        room: &RoomName,
        judge: &mut Judge,
        now: Instant,
    ) -> Option<MessageId> {
        let body = self.words("the words of");
        self.write(room, Content::Post(body), judge, now)
    }

    /// Words that nobody else says.
    pub(crate) fn words(&self, about: &str) -> Body {
        Body::new(format!("{about} m{}-{}", self.number, self.messages + 1)).expect("a body")
    }

    /// Writes something; the answer is the message's name, if the outbox took it.
    pub(crate) fn write(
        &mut self,
        room: &RoomName,
        content: Content,
        judge: &mut Judge,
        now: Instant,
    ) -> Option<MessageId> {
        self.messages += 1;
        let id = MessageId::new(format!("m{}-{}", self.number, self.messages)).expect("a token");
        let said = in_the_log(&content);
        self.session.write(room.clone(), id.clone(), content, now).ok()?;
        judge.said(Some(self.number), id.clone(), room.clone(), said);
        Some(id)
    }

    /// The person takes back what failed or waits.
    pub(crate) fn discard(&mut self, message_id: &MessageId, judge: &mut Judge) {
        self.session.discard(message_id);
        if !self.session.outbox().any(|pending| pending.message_id == *message_id) {
            judge.dropped(message_id);
        }
    }

    /// Does and shows what the session says.
    pub(crate) fn drain(
        &mut self,
        judge: &mut Judge,
        report: &mut Report,
        mut tell: impl FnMut(String),
    ) -> Result<Vec<Wish>, String> {
        let mut wishes = Vec::new();
        for _ in 0..ANSWERS_MAX {
            if let Some(event) = self.session.poll_event() {
                tell(format!("{} sees {event:?}", self.name));
                self.see(event, (judge, report), &mut wishes)?;
            } else if let Some(action) = self.session.poll_action() {
                tell(format!("{} does {action:?}", self.name));
                wishes.extend(self.act(action)?);
            } else {
                return Ok(wishes);
            }
        }
        broken!("{} does not come to rest", self.name)
    }

    fn see(
        &mut self,
        event: Event,
        (judge, report): (&mut Judge, &mut Report),
        wishes: &mut Vec<Wish>,
    ) -> Verdict {
        match &event {
            Event::LinkChanged => match self.session.link() {
                LinkState::Ended(EndReason::SignInNeeded) if !self.signing_in => {
                    self.signing_in = true;
                    wishes.push(Wish::SignIn);
                }
                LinkState::Ended(EndReason::SignInNeeded | EndReason::Left)
                | LinkState::Idle
                | LinkState::Connecting { .. }
                | LinkState::Open
                | LinkState::Waiting { .. } => {}
                LinkState::Ended(
                    reason @ (EndReason::Stopped { .. }
                    | EndReason::ReloadNeeded
                    | EndReason::Refused(_)),
                ) => broken!("{} gave up: {reason:?}", self.name),
            },
            Event::OutboxChanged { message_id } => {
                let mut outbox = self.session.outbox();
                let failed = |p: &&Pending| {
                    p.message_id == *message_id && matches!(p.state, PendingState::Failed(_))
                };
                if outbox.any(|pending| failed(&pending)) {
                    judge.failed(message_id);
                }
            }
            Event::Entry { entry } => judge.heard(self.number, &entry.message_id),
            Event::Welcome { .. }
            | Event::Joined { .. }
            | Event::Recovered { .. }
            | Event::Resynced { .. }
            | Event::Presence { .. }
            | Event::Left { .. }
            | Event::JoinRefused { .. }
            | Event::Removed { .. }
            | Event::Opened { .. }
            | Event::Proven { .. }
            | Event::Disproved { .. }
            | Event::History { .. }
            | Event::HistoryFailed { .. }
            | Event::Marked { .. }
            | Event::Acked { .. } => {}
        }
        let seen = self.page.see(self.number, event, &self.session, (judge, report));
        seen.map_err(|what| format!("{}: {what}", self.name))
    }

    fn act(&mut self, action: Action) -> Result<Option<Wish>, String> {
        let current = self.attempt.as_ref().map(|attempt| attempt.generation);
        match action {
            Action::FetchTicket { generation } => {
                if let Some(current) = current {
                    broken!("{}: {generation:?} while {current:?} lives", self.name);
                }
                if self.earlier.contains(&generation) {
                    broken!("{}: {generation:?} a second time", self.name);
                }
                self.attempt = Some(Attempt { generation, wire: None, open: false });
                self.earlier.push(generation);
                Ok(Some(Wish::Ticket { generation }))
            }
            Action::Connect { generation, .. } if current == Some(generation) => {
                Ok(Some(Wish::Connect { generation }))
            }
            Action::Send { generation, text } if current == Some(generation) => {
                let attempt = self.attempt.as_ref().filter(|attempt| attempt.open);
                match attempt.and_then(|attempt| attempt.wire) {
                    Some(wire) => Ok(Some(Wish::Send { wire, text })),
                    None => broken!("{} sends before {generation:?} is open", self.name),
                }
            }
            Action::Disconnect { generation, code } if current == Some(generation) => {
                let wire = self.attempt.take().and_then(|attempt| attempt.wire);
                Ok(Some(Wish::Drop { wire, code }))
            }
            // It is gone already: the session was told and had not been asked since.
            Action::Disconnect { .. } => Ok(None),
            Action::Connect { generation, .. } | Action::Send { generation, .. } => {
                broken!("{} acts for {generation:?}, and {current:?} lives", self.name)
            }
        }
    }

    /// In the end everything that was said has been sent, and every screen shows what is there.
    pub(crate) fn has_converged(
        &self,
        heads: &BTreeMap<RoomName, common::Position>,
        present: &BTreeMap<RoomName, BTreeSet<common::UserId>>,
        judge: &Judge,
    ) -> Verdict {
        if *self.session.link() != LinkState::Open {
            broken!("{} is {:?}", self.name, self.session.link());
        }
        if let Some(pending) = self.session.outbox().next() {
            broken!("{} still holds {pending:?}", self.name);
        }
        for (room, screen) in &self.page.rooms {
            let whole = screen.is_whole(room, &heads[room], &present[room], judge);
            whole.map_err(|what| format!("{}: {what}", self.name))?;
        }
        Ok(())
    }
}

/// What a content is in the log: there an entry is named without its epoch.
fn in_the_log(content: &Content) -> rooms::Content {
    match content.clone() {
        Content::Post(body) => rooms::Content::Post(body),
        Content::Edit { of, body } => rooms::Content::Edit { of: of.seq, body },
        Content::Delete { of } => rooms::Content::Delete { of: of.seq },
        Content::Reaction { of, emoji } => rooms::Content::Reaction { of: of.seq, emoji },
        Content::Topic(topic) => rooms::Content::Topic(topic),
    }
}

fn new_session(seed: u64, mutant: Option<session::Mutant>) -> Session {
    let mut session = Session::new(seed);
    if let Some(mutant) = mutant {
        session.break_on_purpose(mutant);
    }
    session
}
