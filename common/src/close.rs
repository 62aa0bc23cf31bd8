//! Why a WebSocket connection ends, and what a client does about it.
//!
//! RFC 6455 section 7.4 leaves 4000 to 4999 to applications. A client acts on the class of a code
//! it does not know: 40xx is final, 41xx backs off and resumes, 42xx comes back within a second.

/// Every reason for which a connection is closed, by the server or by the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseCode {
    /// The person left.
    Normal,
    /// No sign of life came within the heartbeat's timeout, or the page went away.
    GoingAway,
    /// A frame broke RFC 6455.
    ProtocolError,
    /// A binary frame on a text subprotocol.
    UnsupportedData,
    /// A text frame that is not UTF-8.
    InvalidUtf8,
    /// A flood of frames that were refused or of pings, or a message that came in too many pieces or
    /// took too long to arrive.
    PolicyViolation,
    /// A frame or message over the limit.
    TooBig,
    /// A fault in this connection's task; the process lives.
    InternalError,
    /// The server restarts.
    ServiceRestart,
    /// The server is overloaded.
    TryAgainLater,
    /// The ticket is missing, expired, used, foreign or malformed: one code for all.
    TicketInvalid,
    /// The login session expired.
    SessionExpired,
    /// The person signed out, or signed in anew in the same window.
    SessionRevoked,
    /// The account is disabled.
    AccountDisabled,
    /// The server no longer speaks this client's protocol.
    VersionUnsupported,
    /// This user opened more connections than allowed; the oldest is closed.
    TooManyConnections,
    /// A newer connection of the same tab took over.
    Replaced,
    /// The client took nothing for too long while something waited for it.
    SlowConsumer,
    /// The server itself saw a hole.
    InsufficientState,
    /// No ticket was presented in time; a client says it of a server that is silent.
    Stale,
    /// The third refusal for speed within a minute.
    RateLimited,
    /// The node is drained.
    Rebalance,
}

/// What a client does after a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Stay closed and say why.
    Stop,
    /// Get one new ticket; when that is refused as well, sign in.
    NewTicket,
    /// Sign in again.
    SignIn,
    /// Load the page again, once.
    Reload,
    /// Back off with full jitter, at least this many milliseconds, then resume.
    BackOff {
        /// The least wait.
        at_least_ms: u32,
    },
    /// Resume at a random moment within the announced `reconnect_after_ms`.
    Restart,
    /// Resume at a random moment within this many milliseconds.
    Soon {
        /// The longest wait.
        within_ms: u32,
    },
}

impl CloseCode {
    /// All of them, in the order of their numbers.
    pub const ALL: [CloseCode; 22] = [
        Self::Normal,
        Self::GoingAway,
        Self::ProtocolError,
        Self::UnsupportedData,
        Self::InvalidUtf8,
        Self::PolicyViolation,
        Self::TooBig,
        Self::InternalError,
        Self::ServiceRestart,
        Self::TryAgainLater,
        Self::TicketInvalid,
        Self::SessionExpired,
        Self::SessionRevoked,
        Self::AccountDisabled,
        Self::VersionUnsupported,
        Self::TooManyConnections,
        Self::Replaced,
        Self::SlowConsumer,
        Self::InsufficientState,
        Self::Stale,
        Self::RateLimited,
        Self::Rebalance,
    ];

    /// The number in the close frame.
    #[must_use]
    pub fn code(self) -> u16 {
        self.row().0
    }

    /// The machine-readable token in the close frame's reason.
    #[must_use]
    pub fn reason(self) -> &'static str {
        self.row().1
    }

    /// The named code with this number.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|close| close.code() == code)
    }

    fn row(self) -> (u16, &'static str) {
        match self {
            Self::Normal => (1000, "normal"),
            Self::GoingAway => (1001, "going_away"),
            Self::ProtocolError => (1002, "protocol_error"),
            Self::UnsupportedData => (1003, "unsupported_data"),
            Self::InvalidUtf8 => (1007, "invalid_utf8"),
            Self::PolicyViolation => (1008, "policy_violation"),
            Self::TooBig => (1009, "too_big"),
            Self::InternalError => (1011, "internal_error"),
            Self::ServiceRestart => (1012, "service_restart"),
            Self::TryAgainLater => (1013, "try_again_later"),
            Self::TicketInvalid => (4001, "ticket_invalid"),
            Self::SessionExpired => (4002, "session_expired"),
            Self::SessionRevoked => (4003, "session_revoked"),
            Self::AccountDisabled => (4004, "account_disabled"),
            Self::VersionUnsupported => (4005, "version_unsupported"),
            Self::TooManyConnections => (4006, "too_many_connections"),
            Self::Replaced => (4007, "replaced"),
            Self::SlowConsumer => (4101, "slow_consumer"),
            Self::InsufficientState => (4102, "insufficient_state"),
            Self::Stale => (4103, "stale"),
            Self::RateLimited => (4108, "rate_limited"),
            Self::Rebalance => (4200, "rebalance"),
        }
    }
}

impl Reaction {
    /// What to do after a close with this number; 1006 is what a browser reports for any loss.
    #[must_use]
    pub fn to_code(code: u16) -> Self {
        match code {
            1000 | 1002 | 1003 | 1007 | 1009 => Self::Stop,
            1008 => Self::BackOff { at_least_ms: 30_000 },
            1012 => Self::Restart,
            1013 => Self::BackOff { at_least_ms: 5_000 },
            4001 => Self::NewTicket,
            4002 | 4003 => Self::SignIn,
            4005 => Self::Reload,
            4000..=4099 => Self::Stop,
            4102 => Self::Soon { within_ms: 0 },
            4108 => Self::BackOff { at_least_ms: 10_000 },
            4200..=4299 => Self::Soon { within_ms: 1_000 },
            _ => Self::BackOff { at_least_ms: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::CLOSE_REASON_BYTES_MAX;

    #[test]
    fn every_code_is_found_by_its_number_and_fits_its_frame() {
        for close in CloseCode::ALL {
            assert_eq!(CloseCode::from_code(close.code()), Some(close));
            assert!(close.reason().len() <= CLOSE_REASON_BYTES_MAX);
        }
        assert!(CloseCode::ALL.is_sorted_by_key(|close| close.code()));
    }

    #[test]
    fn an_unknown_code_is_judged_by_its_class() {
        assert_eq!(Reaction::to_code(4042), Reaction::Stop);
        assert_eq!(Reaction::to_code(4150), Reaction::BackOff { at_least_ms: 0 });
        assert_eq!(Reaction::to_code(4242), Reaction::Soon { within_ms: 1_000 });
        assert_eq!(Reaction::to_code(1006), Reaction::BackOff { at_least_ms: 0 });
    }
}
