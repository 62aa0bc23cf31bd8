//! What the rest of the server has for one connection: rooms with something new, answers, notices,
//! and the word to end. A connection wakes once, however much came.

use std::sync::{Mutex, MutexGuard, PoisonError};

use common::{
    CloseCode, MessageId, Position, Problem, RoomName,
    http::{RoomInfo, Unread},
};
use tokio::sync::Notify;

/// Notices of opened rooms, and of what was read elsewhere, that wait; more are dropped, for the
/// list of rooms tells of both.
const NOTICES_MAX: usize = 32;

/// One connection's mailbox.
#[derive(Debug, Default)]
pub struct Mailbox {
    mail: Mutex<Mail>,
    wake: Notify,
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
        let mut mail = self.lock();
        if !mail.dirty.contains(room) {
            mail.dirty.push(room.clone());
            self.wake.notify_one();
        }
    }

    /// A draft has been dealt with.
    pub fn answer(&self, asked: Asked, outcome: Result<Position, Problem>) {
        self.lock().answers.push(Answer { asked, outcome });
        self.wake.notify_one();
    }

    /// The user may no longer read this room.
    pub fn removed(&self, room: &RoomName) {
        self.lock().removed.push(room.clone());
        self.wake.notify_one();
    }

    /// The user has read a room so far. What nobody on this connection asked for is dropped when
    /// much else waits.
    pub fn marked(&self, marked: Marked) {
        let mut mail = self.lock();
        if marked.id.is_some() || mail.marked.len() < NOTICES_MAX {
            mail.marked.push(marked);
            self.wake.notify_one();
        }
    }

    /// A room was opened.
    pub fn opened(&self, room: RoomInfo) {
        let mut mail = self.lock();
        if mail.opened.len() < NOTICES_MAX {
            mail.opened.push(room);
            self.wake.notify_one();
        }
    }

    /// The connection is to end; the first reason stands.
    pub fn close(&self, code: CloseCode) {
        self.lock().close.get_or_insert(code);
        self.wake.notify_one();
    }

    /// Done when something has come since the last time.
    pub async fn wait(&self) {
        self.wake.notified().await;
    }

    /// Takes everything out.
    pub fn take(&self) -> Mail {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
