//! Looking for what was said: questions to the server, and the way to what it found.

use std::rc::Rc;

use common::{RoomName, http::Found};
use wasm_bindgen_futures::spawn_local;

use super::{Courtyard, trouble};
use crate::{
    browser, calendar,
    network::{self, Refusal},
    router::{self, Route},
    state::{Action, Hit, Seeking, Sought, Step, search::Failure},
};

impl Courtyard {
    pub(super) fn search(&self, open: bool) {
        if self.inside.get() {
            self.change(Action::Search(if open { Step::Open } else { Step::Close }));
        }
    }

    /// Asks the server; without a word there is nothing to ask.
    pub(super) fn ask(&self, words: &str, room: Option<RoomName>, page: Option<Rc<str>>) {
        let number = self.questions.get() + 1;
        self.questions.set(number);
        let words: Rc<str> = words.trim().into();
        let (everywhere, more) = (room.is_none(), page.is_some());
        self.change(Action::Search(Step::Ask { number, words: words.clone(), everywhere, more }));
        if words.is_empty() {
            return;
        }
        let courtyard = self.strong();
        spawn_local(async move {
            let found = network::search(&words, room.as_ref(), page.as_deref()).await;
            let answer = match found {
                Ok(Found { hits, next }) => {
                    let hit = |entry: common::Entry| {
                        let moment = calendar::from_timestamp(&entry.at);
                        Hit::new(entry, moment, &words, fold)
                    };
                    Ok((hits.into_iter().map(hit).collect(), next))
                }
                Err(refusal) => Err(failure(&refusal)),
            };
            courtyard.change(Action::Search(Step::Answer(number, answer)));
        });
    }

    /// Leads to a message, wherever it is.
    pub(super) fn seek(&self, hit: &Hit) {
        let room = hit.room.clone();
        let (seq, message_id, seeking) = (hit.seq, hit.message_id.clone(), Seeking::OnTheWay);
        if browser::is_narrow() {
            // What was found covers the conversation.
            self.change(Action::Search(Step::Close));
        }
        self.want(room.clone());
        self.change(Action::Seek(room.clone(), Sought { seq, message_id, seeking }));
        router::go(&Route::Room(room));
    }
}

/// One spelling of a text, as the server's index has it.
fn fold(text: &str) -> String {
    browser::composed(&browser::lower_case(text))
}

fn failure(refusal: &Refusal) -> Failure {
    let retry_after_ms = match refusal {
        Refusal::Unreachable => None,
        Refusal::Refused(problem) => problem.retry_after_ms,
    };
    Failure { trouble: trouble(refusal), retry_after_ms }
}
