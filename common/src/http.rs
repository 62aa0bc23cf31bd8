//! The bodies of the HTTP addresses.

use serde::{Deserialize, Serialize};

use crate::{Entry, Member, Position, RoomName, UserId, UserName};

/// `POST /api/session`: a guest names themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// What to be called.
    pub name: UserName,
}

/// `POST` and `GET /api/session`: who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Who it is.
    pub user: Member,
    /// A guest has a name and no password.
    pub guest: bool,
}

/// `POST /ws/ticket`: the right to open one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// 256 bits, to be presented once.
    pub ticket: String,
    /// Seconds until it is worth nothing.
    pub expires_in: u32,
}

/// How much of a room's log is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Everything, as long as the room exists.
    #[default]
    Forever,
    /// The last so many entries.
    Last(u32),
    /// Nothing: entries reach those who are there.
    None,
}

/// `POST /api/rooms`: open a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRoom {
    /// Its name.
    pub room: RoomName,
    /// How much of it is kept; the server's default when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
    /// Only these people and whoever opens it may see the room. Left out: everybody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<UserId>>,
}

/// A room in the list, and in the answer to opening one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomInfo {
    /// Its name.
    pub room: RoomName,
    /// Where its log ends.
    pub position: Position,
    /// How much of it is kept.
    pub keep: Keep,
    /// How many people are present.
    pub count: u32,
    /// Of a private room: who may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<Member>>,
    /// What it is about; left out when nobody has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// What the asker has not read of it; left out where they never read anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Unread>,
}

/// How far somebody has read a room, and what is behind that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The last entry that was read.
    pub read: u64,
    /// Posts of others after it, up to [`crate::limits::UNREAD_MAX`].
    pub posts: u32,
    /// Those among them that mention the reader.
    pub mentions: u32,
}

/// `POST /api/rooms/{room}/members`: let somebody into a private room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admit {
    /// Who is to belong to it.
    pub member: UserId,
}

/// `GET /api/search`: what was found, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Posts as they stand after their last edit.
    pub hits: Vec<Entry>,
    /// Names the next page, as `before`; left out on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `GET /api/rooms`: the rooms that the asker may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomList {
    /// In the order of their names.
    pub rooms: Vec<RoomInfo>,
}
