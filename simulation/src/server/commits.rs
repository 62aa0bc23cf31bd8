//! The one committer: what waits is written together, then synced; then the rooms hear of it, then
//! whoever asked.

use std::{sync::Arc, time::Instant};

use common::{EntryKind, ErrorCode, Problem, RoomName, UserId};
use rooms::{
    Appended, Entry,
    access::{Deed, may},
};

use super::{Answer, Asker, Done, Fault, Server, Waiting, mark};
use crate::{
    ShellMutant,
    disk::{Change, Outcome},
    judge::{Judge, Verdict, broken},
};

impl Server {
    /// Whether a commit can begin; what waits is in it.
    pub(crate) fn begin_commit(&mut self) -> bool {
        if self.commits || self.waiting.is_empty() {
            return false;
        }
        self.commits = true;
        for waiting in std::mem::take(&mut self.waiting) {
            let forbidden = match &waiting.change {
                Change::Append(draft) => self.forbidden.remove(&draft.message_id),
                Change::Open(_) | Change::Mark { .. } => false,
            };
            if forbidden {
                self.answer(&waiting.asker, Err(Problem::new(ErrorCode::Forbidden)));
            } else {
                self.committing.push(waiting);
            }
        }
        true
    }

    /// The transaction is written. Nothing of it is durable.
    pub(crate) fn write_commit(&mut self) -> Vec<Arc<Entry>> {
        if self.fault != Some(Fault::Full) {
            self.disk.write(self.committing.iter().map(|waiting| waiting.change.clone()));
        }
        if self.broken.is_shell(ShellMutant::AcksBeforeSync) {
            return self.take_effect();
        }
        Vec::new()
    }

    /// The transaction is durable and takes effect, or it failed and none of it does.
    pub(crate) fn sync_commit(&mut self) -> (Vec<Arc<Entry>>, Option<Fault>) {
        let fault = self.fault.take();
        let code = match fault {
            None => {
                self.disk.sync();
                return (self.take_effect(), None);
            }
            Some(_) if self.broken.is_shell(ShellMutant::AcksWhatFailed) => {
                return (self.take_effect(), fault);
            }
            Some(Fault::Full) => ErrorCode::StorageFull,
            Some(Fault::NotSynced) => ErrorCode::StoreUnavailable,
        };
        for waiting in std::mem::take(&mut self.committing) {
            self.answer(&waiting.asker, Err(Problem::new(code)));
        }
        (Vec::new(), fault)
    }

    /// What is new has its place in the log, and nobody was told of it.
    fn take_effect(&mut self) -> Vec<Arc<Entry>> {
        let mut new = Vec::new();
        for Waiting { change, asker } in std::mem::take(&mut self.committing) {
            let answer = match (&change, self.kept.apply(change.clone())) {
                (Change::Append(draft), Outcome::Appended(appended)) => {
                    if let Ok(Appended::New(entry)) = &appended {
                        new.push(Arc::clone(entry));
                    }
                    let done =
                        |it: Appended| Done::Appended(draft.message_id.clone(), it.position());
                    appended.map(done).map_err(Problem::from)
                }
                (Change::Mark { reader, room, .. }, _) => {
                    Ok(Done::Marked(reader.clone(), self.kept.unread(reader, room)))
                }
                (Change::Append(_) | Change::Open(_), _) => continue,
            };
            self.answer(&asker, answer);
        }
        self.undelivered.extend(new.iter().cloned());
        new
    }

    fn answer(&mut self, asker: &Asker, answer: Result<Done, Problem>) {
        match asker.clone() {
            Asker::Connection { connection, id, room } => {
                self.answers.push(Answer { connection, id, room, answer });
            }
            Asker::Nobody => {}
        }
    }

    /// Rooms and askers hear what became of the commit.
    pub(crate) fn deliver(&mut self, judge: &mut Judge, now: Instant) -> Verdict {
        for entry in std::mem::take(&mut self.undelivered) {
            let room = self.rooms.get_mut(&entry.room).expect("the log knows the room");
            // A room that was loaded since the commit holds it already.
            if entry.seq > room.head().seq {
                if entry.seq != room.head().seq + 1 {
                    broken!("{} {} comes after {:?}", entry.room, entry.seq, room.head());
                }
                room.append(Arc::clone(&entry));
                mark(&mut self.connections, &entry.room);
            }
            judge.delivered(&entry);
            if entry.kind == EntryKind::Membership {
                self.remove_strangers(&entry.room, now);
            }
        }
        for Answer { connection, id, room, answer } in std::mem::take(&mut self.answers) {
            if let Ok(Done::Marked(reader, unread)) = &answer {
                self.tell_others(connection, reader, &room, *unread);
            }
            let Some(it) = self.connections.get_mut(&connection) else { continue };
            it.dirty = true;
            match answer {
                Ok(Done::Appended(message_id, position)) => {
                    it.conversation.handle_appended(id, room, message_id, position);
                }
                Ok(Done::Marked(_, unread)) => {
                    it.conversation.handle_marked(Some(id), room, unread);
                }
                Err(problem) => it.conversation.handle_refused(Some(id), problem, now),
            }
        }
        Ok(())
    }

    /// The commit is over and the next one may begin.
    pub(crate) fn end_commit(&mut self) {
        self.commits = false;
    }

    /// Whoever does not belong to the room any more follows it no longer.
    fn remove_strangers(&mut self, room: &RoomName, now: Instant) {
        if self.broken.is_shell(ShellMutant::KickIgnored) {
            return;
        }
        let members = self.kept.log.room(room).and_then(|record| record.members.clone());
        let running = self.rooms.get_mut(room).expect("the log knows the room");
        for it in self.connections.values_mut() {
            let Some(user) = &it.user else { continue };
            let follows = it.conversation.follow(room).is_some();
            if follows && !may(user, Deed::Read, members.as_deref()) {
                it.conversation.handle_removed(room);
                it.dirty = true;
                running.presence.leave(user, now);
            }
        }
    }

    /// The other connections of the same person hear how far they have read.
    fn tell_others(
        &mut self,
        own: u64,
        reader: &UserId,
        room: &RoomName,
        unread: common::http::Unread,
    ) {
        let others = self.connections.iter_mut().filter(|(number, _)| **number != own);
        for (_, it) in others.filter(|(_, it)| it.user.as_ref() == Some(reader)) {
            it.conversation.handle_marked(None, room.clone(), unread);
            it.dirty = true;
        }
    }
}
