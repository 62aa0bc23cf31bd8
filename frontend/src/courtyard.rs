//! What a person wants, and what follows from it: requests, the session, what is kept over a
//! reload, and the page's state. Components hold a callback of [`Intent`] and nothing else.

mod gate;
mod intent;
mod search;
mod told;

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use common::{
    ErrorCode, Member, MessageId, Position, RoomName,
    http::{Keep, OpenRoom, RoomInfo},
};
use gloo_events::EventListener;
use session::{Content, Edge, Event};
use wasm_bindgen_futures::spawn_local;
use yew::{Reducible, UseReducerDispatcher};

use crate::{
    browser, calendar,
    connection::Connection,
    network::{self, Refusal},
    router::{self, Route},
    state::{Action, Heard, State, Trouble, text::private_room},
    storage::{self, Seat},
};

pub use intent::Intent;

/// Entries kept of a conversation of two people.
const PRIVATE_ENTRIES: u32 = 1000;

/// The page's state, shared without copying.
#[derive(Clone, Default)]
pub struct Store(pub Rc<State>);

impl Reducible for Store {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut state = (*self.0).clone();
        state.apply(action);
        Rc::new(Self(Rc::new(state)))
    }
}

/// What stands behind the page.
pub struct Courtyard {
    connection: Connection,
    dispatch: UseReducerDispatcher<Store>,
    seat: RefCell<Option<Seat>>,
    me: RefCell<Option<Member>>,
    rooms: RefCell<Vec<RoomName>>,
    inside: Cell<bool>,
    restored: Cell<bool>,
    sign_in_tries: Cell<u8>,
    last_message_ms: Cell<u64>,
    questions: Cell<u32>,
    itself: Weak<Courtyard>,
}

impl Courtyard {
    /// Begins: finds out who the person is.
    #[must_use]
    pub fn open(dispatch: UseReducerDispatcher<Store>) -> Rc<Self> {
        let courtyard = Rc::new_cyclic(|itself: &Weak<Self>| {
            let listener = itself.clone();
            let told = move |events| {
                if let Some(courtyard) = listener.upgrade() {
                    courtyard.hear(events);
                }
            };
            let seed = u64::from_le_bytes(browser::random_bytes());
            Self {
                connection: Connection::new(seed, told),
                dispatch,
                seat: RefCell::default(),
                me: RefCell::default(),
                rooms: RefCell::default(),
                inside: Cell::new(false),
                restored: Cell::new(false),
                sign_in_tries: Cell::new(0),
                last_message_ms: Cell::new(0),
                questions: Cell::new(0),
                itself: itself.clone(),
            }
        });
        courtyard.watch_browser();
        courtyard.begin();
        courtyard
    }

    /// Does what the person wants.
    pub fn wants(&self, intent: Intent) {
        match intent {
            Intent::Enter(name) => self.sign_in(name),
            Intent::SignOut => self.sign_out(),
            Intent::Show(route) => self.show(&route),
            Intent::Create(room) => self.open_room(OpenRoom { room, keep: None, members: None }),
            Intent::Leave(room) => self.leave(&room),
            Intent::Talk(member) => self.talk(&member),
            Intent::Write(room, content) => self.write(room, content),
            Intent::Edit(editing) => self.change(Action::Edit(editing)),
            Intent::EditLast(room) => self.change(Action::EditLast(room)),
            Intent::History(room, edge) => self.ask_for_page(&room, edge),
            Intent::Search(open) => self.search(open),
            Intent::Ask(words, room) => self.ask(&words, room, None),
            Intent::AskForMore(words, room, page) => self.ask(&words, room, Some(page)),
            Intent::Seek(hit) => self.seek(&hit),
            Intent::Sought(room, seeking) => self.change(Action::Sought(room, seeking)),
            Intent::Retry(id) => self.connection.tell(|session, now| session.retry(&id, now)),
            Intent::Discard(id) => self.connection.tell(|session, _| session.discard(&id)),
            Intent::Read(room, seq) => self.read(room, seq),
            Intent::Away(room, away) => self.change(Action::Away(room, away)),
            Intent::ReconnectNow => self.connection.tell(session::Session::reconnect_now),
            Intent::Connect => self.connection.tell(session::Session::connect),
            Intent::RecoveredSeen(notice) => self.change(Action::RecoveredSeen(notice)),
            Intent::TroubleSeen => self.change(Action::Trouble(None)),
            Intent::Sheet(sheet) => self.change(Action::Sheet(sheet)),
            Intent::Language(language) => {
                storage::keep_language(language);
                self.change(Action::Language(language));
            }
            Intent::Theme(theme) => {
                storage::keep_theme(theme);
                self.change(Action::Theme(theme));
            }
        }
    }

    fn change(&self, action: Action) {
        self.dispatch.dispatch(action);
    }

    /// Itself, for what goes on after a request.
    fn strong(&self) -> Rc<Self> {
        self.itself.upgrade().expect("whoever calls holds it")
    }

    /// Sleep, hidden tabs and networks that come back are told to the session.
    fn watch_browser(&self) {
        let wake = |courtyard: &Self| {
            self::change_attention(courtyard);
            if !browser::is_hidden() {
                courtyard.connection.tell(session::Session::handle_wake);
            }
        };
        let online = |courtyard: &Self| courtyard.connection.tell(session::Session::handle_online);
        self.listen(&browser::document(), "visibilitychange", wake);
        self.listen(&browser::window(), "pageshow", wake);
        self.listen(&browser::window(), "focus", wake);
        self.listen(&browser::window(), "online", online);
        change_attention(self);
    }

