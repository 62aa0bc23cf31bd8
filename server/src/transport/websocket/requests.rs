//! What a conversation asks for, performed: tickets, rooms, the log.

use std::{pin::Pin, sync::Arc, time::Instant};

use common::{Position, RoomName};
use rooms::{Draft, Request, conversation::Wanted};

use super::Connection;
use crate::{
    api::ticket::save_session,
    clock,
    live::{Followed, Marked},
};

impl Connection {
    /// Performs what the conversation asks for. Says whether it may have waited for the store: then
    /// mail is looked at before more is read.
    pub(super) async fn perform_requests(&mut self, now: Instant) -> bool {
        let mut waited = false;
        while let Some(performing) = self.perform_until_one_waits(now) {
            performing.await;
            waited = true;
        }
        if waited {
            // Nothing was read from the client meanwhile: it was not silent.
            self.conversation.handle_taken(clock::now());
        }
        waited
    }

    /// Performs what waits for nothing, and gives back the first that may have to. It is boxed:
    /// most connections wait for nothing.
    fn perform_until_one_waits(
        &mut self,
        now: Instant,
    ) -> Option<Pin<Box<impl Future<Output = ()>>>> {
        loop {
            let request = self.conversation.poll_request()?;
            if let Some(request) = self.perform_at_once(request, now) {
                return Some(Box::pin(self.perform(request, now)));
            }
        }
    }

    /// Performs what waits for nothing; gives back what may have to.
    fn perform_at_once(&mut self, request: Request, now: Instant) -> Option<Request> {
        match request {
            Request::Authenticate { ticket } => self.authenticate(&ticket, now),
            Request::Unfollow { room } => {
                if let Some(contact) = self.contact() {
                    let connection = contact.owner().connection;
                    self.app.live.unfollow(&room, contact.user(), connection, true);
                }
            }
            Request::Append { id, draft } => {
                let needs_nothing = self.session_is_saved || !self.app.live.keeps(&draft.room);
                if !needs_nothing {
                    return Some(Request::Append { id, draft });
                }
                self.append(id, draft, now);
            }
            Request::Mark { id, room, position } => self.mark(id, room, position, now),
            request @ (Request::Follow { .. } | Request::Page { .. }) => return Some(request),
        }
        None
    }

    /// Performs what may have to wait for the store.
    async fn perform(&mut self, request: Request, now: Instant) {
        match request {
            Request::Follow { id, room, after, echo } => {
                self.follow(id, room, after, echo, now).await;
            }
            Request::Page { id, room, wanted } => self.page(id, room, wanted, now).await,
            Request::Append { id, draft } => {
                if self.saves_session(id, now).await {
                    self.append(id, draft, now);
                }
            }
            request @ (Request::Authenticate { .. }
            | Request::Unfollow { .. }
            | Request::Mark { .. }) => {
                self.perform_at_once(request, now);
            }
        }
    }

    async fn follow(
        &mut self,
        id: Option<u64>,
        room: RoomName,
        after: Option<Position>,
        echo: bool,
        now: Instant,
    ) {
        let Some(contact) = self.contact() else { return };
        match self.app.live.follow(&room, contact, after.as_ref()).await {
            Ok(Followed { room, start, roster }) => {
                self.conversation.handle_followed(id, &room, start, roster, echo);
            }
            Err(problem) => self.conversation.handle_refused(id, problem, now),
        }
    }

    /// Whether this connection's session outlives the process: before that nothing is acknowledged,
    /// because its author could not be known again. Only whoever came in while nothing could be
    /// kept waits here.
    async fn saves_session(&mut self, id: u64, now: Instant) -> bool {
        let Some(contact) = self.contact() else { return false };
        let session = contact.owner().signed_in.session;
        if !self.app.accounts.is_saved(&session)
            && let Err(problem) = save_session(&self.app, &session).await
        {
            self.conversation.handle_refused(Some(id), problem, now);
            return false;
        }
        self.session_is_saved = true;
        true
    }

    fn append(&mut self, id: u64, draft: Draft, now: Instant) {
        let (live, Some(contact)) = (&self.app.live, self.contact()) else { return };
        if let Err(wait) = live.may_say(&draft.author.id, &draft.room) {
            return self.conversation.handle_too_fast(id, &draft.room, wait, now);
        }
        match live.append(id, draft, contact) {
            Ok(Some(answer)) => self.take_answer(answer, now),
            Ok(None) => {}
            Err(problem) => self.conversation.handle_refused(Some(id), problem, now),
        }
    }

    async fn page(&mut self, id: u64, room: RoomName, wanted: Wanted, now: Instant) {
        let Some(contact) = self.contact() else { return };
        let page = self.app.live.page(&room, contact.user(), wanted).await;
        self.conversation.handle_page(id, room, page, now);
    }

    fn mark(&mut self, id: u64, room: RoomName, position: Position, now: Instant) {
        let Some(reader) = self.conversation.user().cloned() else { return };
        let Some(contact) = self.contact() else { return };
        let (app, user, own) = (Arc::clone(&self.app), reader.id.clone(), self.number());
        let tell_others = move |room: &RoomName, unread| {
            app.connections.each(|other| {
                if *other.user() == user && other.owner().connection != own {
                    let marked = Marked { id: None, room: room.clone(), outcome: Ok(unread) };
                    other.mailbox().marked(marked);
                }
            });
        };
        let live = &self.app.live;
        if let Err(problem) = live.mark(id, reader, (room, position), contact, tell_others) {
            self.conversation.handle_refused(Some(id), problem, now);
        }
    }
}
