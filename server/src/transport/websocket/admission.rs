//! From a connection's ticket, when others come to know of it, until it leaves and they forget it.

use std::{pin::Pin, sync::Arc, time::Instant};

use common::CloseCode;
use rooms::ConnectionNumber;
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::Connection;
use crate::{
    accounts::{Hashed, SignedIn},
    contact::{Contact, Owner},
};

/// What a connection needs until its ticket was looked at: nobody else knows of it.
pub(super) struct Door {
    pub(super) number: ConnectionNumber,
    /// The sessions whose cookies came with the handshake.
    pub(super) sessions: Vec<Hashed>,
    pub(super) stopping: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Connection {
    /// Looks at the ticket, once.
    pub(super) fn authenticate(&mut self, ticket: &str, now: Instant) {
        // A connection has one ticket: the conversation hands on no other.
        let Some(door) = self.door.take() else { return };
        let signed_in = self.app.accounts.redeem(ticket, &door.sessions, now);
        if let Some(signed_in) = &signed_in {
            self.come_in(door.number, Arc::clone(signed_in));
        }
        let user = signed_in.as_ref().map(|signed_in| signed_in.user.clone());
        self.conversation.handle_authenticated(user, now);
        // Whoever looked for connections to close before this one could be found closes it here.
        if self.app.stopping.is_cancelled() {
            self.conversation.close(CloseCode::ServiceRestart);
        } else if signed_in.is_some_and(|of| !self.app.accounts.lives(&of.session)) {
            self.conversation.close(CloseCode::SessionRevoked);
        }
    }

    /// From here on others know of the connection.
    fn come_in(&mut self, connection: ConnectionNumber, signed_in: Arc<SignedIn>) {
        let contact = self.socket.contact();
        contact.belongs_to(Owner { connection, signed_in });
        self.app.connections.begin(Arc::clone(contact));
        self.is_in = true;
        if let Some(oldest) = self.app.live.connect(contact.user(), self.number()) {
            self.app.connections.close(oldest, CloseCode::TooManyConnections);
        }
    }

    /// Leaves every room, and is no connection of its person any more.
    pub(super) fn leave(&mut self) {
        let Some(contact) = self.contact() else { return };
        let (number, user) = (contact.owner().connection, contact.user());
        for follow in self.conversation.follows() {
            self.app.live.unfollow(&follow.room, user, number, false);
        }
        self.app.live.disconnect(user, number);
        self.app.connections.end(number);
        self.is_in = false;
    }

    /// Its number, for whoever knows that its ticket was accepted: it follows a room, or got mail.
    pub(super) fn number(&self) -> ConnectionNumber {
        self.socket.contact().owner().connection
    }

    /// How others reach it, while they know of it.
    pub(super) fn contact(&self) -> Option<&Arc<Contact>> {
        self.is_in.then(|| self.socket.contact())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.leave();
    }
}
