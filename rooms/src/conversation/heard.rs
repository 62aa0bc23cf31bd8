//! What the client says: each message is decided upon, and becomes a request or a refusal.

use std::{sync::Arc, time::Instant};

use common::{
    ClientMessage, CloseCode, ErrorCode, FieldFault, Member, MessageId, Position, Problem,
    RoomName, ServerMessage,
    limits::{HISTORY_ENTRIES_MAX, PAGE_ENTRIES},
};

use super::{Conversation, Edge, Request, State, Wanted};
use crate::{Content, Draft};

impl Conversation {
    /// A text frame arrived.
    pub fn handle_text(&mut self, text: &str, now: Instant) {
        self.pulse.handle_sign_of_life();
        match (&mut self.state, common::decode_client(text)) {
            (State::Closing(_), _) => {}
            (State::Greeting(greeting), Ok(ClientMessage::Hello { ticket })) if !greeting.asked => {
                self.handle_ticket(ticket);
            }
            (State::Greeting(_), _) => self.close(CloseCode::TicketInvalid),
            (State::Talking { .. }, Err(error)) => {
                let problem = Problem::from(&error);
                self.refuse(error.id, problem, now);
            }
            (State::Talking { user }, Ok(message)) => {
                let user = Arc::clone(user);
                self.handle_message(user, message, now);
            }
        }
    }

    fn handle_message(&mut self, user: Arc<Member>, message: ClientMessage, now: Instant) {
        match message {
            ClientMessage::Hello { .. } => {
                let problem = Problem::field("/type", FieldFault::Invalid);
                self.refuse(None, problem.title("this connection has a ticket"), now);
            }
            ClientMessage::Join { id, room, after, echo } => {
                let full = self.follows.len() >= self.settings.rooms_per_connection_max;
                if full && self.follows.get(&room).is_none() {
                    let problem = Problem::new(ErrorCode::LimitReached);
                    return self.refuse(id, problem.title("too many rooms on one connection"), now);
                }
                if let Err(wait) = self.allowance.take_join(&self.settings, now) {
                    return self.refuse(id, Problem::rate_limited(wait), now);
                }
                self.requests.push_back(Request::Follow { id, room, after, echo });
            }
            ClientMessage::Say { id, room, message_id, body } => {
                self.append(id, room, user, message_id, Content::Post(body), now);
            }
            ClientMessage::Edit { id, room, message_id, of, body } => {
                self.append(id, room, user, message_id, Content::Edit { of, body }, now);
            }
            ClientMessage::Delete { id, room, message_id, of } => {
                self.append(id, room, user, message_id, Content::Delete { of }, now);
            }
            ClientMessage::React { id, room, message_id, of, body: emoji } => {
                self.append(id, room, user, message_id, Content::Reaction { of, emoji }, now);
            }
            ClientMessage::Topic { id, room, message_id, body } => {
                self.append(id, room, user, message_id, Content::Topic(body), now);
            }
            ClientMessage::History { id, room, before, after, limit } => {
                self.ask_for_page(id, room, before, after, limit, now);
            }
            ClientMessage::Mark { id, room, position } => {
                if self.may_read_on(id, &room, now) {
                    self.requests.push_back(Request::Mark { id, room, position });
                }
            }
            ClientMessage::Leave { id, room } => {
                if self.follows.remove(&room) {
                    self.entries.retain(|entry| entry.room != room);
                    self.requests.push_back(Request::Unfollow { room: room.clone() });
                }
                let left = ServerMessage::Left { id: Some(id), room, removed: false };
                self.replies.push_back(left);
            }
            ClientMessage::Ping { id } => {
                self.handle_control_frame(now);
                self.replies.push_back(ServerMessage::Pong { id });
            }
            ClientMessage::Pong {} => {}
        }
    }

    fn append(
        &mut self,
        id: u64,
        room: RoomName,
        author: Arc<Member>,
        message_id: MessageId,
        content: Content,
        now: Instant,
    ) {
        if self.is_followed(id, &room, now) {
            let author = Arc::unwrap_or_clone(author);
            // All who follow a room share its name, and so do the entries: what the client wrote
            // goes while it is at hand.
            let room = self.follows.get(&room).map_or(room, |follow| follow.room.clone());
            let draft = Draft { room, author, message_id, content };
            self.requests.push_back(Request::Append { id, draft });
        }
    }

    fn ask_for_page(
        &mut self,
        id: u64,
        room: RoomName,
        before: Option<Position>,
        after: Option<Position>,
        limit: Option<u32>,
        now: Instant,
    ) {
        let edge = match (before, after) {
            (None, None) => Edge::Head,
            (Some(before), None) => Edge::Before(before),
            (None, Some(after)) => Edge::After(after),
            (Some(_), Some(_)) => {
                let problem = Problem::field("/after", FieldFault::Invalid);
                return self.refuse(Some(id), problem.title("before or after, not both"), now);
            }
        };
        let most = limit.unwrap_or(PAGE_ENTRIES as u32);
        if most == 0 || most > HISTORY_ENTRIES_MAX {
            let problem = Problem::field("/limit", FieldFault::Invalid);
            return self.refuse(Some(id), problem.title("1 to 100 entries a page"), now);
        }
        if self.may_read_on(id, &room, now) {
            self.page_awaited = true;
            let wanted = Wanted { edge, most: most as usize };
            self.requests.push_back(Request::Page { id, room, wanted });
        }
    }

    /// Whether the room is followed; whoever asks for another one is refused.
    fn is_followed(&mut self, id: u64, room: &RoomName, now: Instant) -> bool {
        let follows = self.follows.get(room).is_some();
        if !follows {
            let problem = Problem::new(ErrorCode::Forbidden).title("join the room first");
            self.refuse(Some(id), problem, now);
        }
        follows
    }

    /// The same, within the speed at which one connection may go through the past.
    fn may_read_on(&mut self, id: u64, room: &RoomName, now: Instant) -> bool {
        if !self.is_followed(id, room, now) {
            return false;
        }
        let speed = self.allowance.take_page(&self.settings, now);
        if let Err(wait) = speed {
            self.refuse(Some(id), Problem::rate_limited(wait), now);
        }
        speed.is_ok()
    }
}
