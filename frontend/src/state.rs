//! What the page shows, as one value that changes only by [`State::apply`].
//!
//! Nothing here may touch the document, a clock or storage: times come in with the actions, and
//! everything is tested natively.

pub mod action;

pub mod arrange;

mod heard;

pub mod room;

pub mod window;

pub mod piece;

pub mod row;

pub mod search;

pub mod seek;

pub mod text;

use std::rc::Rc;

use common::{ErrorCode, Member, Position, RoomName, http::RoomInfo};

use crate::i18n::Language;
pub use action::{Action, Heard};
pub use piece::{Break, Change};
pub use room::{Proof, Room, Standing};
pub use row::{Done, Moment, Notice, Row, Said, Sending, Sign, Waiting};
pub use search::{Hit, Progress, Search, Step};
pub use seek::{Seeking, Sought};
pub use window::{End, Page};

/// Everything the page shows.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Which screen.
    pub stage: Stage,
    /// Who the person is, once the server said so.
    pub me: Option<Member>,
    /// The connection.
    pub link: Link,
    /// Since when there is no connection, in milliseconds of the page's clock.
    pub down_since: Option<i64>,
    /// The rooms of this person, by name.
    pub rooms: Vec<Rc<Room>>,
    /// The rooms that the server told of, by name.
    pub listed: Vec<Rc<RoomInfo>>,
    /// The room on screen.
    pub current: Option<RoomName>,
    /// What was said and not yet taken by the server, oldest first.
    pub outbox: Rc<Vec<Waiting>>,
    /// Whether the page is visible: a hidden page reads nothing.
    pub attentive: bool,
    /// What the last resume brought, until the notice is dismissed.
    pub recovered: Option<Recovered>,
    /// The message that is being said otherwise.
    pub editing: Option<Editing>,
    /// What a screen reader is to say.
    pub announcement: Option<Rc<str>>,
    /// What was asked of the server outside a room and refused.
    pub trouble: Option<Trouble>,
    /// What floats above the page.
    pub sheet: Option<Sheet>,
    /// What is looked for.
    pub search: Rc<Search>,
    /// The language of the page.
    pub language: Language,
    /// The colours of the page.
    pub theme: Theme,
}

/// Which screen is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// It is being asked who the person is.
    #[default]
    Starting,
    /// A name is needed.
    Naming {
        /// Why the person stands here again.
        trouble: Option<Trouble>,
        /// A name was given and is being asked for.
        busy: bool,
    },
    /// Inside.
    Inside,
}

/// What went wrong with a request outside a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The server could not be reached.
    Unreachable,
    /// The server forgot who this was, and the name could not be taken again.
    SignedOut,
    /// The server refused.
    Refused(ErrorCode),
    /// As many messages wait for sending as are kept.
    OutboxFull,
    /// The browser would not keep what was written over a reload.
    NotKept,
}

/// The connection, as a person sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Not begun.
    #[default]
    Idle,
    /// An attempt runs.
    Connecting,
    /// The server said welcome.
    Open,
    /// The next attempt comes at this millisecond of the page's clock.
    Waiting {
        /// When.
        until: i64,
    },
    /// No attempt is made any more.
    Ended(Ending),
}

/// Why no attempt is made any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The person left.
    Left,
    /// Who this is must be said anew.
    SignInNeeded,
    /// The server closed for good, with this code.
    Stopped(u16),
    /// The server speaks a newer protocol.
    ReloadNeeded,
    /// A ticket was refused.
    Refused(ErrorCode),
}

/// What a resume brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// How many messages were missed and came.
    pub count: u64,
    /// Which notice it is, so that an older timer does not dismiss it.
    pub notice: u32,
}

/// A message of mine that is being said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editing {
    /// Where.
    pub room: RoomName,
    /// Its place.
    pub of: Position,
    /// What stands in the field at first.
    pub text: Rc<str>,
}

/// What floats above the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sheet {
    /// A name for a new room.
    NewRoom,
    /// Who is here, on narrow screens.
    People,
    /// What the room is about.
    Topic,
    /// Language, colours, leaving.
    Settings,
}

/// The colours of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All of them.
    pub const ALL: [Theme; 3] = [Self::System, Self::Light, Self::Dark];

    /// The value of `data-theme`; none leaves it to the system.
    #[must_use]
    pub fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

