//! What is said when something is refused: RFC 9457 problem details, one shape for HTTP and for
//! the `error` frame. `code` is the contract; the title is for people.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// It cannot be read at all: not JSON, not an object, a broken header.
    BadRequest,
    /// It can be read and breaks a rule; `errors` says where.
    Validation,
    /// Nobody is signed in.
    Unauthenticated,
    /// The request comes from a page of another site.
    OriginNotAllowed,
    /// The request does not look like one from the page itself.
    Csrf,
    /// This person may not do this.
    Forbidden,
    /// There is no such thing, or not for this person.
    NotFound,
    /// The address does not answer to this method.
    MethodNotAllowed,
    /// The body is of another media type than asked for.
    UnsupportedMediaType,
    /// The body did not arrive in time.
    RequestTimeout,
    /// It exists already, or the message id was used for something else.
    Conflict,
    /// It is larger than allowed.
    TooLarge,
    /// This address speaks WebSocket only.
    UpgradeRequired,
    /// None of the offered WebSocket subprotocols is spoken here.
    SubprotocolNotSupported,
    /// Too much in too short a time; `retry_after_ms` says when to come again.
    RateLimited,
    /// A number of things that may be open at once is reached.
    LimitReached,
    /// A fault of the server's.
    Internal,
    /// The server has too much to do.
    Busy,
    /// The server is about to stop.
    Draining,
    /// The log cannot be written.
    StoreUnavailable,
    /// There is no room left where the log is kept.
    StorageFull,
    /// The position lies ahead of the head.
    CursorAhead,
    /// What the position points at is no longer kept, or belongs to an earlier log.
    CursorExpired,
    /// A code from a newer server.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// All that a server of this version may send.
    pub const ALL: [ErrorCode; 23] = [
        Self::BadRequest,
        Self::Validation,
        Self::Unauthenticated,
        Self::OriginNotAllowed,
        Self::Csrf,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::UnsupportedMediaType,
        Self::RequestTimeout,
        Self::Conflict,
        Self::TooLarge,
        Self::UpgradeRequired,
        Self::SubprotocolNotSupported,
        Self::RateLimited,
        Self::LimitReached,
        Self::Internal,
        Self::Busy,
        Self::Draining,
        Self::StoreUnavailable,
        Self::StorageFull,
        Self::CursorAhead,
        Self::CursorExpired,
    ];

    /// HTTP status, title for people, and whether the same request may succeed later.
    #[must_use]
    pub fn row(self) -> (u16, &'static str, bool) {
        match self {
            Self::BadRequest => (400, "the request cannot be read", false),
            Self::Validation => (422, "the request breaks a rule", false),
            Self::Unauthenticated => (401, "sign in first", false),
            Self::OriginNotAllowed => (403, "requests from this origin are not allowed", false),
            Self::Csrf => (403, "the request does not come from the page", false),
            Self::Forbidden => (403, "this is not allowed", false),
            Self::NotFound => (404, "there is no such thing here", false),
            Self::MethodNotAllowed => (405, "this address does not answer to this method", false),
            Self::UnsupportedMediaType => (415, "the body must be application/json", false),
            Self::RequestTimeout => (408, "the request took too long to arrive", true),
            Self::Conflict => (409, "it exists already", false),
            Self::TooLarge => (413, "it is larger than allowed", false),
            Self::UpgradeRequired => (426, "this address speaks WebSocket only", false),
            Self::SubprotocolNotSupported => (400, "no offered subprotocol is spoken here", false),
            Self::RateLimited => (429, "slow down", true),
            Self::LimitReached => (429, "no more of these may be open at once", false),
            Self::Internal => (500, "something went wrong here", true),
            Self::Busy => (503, "the server has too much to do", true),
            Self::Draining => (503, "the server is about to stop", true),
            Self::StoreUnavailable => (503, "nothing can be written at the moment", true),
            Self::StorageFull => (507, "there is no room left to keep it", true),
            Self::CursorAhead => (409, "the position lies ahead of the log", false),
            Self::CursorExpired => (410, "the position belongs to what is no longer kept", false),
            Self::Unknown => (500, "unknown", false),
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        self.row().0
    }
}

/// The problem itself: the body of a refused HTTP request and of an `error` frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The contract: what went wrong.
    pub code: ErrorCode,
    /// What went wrong, for people.
    pub title: String,
    /// The HTTP status, also where there is no HTTP.
    pub status: u16,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// When it may, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Where the request breaks which rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// On a conflict of message ids: where the first message stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<crate::Position>,
}

/// One place of a request that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where: a JSON Pointer (RFC 6901) into the request.
    pub pointer: String,
    /// Which rule.
    pub code: FieldFault,
}

/// The rules a field can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldFault {
    /// The field must be there.
    Missing,
    /// No such field belongs here.
    UnknownField,
    /// The `type` is none that a client may send.
    UnknownType,
    /// Not of the shape that belongs here.
    Invalid,
    /// Nothing, or nothing but space.
    Empty,
    /// Longer than allowed.
    TooLong,
    /// A rule from a newer server.
    #[serde(other)]
    Unknown,
}

impl Problem {
    /// A problem that says no more than its code does.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        let (status, title, retryable) = code.row();
        Self {
            code,
            // The page has words of its own for each code, and carries no others.
            title: if cfg!(target_family = "wasm") { String::new() } else { title.to_owned() },
            status,
            retryable,
            retry_after_ms: None,
            errors: Vec::new(),
            position: None,
        }
    }

    /// A field that breaks a rule.
    #[must_use]
    pub fn field(pointer: impl Into<String>, code: FieldFault) -> Self {
        let errors = vec![FieldError { pointer: pointer.into(), code }];
        Self { errors, ..Self::new(ErrorCode::Validation) }
    }

    /// Too much in too short a time: worth trying again after this wait.
    #[must_use]
    pub fn rate_limited(wait: Duration) -> Self {
        Self::new(ErrorCode::RateLimited).retry_after(wait)
    }

    /// The same problem, with the time after which it is worth trying again: rounded up, and never
    /// to the very moment, so that whoever waits as long as told is not early.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.retry_after_ms(wait_ms.saturating_add(1))
    }

    /// The same problem, with the moment from which on it is worth trying again.
    #[must_use]
    pub fn retry_after_ms(self, retry_after_ms: u64) -> Self {
        Self { retry_after_ms: Some(retry_after_ms), ..self }
    }

    /// The same problem in other words.
    #[must_use]
    pub fn title(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }
}

impl From<crate::TextError> for FieldFault {
    fn from(error: crate::TextError) -> Self {
        match error {
            crate::TextError::Empty => Self::Empty,
            crate::TextError::TooLong => Self::TooLong,
            crate::TextError::Character => Self::Invalid,
        }
    }
}
