//! What a connection is told, on its way to the line: replies first, then what the rooms have for
//! it, read by its cursors, until it keeps up and is handed what is new with everybody else.

use std::collections::VecDeque;

use common::{CloseCode, RoomName};
use rooms::{Frame, Read};
use websocket::Opcode;

use super::Connection;
use crate::{clock, live::Reading};

/// Bytes that are handed to the socket before it is flushed.
const TURN_BYTES_MAX: usize = 128 * 1024;
/// Pages that are read before the mail is looked at again: whose own entries are left out may read
/// many and write nothing.
const TURN_PAGES_MAX: usize = 256;

impl Connection {
    /// Fills the socket's buffer, when it has taken everything before: replies first, then what the
    /// dirty rooms have, a page of each in turn. Says whether there is more than one turn may write.
    pub(super) async fn write_what_waits(&mut self) -> bool {
        if !self.socket.is_flushed() {
            return true;
        }
        let (mut more, mut pages) = (true, 0);
        while more && self.socket.fresh_bytes() < TURN_BYTES_MAX && pages < TURN_PAGES_MAX {
            match self.conversation.poll_frame() {
                Some(Frame::Message(message)) => {
                    self.socket.write(Opcode::Text, common::encode(&message).as_bytes());
                }
                Some(Frame::Entry(entry)) => self.socket.write(Opcode::Text, entry.json()),
                None => {
                    pages += 1;
                    more = self.read_dirty_room().await;
                }
            }
        }
        self.socket.try_flush(clock::now());
        if self.socket.is_flushed() && !more {
            return self.keep_up();
        }
        more
    }

    /// From here on what is new goes to the line at once, in the rooms that were read to the head.
    /// Says whether there is something to read first.
    fn keep_up(&mut self) -> bool {
        for room in std::mem::take(&mut self.read_to_the_head) {
            let Some(follow) = self.conversation.follow(&room) else { continue };
            let without = self.user.clone().filter(|_| !follow.echo);
            let (live, line) = (&self.app.live, self.socket.line());
            if !live.keep_up(follow, self.conversation.id(), line, without) {
                self.mark_dirty(room);
            }
        }
        !self.dirty.is_empty()
    }

    /// What was handed to the line is known to the conversation before it tells where logs stand.
    pub(super) fn look_what_was_handed(&mut self) {
        let rooms: Vec<RoomName> =
            self.conversation.follows().map(|follow| follow.room.clone()).collect();
        for room in rooms {
            if let Some((seq, digest)) = self.app.live.handed(&room, self.conversation.id()) {
                self.conversation.handle_handed(&room, seq, digest);
            }
        }
    }

    /// Reads one page; says whether there was a room to read.
    async fn read_dirty_room(&mut self) -> bool {
        let Some(room) = self.dirty.pop_front() else {
            self.dirty = VecDeque::new();
            return false;
        };
        let Some(follow) = self.conversation.follow(&room) else { return true };
        let Some(reading) = self.app.live.read(follow, self.conversation.id()) else {
            return true;
        };
        let Reading { handed, mut read, news, version } = reading;
        if let Some((seq, digest)) = handed {
            self.conversation.handle_handed(&room, seq, digest);
        }
        if let Read::FurtherBack { most } = read {
            let Some(follow) = self.conversation.follow(&room) else { return true };
            let Ok(page) = Box::pin(self.app.live.read_further_back(follow, most)).await else {
                // Nothing is lost by going: the client comes back and resumes.
                self.conversation.close(CloseCode::TryAgainLater);
                return true;
            };
            // Who had to wait was not silent.
            self.conversation.handle_taken(clock::now());
            read = page;
        }
        let (more, to_the_head) = match &read {
            Read::Entries { entries, to_the_head } => {
                (!to_the_head && !entries.is_empty(), *to_the_head)
            }
            Read::Resync(_) => (true, false),
            Read::FurtherBack { .. } => (false, false),
        };
        self.conversation.handle_news(&room, news, version);
        self.conversation.handle_read(&room, read);
        if more {
            self.mark_dirty(room);
        } else if to_the_head && !self.read_to_the_head.contains(&room) {
            self.read_to_the_head.push(room);
        }
        true
    }
}
