//! What the rest of the server has for one connection: rooms with something new, answers, notices,
//! and the word to end. A connection wakes once, however much came.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use common::{
    CloseCode, MessageId, Position, Problem, RoomName,
    http::{RoomInfo, Unread},
};

/// Notices of opened rooms, and of what was read elsewhere, that wait; more are dropped, for the
/// list of rooms tells of both.
const NOTICES_MAX: usize = 32;

/// One connection's mailbox. It is small while nothing lies in it.
#[derive(Debug, Default)]
pub struct Mailbox(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    mail: Option<Box<Mail>>,
    /// Who waits for mail.
    waker: Option<Waker>,
}

/// What lies in a mailbox.
#[derive(Debug, Default)]
pub struct Mail {
    /// Rooms in which there is something to read, each at most once.
    pub dirty: Vec<RoomName>,
    /// What became of the drafts that this connection handed in.
    pub answers: Vec<Answer>,
    /// Rooms that were opened.
    pub opened: Vec<RoomInfo>,
    /// Rooms that this connection's user may no longer read.
    pub removed: Vec<RoomName>,
    /// How far the user has read which room.
    pub marked: Vec<Marked>,
    /// The connection is to end.
    pub close: Option<CloseCode>,
}

/// What a connection asked the committer for.
#[derive(Debug)]
pub struct Asked {
    /// The client's number for the request.
    pub id: u64,
    /// The room it was for.
    pub room: RoomName,
    /// The name its author gave it.
    pub message_id: MessageId,
}

/// What became of a draft.
#[derive(Debug)]
pub struct Answer {
    /// Which one.
    pub asked: Asked,
    /// Where it stands, or why not.
    pub outcome: Result<Position, Problem>,
}

/// How far somebody has read a room.
#[derive(Debug)]
pub struct Marked {
    /// The client's number for the request; none when it came from another connection.
    pub id: Option<u64>,
    /// Which room.
    pub room: RoomName,
    /// How far, and what is behind that.
    pub outcome: Result<Unread, Problem>,
}

impl Mailbox {
    /// There is something to read in this room.
    pub fn mark(&self, room: &RoomName) {
        self.put(|mail| {
            if !mail.dirty.contains(room) {
                mail.dirty.push(room.clone());
            }
        });
    }

    /// A draft has been dealt with.
    pub fn answer(&self, asked: Asked, outcome: Result<Position, Problem>) {
        self.put(|mail| mail.answers.push(Answer { asked, outcome }));
    }

    /// The user may no longer read this room.
    pub fn removed(&self, room: &RoomName) {
        self.put(|mail| mail.removed.push(room.clone()));
    }

    /// The user has read a room so far. What nobody on this connection asked for is dropped when
    /// much else waits.
    pub fn marked(&self, marked: Marked) {
        self.put(|mail| {
            if marked.id.is_some() || mail.marked.len() < NOTICES_MAX {
                mail.marked.push(marked);
            }
        });
    }

    /// A room was opened.
    pub fn opened(&self, room: RoomInfo) {
        self.put(|mail| {
            if mail.opened.len() < NOTICES_MAX {
                mail.opened.push(room);
            }
        });
    }

    /// The connection is to end; the first reason stands.
    pub fn close(&self, code: CloseCode) {
        self.put(|mail| {
            mail.close.get_or_insert(code);
        });
    }

    /// Ready when something lies in it.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut contents = self.lock();
        if contents.mail.is_some() {
            return Poll::Ready(());
        }
        if !contents.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            contents.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Takes everything out; `None` when nothing lies in it.
    pub fn take(&self) -> Option<Box<Mail>> {
        self.lock().mail.take()
    }

    fn put(&self, what: impl FnOnce(&mut Mail)) {
        let mut contents = self.lock();
        what(contents.mail.get_or_insert_default());
        let waker = contents.waker.take();
        drop(contents);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
