//! What can change what the page shows.

use common::{Member, RoomName, http::RoomInfo};
use session::{Edge, Event, Pending};

use super::{Editing, Link, Moment, Seeking, Sheet, Sought, Stage, Step, Theme, Trouble};
use crate::i18n::Language;

/// Something that changed.
#[derive(Debug)]
pub enum Action {
    /// Another screen.
    Stage(Stage),
    /// The person is this one.
    Is(Member),
    /// The connection changed, at this millisecond of the page's clock.
    Link(Link, i64),
    /// What the session told, in its order.
    Heard(Vec<Heard>),
    /// What waits for sending.
    Outbox(Vec<Pending>),
    /// The rooms that the server lists.
    Listed(Vec<RoomInfo>),
    /// A room of this person.
    Wants(RoomName),
    /// A room this person left.
    Forgets(RoomName),
    /// The room on screen.
    Shows(Option<RoomName>),
    /// A room was read to its end.
    Read(RoomName),
    /// The end of a room's list is out of sight, or in sight again.
    Away(RoomName, bool),
    /// A page of a room was asked for.
    Asks(RoomName, Edge),
    /// Something is looked for.
    Search(Step),
    /// A message is to be shown in its place.
    Seek(RoomName, Sought),
    /// How far that is.
    Sought(RoomName, Seeking),
    /// A message is to be said otherwise, or is not.
    Edit(Option<Editing>),
    /// The last message of mine in a room is to be said otherwise.
    EditLast(RoomName),
    /// The person wrote there: everything above has been seen.
    Spoke(RoomName),
    /// The page was shown or hidden.
    Attentive(bool),
    /// The notice of what was recovered has stood long enough.
    RecoveredSeen(u32),
    /// Something was refused, or that was read.
    Trouble(Option<Trouble>),
    /// Something floats, or no longer.
    Sheet(Option<Sheet>),
    /// Another language.
    Language(Language),
    /// Other colours.
    Theme(Theme),
    /// The person signed out: nothing of them stays.
    SignedOut,
}

/// One thing the session told.
#[derive(Debug)]
pub struct Heard {
    /// What.
    pub event: Event,
    /// When: an entry's own time, else now.
    pub moment: Moment,
    /// Of a page: when each of its entries was taken.
    pub past: Vec<Moment>,
}
