//! From JSON that somebody else has parsed to messages: for the page, whose browser has a parser
//! and which would carry serde for nothing else.
//!
//! It reads what [`super::decode_server`] reads, which a test holds against it. Where that one
//! refuses a field that it does not know, this one passes over it; `null` is a missing field.

use serde_json::Value;

use crate::{
    ConnectionId, Digest, Entry, EntryKind, Epoch, ErrorCode, FieldError, FieldFault, Heartbeat,
    Member, MessageId, Position, Problem, ResyncReason, RoomName, ServerMessage, ServerVersion,
    Timestamp, UserId, UserName, WireLimits,
    http::{Found, Keep, RoomInfo, RoomList, SessionInfo, Ticket, Unread},
};

/// A JSON value, whoever parsed it.
pub trait Json: Sized {
    /// The field of an object; `None` where there is none, or where it is `null`.
    fn field(&self, name: &str) -> Option<Self>;
    /// A string.
    fn text(&self) -> Option<String>;
    /// A whole number, not negative.
    fn number(&self) -> Option<u64>;
    /// `true` or `false`.
    fn flag(&self) -> Option<bool>;
    /// An array's elements.
    fn list(&self) -> Option<Vec<Self>>;
}

/// As serde parsed it: for whoever holds this reading against serde's, without a browser.
impl Json for Value {
    fn field(&self, name: &str) -> Option<Self> {
        self.get(name).filter(|field| !field.is_null()).cloned()
    }

    fn text(&self) -> Option<String> {
        self.as_str().map(str::to_owned)
    }

    fn number(&self) -> Option<u64> {
        self.as_u64()
    }

    fn flag(&self) -> Option<bool> {
        self.as_bool()
    }

    fn list(&self) -> Option<Vec<Self>> {
        self.as_array().cloned()
    }
}

/// What can be read.
pub trait Read: Sized {
    /// The value, if it is of the right shape.
    fn read(json: &impl Json) -> Option<Self>;

    /// What a missing field stands for.
    #[must_use]
    fn missing() -> Option<Self> {
        None
    }
}

fn field<T: Read>(json: &impl Json, name: &str) -> Option<T> {
    json.field(name).map_or_else(T::missing, |field| T::read(&field))
}

/// Reads the fields by their names; lists behind the semicolon may be left out.
macro_rules! fields {
    ($json:ident, $($type:ident)::+ { $($name:ident),* $(; $($list:ident),+)? }) => {
        Some($($type)::+ {
            $($name: field($json, stringify!($name))?,)*
            $($($list: field::<Option<Vec<_>>>($json, stringify!($list))?.unwrap_or_default(),)+)?
        })
    };
}

macro_rules! objects {
    ($($type:ident { $($fields:tt)* })*) => {
        $(impl Read for $type {
            fn read(json: &impl Json) -> Option<Self> {
                fields!(json, Self { $($fields)* })
            }
        })*
    };
}

macro_rules! texts {
    ($($type:ident)*) => {
        $(impl Read for $type {
            fn read(json: &impl Json) -> Option<Self> {
                Self::new(json.text()?.as_str()).ok()
            }
        })*
    };
}

/// A name from a newer server is unknown; what is no name is nothing.
macro_rules! names {
    ($($type:ident { $($name:literal => $variant:ident),* })*) => {
        $(impl Read for $type {
            fn read(json: &impl Json) -> Option<Self> {
                Some(match json.text()?.as_str() {
                    $($name => Self::$variant,)*
                    _ => Self::Unknown,
                })
            }
        })*
    };
}

impl Read for ServerMessage {
    fn read(json: &impl Json) -> Option<Self> {
        match json.field("type")?.text()?.as_str() {
            "welcome" => {
                fields!(json, Self::Welcome { connection, user, heartbeat, limits, server })
            }
            "joined" => {
                fields!(
                    json,
                    Self::Joined {
                        id,
                        room,
                        position,
                        after,
                        recovered,
                        members,
                        count,
                        digest,
                        base,
                        floor
                    }
                )
            }
            "ack" => fields!(json, Self::Ack { id, room, message_id, position }),
            "entry" => Entry::read(json).map(Self::Entry),
            "head" => fields!(json, Self::Head { room, position, digest }),
            "history" => {
                fields!(json, Self::History { id, room, position, floor, entries, base; later })
            }
            "marked" => fields!(json, Self::Marked { id, room, unread }),
            "left" => {
                let removed = field::<Option<bool>>(json, "removed")?.unwrap_or_default();
                let (id, room) = (field(json, "id")?, field(json, "room")?);
                Some(Self::Left { id, room, removed })
            }
            "presence" => fields!(json, Self::Presence { room, members, count; joined, left }),
            "resync" => {
                fields!(json, Self::Resync { room, reason, position, after, digest, base })
            }
            "opened" => fields!(json, Self::Opened { room }),
            "ping" => Some(Self::Ping {}),
            "pong" => fields!(json, Self::Pong { id }),
            "error" => fields!(json, Self::Error { id, error }),
            _ => Some(Self::Unknown),
        }
    }
}

