//! What components may ask for. What follows from it the courtyard knows.

use std::rc::Rc;

use common::{Member, MessageId, RoomName, UserName};
use session::{Content, Edge};

use crate::{
    i18n::Language,
    router::Route,
    state::{Editing, Hit, Seeking, Sheet, Theme},
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
    /// To say something, or to change what was said.
    Write(RoomName, Content),
    /// To say a message of one's own otherwise, or not to after all.
    Edit(Option<Editing>),
    /// The same with the last message of one's own.
    EditLast(RoomName),
    /// To read a page of a room.
    History(RoomName, Edge),
    /// To look for something, or not any more.
    Search(bool),
    /// To look for these words, in the room on screen or in all.
    Ask(String, Option<RoomName>),
    /// To see more of what was found; the same question, and the page that comes next.
    AskForMore(Rc<str>, Option<RoomName>, Rc<str>),
    /// To see a message in its place.
    Seek(Rc<Hit>),
    /// It is in sight, or was seen.
    Sought(RoomName, Seeking),
    /// To send a failed message again.
    Retry(MessageId),
    /// To give a message up.
    Discard(MessageId),
    /// The room was read up to this place, or to its end.
    Read(RoomName, Option<u64>),
    /// The end of the room's list is out of sight, or in sight again.
    Away(RoomName, bool),
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
