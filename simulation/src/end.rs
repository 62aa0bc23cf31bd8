//! How a world ends: the last words, what has to be true once the trouble is over, and goodbye.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use common::{RoomName, UserId};
use session::PendingState;

use crate::{
    client::Being,
    judge::{Verdict, broken},
    server::Server,
    world::World,
};

/// How long after the last fault whatever failed is looked after.
pub(crate) const LOOKS_AGAIN_AFTER: Duration = Duration::from_secs(45);

impl World {
    /// What failed while the trouble ended is said again, and everybody says goodnight in every
    /// room: a frame that was lost shows as a hole only when another comes after it.
    pub(crate) fn looks_again(&mut self) -> Verdict {
        for number in 0..self.clients.len() {
            let client = &mut self.clients[number];
            let outbox: Vec<_> = client.session.outbox().cloned().collect();
            for pending in outbox {
                match pending.state {
                    PendingState::Failed(_) => client.session.retry(&pending.message_id, self.now),
                    PendingState::Queued | PendingState::Sending => {}
                }
            }
            let rooms: Vec<RoomName> = client.page.rooms.keys().cloned().collect();
            for room in rooms {
                self.says(number, &room);
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
            client.has_converged(&heads, &present)?;
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