impl State {
    /// Changes the state.
    pub fn apply(&mut self, action: Action) {
        match action {
            Action::Stage(stage) => self.stage = stage,
            Action::Is(member) => self.me = Some(member),
            Action::Link(link, now) => self.set_link(link, now),
            Action::Heard(heard) => heard.into_iter().for_each(|heard| self.hear(heard)),
            Action::Outbox(pending) => self.set_outbox(&pending),
            Action::Listed(rooms) => {
                self.listed.clear();
                rooms.into_iter().for_each(|info| {
                    self.with_room(&info.room, |room| {
                        room.told(&info.position, info.unread);
                        room.topic_told(&info);
                    });
                    self.list(info);
                });
            }
            Action::Wants(name) => self.want(name),
            Action::Forgets(name) => self.rooms.retain(|room| room.name != name),
            Action::Shows(room) => self.show(room),
            Action::Read(name) => self.with_room(&name, Room::read_to_end),
            Action::Away(name, away) => self.with_room(&name, |room| room.away = away),
            Action::Asks(name, edge) => self.with_room(&name, |room| room.asks(edge)),
            Action::Search(step) => Rc::make_mut(&mut self.search).apply(step),
            Action::Seek(name, sought) => self.with_room(&name, |room| room.sought = Some(sought)),
            Action::Sought(name, seeking) => self.with_room(&name, |room| room.seeks(seeking)),
            Action::Edit(editing) => self.editing = editing,
            Action::EditLast(name) => self.edit_last(name),
            Action::Spoke(name) => self.with_room(&name, Room::spoke),
            Action::Attentive(attentive) => self.attentive = attentive,
            Action::RecoveredSeen(notice) => {
                self.recovered = self.recovered.filter(|recovered| recovered.notice != notice);
            }
            Action::Trouble(trouble) => self.trouble = trouble,
            Action::Sheet(sheet) => self.sheet = sheet,
            Action::Language(language) => self.language = language,
            Action::Theme(theme) => self.theme = theme,
            Action::SignedOut => self.sign_out(),
        }
    }

    /// How many messages of others wait to be read, in all rooms.
    #[must_use]
    pub fn unread(&self) -> u32 {
        self.rooms.iter().map(|room| room.unread).sum()
    }

    /// A room of this person.
    #[must_use]
    pub fn room(&self, name: &RoomName) -> Option<&Room> {
        self.place(name).ok().map(|at| &*self.rooms[at])
    }

    /// The room on screen, when it is one of this person's.
    #[must_use]
    pub fn current_room(&self) -> Option<&Room> {
        self.room(self.current.as_ref()?)
    }

    /// Of a private room with one other person: who that is.
    #[must_use]
    pub fn companion(&self, room: &RoomName) -> Option<&Member> {
        let members = self.listed[self.listed_place(room).ok()?].members.as_ref()?;
        let me = self.me.as_ref().map(|me| &me.id);
        members.iter().find(|member| Some(&member.id) != me)
    }

    /// Where a room of this person stands, or would.
    fn place(&self, name: &RoomName) -> Result<usize, usize> {
        self.rooms.binary_search_by(|room| room.name.cmp(name))
    }

    fn listed_place(&self, name: &RoomName) -> Result<usize, usize> {
        self.listed.binary_search_by(|info| info.room.cmp(name))
    }

    fn want(&mut self, name: RoomName) {
        match self.place(&name) {
            Ok(at) => Rc::make_mut(&mut self.rooms[at]).wanted_again(),
            Err(at) => {
                let mut room = Room::wanted(name);
                if let Ok(listed) = self.listed_place(&room.name) {
                    let info = &self.listed[listed];
                    room.told(&info.position, info.unread);
                    room.topic_told(info);
                }
                self.rooms.insert(at, Rc::new(room));
            }
        }
    }

    fn edit_last(&mut self, name: RoomName) {
        let last = self.room(&name).and_then(Room::my_last);
        self.editing = last.map(|(of, text)| Editing { room: name, of, text });
    }

    fn sign_out(&mut self) {
        let (language, theme, attentive) = (self.language, self.theme, self.attentive);
        let stage = Stage::Naming { trouble: None, busy: false };
        *self = Self { stage, language, theme, attentive, ..Self::default() };
    }

    fn show(&mut self, room: Option<RoomName>) {
        if self.current == room {
            return;
        }
        if let Some(left) = self.current.take() {
            self.with_room(&left, Room::turn_away);
            self.rooms.retain(|room| room.name != left || !room.is_refused());
        }
        (self.sheet, self.editing) = (None, None);
        Rc::make_mut(&mut self.search).turn_away();
        self.current = room;
    }

    fn set_link(&mut self, link: Link, now: i64) {
        self.down_since = match link {
            Link::Open => None,
            Link::Idle | Link::Connecting | Link::Waiting { .. } | Link::Ended(_) => {
                self.down_since.or(Some(now))
            }
        };
        self.link = link;
    }

    fn with_room(&mut self, name: &RoomName, change: impl FnOnce(&mut Room)) {
        if let Ok(at) = self.place(name) {
            change(Rc::make_mut(&mut self.rooms[at]));
        }
    }
}

#[cfg(test)]
mod tests;
