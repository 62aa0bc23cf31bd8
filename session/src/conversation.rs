//! What is said over an open connection: each message of the server's, and the joins and
//! messages that are due.

use std::time::Duration;

use common::{
    ClientMessage, Entry, ErrorCode, MessageId, Position, Problem, RoomName, ServerMessage,
    codec::write,
};
use web_time::Instant;

use crate::{
    Action, Event, Session,
    backoff::asked,
    inbox::{Continuation, Place},
    outbox::Turn,
};

/// When a refused request is worth trying again if the server does not say.
const RETRY_AFTER_DEFAULT_MS: u64 = 1_000;

impl Session {
    /// Takes one message of the connection that lives.
    pub(crate) fn hear(&mut self, message: ServerMessage, now: Instant) {
        match message {
            ServerMessage::Welcome { connection: _, user, heartbeat, limits, server } => {
                if self.link.welcome(heartbeat, limits, now) {
                    self.stats.reconnects += u64::from(self.stats.connects > 0);
                    self.stats.connects += 1;
                    self.me = Some(user.id.clone());
                    self.tell(Event::LinkChanged);
                    self.tell(Event::Welcome { user, heartbeat, limits, server });
                }
            }
            ServerMessage::Joined {
                id, room, position, after, recovered, members, count, ..
            } => {
                let Some(standing) = self.inbox.get_mut(&room) else { return };
                let taken = standing.join(id, &position, after, recovered, self.breakage);
                let Some(continuation) = taken else { return };
                let recovered = match continuation {
                    Continuation::Whole { missed } => recovered.then_some(missed),
                    Continuation::First | Continuation::Broken(_) => None,
                };
                self.tell_broken(&room, &continuation);
                let name = room.clone();
                self.tell(Event::Joined { room, position, recovered, members, count });
                self.tell_recovered(&name);
            }
            ServerMessage::Ack { id: _, room, message_id, position } => {
                self.take_ack(room, message_id, position, now);
            }
            ServerMessage::Entry(entry) => self.take_entry(entry),
            // `leave` forgets the room at once; its reply has nothing to add.
            ServerMessage::Left { .. } => {}
            ServerMessage::Head { .. }
            | ServerMessage::History { .. }
            | ServerMessage::Marked { .. } => {}
            ServerMessage::Presence { room, joined, left, members, count } => {
                if self.inbox.is_joined(&room) {
                    self.tell(Event::Presence { room, joined, left, members, count });
                }
            }
            ServerMessage::Resync { room, reason, position, after, .. } => {
                let Some(standing) = self.inbox.get_mut(&room) else { return };
                let taken = standing.resync(&position, after, reason, self.breakage);
                if let Some(continuation) = taken {
                    self.tell_broken(&room, &continuation);
                }
            }
            ServerMessage::Opened { room } => self.tell(Event::Opened { room }),
            ServerMessage::Ping {} => self.send(&ClientMessage::Pong {}),
            ServerMessage::Pong { id } => {
                if let Some((_, sent)) = self.probe.take_if(|(probe, _)| *probe == id) {
                    self.stats.round_trip = Some(now.saturating_duration_since(sent));
                }
            }
            ServerMessage::Error { id: Some(id), error } => self.take_refusal(id, error, now),
            // About a frame that the server could not read: nobody waits for it by its id, and
            // who waits at all has a deadline.
            ServerMessage::Error { id: None, .. } | ServerMessage::Unknown => {}
        }
    }

    fn tell_broken(&mut self, room: &RoomName, continuation: &Continuation) {
        if let Continuation::Broken(reason) = continuation {
            self.stats.resyncs += 1;
            self.tell(Event::Resynced { room: room.clone(), reason: *reason });
        }
    }

    fn tell_recovered(&mut self, room: &RoomName) {
        let recovered = self.inbox.get_mut(room).and_then(|standing| standing.recovered());
        if let Some(count) = recovered {
            self.tell(Event::Recovered { room: room.clone(), count });
        }
    }

