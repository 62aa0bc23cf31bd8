//! What the rest of the server has for a connection, handed to its conversation.

use std::time::Instant;

use super::Connection;
use crate::live::{Answer, Asked, Mail, Marked};

impl Connection {
    pub(super) fn take_mail(&mut self, now: Instant) {
        let Some(mail) = self.contact().and_then(|contact| contact.mailbox().take()) else {
            return;
        };
        let Mail { dirty, answers, opened, removed, marked, close } = *mail;
        for answer in answers {
            self.take_answer(answer, now);
        }
        for Marked { id, room, outcome } in marked {
            match outcome {
                Ok(unread) => self.conversation.handle_marked(id, room, unread),
                Err(problem) => self.conversation.handle_refused(id, problem, now),
            }
        }
        for room in removed {
            // Whoever was let in again meanwhile, and has joined, stays.
            if !self.app.live.is_followed(&room, self.number()) {
                self.conversation.handle_removed(&room);
            }
        }
        for room in dirty {
            self.mark_dirty(room);
        }
        for room in opened {
            self.conversation.handle_opened(room);
        }
        if let Some(code) = close {
            self.conversation.close(code);
        }
    }

    /// What became of something that was to be said.
    pub(super) fn take_answer(&mut self, answer: Answer, now: Instant) {
        let Answer { asked: Asked { id, room, message_id }, outcome } = answer;
        match outcome {
            Ok(position) => self.conversation.handle_appended(id, room, message_id, position),
            Err(problem) => self.conversation.handle_refused(Some(id), problem, now),
        }
    }
}