objects! {
    Entry { room, seq, at, author, message_id, kind, of, member, body, erased }
    Member { id, name }
    Position { epoch, seq }
    Heartbeat { interval_ms, timeout_ms, reconnect_after_ms }
    WireLimits { text_chars_max, frame_bytes_max, rooms_max }
    ServerVersion { version }
    FieldError { pointer, code }
    RoomInfo { room, position, keep, count, members, topic, unread }
    Unread { read, posts, mentions }
    Found { hits, next }
    RoomList { rooms }
    SessionInfo { user, guest }
    Ticket { ticket, expires_in }
}

texts! { ConnectionId Epoch MessageId RoomName Timestamp UserId UserName }

names! {
    EntryKind {
        "post" => Post, "edit" => Edit, "delete" => Delete, "membership" => Membership,
        "topic" => Topic, "reaction" => Reaction
    }
    ResyncReason {
        "epoch_changed" => EpochChanged, "cursor_ahead" => CursorAhead, "pruned" => Pruned
    }
    FieldFault {
        "missing" => Missing, "unknown_field" => UnknownField, "unknown_type" => UnknownType,
        "invalid" => Invalid, "empty" => Empty, "too_long" => TooLong
    }
    ErrorCode {
        "bad_request" => BadRequest,
        "validation" => Validation,
        "unauthenticated" => Unauthenticated,
        "origin_not_allowed" => OriginNotAllowed,
        "csrf" => Csrf,
        "forbidden" => Forbidden,
        "not_found" => NotFound,
        "method_not_allowed" => MethodNotAllowed,
        "unsupported_media_type" => UnsupportedMediaType,
        "request_timeout" => RequestTimeout,
        "conflict" => Conflict,
        "too_large" => TooLarge,
        "upgrade_required" => UpgradeRequired,
        "subprotocol_not_supported" => SubprotocolNotSupported,
        "rate_limited" => RateLimited,
        "limit_reached" => LimitReached,
        "internal" => Internal,
        "busy" => Busy,
        "draining" => Draining,
        "store_unavailable" => StoreUnavailable,
        "storage_full" => StorageFull,
        "cursor_ahead" => CursorAhead,
        "cursor_expired" => CursorExpired
    }
}

/// The page shows words of its own for each code: it reads the code, and when to come again.
impl Read for Problem {
    fn read(json: &impl Json) -> Option<Self> {
        if cfg!(target_family = "wasm") {
            let (code, retryable) = (field(json, "code")?, field(json, "retryable")?);
            let retry_after_ms = field(json, "retry_after_ms")?;
            return Some(Self { retryable, retry_after_ms, ..Self::new(code) });
        }
        fields!(json, Self { code, title, status, retryable, retry_after_ms, position; errors })
    }
}

impl Read for Digest {
    fn read(json: &impl Json) -> Option<Self> {
        Self::parse(&json.text()?)
    }
}

impl Read for Keep {
    fn read(json: &impl Json) -> Option<Self> {
        match json.text().as_deref() {
            Some("forever") => Some(Self::Forever),
            Some("none") => Some(Self::None),
            Some(_) => None,
            None => field(json, "last").map(Self::Last),
        }
    }
}

impl<T: Read> Read for Option<T> {
    fn read(json: &impl Json) -> Option<Self> {
        T::read(json).map(Some)
    }

    fn missing() -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(json: &impl Json) -> Option<Self> {
        json.list()?.iter().map(T::read).collect()
    }
}

impl Read for String {
    fn read(json: &impl Json) -> Option<Self> {
        json.text()
    }
}

impl Read for bool {
    fn read(json: &impl Json) -> Option<Self> {
        json.flag()
    }
}

impl Read for u64 {
    fn read(json: &impl Json) -> Option<Self> {
        json.number()
    }
}

impl Read for u32 {
    fn read(json: &impl Json) -> Option<Self> {
        json.number()?.try_into().ok()
    }
}

impl Read for u16 {
    fn read(json: &impl Json) -> Option<Self> {
        json.number()?.try_into().ok()
    }
}
