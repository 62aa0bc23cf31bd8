//! Alice, who talks through a session.

use std::time::Duration;

use common::{Body, ClientMessage, Position, ServerMessage, decode_client, encode};
use session::{
    Action, Content, Edge, Event, Generation, LinkState, OutboxFull, Pending, PendingState,
    Session, TicketRefusal,
};
use web_time::Instant;

pub(crate) use crate::words::{
    ack, at, bobs_entry, digest, entry, error, head, id, joined, member, name, page, post, resync,
    slow_down, welcome,
};

pub(crate) const RECONNECT_AFTER: Duration = Duration::from_secs(5);

#[expect(clippy::disallowed_methods, reason = "virtual time needs one real moment to begin with")]
pub(crate) fn beginning() -> Instant {
    Instant::now()
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) struct Alice {
    pub(crate) session: Session,
    pub(crate) now: Instant,
    pub(crate) generation: Option<Generation>,
    /// What she sent on any connection and no test has looked at.
    sent: Vec<ClientMessage>,
    pub(crate) events: Vec<Event>,
    pub(crate) disconnects: Vec<(Generation, u16)>,
    pub(crate) tickets_fetched: u32,
}

impl Alice {
    pub(crate) fn new() -> Self {
        Self::with_seed(7)
    }

    pub(crate) fn with_seed(seed: u64) -> Self {
        Self {
            session: Session::new(seed),
            now: beginning(),
            generation: None,
            sent: Vec::new(),
            events: Vec::new(),
            disconnects: Vec::new(),
            tickets_fetched: 0,
        }
    }

    /// Alice with an open connection, in the room `general` at `seq`.
    pub(crate) fn in_general_at(seq: u64) -> Self {
        let mut alice = Self::new();
        alice.connects();
        alice.joins("general");
        alice.hears_joined("general", ("e1", seq), seq, false);
        alice.forgets();
        alice
    }

    pub(crate) fn starts(&mut self) {
        self.session.connect(self.now);
        self.settles();
    }

    pub(crate) fn connects(&mut self) {
        self.starts();
        self.gets_in();
    }

    /// The attempt that is under way succeeds.
    pub(crate) fn gets_in(&mut self) {
        self.sent.clear();
        self.gets_a_ticket();
        self.opens();
        assert!(matches!(self.sent().as_slice(), [ClientMessage::Hello { .. }]));
        self.hears(welcome());
        assert_eq!(*self.session.link(), LinkState::Open);
    }

    /// Waits as long as the session wants to, then gets in.
    pub(crate) fn comes_back(&mut self) {
        self.waits_for_the_attempt();
        self.gets_in();
    }

    pub(crate) fn waits_for_the_attempt(&mut self) {
        if let LinkState::Waiting { until, .. } = self.session.link() {
            self.now = *until;
            self.session.handle_timeout(self.now);
            self.settles();
        }
        assert!(matches!(self.session.link(), LinkState::Connecting { .. }));
    }

    pub(crate) fn gets_a_ticket(&mut self) {
        let generation = self.generation.expect("an attempt is under way");
        self.session.handle_ticket(generation, Ok("ticket".to_owned()), self.now);
        self.settles();
    }

    pub(crate) fn is_refused_a_ticket(&mut self, refusal: TicketRefusal) {
        let generation = self.generation.expect("an attempt is under way");
        self.session.handle_ticket(generation, Err(refusal), self.now);
        self.settles();
    }

    pub(crate) fn opens(&mut self) {
        self.session.handle_open(self.generation.expect("an attempt is under way"), self.now);
        self.settles();
    }

    pub(crate) fn hears(&mut self, message: ServerMessage) {
        self.hears_text(&encode(&message));
    }

    pub(crate) fn hears_text(&mut self, text: &str) {
        let generation = self.generation.expect("there is a connection");
        self.session.handle_text(generation, text, self.now);
        self.settles();
    }

    /// The server confirms her last `join`.
    pub(crate) fn hears_joined(
        &mut self,
        room: &str,
        head: (&str, u64),
        after: u64,
        recovered: bool,
    ) {
        let id = self.join_sent(room).0;
        self.hears(joined(id, room, head, after, recovered));
    }

    /// The server confirms her `join` after a reconnect; what else she sent stays to be looked at.
    pub(crate) fn gets_joined_again(&mut self, head: u64, after: u64) {
        let (id, _) = self.join_sent("general");
        self.hears(joined(id, "general", ("e1", head), after, true));
    }

    pub(crate) fn hears_entries(&mut self, seqs: impl IntoIterator<Item = u64>) {
        for seq in seqs {
            self.hears(entry("general", seq, "bob", &format!("b{seq}")));
        }
    }

    pub(crate) fn loses_the_connection(&mut self) {
        self.is_closed(1006);
    }

    pub(crate) fn is_closed(&mut self, code: u16) {
        self.session.handle_closed(self.generation.expect("a connection"), code, self.now);
        self.settles();
    }

    pub(crate) fn joins(&mut self, room: &str) {
        self.session.join(name(room), self.now);
        self.settles();
    }

    pub(crate) fn leaves(&mut self, room: &str) {
        self.session.leave(&name(room), self.now);
        self.settles();
    }

    pub(crate) fn says(&mut self, room: &str, message_id: &str) {
        self.tries_to_say(room, message_id).expect("there is space");
    }

    pub(crate) fn tries_to_say(&mut self, room: &str, message_id: &str) -> Result<(), OutboxFull> {
        let body = Body::new(format!("this is {message_id}")).unwrap();
        self.tries_to_write(room, message_id, Content::Post(body))
    }

