//! What the rest of the server holds of one connection: whose it is, its mailbox and its line.
//!
//! They lie in one piece of memory, because there are many of them and most are silent. Whoever
//! holds it for longer than a moment holds the socket open: what waits for the store does not
//! ([`Weak`](std::sync::Weak)).

use std::sync::{Arc, OnceLock};

use common::{ConnectionId, UserId};
use rooms::ConnectionNumber;
use tokio::net::TcpStream;

use crate::{
    accounts::SignedIn, connections::id_of, found_by::found_by, line::Line, live::Mailbox,
};

/// One connection, as others reach it.
#[derive(Debug)]
pub struct Contact {
    line: Line,
    mailbox: Mailbox,
    /// Known once its ticket was accepted.
    owner: OnceLock<Owner>,
}

/// Whose connection it is: said once, for all who have something for them.
#[derive(Debug)]
pub struct Owner {
    /// Which connection.
    pub connection: ConnectionNumber,
    /// Who is at the other end, and the session they came with.
    pub signed_in: Arc<SignedIn>,
}

found_by!(
    /// In a table, found by its connection.
    pub ByConnection(Arc<Contact>), ConnectionNumber, |contact| &contact.owner().connection
);

impl Contact {
    /// The connection over this socket; nobody else knows of it.
    #[must_use]
    pub fn new(stream: TcpStream) -> Self {
        let (mailbox, owner) = Default::default();
        Self { line: Line::new(stream), mailbox, owner }
    }

    /// Its ticket was accepted; others may know of it from here on. The first owner stands.
    pub fn belongs_to(&self, owner: Owner) {
        let _ = self.owner.set(owner);
    }

    /// Whose it is.
    ///
    /// # Panics
    /// It is nobody's yet: whoever got it from somewhere else than its own task cannot see that.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        self.owner.get().expect("nobody is told of a connection before its ticket was accepted")
    }

    /// What it is called for people, where its ticket was accepted.
    #[must_use]
    pub fn id(&self) -> Option<ConnectionId> {
        self.owner.get().map(|owner| id_of(owner.connection))
    }

    /// Who is at the other end. As for [`Self::owner`], somebody has to be.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.owner().signed_in.user.id
    }

    /// Where what the rest of the server has for it is put.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// Its writing half.
    #[must_use]
    pub fn line(&self) -> &Line {
        &self.line
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::num::NonZeroU64;

    use common::{Member, UserName};

    use super::*;
    use crate::{accounts::Hashed, line::tests::connected};

    /// A person of a test has one connection, whose number is made of their name.
    fn number_of(name: &str) -> ConnectionNumber {
        let add = |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte));
        ConnectionNumber(NonZeroU64::MIN.saturating_add(name.bytes().fold(0, add)))
    }

    /// The one connection of a test's person, over this socket.
    pub(crate) fn contact_of(name: &str, near: TcpStream) -> Arc<Contact> {
        let token = |prefix| format!("{prefix}-{name}");
        let user = Arc::new(Member {
            id: UserId::new(token('u')).expect("a test's names are tokens"),
            name: UserName::new(name).expect("a test's names are names"),
        });
        let contact = Contact::new(near);
        contact.belongs_to(Owner {
            connection: number_of(name),
            signed_in: Arc::new(SignedIn { session: Hashed::of(name), user }),
        });
        Arc::new(contact)
    }

    #[tokio::test]
    #[expect(clippy::mutable_key_type, reason = "whose it is does not change, and that is the key")]
    async fn a_connection_is_found_by_its_number_and_its_first_owner_stands() {
        let (near, _far) = connected().await;
        let contact = contact_of("hana", near);
        let (other, _far) = connected().await;
        let duri = contact_of("duri", other);
        let table: std::collections::HashSet<_> =
            [&contact, &duri].map(|one| ByConnection(Arc::clone(one))).into();
        let found = table.get(&duri.owner().connection).unwrap();
        assert!(Arc::ptr_eq(&found.0, &duri));

        let signed_in = Arc::clone(&duri.owner().signed_in);
        contact.belongs_to(Owner { connection: duri.owner().connection, signed_in });
        assert_eq!(contact.user().as_str(), "u-hana");
    }
}
