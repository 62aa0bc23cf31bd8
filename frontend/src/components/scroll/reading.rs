//! What was in sight long enough is read; whoever came by a search and passed over what is unread
//! reads nothing.

use gloo_timers::callback::Timeout;
use web_sys::Element;

use super::{
    Hold, Scroll,
    rows::{goes_on_from, last_seen},
};
use crate::{browser, courtyard::Intent, state::Seeking};

/// Milliseconds that something must be in sight to count as read.
const READING_MS: u32 = 800;

impl Scroll {
    /// What stays in sight for a moment is read.
    pub(super) fn read(&self, list: &Element) {
        let seen = last_seen(list);
        let news = {
            let held = self.held.borrow();
            let waits = held.seeing.is_some() || held.hold == Hold::Opening;
            !waits && (held.beyond.life, seen) > held.read
        };
        if !news || !self.may_read(list) {
            return;
        }
        let (scroll, at_end) = (self.clone(), self.is_at_end(list));
        let look = Timeout::new(READING_MS, move || scroll.has_seen(seen, at_end));
        self.held.borrow_mut().seeing = Some(look);
    }

    /// A page that nobody sees reads nothing, nor does whoever came by a search and passed over
    /// what is unread.
    fn may_read(&self, list: &Element) -> bool {
        let beyond = &self.held.borrow().beyond;
        let goes_on = beyond.read_before.is_none_or(|(read, _)| goes_on_from(list, read));
        !browser::is_hidden() && !beyond.covered && goes_on
    }

    /// Whoever came by a search reads on as usual once they are at the end, or where they were.
    pub(super) fn leave_sought(&self, list: &Element, moved: bool) {
        let Some((read, true)) = self.held.borrow().beyond.read_before else { return };
        if (moved && self.is_at_end(list)) || goes_on_from(list, read) {
            self.leave();
        }
    }

    pub(super) fn leave(&self) {
        if self.held.borrow_mut().beyond.read_before.take().is_some() {
            self.intend.emit(Intent::Sought(self.room.clone(), Seeking::Left));
        }
    }

    fn has_seen(&self, seen: u64, was_at_end: bool) {
        self.held.borrow_mut().seeing = None;
        let Some(list) = self.list.cast::<Element>().filter(|list| self.may_read(list)) else {
            return;
        };
        let read = seen.min(last_seen(&list));
        let to_end = was_at_end && read == seen && self.is_at_end(&list);
        let mut held = self.held.borrow_mut();
        held.read = (held.beyond.life, read);
        let place = (!to_end && !held.beyond.first_time).then_some(read);
        drop(held);
        self.intend.emit(Intent::Read(self.room.clone(), place));
        self.read(&list);
    }
}
