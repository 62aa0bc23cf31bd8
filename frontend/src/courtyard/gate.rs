//! Coming in and going out: whose window this is.

use common::{Member, RoomName, UserName, http::SessionInfo};
use wasm_bindgen_futures::spawn_local;

use super::{Courtyard, trouble};
use crate::{
    network::{self, Refusal},
    router::{self, Route},
    state::{Action, Stage, Trouble},
    storage::{self, Seat},
};

/// Where a person begins.
const FIRST_ROOM: &str = "general";
/// How often, in one outage, the name is offered again while the server does not answer.
const SIGN_IN_TRIES: u8 = 5;

impl Courtyard {
    /// A window that was somebody before a reload still is; any other asks for the name.
    pub(super) fn begin(&self) {
        let Some(seat) = storage::kept_seat() else { return self.ask_name(None) };
        let courtyard = self.strong();
        spawn_local(async move {
            match resume(&seat).await {
                Ok(info) => courtyard.come_in(&seat, Some(info.user)),
                Err(Refusal::Unreachable) => courtyard.come_in(&seat, None),
                Err(refusal) => courtyard.ask_name(Some(trouble(&refusal))),
            }
        });
    }

    fn ask_name(&self, trouble: Option<Trouble>) {
        self.inside.set(false);
        self.change(Action::Stage(Stage::Naming { trouble, busy: false }));
    }

    /// A name that this browser knows goes on with its session; any other begins one.
    pub(super) fn sign_in(&self, name: UserName) {
        self.change(Action::Stage(Stage::Naming { trouble: None, busy: true }));
        let courtyard = self.strong();
        spawn_local(async move {
            let (seat, known) = storage::take_seat(&name);
            let answer = if known { resume(&seat).await } else { begin_session(&seat).await };
            match answer {
                Ok(info) => courtyard.come_in(&seat, Some(info.user)),
                Err(refusal) => {
                    if !known {
                        storage::free_seat(&seat);
                    }
                    courtyard.ask_name(Some(trouble(&refusal)));
                }
            }
        });
    }

    /// Inside. Who it is the welcome will say when the server was out of reach.
    fn come_in(&self, seat: &Seat, member: Option<Member>) {
        storage::sit(seat);
        let before = self.seat.replace(Some(seat.clone()));
        if before.is_some_and(|before| before.name != seat.name) {
            self.forget();
        }
        self.inside.set(true);
        if let Some(member) = member {
            self.is(member);
        }
        self.change(Action::Stage(Stage::Inside));
        if !self.restored.replace(true) {
            let pending = storage::pending();
            self.connection.tell(|session, _| session.restore(pending));
            self.outbox_changed();
        }
        for room in storage::rooms() {
            self.want(room);
        }
        if router::current() == Route::Home {
            let first = || RoomName::new(FIRST_ROOM).expect("a plain word");
            let room = storage::last_room().unwrap_or_else(first);
            router::replace(&Route::Room(room));
        }
        self.show(&router::current());
        self.connection.tell(session::Session::connect);
    }

    pub(super) fn is(&self, member: Member) {
        self.me.replace(Some(member.clone()));
        self.change(Action::Is(member));
    }

    pub(super) fn sign_out(&self) {
        self.inside.set(false);
        storage::forget_person();
        if let Some(seat) = self.seat.take() {
            storage::free_seat(&seat);
        }
        self.forget();
        router::go(&Route::Home);
        spawn_local(network::sign_out());
    }

    /// Nothing that was said or read as somebody remains for whoever is next in this window.
    fn forget(&self) {
        self.restored.set(false);
        self.rooms.take();
        self.me.take();
        self.connection.tell(session::Session::leave_server);
        self.change(Action::SignedOut);
    }

    /// The server forgot a guest: the same name is offered again, once in an outage. Not if the
    /// person signed out in another window, or somebody else took the seat there.
    pub(super) fn sign_in_again(&self) {
        let tries = self.sign_in_tries.get() + 1;
        self.sign_in_tries.set(tries);
        let seat = self.seat.borrow().clone();
        let Some(seat) = seat.filter(|seat| tries <= SIGN_IN_TRIES && storage::holds(seat)) else {
            return self.ask_name(Some(Trouble::SignedOut));
        };
        let courtyard = self.strong();
        spawn_local(async move {
            // Another window of the same person may have been faster.
            match resume(&seat).await {
                Ok(info) => {
                    courtyard.sign_in_tries.set(SIGN_IN_TRIES);
                    courtyard.is(info.user);
                }
                // The next attempt to connect says when it is worth asking again.
                Err(Refusal::Unreachable) => {}
                Err(Refusal::Refused(_)) => return courtyard.ask_name(Some(Trouble::SignedOut)),
            }
            courtyard.connection.tell(session::Session::connect);
        });
    }
}

/// Goes on with the seat's session if it lives, and begins one if not.
async fn resume(seat: &Seat) -> Result<SessionInfo, Refusal> {
    network::speak_for(seat.slot);
    match network::who_am_i().await {
        Ok(info) if info.user.name == seat.name => Ok(info),
        Err(refusal) if !refusal.requires_sign_in() => Err(refusal),
        Ok(_) | Err(_) => begin_session(seat).await,
    }
}

async fn begin_session(seat: &Seat) -> Result<SessionInfo, Refusal> {
    network::speak_for(seat.slot);
    network::sign_in(seat.name.clone()).await
}
