//! What a connection is written: its frames, as many as the other end's buffers take, and then the
//! next page of every room it follows.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use common::RoomName;
use rooms::{Conversation, Frame, MemoryLog, Read, Room, Settings};

use super::{Out, Server};
use crate::judge::{Verdict, broken};

/// A peer that takes nothing for this long while something waits is sent away.
const STALL_MAX: Duration = Duration::from_secs(15);
/// Rounds of one turn with one connection; more means that it never ends.
const ROUNDS_MAX: usize = 10_000;

impl Server {
    /// Writes to every connection what its buffers take.
    pub(crate) fn write(&mut self, now: Instant) -> Result<VecDeque<(u64, Out)>, String> {
        let dirty = self.connections.iter().filter(|(_, it)| it.dirty);
        let dirty: Vec<u64> = dirty.map(|(connection, _)| *connection).collect();
        for connection in dirty {
            self.write_to(connection, now)?;
        }
        Ok(std::mem::take(&mut self.out))
    }

    fn write_to(&mut self, connection: u64, now: Instant) -> Verdict {
        for _ in 0..ROUNDS_MAX {
            let Some(it) = self.connections.get_mut(&connection) else { return Ok(()) };
            it.dirty = false;
            if !it.unread.is_empty() && it.conversation.wants_input() {
                self.listen(connection, now);
                continue;
            }
            while it.written < self.window
                && let Some(frame) = it.conversation.poll_frame()
            {
                it.written += 1;
                self.out.push_back((connection, Out::Frame(text(frame))));
            }
            if let Some(closing) = it.conversation.closing() {
                self.out.push_back((connection, Out::Close(closing)));
                self.lose(connection, now);
                return Ok(());
            }
            if it.written >= self.window {
                it.stalled_at.get_or_insert(now + STALL_MAX);
                return Ok(());
            }
            let read = read(&mut it.conversation, &self.rooms, &self.log, &self.settings);
            self.pages += read.pages;
            let listens = !it.unread.is_empty() && it.conversation.wants_input();
            if !read.anything && !listens {
                return Ok(());
            }
        }
        broken!("writing to connection {connection} does not come to rest")
    }
}

/// What one round of reading came to.
#[derive(Default)]
struct Round {
    anything: bool,
    pages: u64,
}

/// One page of every followed room, and news of who is there.
fn read(
    conversation: &mut Conversation,
    rooms: &BTreeMap<RoomName, Room>,
    log: &MemoryLog,
    settings: &Settings,
) -> Round {
    let Settings { read_entries_max, read_bytes_max, page_entries, .. } = *settings;
    let follows = conversation.follows();
    let follows: Vec<_> = follows.map(|f| (f.room.clone(), f.cursor.clone(), f.presence)).collect();
    let mut round = Round::default();
    for (name, cursor, known) in follows {
        let Some(room) = rooms.get(&name) else { continue };
        let read = match room.read_after(&cursor, read_entries_max, read_bytes_max, page_entries) {
            Read::FurtherBack { most } => {
                round.pages += 1;
                Read::of_the_log(log.read_after(&name, cursor.seq, most), read_bytes_max)
            }
            read @ (Read::Entries { .. } | Read::Resync(_)) => read,
        };
        round.anything |= match &read {
            Read::Entries { entries, .. } => !entries.is_empty(),
            Read::Resync(_) | Read::FurtherBack { .. } => true,
        };
        conversation.handle_read(&name, read);
        if known != room.presence.version() {
            round.anything = true;
            let news = room.presence.news_since(known);
            conversation.handle_news(&name, news, room.presence.version());
        }
    }
    round
}

fn text(frame: Frame) -> String {
    match frame {
        Frame::Message(message) => common::encode(&message),
        Frame::Entry(entry) => String::from_utf8(entry.json().to_vec()).expect("JSON is UTF-8"),
    }
}
