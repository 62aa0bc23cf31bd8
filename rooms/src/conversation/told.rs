//! What the client is told: answers to its requests, what the rooms have for it, and where their
//! logs stand.

use std::time::{Duration, Instant};

use common::{
    CloseCode, Digest, MessageId, Position, Problem, RoomName, ServerMessage,
    http::{RoomInfo, Unread},
};

use super::{Conversation, Follow, Page, REPLIES_MAX};
use crate::{News, Read, Roster, Start};

impl Conversation {
    /// The room is followed from `start` on, with these people in it.
    pub fn handle_followed(
        &mut self,
        id: Option<u64>,
        room: &RoomName,
        start: Start,
        roster: Roster,
        echo: bool,
    ) {
        let Start { head, after, recovered, resync, digest, base, floor } = start;
        let Roster { members, count, version: presence } = roster;
        let cursor = Position { epoch: head.epoch.clone(), seq: after };
        self.entries.retain(|entry| entry.room != *room);
        let follow = Follow { room: room.clone(), cursor, echo, presence, untold: None };
        self.follows.insert(follow);
        let (room, position) = (room.clone(), head);
        if let Some(reason) = resync {
            let (room, position) = (room.clone(), position.clone());
            let resync = ServerMessage::Resync { room, reason, position, after, digest, base };
            self.replies.push_back(resync);
        }
        self.replies.push_back(ServerMessage::Joined {
            id,
            room,
            position,
            after,
            recovered,
            members,
            count,
            digest,
            base,
            floor,
        });
    }

    /// The room is not followed any more, because its user may no longer read it.
    pub fn handle_removed(&mut self, room: &RoomName) {
        if self.follows.remove(room) {
            self.entries.retain(|entry| entry.room != *room);
            let left = ServerMessage::Left { id: None, room: room.clone(), removed: true };
            self.replies.push_back(left);
        }
    }

    /// The page that was asked for, or why there is none.
    pub fn handle_page(
        &mut self,
        id: u64,
        room: RoomName,
        page: Result<Page, Problem>,
        now: Instant,
    ) {
        self.page_awaited = false;
        match page {
            Ok(Page { head: position, floor, entries, base, later }) => {
                let page =
                    ServerMessage::History { id, room, position, floor, entries, base, later };
                self.replies.push_back(page);
            }
            Err(problem) => self.refuse(Some(id), problem, now),
        }
    }

    /// How far this connection's user has read a room: the answer to a request, or news from
    /// another of their connections.
    pub fn handle_marked(&mut self, id: Option<u64>, room: RoomName, unread: Unread) {
        if id.is_some() || self.replies.len() < REPLIES_MAX {
            self.replies.push_back(ServerMessage::Marked { id, room, unread });
        }
    }

    /// What was said stands in the log.
    pub fn handle_appended(
        &mut self,
        id: u64,
        room: RoomName,
        message_id: MessageId,
        position: Position,
    ) {
        self.replies.push_back(ServerMessage::Ack { id, room, message_id, position });
    }

    /// A request was refused. Refusals cost, unless the fault is the server's: a flood of them
    /// ends the connection.
    pub fn handle_refused(&mut self, id: Option<u64>, problem: Problem, now: Instant) {
        self.refuse(id, problem, now);
    }

    /// What was to be said came too fast. Whoever goes on all the same, three times within a
    /// minute, is sent away.
    pub fn handle_too_fast(&mut self, id: u64, room: &RoomName, wait: Duration, now: Instant) {
        self.replies
            .push_back(ServerMessage::Error { id: Some(id), error: Problem::rate_limited(wait) });
        if self.allowance.too_fast(room, wait, now) {
            self.close(CloseCode::RateLimited);
        }
    }

    /// What reading after a followed room's cursor gave. The cursor moves with it.
    pub fn handle_read(&mut self, room: &RoomName, read: Read) {
        let author = self.user().map(|user| user.id.clone());
        let Some(follow) = self.follows.get_mut(room) else { return };
        match read {
            Read::Entries { entries, .. } => {
                let Some(last) = entries.last() else { return };
                follow.cursor.seq = last.seq;
                follow.untold = Some(last.digest);
                let echo = follow.echo;
                let wanted =
                    entries.into_iter().filter(|e| echo || Some(&e.author.id) != author.as_ref());
                self.entries.extend(wanted);
            }
            Read::Resync(Start { head, after, resync, digest, base, .. }) => {
                follow.cursor = Position { epoch: head.epoch.clone(), seq: after };
                follow.untold = None;
                let reason = resync.unwrap_or(common::ResyncReason::Pruned);
                let (room, position) = (room.clone(), head);
                let resync = ServerMessage::Resync { room, reason, position, after, digest, base };
                self.replies.push_back(resync);
            }
            // The log answers that; the cursor stays until it has.
            Read::FurtherBack { .. } => {}
        }
    }

    /// The shell handed the connection what is new in a followed room, up to this place; the
    /// digest there, where it is at hand. The cursor moves with it.
    pub fn handle_handed(&mut self, room: &RoomName, seq: u64, digest: Option<Digest>) {
        let Some(follow) = self.follows.get_mut(room) else { return };
        if follow.cursor.seq != seq {
            follow.cursor.seq = seq;
            follow.untold = digest;
        }
    }

    /// What there is to tell of a followed room's presence, up to `version`.
    pub fn handle_news(&mut self, room: &RoomName, news: News, version: u32) {
        let Some(follow) = self.follows.get_mut(room) else { return };
        follow.presence = version;
        let room = room.clone();
        let message = match news {
            News::None => return,
            News::Change { joined, left, count } => {
                ServerMessage::Presence { room, joined, left, members: None, count }
            }
            News::State { members, count } => ServerMessage::Presence {
                room,
                joined: Vec::new(),
                left: Vec::new(),
                members: Some(members),
                count,
            },
        };
        self.replies.push_back(message);
    }

    /// A room was opened that this user may read. A hint: it is dropped when much else waits.
    pub fn handle_opened(&mut self, room: RoomInfo) {
        if self.user().is_some() && self.replies.len() < REPLIES_MAX {
            self.replies.push_back(ServerMessage::Opened { room });
        }
    }

    /// Tells where the logs stand, of which something was sent since the last time. Not while
    /// entries wait: what is told has been sent.
    pub(super) fn tell_heads(&mut self) {
        if !self.entries.is_empty() {
            return;
        }
        for follow in self.follows.iter_mut() {
            if let Some(digest) = follow.untold.take() {
                let (room, position) = (follow.room.clone(), follow.cursor.clone());
                self.replies.push_back(ServerMessage::Head { room, position, digest });
            }
        }
    }
}
