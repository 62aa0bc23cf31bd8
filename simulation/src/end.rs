//! How a world ends: the last words, what has to be true once the trouble is over, and goodbye.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use common::{RoomName, UserId};
use session::{Content, PendingState};

use crate::{
    client::Being,
    happening::Happening,
    judge::{Verdict, broken},
    server::Server,
    world::World,
};

/// How long after the last fault whatever failed is looked after.
pub(crate) const LOOKS_AGAIN_AFTER: Duration = Duration::from_secs(45);

impl World {
    /// No more trouble from here on; what is broken stays broken and has to be noticed.
    pub(crate) fn heal(&mut self) -> Verdict {
        self.story.tell(self.now, || "no more trouble".to_owned());
        self.healthy_from = Some(self.now);
        (self.slow_store, self.dies_committing) = (false, false);
        self.offline.clear();
        self.plan_in(LOOKS_AGAIN_AFTER, Happening::LooksAgain);
        // A long outbox takes its time, and something in it may be refused late.
        for times in 2..=4 {
            self.plan_in(LOOKS_AGAIN_AFTER * times, Happening::SeesToOutboxes);
        }
        for wire in self.wires.values_mut() {
            (wire.up.leaks, wire.down.leaks) = (false, false);
            (wire.down.repeats, wire.down.forges_post) = (false, false);
            wire.down.forges_page = false;
        }
        if let Some(server) = &mut self.server {
            server.forbidden.clear();
            server.fault = None;
        }
        for number in 0..self.clients.len() {
            self.wakes(number)?;
            self.sees_to_outbox(number)?;
        }
        Ok(())
    }

    pub(crate) fn see_to_outboxes(&mut self) -> Verdict {
        (0..self.clients.len()).try_for_each(|number| self.sees_to_outbox(number))
    }

    /// What waits has a room to be said in, what failed is said again, and what can never be said
    /// is taken back.
    fn sees_to_outbox(&mut self, number: usize) -> Verdict {
        let user = self.judge.user(number);
        let outbox: Vec<_> = self.clients[number].session.outbox().cloned().collect();
        for pending in outbox {
            let client = &mut self.clients[number];
            let hopeless = !self.judge.belongs(&pending.room, &user)
                || (matches!(pending.state, PendingState::Failed(_))
                    && !matches!(pending.content, Content::Post(_)));
            if hopeless {
                client.discard(&pending.message_id, &mut self.judge);
                continue;
            }
            if !client.page.rooms.contains_key(&pending.room) {
                client.join(pending.room, self.now);
            }
            client.session.retry(&pending.message_id, self.now);
        }
        self.settle(number)
    }

    /// What failed while the trouble ended is said again, and everybody says goodnight in every
    /// room: a frame that was lost shows as a hole only when another comes after it.
    pub(crate) fn looks_again(&mut self) -> Verdict {
        for number in 0..self.clients.len() {
            self.sees_to_outbox(number)?;
            let rooms: Vec<RoomName> = self.clients[number].page.rooms.keys().cloned().collect();
            let user = self.judge.user(number);
            // Whoever was sent away and has not heard of it says nothing there.
            for room in rooms {
                if self.judge.belongs(&room, &user) {
                    self.says(number, &room);
                }
            }
            self.settle(number)?;
        }
        Ok(())
    }

    /// Everybody has everything, and the server knows of nobody and nothing else.
    pub(crate) fn all_is_well(&self) -> Verdict {
        let Some(server) = &self.server else { broken!("the server did not come back") };
        let heads: BTreeMap<_, _> =
            server.heads().map(|(room, head)| (room.clone(), head)).collect();
        let mut present: BTreeMap<RoomName, BTreeSet<UserId>> =
            heads.keys().map(|room| (room.clone(), BTreeSet::new())).collect();
        for client in &self.clients {
            for room in client.page.rooms.keys() {
                present
                    .entry(room.clone())
                    .or_default()
                    .extend(server.user(self.cookies[client.browser]).cloned());
            }
        }
        for client in &self.clients {
            client.has_converged(&heads, &present, &self.judge)?;
        }
        for (room, truth) in &present {
            let known = server.present(room);
            if known != *truth {
                broken!("the server takes {known:?} to be in {room}, in truth {truth:?}");
            }
        }
        let follows = self.clients.iter().map(|client| client.page.rooms.len()).sum();
        let (clients, connections) = (self.clients.len(), server.connections.len());
        let persons = self.cookies.len();
        if (connections, server.follows(), server.people()) != (clients, follows, persons) {
            let (follows, people) = (server.follows(), server.people());
            broken!(
                "the server holds {connections} connections, {follows} follows, {people} people"
            );
        }
        self.judge.nothing_is_lost()
    }

    /// Half of them say goodbye; of the others nothing is heard again.
    pub(crate) fn everybody_goes(&mut self) -> Verdict {
        for number in 0..self.clients.len() {
            let stats = self.clients[number].session.stats();
            self.report.shown += stats.entries;
            self.report.reconnects += stats.reconnects;
            self.report.holes += stats.holes;
            self.report.duplicates += stats.duplicates;
            self.report.resyncs += stats.resyncs;
            self.report.resends += stats.resends;
            if number % 2 == 0 {
                self.clients[number].session.leave_server(self.now);
                self.settle_at_once(number)?;
            } else {
                self.clients[number].state = Being::Gone;
                for wire in self.wires_of(number) {
                    self.stall_wire(wire, true, true);
                }
            }
        }
        self.quiet = true;
        self.server_writes()
    }

    /// What a server had to do, before it is forgotten.
    pub(crate) fn count(&mut self, server: &Server) {
        self.report.pages += server.pages;
        self.report.held += server.held;
    }

    pub(crate) fn nobody_is_remembered(&mut self) -> Verdict {
        let Some(server) = self.server.take() else { broken!("the server is gone") };
        self.count(&server);
        let here: usize = server.heads().map(|(room, _)| server.present(room).len()).sum();
        let (connections, people) = (server.connections.len(), server.people());
        if (connections, here, people) != (0, 0, 0) {
            broken!("{connections} connections, {here} present and {people} people are remembered");
        }
        for client in self.clients.iter().filter(|client| client.state == Being::Awake) {
            if client.session.poll_timeout().is_some() {
                broken!("{} has left, and waits for {:?}", client.name, client.session.link());
            }
        }
        Ok(())
    }
}
