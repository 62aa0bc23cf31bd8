//! What is said over an open connection: each message of the server's, and the joins and
//! messages that are due.

use std::time::Duration;

use common::{
    ClientMessage, Digest, Entry, ErrorCode, MessageId, Position, Problem, RoomName, ServerMessage,
    codec::write,
};
use web_time::Instant;

use crate::{
    Action, Event, Session,
    backoff::asked,
    chain::{Digests, Verdict},
    history::Page,
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
                id,
                room,
                position,
                after,
                recovered,
                members,
                count,
                digest,
                base,
                floor,
            } => {
                let digests = Digests { head: digest, base };
                let broken = self.breakage;
                let taken = self.inbox.get_mut(&room).and_then(|standing| {
                    standing.join(id, &position, after, recovered, digests, broken)
                });
                let Some(continuation) = taken else { return };
                let recovered = continuation.missed().filter(|_| recovered);
                self.tell_broken(&room, &continuation);
                let name = room.clone();
                self.tell(Event::Joined { room, position, recovered, members, count, floor });
                self.tell_progress(&name);
            }
            ServerMessage::Ack { id: _, room, message_id, position } => {
                self.take_ack(room, message_id, position, now);
            }
            ServerMessage::Entry(entry) => self.take_entry(entry),
            ServerMessage::Head { room, position, digest } => {
                self.take_head(&room, &position, digest);
            }
            ServerMessage::History { id, room, position: head, floor, entries, base, later } => {
                self.take_page(id, &room, Page { head, floor, entries, base, later });
            }
            ServerMessage::Marked { id, room, unread } => self.take_marked(id, room, unread),
            ServerMessage::Left { room, removed: true, .. } => self.take_removal(room),
            // `leave` forgets the room at once; its reply has nothing to add.
            ServerMessage::Left { removed: false, .. } => {}
            ServerMessage::Presence { room, joined, left, members, count } => {
                if self.inbox.is_joined(&room) {
                    self.tell(Event::Presence { room, joined, left, members, count });
                }
            }
            ServerMessage::Resync { room, reason, position, after, digest, base } => {
                let Some(standing) = self.inbox.get_mut(&room) else { return };
                let digests = Digests { head: digest, base };
                let taken = standing.resync(&position, after, reason, digests, self.breakage);
                if let Some(continuation) = taken {
                    self.tell_broken(&room, &continuation);
                    self.tell_progress(&room);
                }
            }
            ServerMessage::Opened { room } => self.tell(Event::Opened { room }),
            ServerMessage::Ping {} => self.send(&ClientMessage::Pong {}),
            ServerMessage::Pong { id } => self.take_pong(id, now),
            ServerMessage::Error { id: Some(id), error } => self.take_refusal(id, error, now),
            // About a frame that the server could not read: nobody waits for it by its id, and
            // who waits at all has a deadline.
            ServerMessage::Error { id: None, .. } | ServerMessage::Unknown => {}
        }
    }

    fn take_pong(&mut self, id: u64, now: Instant) {
        if let Some((_, sent)) = self.probe.take_if(|(probe, _)| *probe == id) {
            self.stats.round_trip = Some(now.saturating_duration_since(sent));
        }
    }

    fn take_head(&mut self, room: &RoomName, head: &Position, digest: Digest) {
        let Some(standing) = self.inbox.get_mut(room) else { return };
        let lacks = standing.hear_head(head, digest, self.breakage);
        self.stats.holes += u64::from(lacks);
        self.tell_progress(room);
    }

    fn take_removal(&mut self, room: RoomName) {
        if self.inbox.forget(&room).is_some() {
            self.requeue(&room);
            self.tell(Event::Removed { room });
        }
    }

    fn tell_broken(&mut self, room: &RoomName, continuation: &Continuation) {
        let Continuation::Broken(reason) = continuation else { return };
        let Some(after) = self.inbox.position(room).cloned() else { return };
        self.stats.resyncs += 1;
        self.tell(Event::Resynced { room: room.clone(), reason: *reason, after });
    }

    /// Tells what follows from how far a room has come: that nothing is missing, or that
    /// something is, and that everything missed has been had.
    fn tell_progress(&mut self, room: &RoomName) {
        let broken = self.breakage;
        let Some(standing) = self.inbox.get_mut(room) else { return };
        let reached = standing.position().cloned();
        let (verdict, recovered) = (standing.verdict(broken), standing.recovered());
        if let (Some(verdict), Some(position)) = (verdict, reached) {
            let room = room.clone();
            match verdict {
                Verdict::Proven { entries } => {
                    self.stats.proofs += 1;
                    self.tell(Event::Proven { room, position, entries });
                }
                Verdict::Disproved => {
                    self.stats.disproofs += 1;
                    self.tell(Event::Disproved { room, position });
                }
            }
        }
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
                self.tell_progress(&room);
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
        if self.refuse_page(id, &problem, again) || self.inbox.refuse_mark(id, &problem, again) {
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
        self.settle_pages(now);
        self.settle_marks(now);
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
        let log = self.inbox.position(&room).map(|position| &position.epoch);
        let elsewhere = turn.content.of().is_some_and(|of| log.is_some_and(|log| *log != of.epoch));
        let request = turn.content.clone().request(id, room, message_id.clone());
        let text = write::client_message(&request);
        let code = if elsewhere {
            // There is another entry in that place.
            Some(ErrorCode::CursorExpired)
        } else {
            // The server would end the connection over it.
            (text.len() > frame_bytes_max).then_some(ErrorCode::TooLarge)
        };
        if let Some(code) = code {
            self.outbox.fail(&message_id, Problem::new(code));
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
