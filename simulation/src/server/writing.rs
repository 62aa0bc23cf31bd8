//! What a connection is written: its frames, as many as the other end's buffers take, and then the
//! next page of every room it follows.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use rooms::{Frame, Read, Settings};

use super::{Out, Server};
use crate::{
    ShellMutant,
    judge::{Judge, Verdict, broken},
};

/// A peer that takes nothing for this long while something waits is sent away.
const STALL_MAX: Duration = Duration::from_secs(15);
/// Rounds of one turn with one connection; more means that it never ends.
const ROUNDS_MAX: usize = 10_000;

impl Server {
    /// Writes to every connection what its buffers take.
    pub(crate) fn write(
        &mut self,
        judge: &mut Judge,
        now: Instant,
    ) -> Result<VecDeque<(u64, Out)>, String> {
        self.tell_fleeting(judge)?;
        let dirty = self.connections.iter().filter(|(_, it)| it.dirty);
        let dirty: Vec<u64> = dirty.map(|(connection, _)| *connection).collect();
        for connection in dirty {
            self.write_to(connection, judge, now)?;
        }
        Ok(std::mem::take(&mut self.out))
    }

    /// What was said in rooms that keep nothing stands at once, and is read from there on.
    fn tell_fleeting(&mut self, judge: &mut Judge) -> Verdict {
        for entry in std::mem::take(&mut self.fleeting_entries) {
            judge.stands(&entry)?;
            judge.delivered(&entry);
        }
        Ok(())
    }

    fn write_to(&mut self, connection: u64, judge: &mut Judge, now: Instant) -> Verdict {
        for _ in 0..ROUNDS_MAX {
            let Some(it) = self.connections.get_mut(&connection) else { return Ok(()) };
            it.dirty = false;
            if !it.unread.is_empty() && it.conversation.wants_input() {
                self.listen(connection, now);
                self.tell_fleeting(judge)?;
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
            let anything = self.read(connection, judge)?;
            let Some(it) = self.connections.get(&connection) else { return Ok(()) };
            let listens = !it.unread.is_empty() && it.conversation.wants_input();
            if !anything && !listens {
                return Ok(());
            }
        }
        broken!("writing to connection {connection} does not come to rest")
    }

    /// One page of every followed room, and news of who is there. Whether there was anything.
    fn read(&mut self, connection: u64, judge: &Judge) -> Result<bool, String> {
        let Settings { read_entries_max, read_bytes_max, page_entries, .. } = *self.settings;
        // Taken out, so that the rooms can be read for it.
        let Some(mut it) = self.connections.remove(&connection) else { return Ok(false) };
        let follows = it.conversation.follows();
        let follows: Vec<_> =
            follows.map(|f| (f.room.clone(), f.cursor.clone(), f.presence)).collect();
        let mut anything = false;
        for (name, cursor, known) in follows {
            let Some(room) = self.rooms.get(&name) else { continue };
            let mut read = room.read_after(&cursor, read_entries_max, read_bytes_max, page_entries);
            if let Read::FurtherBack { most } = read {
                self.pages += 1;
                let seam = u64::from(self.broken.is_shell(ShellMutant::SeamSkipsOne));
                let entries = self.log(&name).read_after(&name, cursor.seq + seam, most);
                read = Read::of_the_log(entries, read_bytes_max);
            }
            if let Read::Resync(start) = &mut read {
                start.base = start.base.or_else(|| self.digest_at(&name, start.after));
            }
            anything |= match &read {
                Read::Entries { entries, .. } => !entries.is_empty(),
                Read::Resync(_) | Read::FurtherBack { .. } => true,
            };
            if let Read::Entries { entries, .. } = &read {
                entries.iter().map(Arc::as_ref).try_for_each(|it| judge.may_be_read(it))?;
            }
            it.conversation.handle_read(&name, read);
            if known != room.presence.version() {
                anything = true;
                let news = room.presence.news_since(known);
                it.conversation.handle_news(&name, news, room.presence.version());
            }
        }
        self.connections.insert(connection, it);
        Ok(anything)
    }
}

fn text(frame: Frame) -> String {
    match frame {
        Frame::Message(message) => common::encode_server(&message),
        Frame::Entry(entry) => String::from_utf8(entry.json().to_vec()).expect("JSON is UTF-8"),
    }
}
