//! What components may ask for. What follows from it the courtyard knows.

use common::{Body, Member, MessageId, RoomName, UserName};

use crate::{
    i18n::Language,
    router::Route,
    state::{Sheet, Theme},
};

/// What a person wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// To come in under this name.
    Enter(UserName),
    /// To go, and to be forgotten here.
    SignOut,
    /// To see what this address shows.
    Show(Route),
    /// To make a room and be in it.
    Create(RoomName),
    /// To leave a room.
    Leave(RoomName),
    /// To write to somebody alone.
    Talk(Member),
    /// To say something.
    Say(RoomName, Body),
    /// To send a failed message again.
    Retry(MessageId),
    /// To give a message up.
    Discard(MessageId),
    /// The room was read to its end.
    Read(RoomName),
    /// Not to wait for the next attempt.
    ReconnectNow,
    /// To connect after an end.
    Connect,
    /// The notice of what was recovered has stood long enough.
    RecoveredSeen(u32),
    /// The trouble was read.
    TroubleSeen,
    /// To see a sheet, or none.
    Sheet(Option<Sheet>),
    /// Another language.
    Language(Language),
    /// Other colours.
    Theme(Theme),
}