    pub(crate) fn writes(&mut self, room: &str, message_id: &str, content: Content) {
        self.tries_to_write(room, message_id, content).expect("there is space");
    }

    fn tries_to_write(
        &mut self,
        room: &str,
        message_id: &str,
        content: Content,
    ) -> Result<(), OutboxFull> {
        let written = self.session.write(name(room), id(message_id), content, self.now);
        self.settles();
        written
    }

    pub(crate) fn retries(&mut self, message_id: &str) {
        self.session.retry(&id(message_id), self.now);
        self.settles();
    }

    pub(crate) fn wakes(&mut self) {
        self.session.handle_wake(self.now);
        self.settles();
    }

    /// Lets time pass, with every timeout that falls into it.
    pub(crate) fn waits(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..10_000 {
            let Some(due) = self.session.poll_timeout().filter(|due| *due <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(due);
            self.session.handle_timeout(self.now);
            self.settles();
        }
        panic!("the session wants to be called without end");
    }

    /// Lets time pass unnoticed, as when the machine sleeps.
    pub(crate) fn sleeps(&mut self, duration: Duration) {
        self.now += duration;
    }

    /// Does what the session says, like a shell, and keeps what it tells.
    pub(crate) fn settles(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::FetchTicket { generation } => {
                    assert!(Some(generation) > self.generation, "a generation was used twice");
                    self.generation = Some(generation);
                    self.tickets_fetched += 1;
                }
                Action::Connect { generation, ticket } => {
                    assert_eq!(Some(generation), self.generation);
                    assert_eq!(ticket, "ticket");
                }
                Action::Send { generation, text } => {
                    assert_eq!(Some(generation), self.generation, "sent on an old connection");
                    self.sent.push(decode_client(&text).expect("she speaks the protocol"));
                }
                Action::Disconnect { generation, code } => {
                    assert!(code == 1000 || (3000..=4999).contains(&code));
                    self.disconnects.push((generation, code));
                }
            }
        }
        while let Some(event) = self.session.poll_event() {
            self.events.push(event);
        }
    }

    /// What was sent since the last look.
    pub(crate) fn sent(&mut self) -> Vec<ClientMessage> {
        std::mem::take(&mut self.sent)
    }

    /// The one `join` sent since the last look, with its id and position.
    pub(crate) fn join_sent(&mut self, room: &str) -> (u64, Option<Position>) {
        let sent = self.sent();
        let joins: Vec<_> = sent
            .iter()
            .filter_map(|message| match message {
                ClientMessage::Join { id, room: to, after, .. } if to.as_str() == room => {
                    Some((id.expect("joins carry ids"), after.clone()))
                }
                _ => None,
            })
            .collect();
        assert_eq!(joins.len(), 1, "one join of {room} in {sent:?}");
        joins.into_iter().next().unwrap()
    }

    /// The ids of the messages said since the last look, with the ids of the requests.
    pub(crate) fn said(&mut self) -> Vec<(u64, String)> {
        let say = |message| match message {
            ClientMessage::Say { id, message_id, .. } => Some((id, message_id.to_string())),
            _ => None,
        };
        self.sent().into_iter().filter_map(say).collect()
    }

    /// The one message said since the last look; gives the id of the request.
    pub(crate) fn said_only(&mut self, message_id: &str) -> u64 {
        let said = self.said();
        assert_eq!(said.iter().map(|(_, it)| it.as_str()).collect::<Vec<_>>(), [message_id]);
        said[0].0
    }

    /// The one page asked for since the last look; gives the id of the request.
    pub(crate) fn page_sent(&mut self) -> u64 {
        let sent = self.sent();
        let ids: Vec<u64> = sent
            .iter()
            .filter_map(|message| match message {
                ClientMessage::History { id, .. } => Some(*id),
                _ => None,
            })
            .collect();
        assert_eq!(ids.len(), 1, "one page asked for in {sent:?}");
        ids[0]
    }

    pub(crate) fn asks_for(&mut self, edge: Edge) {
        self.session.history(&name("general"), edge, self.now);
        self.settles();
    }

    pub(crate) fn forgets(&mut self) {
        self.sent.clear();
        self.events.clear();
    }

    /// The numbers of the entries delivered since she last forgot.
    pub(crate) fn delivered(&self) -> Vec<u64> {
        let seq = |event: &Event| match event {
            Event::Entry { entry } => Some(entry.seq),
            _ => None,
        };
        self.events.iter().filter_map(seq).collect()
    }

    pub(crate) fn outbox(&self) -> Vec<(String, &'static str)> {
        let row = |pending: &Pending| {
            let state = match pending.state {
                PendingState::Queued => "queued",
                PendingState::Sending => "sending",
                PendingState::Failed(_) => "failed",
            };
            (pending.message_id.to_string(), state)
        };
        self.session.outbox().map(row).collect()
    }

    /// For how long the session waits before its next attempt.
    pub(crate) fn wait(&self) -> Duration {
        match self.session.link() {
            LinkState::Waiting { until, .. } => until.saturating_duration_since(self.now),
            LinkState::Connecting { .. } => Duration::ZERO,
            other => panic!("neither waiting nor connecting: {other:?}"),
        }
    }

    pub(crate) fn has(&self, message_id: &str, state: &str) -> bool {
        self.outbox().iter().any(|(it, is)| it == message_id && *is == state)
    }
}