    /// Listens as long as the page lives.
    fn listen(
        &self,
        to: &web_sys::EventTarget,
        event: &'static str,
        then: impl Fn(&Self) + 'static,
    ) {
        let itself = self.itself.clone();
        let heard = move |_: &web_sys::Event| {
            if let Some(courtyard) = itself.upgrade() {
                then(&courtyard);
            }
        };
        EventListener::new(to, event, heard).forget();
    }

    // Rooms.

    fn show(&self, route: &Route) {
        if !self.inside.get() {
            return;
        }
        match route {
            Route::Room(room) => {
                storage::keep_last_room(room);
                self.want(room.clone());
                self.change(Action::Shows(Some(room.clone())));
            }
            Route::Home | Route::Unknown => self.change(Action::Shows(None)),
        }
    }

    fn want(&self, room: RoomName) {
        if self.rooms.borrow().contains(&room) {
            return;
        }
        self.rooms.borrow_mut().push(room.clone());
        storage::keep_rooms(&self.rooms.borrow());
        self.change(Action::Wants(room.clone()));
        self.connection.tell(|session, now| session.join(room, now));
    }

    fn unwant(&self, room: &RoomName) {
        self.rooms.borrow_mut().retain(|other| other != room);
        storage::keep_rooms(&self.rooms.borrow());
    }

    fn leave(&self, room: &RoomName) {
        self.unwant(room);
        self.connection.tell(|session, now| session.leave(room, now));
        self.change(Action::Forgets(room.clone()));
        if router::current() == Route::Room(room.clone()) {
            router::go(&Route::Home);
        }
    }

    fn talk(&self, member: &Member) {
        let me = self.me.borrow().clone();
        let Some(room) = me.and_then(|me| private_room(&me.id, &member.id)) else { return };
        let members = Some(vec![member.id.clone()]);
        self.open_room(OpenRoom { room, keep: Some(Keep::Last(PRIVATE_ENTRIES)), members });
    }

    fn open_room(&self, open: OpenRoom) {
        let (courtyard, name) = (self.strong(), open.room.clone());
        spawn_local(async move {
            match network::open_room(&open).await {
                Ok(room) => courtyard.opened(room),
                Err(Refusal::Refused(problem)) if problem.code == ErrorCode::Conflict => {}
                Err(refusal) => return courtyard.change(Action::Trouble(Some(trouble(&refusal)))),
            }
            courtyard.change(Action::Sheet(None));
            courtyard.want(name.clone());
            router::go(&Route::Room(name));
        });
    }

    fn opened(&self, room: RoomInfo) {
        let moment = calendar::present();
        let (event, past) = (Event::Opened { room }, Vec::new());
        self.change(Action::Heard(vec![Heard { event, moment, past }]));
    }

    fn list_rooms(&self) {
        let courtyard = self.strong();
        spawn_local(async move {
            // Without the list the rooms that are known still work; the next welcome asks again.
            let Ok(list) = network::rooms().await else { return };
            list.rooms.iter().for_each(|room| courtyard.want_if_private(room));
            courtyard.change(Action::Listed(list.rooms));
        });
    }

    /// What is said privately must show as unread, also before one ever looked.
    fn want_if_private(&self, room: &RoomInfo) {
        if room.members.is_some() {
            self.want(room.room.clone());
        }
    }

    // Saying and reading.

    fn write(&self, room: RoomName, content: Content) {
        let (id, there) = (self.new_message_id(), room.clone());
        let speaks = matches!(content, Content::Post(_));
        let written = self.connection.tell(|session, now| session.write(room, id, content, now));
        match written {
            Ok(()) if speaks => {
                self.change(Action::Spoke(there.clone()));
                self.read(there, None);
            }
            Ok(()) => {}
            Err(_) => self.change(Action::Trouble(Some(Trouble::OutboxFull))),
        }
    }

    fn ask_for_page(&self, room: &RoomName, edge: Edge) {
        self.change(Action::Asks(room.clone(), edge.clone()));
        self.connection.tell(|session, now| session.history(room, edge, now));
    }

    fn read(&self, room: RoomName, seq: Option<u64>) {
        let reached = self.connection.read(|session| session.position(&room).cloned());
        let Some(Position { epoch, seq: last }) = reached else { return };
        let seq = seq.unwrap_or(last).min(last);
        let position = Position { epoch, seq };
        self.connection.tell(|session, now| session.mark(&room, position, now));
        if seq == last {
            self.change(Action::Read(room));
        }
    }

    /// UUID version 7 (RFC 9562 section 5.7). Two of this page never have the same time, so that
    /// their order is the order of saying.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time of day")]
    fn new_message_id(&self) -> MessageId {
        let ms = (js_sys::Date::now() as u64).max(self.last_message_ms.get() + 1);
        self.last_message_ms.set(ms);
        let mut id: [u8; 16] = browser::random_bytes();
        id[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
        id[6] = 0x70 | (id[6] & 0x0f);
        id[8] = 0x80 | (id[8] & 0x3f);
        let digits = id.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
        let id: String =
            digits.map(|digit| b"0123456789abcdef"[usize::from(digit)] as char).collect();
        MessageId::new(id).expect("32 hexadecimal digits")
    }
}

fn change_attention(courtyard: &Courtyard) {
    courtyard.change(Action::Attentive(!browser::is_hidden()));
}

fn trouble(refusal: &Refusal) -> Trouble {
    match refusal {
        Refusal::Unreachable => Trouble::Unreachable,
        Refusal::Refused(problem) => Trouble::Refused(problem.code),
    }
}
