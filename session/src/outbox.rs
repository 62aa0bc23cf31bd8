//! What the person said and the server has not confirmed, oldest first. A message goes only by
//! its ack, by being heard in the room, or because the person discards it. It is never sent
//! before an older one of its room.

use std::{collections::VecDeque, time::Duration};

use common::{ErrorCode, MessageId, Problem, RoomName, limits::OUTBOX_MESSAGES_MAX};
use web_time::Instant;

use crate::{
    content::Content,
    mutant::{Breakage, Mutant},
};

/// How long a message may be on the wire without an answer before it is sent again.
const ACK_DEADLINE: Duration = Duration::from_secs(10);

/// A message that is not confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Where it is said.
    pub room: RoomName,
    /// Its name, unique for its author, so that sending it again is harmless.
    pub message_id: MessageId,
    /// What is to stand in the log.
    pub content: Content,
    /// How far it is.
    pub state: PendingState,
}

/// How far a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PendingState {
    /// It waits for the connection, for its room, or for an older message.
    Queued,
    /// It is on the wire, without an answer so far.
    Sending,
    /// It was refused: the person decides.
    Failed(Problem),
}

/// The outbox holds as many messages as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the outbox holds {OUTBOX_MESSAGES_MAX} messages and takes no more")]
pub struct OutboxFull;

#[derive(Default)]
pub(crate) struct Outbox {
    messages: VecDeque<Message>,
}

struct Message {
    pending: Pending,
    /// The server asked not to send it before.
    not_before: Option<Instant>,
    /// While it is on the wire.
    flight: Option<Flight>,
    /// It was on the wire at least once.
    sent: bool,
}

struct Flight {
    id: u64,
    sent: Instant,
    once: bool,
    overdue: Instant,
    bytes: usize,
}

/// A message whose turn it is.
pub(crate) struct Turn {
    pub(crate) room: RoomName,
    pub(crate) message_id: MessageId,
    pub(crate) content: Content,
    /// The request's id, if it is on the wire already: one answer settles both.
    pub(crate) id: Option<u64>,
    pub(crate) again: bool,
}

impl Message {
    fn new(pending: Pending) -> Self {
        Self { pending, not_before: None, flight: None, sent: false }
    }

    fn queue(&mut self) {
        self.pending.state = PendingState::Queued;
        self.flight = None;
    }
}

impl Outbox {
    /// Takes a message. One that is here already is not taken twice.
    pub(crate) fn add(&mut self, pending: Pending) -> Result<(), OutboxFull> {
        if self.index(&pending.message_id).is_some() {
            return Ok(());
        }
        if self.messages.len() >= OUTBOX_MESSAGES_MAX {
            return Err(OutboxFull);
        }
        self.messages.push_back(Message::new(pending));
        Ok(())
    }

