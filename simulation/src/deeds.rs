//! What people do: say, change what they said, scroll back, read, come and go.

use common::{Emoji, Entry, EntryKind, MessageId, Position, RoomName, Topic};
use rooms::{Draft, MembershipChange};
use session::{Content, Edge, LinkState, PendingState};

use crate::{judge::Verdict, plan::person, world::World};

impl World {
    /// A person does something.
    pub(crate) fn deed(&mut self, number: usize) -> Verdict {
        // People act on what they see.
        self.settle_at_once(number)?;
        let now = self.now;
        let rooms: Vec<RoomName> = self.plan.rooms.iter().map(|room| room.room.clone()).collect();
        let room = self.random.pick(&rooms);
        let choice = self.random.between(0, 99);
        let belongs = self.judge.belongs(&room, &self.judge.user(number));
        let client = &mut self.clients[number];
        let here = client.page.rooms.contains_key(&room);
        match choice {
            0..32 if here => self.says(number, &room),
            32..46 if here => self.changes(number, &room),
            46..51 if here => {
                for _ in 0..self.random.between(2, 30) {
                    self.says(number, &room);
                }
            }
            51..56 if here => {
                self.story.tell(now, || format!("p{number} leaves {room}"));
                client.leave(&room, now);
            }
            56..63 if here => self.scrolls(number, &room),
            63..70 if here => self.reads(number, &room),
            // Few knock where they do not belong.
            0..90 if !here && !belongs && choice > 3 => {}
            0..90 if !here => {
                self.story.tell(now, || format!("p{number} joins {room}"));
                client.join(room, now);
            }
            70..77 => self.looks_after_outbox(number),
            77..80 => client.session.handle_wake(now),
            80..83 => client.session.handle_online(now),
            83..88 if matches!(client.session.link(), LinkState::Waiting { .. }) => {
                client.session.reconnect_now(now);
            }
            88..96 => self.changes_membership(number),
            _ => {}
        }
        self.settle(number)
    }

    pub(crate) fn says(&mut self, number: usize, room: &RoomName) {
        let said = self.clients[number].say(room, &mut self.judge, self.now);
        self.was_said(number, room, said, "says");
    }

    fn was_said(&mut self, number: usize, room: &RoomName, said: Option<MessageId>, how: &str) {
        let Some(message_id) = said else { return };
        self.story.tell(self.now, || format!("p{number} {how} {message_id} in {room}"));
        if self.healthy_from.is_none()
            && self.random.chance(2)
            && let Some(server) = &mut self.server
        {
            server.forbidden.insert(message_id);
        }
    }

    /// Edits, deletes or puts a sign on something that the page shows: mostly on what one's own
    /// page knows to be allowed.
    fn changes(&mut self, number: usize, room: &RoomName) {
        let (user, anybodys) = (self.judge.user(number), self.random.chance(10));
        let client = &self.clients[number];
        let screen = &client.page.rooms[room];
        let Some(epoch) = screen.epoch.clone() else { return };
        let choice = self.random.between(0, 99);
        let fits = |row: &&Entry| match (row.kind, choice) {
            (EntryKind::Post, 0..70) => anybodys || row.author.id == user,
            (EntryKind::Reaction, 50..70) => row.author.id == user,
            (EntryKind::Post, _) => true,
            (
                EntryKind::Edit
                | EntryKind::Delete
                | EntryKind::Membership
                | EntryKind::Topic
                | EntryKind::Reaction
                | EntryKind::Unknown,
                _,
            ) => false,
        };
        let rows: Vec<u64> = screen.rows.values().filter(fits).map(|row| row.seq).collect();
        if rows.is_empty() {
            return;
        }
        let of = Position { epoch, seq: self.random.pick(&rows) };
        let emoji = self.random.pick(&["👋", "🎉"]);
        let client = &mut self.clients[number];
        let content = match choice {
            0..50 => Content::Edit { of, body: client.words("other words,") },
            50..70 => Content::Delete { of },
            70..95 => Content::Reaction { of, emoji: Emoji::new(emoji).expect("an emoji") },
            _ => Content::Topic(Topic::new(client.words("about").as_str()).expect("a topic")),
        };
        let line = format!("writes {content:?} as");
        let said = client.write(room, content, &mut self.judge, self.now);
        self.was_said(number, room, said, &line);
    }

    fn scrolls(&mut self, number: usize, room: &RoomName) {
        let client = &mut self.clients[number];
        let screen = &client.page.rooms[room];
        let (Some(epoch), Some((first, _))) = (&screen.epoch, screen.rows.first_key_value()) else {
            return;
        };
        let at = |seq| Position { epoch: epoch.clone(), seq };
        let edge = match self.random.between(0, 9) {
            0..4 => Edge::Before(at(*first)),
            4..6 => Edge::Before(at(self.random.between(*first, screen.at.unwrap_or(*first)))),
            6..9 => Edge::After(at(self.random.between(0, *first))),
            _ => Edge::Newest,
        };
        self.story.tell(self.now, || format!("p{number} scrolls in {room}: {edge:?}"));
        client.session.history(room, edge, self.now);
        // Somebody's proxy waits for a page: it would seldom meet one by chance.
        if self.random.chance(10) {
            for number in self.wires_of(number) {
                if let Some(wire) = self.wires.get_mut(&number) {
                    wire.down.forges_page = true;
                }
            }
        }
    }

    /// Reads up to somewhere: mostly to the end, now and then again what was read before.
    fn reads(&mut self, number: usize, room: &RoomName) {
        let client = &mut self.clients[number];
        let screen = &client.page.rooms[room];
        let (Some(epoch), Some(last)) = (&screen.epoch, screen.at) else { return };
        let again = self.random.chance(30);
        let seq = if again { self.random.between(0, last) } else { last };
        let position = Position { epoch: epoch.clone(), seq };
        client.session.mark(room, position, self.now);
    }

    /// Somebody lets somebody into the private room, goes, or sends somebody away.
    fn changes_membership(&mut self, number: usize) {
        let Some(server) = &mut self.server else { return };
        let Some(room) = self.plan.rooms.last().map(|room| room.room.clone()) else { return };
        let people = self.plan.people();
        let (author, other) = (person(number % people), person(self.random.below(people)));
        let inside = self.judge.belongs(&room, &other.id);
        let (change, member) = match (inside, self.random.chance(20)) {
            (_, true) => (MembershipChange::Left, author.clone()),
            (true, false) => (MembershipChange::Kicked, other),
            (false, false) => (MembershipChange::Joined, other),
        };
        self.memberships += 1;
        let message_id = MessageId::new(format!("k{}", self.memberships)).expect("a token");
        let content = rooms::Content::Membership { change, member };
        self.story.tell(self.now, || format!("{} asks for {content:?}", author.id));
        self.judge.said(None, message_id.clone(), room.clone(), content.clone());
        server.change_membership(Draft { room, author, message_id, content });
    }

    /// What failed is said again or taken back; now and then what waits is taken back.
    fn looks_after_outbox(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let outbox: Vec<_> = client.session.outbox().cloned().collect();
        for pending in outbox {
            let again = self.random.chance(60);
            match pending.state {
                PendingState::Failed(_) if again => {
                    client.session.retry(&pending.message_id, self.now);
                }
                PendingState::Failed(_) => client.discard(&pending.message_id, &mut self.judge),
                PendingState::Queued if self.random.chance(5) => {
                    client.discard(&pending.message_id, &mut self.judge);
                }
                PendingState::Queued | PendingState::Sending => {}
            }
        }
    }
}
