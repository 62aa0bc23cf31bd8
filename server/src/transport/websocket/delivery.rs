//! What a connection is told, on its way to the line: replies first, then what the rooms have for
//! it, read by its cursors, until it keeps up and is handed what is new with everybody else.

use std::collections::VecDeque;

use common::{CloseCode, RoomName, ServerMessage};
use rooms::{Frame, Read};
use websocket::{Opcode, write_frame};

use super::Connection;
use crate::{clock, line::Leaves, live::Reading};

/// Bytes that are handed to the socket before it is flushed.
const TURN_BYTES_MAX: usize = 128 * 1024;
/// Pages that are read before the mail is looked at again: whose own entries are left out may read
/// many and write nothing.
const TURN_PAGES_MAX: usize = 256;

/// Rooms in which a connection reads by its cursor.
#[derive(Default)]
pub(super) struct CatchUp {
    /// There is something new.
    dirty: VecDeque<RoomName>,
    /// They were read to the head: what is new there can be handed to the line, once it has taken
    /// everything.
    read_to_the_head: Vec<RoomName>,
}

/// What a turn has to write.
enum Filled {
    /// As much as a turn may write, or all there is; acknowledgements in these rooms among it.
    Enough { more: bool, acked: Vec<RoomName> },
    /// A page is to be read first.
    FurtherBack { room: RoomName, most: usize },
}

impl Connection {
    /// Writes what waits, when the socket has taken everything before. Says whether there is more
    /// than one turn may write.
    pub(super) async fn write_what_waits(&mut self) -> bool {
        if !self.socket.is_flushed() {
            return true;
        }
        let (mut out, mut pages) = (Vec::new(), 0);
        let (more, acked) = loop {
            match self.fill(&mut out, &mut pages) {
                Filled::Enough { more, acked } => break (more, acked),
                // Boxed: most connections keep up.
                Filled::FurtherBack { room, most } => {
                    Box::pin(self.read_further_back(&room, most)).await;
                }
            }
        };
        // Whoever spoke is handed what they said in the packet that acknowledges it, unless the room
        // is just handing out (docs/decisions/0010).
        let seat = |room| self.app.live.seat(room, self.number());
        let seats: Vec<_> = acked.iter().filter_map(seat).collect();
        let along = |out: &mut Vec<u8>| {
            let leaves = seats.iter().map(|seat| seat.take_along(out));
            leaves.fold(Leaves::Now, Leaves::with)
        };
        self.socket.write(out, along, clock::now());
        if self.socket.is_flushed() && !more {
            return self.keep_up();
        }
        more
    }

    /// Fills what is written next: replies first, then what the dirty rooms have, a page of each in
    /// turn.
    fn fill(&mut self, out: &mut Vec<u8>, pages: &mut usize) -> Filled {
        let mut acked = Vec::new();
        while out.len() < TURN_BYTES_MAX && *pages < TURN_PAGES_MAX {
            match self.conversation.poll_frame() {
                Some(Frame::Message(message)) => {
                    if let ServerMessage::Ack { room, .. } = &message
                        && !acked.contains(room)
                    {
                        acked.push(room.clone());
                    }
                    write_frame(out, Opcode::Text, common::encode_server(&message).as_bytes());
                }
                Some(Frame::Entry(entry)) => write_frame(out, Opcode::Text, entry.json()),
                None => {
                    *pages += 1;
                    let dirty = self.catch_up.as_mut().and_then(|rooms| rooms.dirty.pop_front());
                    let Some(room) = dirty else {
                        return Filled::Enough { more: false, acked };
                    };
                    if let Some(most) = self.read(&room) {
                        return Filled::FurtherBack { room, most };
                    }
                }
            }
        }
        Filled::Enough { more: true, acked }
    }

    /// From here on what is new goes to the line at once, in the rooms that were read to the head.
    /// Says whether there is something to read first.
    fn keep_up(&mut self) -> bool {
        let Some(rooms) = &mut self.catch_up else { return false };
        let read = std::mem::take(&mut rooms.read_to_the_head);
        self.catch_up.take_if(|rooms| rooms.dirty.is_empty());
        for room in read {
            let Some(follow) = self.conversation.follow(&room) else { continue };
            if !self.app.live.keep_up(follow, self.number()) {
                self.mark_dirty(room);
            }
        }
        self.catch_up.is_some()
    }

    pub(super) fn mark_dirty(&mut self, room: RoomName) {
        let CatchUp { dirty, .. } = &mut **self.catch_up.get_or_insert_default();
        if !dirty.contains(&room) {
            dirty.push_back(room);
        }
    }

    /// What was handed to the line is known to the conversation before it tells where logs stand.
    pub(super) fn look_what_was_handed(&mut self) {
        let rooms: Vec<RoomName> =
            self.conversation.follows().map(|follow| follow.room.clone()).collect();
        for room in rooms {
            if let Some((seq, digest)) = self.app.live.handed(&room, self.number()) {
                self.conversation.handle_handed(&room, seq, digest);
            }
        }
    }

    /// Reads a page from the tail; or says how many entries are to be read further back.
    fn read(&mut self, room: &RoomName) -> Option<usize> {
        let follow = self.conversation.follow(room)?;
        let reading = self.app.live.read(follow, self.number())?;
        let Reading { handed, read, news, version } = reading;
        if let Some((seq, digest)) = handed {
            self.conversation.handle_handed(room, seq, digest);
        }
        self.conversation.handle_news(room, news, version);
        if let Read::FurtherBack { most } = read {
            return Some(most);
        }
        self.take_read(room, read);
        None
    }

    /// Reads a page that the tail does not reach.
    async fn read_further_back(&mut self, room: &RoomName, most: usize) {
        let Some(follow) = self.conversation.follow(room) else { return };
        let Ok(read) = self.app.live.read_further_back(follow, most).await else {
            // Nothing is lost by going: the client comes back and resumes.
            return self.conversation.close(CloseCode::TryAgainLater);
        };
        // Who had to wait was not silent.
        self.conversation.handle_taken(clock::now());
        self.take_read(room, read);
    }

    fn take_read(&mut self, room: &RoomName, read: Read) {
        let (more, to_the_head) = match &read {
            Read::Entries { entries, to_the_head } => {
                (!to_the_head && !entries.is_empty(), *to_the_head)
            }
            Read::Resync(_) => (true, false),
            Read::FurtherBack { .. } => (false, false),
        };
        self.conversation.handle_read(room, read);
        if more {
            self.mark_dirty(room.clone());
        } else if to_the_head {
            let CatchUp { read_to_the_head, .. } = &mut **self.catch_up.get_or_insert_default();
            if !read_to_the_head.contains(room) {
                read_to_the_head.push(room.clone());
            }
        }
    }
}