    /// Puts what was kept before everything that was said since. All of it is taken: it was
    /// within bounds when it was kept, and losing a message is worse than passing the bound once.
    pub(crate) fn restore(&mut self, kept: Vec<Pending>) -> Vec<MessageId> {
        let mut restored: Vec<MessageId> = Vec::new();
        for mut pending in kept {
            let message_id = pending.message_id.clone();
            if self.index(&message_id).is_some() {
                continue;
            }
            if pending.state == PendingState::Sending {
                pending.state = PendingState::Queued;
            }
            self.messages.insert(restored.len(), Message::new(pending));
            restored.push(message_id);
        }
        restored
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pending> {
        self.messages.iter().map(|message| &message.pending)
    }

    pub(crate) fn clear(&mut self) -> Vec<MessageId> {
        self.messages.drain(..).map(|message| message.pending.message_id).collect()
    }

    /// Takes out a message that stands in the log. `false` if there is none such.
    pub(crate) fn confirm(&mut self, room: &RoomName, message_id: &MessageId) -> bool {
        let index = self.index(message_id).filter(|&i| self.messages[i].pending.room == *room);
        index.is_some_and(|index| self.messages.remove(index).is_some())
    }

    /// Since when a message that was sent exactly once is on its way: only then its answer
    /// tells a round trip (Karn's algorithm).
    pub(crate) fn sent_once_at(&self, message_id: &MessageId) -> Option<Instant> {
        let message = &self.messages[self.index(message_id)?];
        message.flight.as_ref().filter(|flight| flight.once).map(|flight| flight.sent)
    }

    /// Takes out a message that failed or was not sent on this connection.
    pub(crate) fn discard(&mut self, message_id: &MessageId) -> bool {
        let index = self.index(message_id).filter(|&i| self.messages[i].flight.is_none());
        index.is_some_and(|index| self.messages.remove(index).is_some())
    }

    /// Lets a failed message wait for its turn again, in its old place. One that was too large
    /// stays failed: it would end the connection again.
    pub(crate) fn retry(&mut self, message_id: &MessageId) -> bool {
        let Some(index) = self.index(message_id) else { return false };
        let message = &mut self.messages[index];
        let may = match &message.pending.state {
            PendingState::Failed(problem) => problem.code != ErrorCode::TooLarge,
            PendingState::Queued | PendingState::Sending => false,
        };
        if may {
            message.queue();
            message.not_before = None;
        }
        may
    }

    /// The messages that are to be sent now: in each room at most one is on the wire.
    pub(crate) fn turns(
        &self,
        is_joined: impl Fn(&RoomName) -> bool,
        broken: Breakage,
        now: Instant,
    ) -> Vec<Turn> {
        let due = self.fronts(is_joined, broken).filter(|message| match &message.flight {
            Some(flight) => flight.overdue <= now && !broken.broken(Mutant::NoResend),
            None => message.not_before.is_none_or(|moment| moment <= now),
        });
        let turn = |message: &Message| Turn {
            room: message.pending.room.clone(),
            message_id: message.pending.message_id.clone(),
            content: message.pending.content.clone(),
            id: message.flight.as_ref().map(|flight| flight.id),
            again: message.sent,
        };
        due.map(turn).collect()
    }

    /// When [`Self::turns`] may have something to say next; `at_once` stands for right now.
    pub(crate) fn next_turn(
        &self,
        is_joined: impl Fn(&RoomName) -> bool,
        broken: Breakage,
        at_once: Instant,
    ) -> Option<Instant> {
        let moment = |message: &Message| match &message.flight {
            Some(_) if broken.broken(Mutant::NoResend) => None,
            Some(flight) => Some(flight.overdue),
            None => Some(message.not_before.unwrap_or(at_once)),
        };
        self.fronts(is_joined, broken).filter_map(moment).min()
    }

    /// Of every joined room the message on the wire, or else the oldest that waits.
    fn fronts(
        &self,
        is_joined: impl Fn(&RoomName) -> bool,
        broken: Breakage,
    ) -> impl Iterator<Item = &Message> {
        let flying = self.messages.iter().filter(|message| message.flight.is_some());
        let mut taken: Vec<&RoomName> = flying.map(|message| &message.pending.room).collect();
        self.messages.iter().filter(move |message| {
            let room = &message.pending.room;
            let its_turn = match message.pending.state {
                PendingState::Sending => true,
                PendingState::Queued => {
                    let first = !taken.contains(&room);
                    if first {
                        taken.push(room);
                    }
                    first || broken.broken(Mutant::ManyInFlight)
                }
                PendingState::Failed(_) => false,
            };
            its_turn && is_joined(room)
        })
    }

    /// Notes that a message goes out in a frame of so many bytes. `true` if its state is another.
    pub(crate) fn sent(&mut self, turn: &Turn, id: u64, bytes: usize, now: Instant) -> bool {
        let Some(index) = self.index(&turn.message_id) else { return false };
        let message = &mut self.messages[index];
        let first = message.flight.is_none();
        let overdue = now + ACK_DEADLINE;
        message.flight = Some(Flight { id, sent: now, once: first, overdue, bytes });
        message.pending.state = PendingState::Sending;
        message.sent = true;
        first
    }

    pub(crate) fn fail(&mut self, message_id: &MessageId, problem: Problem) {
        if let Some(index) = self.index(message_id) {
            let message = &mut self.messages[index];
            message.flight = None;
            message.pending.state = PendingState::Failed(problem);
        }
    }

    /// Takes a refusal of the request `id`. Said too early, the message waits until `not_before`
    /// and everything younger of its room behind it; else it failed.
    pub(crate) fn refused(
        &mut self,
        id: u64,
        problem: Problem,
        not_before: Instant,
    ) -> Option<MessageId> {
        let is_it = |message: &&mut Message| message.flight.as_ref().is_some_and(|f| f.id == id);
        let message = self.messages.iter_mut().find(is_it)?;
        message.queue();
        if problem.retryable {
            message.not_before = Some(not_before);
        } else {
            message.pending.state = PendingState::Failed(problem);
        }
        Some(message.pending.message_id.clone())
    }

    /// The largest message on the wire: if a frame was too big, this one was.
    pub(crate) fn largest_in_flight(&self) -> Option<MessageId> {
        let bytes = |message: &&Message| message.flight.as_ref().map(|flight| flight.bytes);
        let flying = self.messages.iter().filter(|message| message.flight.is_some());
        flying.max_by_key(bytes).map(|message| message.pending.message_id.clone())
    }

    /// What is on the wire (in this room, or in any) counts as not sent: no answer will come, or
    /// it is not known which.
    pub(crate) fn requeue(&mut self, room: Option<&RoomName>) -> Vec<MessageId> {
        let flying = self.messages.iter_mut().filter(|message| {
            message.flight.is_some() && room.is_none_or(|room| *room == message.pending.room)
        });
        let requeued = flying.map(|message| {
            message.queue();
            message.pending.message_id.clone()
        });
        requeued.collect()
    }

    fn index(&self, message_id: &MessageId) -> Option<usize> {
        self.messages.iter().position(|message| message.pending.message_id == *message_id)
    }
}
