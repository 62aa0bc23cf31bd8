//! What the shell is to do. It does these in order and decides nothing.

/// One attempt to connect and the connection that comes of it. What the shell reports about an
/// older one is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub(crate) u64);

/// Something for the shell to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `POST /ws/ticket`; answer with [`crate::Session::handle_ticket`].
    FetchTicket {
        /// The attempt it is for.
        generation: Generation,
    },
    /// Open the socket; answer with [`crate::Session::handle_open`]. The session itself presents
    /// the ticket as the first message, so that it stands in no address.
    Connect {
        /// The attempt it is for.
        generation: Generation,
        /// The right to connect, for a shell that presents it otherwise. Never to be logged.
        ticket: String,
    },
    /// Send one text frame.
    Send {
        /// The connection to send on.
        generation: Generation,
        /// The frame.
        text: String,
    },
    /// Drop whatever belongs to this attempt (request or socket) at once, without waiting for
    /// the other side.
    Disconnect {
        /// The attempt to drop.
        generation: Generation,
        /// The code to close with: 1000 or 3000 to 4999, as a browser allows.
        code: u16,
    },
}