    fn take_entry(&mut self, entry: Entry) {
        let Some(standing) = self.inbox.get_mut(&entry.room) else { return };
        match standing.take(&entry, self.breakage) {
            Place::Elsewhere => {}
            Place::Seen => self.stats.duplicates += 1,
            // The room is asked for again before the shell is next asked to do anything.
            Place::BeyondHole => self.stats.holes += 1,
            Place::Next => {
                let (room, message_id) = (entry.room.clone(), entry.message_id.clone());
                let mine = self.me.as_ref() == Some(&entry.author.id);
                self.stats.entries += 1;
                self.tell(Event::Entry { entry });
                self.tell_recovered(&room);
                if mine && self.outbox.confirm(&room, &message_id) {
                    self.tell(Event::OutboxChanged { message_id });
                }
            }
        }
    }

    fn take_ack(
        &mut self,
        room: RoomName,
        message_id: MessageId,
        position: Position,
        now: Instant,
    ) {
        let sent = self.outbox.sent_once_at(&message_id);
        if !self.outbox.confirm(&room, &message_id) {
            return;
        }
        if let Some(sent) = sent {
            self.stats.round_trip = Some(now.saturating_duration_since(sent));
        }
        self.stats.acks += 1;
        self.tell(Event::Acked { room, message_id: message_id.clone(), position });
        self.tell(Event::OutboxChanged { message_id });
    }

    fn take_refusal(&mut self, id: u64, problem: Problem, now: Instant) {
        let wait = asked(problem.retry_after_ms.unwrap_or(RETRY_AFTER_DEFAULT_MS));
        // "At once" would be a tight loop with a server that refuses at once.
        let again = now + wait.max(Duration::from_millis(1));
        if let Some(message_id) = self.outbox.refused(id, problem.clone(), again) {
            self.tell(Event::OutboxChanged { message_id });
            return;
        }
        let Some(room) = self.inbox.asked_by(id).cloned() else { return };
        if problem.retryable {
            if let Some(standing) = self.inbox.get_mut(&room) {
                standing.ask_again(again);
            }
            return;
        }
        self.inbox.forget(&room);
        self.requeue(&room);
        self.tell(Event::JoinRefused { room, problem });
    }

    /// A message of this room that is on the wire is sent again when the room is joined again.
    pub(crate) fn requeue(&mut self, room: &RoomName) {
        for message_id in self.outbox.requeue(Some(room)) {
            self.tell(Event::OutboxChanged { message_id });
        }
    }

    /// Asks for the rooms and sends the messages whose time has come.
    pub(crate) fn settle(&mut self, now: Instant) {
        self.seen = Some(now);
        let Some(open) = self.link.open() else { return };
        let (heard, frame_bytes_max) = (open.liveness.heard(), open.frame_bytes_max);
        for room in self.inbox.rooms_due(heard, now) {
            let new_id = self.new_id();
            let Some(standing) = self.inbox.get_mut(&room) else { continue };
            let (id, after) = standing.ask(new_id, self.breakage, now);
            self.send(&ClientMessage::Join { id: Some(id), room, after, echo: true });
        }
        loop {
            let is_joined = |room: &RoomName| self.inbox.is_joined(room);
            let turns = self.outbox.turns(is_joined, self.breakage, now);
            if turns.is_empty() {
                break;
            }
            for turn in turns {
                self.send_message(&turn, frame_bytes_max, now);
            }
        }
    }

    fn send_message(&mut self, turn: &Turn, frame_bytes_max: usize, now: Instant) {
        let id = turn.id.unwrap_or_else(|| self.new_id());
        let (room, message_id) = (turn.room.clone(), turn.message_id.clone());
        let body = turn.body.clone();
        let say = ClientMessage::Say { id, room, message_id: message_id.clone(), body };
        let text = write::client_message(&say);
        if text.len() > frame_bytes_max {
            // The server would end the connection over it.
            self.outbox.fail(&message_id, Problem::new(ErrorCode::TooLarge));
            self.tell(Event::OutboxChanged { message_id });
            return;
        }
        if self.outbox.sent(turn, id, text.len(), now) {
            self.tell(Event::OutboxChanged { message_id });
        }
        self.stats.resends += u64::from(turn.again);
        if let Some(generation) = self.link.generation() {
            self.act(Action::Send { generation, text });
        }
    }
}
