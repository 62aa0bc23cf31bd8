//! Why a connection ends, and how: the close frame, a moment for the client's, and the end.

use std::{future::poll_fn, time::Duration};

use common::CloseCode;
use rooms::conversation::Closing;
use websocket::Violation;

use super::{Connection, LIMITS};
use crate::clock;

/// From the close frame to dropping the TCP connection, when the client does not answer it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the talking ended.
pub(super) enum Ending {
    /// The conversation is over.
    Closing(Closing),
    /// The client broke the protocol, or this task did: close with this code.
    Fault(u16, &'static str),
    /// The client closed: answer with its code, and nothing is left to wait for.
    ClosedByClient(u16),
    /// There is nobody at the other end.
    Lost,
}

impl Ending {
    /// For a reason of ours.
    pub(super) fn of(code: CloseCode) -> Self {
        Self::Fault(code.code(), code.reason())
    }
}

impl From<Violation> for Ending {
    fn from(violation: Violation) -> Self {
        let code = violation.close_code();
        Self::Fault(code, CloseCode::from_code(code).map_or("", CloseCode::reason))
    }
}

impl Connection {
    /// Writes what is left and the close frame, waits a moment for the client's, and lets go.
    pub(super) async fn end(&mut self, ending: Ending) {
        let (code, reason, waits) = match ending {
            Ending::Closing(Closing { code, abrupt }) => (code.code(), code.reason(), !abrupt),
            Ending::Fault(code, reason) => (code, reason, true),
            Ending::ClosedByClient(code) => (code, "", false),
            Ending::Lost => return,
        };
        tracing::debug!(connection = ?self.socket.contact().id(), code, reason, "closing");
        self.socket.close(code, reason, clock::now());
        if !waits {
            return;
        }
        let closed = poll_fn(|cx| self.socket.poll_close(&LIMITS, cx));
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, closed).await;
    }
}
