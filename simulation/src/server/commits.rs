//! The one committer: what waits is committed together, then the rooms hear of it, then the authors.

use std::{sync::Arc, time::Instant};

use common::{ErrorCode, Position, Problem, Timestamp};
use rooms::{AppendRefusal, Appended, Draft, Entry};

use super::{Answer, Append, Server, mark};

impl Server {
    /// Whether a commit can begin; what waits is in it.
    pub(crate) fn begin_commit(&mut self) -> bool {
        let idle = self.committing.is_empty() && self.answers.is_empty();
        let begins = idle && !self.waiting.is_empty();
        if begins {
            self.committing = std::mem::take(&mut self.waiting);
        }
        begins
    }

    /// The commit is done: what is new has its place in the log, and nobody knows of it yet.
    pub(crate) fn commit(&mut self) -> Vec<Arc<Entry>> {
        let away = std::mem::take(&mut self.store_away);
        let mut new = Vec::new();
        for Append { connection, id, draft } in std::mem::take(&mut self.committing) {
            let (room, message_id) = (draft.room.clone(), draft.message_id.clone());
            let answer = if away {
                Err(Problem::new(ErrorCode::StoreUnavailable))
            } else if self.forbidden.remove(&message_id) {
                Err(Problem::new(ErrorCode::Forbidden))
            } else {
                self.append(draft, &mut new)
            };
            self.answers.push(Answer { connection, id, room, message_id, answer });
        }
        self.undelivered.clone_from(&new);
        new
    }

    /// Rooms and authors hear what became of the commit.
    pub(crate) fn deliver(&mut self, now: Instant) {
        for entry in std::mem::take(&mut self.undelivered) {
            let room = self.rooms.get_mut(&entry.room).expect("the log knows the room");
            // A room that was loaded since the commit holds it already.
            if entry.seq > room.head().seq {
                mark(&mut self.connections, &entry.room);
                room.append(entry);
            }
        }
        for Answer { connection, id, room, message_id, answer } in std::mem::take(&mut self.answers)
        {
            let Some(it) = self.connections.get_mut(&connection) else { continue };
            it.dirty = true;
            match answer {
                Ok(position) => it.conversation.handle_appended(id, room, message_id, position),
                Err(problem) => it.conversation.handle_refused(Some(id), problem, now),
            }
        }
    }

    fn append(&mut self, draft: Draft, new: &mut Vec<Arc<Entry>>) -> Result<Position, Problem> {
        let at = Timestamp::new("2026-11-20T09:00:00.000Z").expect("a timestamp");
        match self.log.append(draft, at) {
            Ok(Appended::New(entry)) => {
                let position = entry.position();
                new.push(entry);
                Ok(position)
            }
            Ok(Appended::Repeated(position)) => Ok(position),
            Err(AppendRefusal::Conflict(position)) => {
                Err(Problem { position: Some(position), ..Problem::new(ErrorCode::Conflict) })
            }
            Err(AppendRefusal::NoSuchRoom(_)) => Err(Problem::new(ErrorCode::NotFound)),
        }
    }
}
