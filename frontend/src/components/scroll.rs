//! The one owner of the list's `scrollTop`.
//!
//! What is added above, and what is taken away there, does not move what is read: the row at the
//! upper edge is remembered, and stays where it was.

use std::{cell::RefCell, rc::Rc};

use common::RoomName;
use gloo_timers::callback::Timeout;
use session::Edge;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement, ResizeObserver};
use yew::prelude::*;

use crate::{browser, courtyard::Intent, state::Room};

use super::{
    hook::{Flag, nothing, use_effect_at, use_flag},
    view::View,
};

/// Within this many pixels of the end one is at the end.
const NEAR_PX: i32 = 100;
/// Within this many pixels of an edge the page beyond it is asked for.
const REACH_PX: i32 = 600;
/// Pixels of what was read that stay in sight above the unread line.
const CONTEXT_PX: i32 = 88;
/// Milliseconds within which a room's first page may still arrive in pieces.
const OPENING_MS: u32 = 400;
/// Milliseconds that something must be in sight to count as read.
const READING_MS: u32 = 800;

/// What the list does when something is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// The room was just opened: show the first unread, else the end.
    Opening,
    /// Stay at the end.
    End,
    /// Stay with what is being read.
    Reading,
}

/// The list's scrolling.
#[derive(Clone)]
pub(super) struct Scroll {
    pub(super) list: NodeRef,
    /// Whether the end is out of sight.
    pub(super) away: Flag,
    held: Rc<RefCell<Held>>,
    intend: Callback<Intent>,
    room: RoomName,
}

struct Held {
    hold: Hold,
    opened: Option<Timeout>,
    /// Where the list stood when it was last looked at.
    top: i32,
    /// The row at the upper edge, and where in the list it ended.
    anchor: Option<(HtmlElement, i32)>,
    /// Looks whether what is in sight still is in a moment.
    seeing: Option<Timeout>,
    /// The last row that was in sight long enough.
    read: u64,
    beyond: Beyond,
}

/// What there is beyond the rows.
#[derive(Default)]
struct Beyond {
    above: Option<Edge>,
    below: Option<Edge>,
    /// The page around the first unread message, which is not among the rows.
    unread: Option<Edge>,
    /// The person never read anything here: what was said before they came is not unread.
    first_time: bool,
    /// Other rows are about to take the place of these.
    elsewhere: bool,
}

/// Scrolling for one list.
#[hook]
pub(super) fn use_scroll(view: &View, name: &RoomName) -> Scroll {
    let list = use_node_ref();
    let away = use_flag();
    let held = use_mut_ref(|| Held {
        hold: Hold::Opening,
        opened: None,
        top: 0,
        anchor: None,
        seeing: None,
        read: 0,
        beyond: Beyond::default(),
    });
    let room = view.state.room(name);
    held.borrow_mut().beyond = room.map(Beyond::of).unwrap_or_default();
    let scroll = Scroll { list, away, held, intend: view.intend.clone(), room: name.clone() };
    let spoken = room.map_or(0, |room| room.spoken);
    {
        let scroll = scroll.clone();
        // Each of the person's own messages leads to the end.
        use_effect_at(spoken.into(), move || {
            if spoken > 0 {
                scroll.to_end();
            }
            nothing()
        });
    }
    {
        let scroll = scroll.clone();
        let filled = room.is_some_and(|room| room.rows() > 0 && room.asked.is_none());
        use_effect(move || scroll.settle(filled));
    }
    {
        let scroll = scroll.clone();
        use_effect_at(0, move || Box::new(scroll.watch_size()));
    }
    scroll
}

impl Beyond {
    fn of(room: &Room) -> Self {
        let idle = room.asked.is_none();
        let elsewhere = matches!(&room.asked, Some((Edge::Newest, false)));
        let (above, below) = (room.edge_top(), room.edge_below());
        let (unread, first_time) = (room.edge_unread(), room.is_new());
        let (above, below) = (above.filter(|_| idle), below.filter(|_| idle));
        Self { above, below, unread, first_time, elsewhere }
    }
}

impl Scroll {
    /// The list was scrolled, by the person or by [`Self::settle`].
    pub(super) fn scrolled(&self) {
        let Some(list) = self.list.cast::<Element>() else { return };
        self.take_hold(&list);
        self.remember(&list);
        self.see(&list);
    }

    /// Whoever scrolled away from the end reads; whoever scrolled there stays there.
    fn take_hold(&self, list: &Element) {
        let end = self.is_at_end(list);
        let mut held = self.held.borrow_mut();
        if held.hold != Hold::Opening && !held.beyond.elsewhere {
            held.hold = if end { Hold::End } else { Hold::Reading };
        }
    }

    fn remember(&self, list: &Element) {
        let mut held = self.held.borrow_mut();
        (held.top, held.anchor) = (list.scroll_top(), anchor(list));
    }

    /// The person took the list into their hand.
    pub(super) fn touched(&self) {
        let mut held = self.held.borrow_mut();
        if held.hold == Hold::Opening {
            held.hold = Hold::Reading;
        }
    }

    /// To the newest, also where it is not among the rows.
    pub(super) fn to_end(&self) {
        let below = {
            let mut held = self.held.borrow_mut();
            held.hold = Hold::End;
            held.beyond.elsewhere = held.beyond.below.is_some();
            held.beyond.elsewhere
        };
        if below {
            self.ask(Edge::Newest);
        }
        self.settle(true);
    }

    fn ask(&self, edge: Edge) {
        self.intend.emit(Intent::History(self.room.clone(), edge));
    }

    fn settle(&self, filled: bool) {
        let Some(list) = self.list.cast::<Element>() else { return };
        if list.scroll_top() != self.held.borrow().top {
            // The person was faster than the event that says so.
            self.take_hold(&list);
        }
        let hold = self.held.borrow().hold;
        match hold {
            Hold::Opening => self.open(&list, filled),
            Hold::End => list.set_scroll_top(list.scroll_height()),
            Hold::Reading => {
                if let Some((row, ended)) = &self.held.borrow().anchor
                    && row.is_connected()
                {
                    let moved = end_of(row) - ended;
                    if moved != 0 {
                        list.set_scroll_top(list.scroll_top() + moved);
                    }
                }
            }
        }
        self.remember(&list);
        self.see(&list);
    }

    fn open(&self, list: &Element, filled: bool) {
        let unread = self.held.borrow_mut().beyond.unread.take();
        if let Some(edge) = unread {
            return self.ask(edge);
        }
        show_unread(list);
        if filled && self.held.borrow().opened.is_none() {
            let scroll = self.clone();
            let opened = Timeout::new(OPENING_MS, move || scroll.opened());
            self.held.borrow_mut().opened = Some(opened);
        }
    }

    fn opened(&self) {
        self.touched();
        self.scrolled();
    }

    /// What follows from what is in sight: whether the end is, which page is needed next, and,
    /// after a moment, what was read.
    fn see(&self, list: &Element) {
        let away = !self.is_at_end(list);
        if away != self.away.is_set() {
            self.away.set(away);
            self.intend.emit(Intent::Away(self.room.clone(), away));
        }
        let next = {
            let mut held = self.held.borrow_mut();
            if held.hold == Hold::Opening {
                None
            } else if list.scroll_top() < REACH_PX {
                held.beyond.above.take()
            } else if from_end(list) < REACH_PX && held.hold == Hold::Reading {
                held.beyond.below.take()
            } else {
                None
            }
        };
        if let Some(edge) = next {
            self.ask(edge);
        }
        self.read(list);
    }

    /// What stays in sight for a moment is read. A page that nobody sees reads nothing.
    fn read(&self, list: &Element) {
        let seen = last_seen(list);
        let waits = self.held.borrow().seeing.is_some() || self.held.borrow().hold == Hold::Opening;
        if waits || browser::is_hidden() || seen <= self.held.borrow().read {
            return;
        }
        let (scroll, at_end) = (self.clone(), self.is_at_end(list));
        let look = Timeout::new(READING_MS, move || scroll.has_seen(seen, at_end));
        self.held.borrow_mut().seeing = Some(look);
    }

    fn has_seen(&self, seen: u64, was_at_end: bool) {
        self.held.borrow_mut().seeing = None;
        let Some(list) = self.list.cast::<Element>().filter(|_| !browser::is_hidden()) else {
            return;
        };
        let read = seen.min(last_seen(&list));
        let to_end = was_at_end && read == seen && self.is_at_end(&list);
        let first_time = self.held.borrow().beyond.first_time;
        self.held.borrow_mut().read = read;
        let place = (!to_end && !first_time).then_some(read);
        self.intend.emit(Intent::Read(self.room.clone(), place));
        self.read(&list);
    }

    /// Whether the end of the list is in sight, and it is the end of the log.
    fn is_at_end(&self, list: &Element) -> bool {
        let held = self.held.borrow();
        let whole = held.beyond.below.is_none() && !held.beyond.elsewhere;
        whole && from_end(list) < NEAR_PX
    }

    /// A list that becomes lower, as when the composer grows, keeps its end in sight.
    fn watch_size(&self) -> Watch {
        let scroll = self.clone();
        let resized = Closure::<dyn Fn()>::new(move || scroll.settle(false));
        let observer = ResizeObserver::new(resized.as_ref().unchecked_ref())
            .expect("the callback is a function");
        if let Some(list) = self.list.cast::<Element>() {
            observer.observe(&list);
        }
        Watch { observer, _resized: resized }
    }
}

/// Looks at the list's size until it is dropped.
struct Watch {
    observer: ResizeObserver,
    _resized: Closure<dyn Fn()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

fn from_end(list: &Element) -> i32 {
    list.scroll_height() - list.scroll_top() - list.client_height()
}

/// Where in the list a row ends.
fn end_of(row: &HtmlElement) -> i32 {
    row.offset_top() + row.offset_height()
}

/// The first row that ends below this height of what is in sight.
fn row_at(list: &Element, height: i32) -> Option<HtmlElement> {
    let height = height + list.scroll_top();
    let rows = list.first_element_child()?.children();
    let row = |nth| rows.item(nth).and_then(|row| row.dyn_into::<HtmlElement>().ok());
    let (mut from, mut to) = (0, rows.length());
    while from < to {
        let middle = (from + to) / 2;
        if row(middle).is_some_and(|row| end_of(&row) <= height) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    row(from)
}

/// The row at the upper edge: a message, since other rows come and go.
fn anchor(list: &Element) -> Option<(HtmlElement, i32)> {
    let mut row = row_at(list, 0)?;
    while !row.has_attribute("data-seq") {
        row = row.next_element_sibling()?.dyn_into().ok()?;
    }
    let end = end_of(&row);
    Some((row, end))
}

/// The place of the last row that is in sight down to its end.
fn last_seen(list: &Element) -> u64 {
    let below = row_at(list, list.client_height()).map(Element::from);
    let mut row = match &below {
        Some(below) => below.previous_element_sibling(),
        None => list.first_element_child().and_then(|rows| rows.last_element_child()),
    };
    while let Some(seen) = row {
        if let Some(seq) = seen.get_attribute("data-seq").and_then(|seq| seq.parse().ok()) {
            return seq;
        }
        row = seen.previous_element_sibling();
    }
    0
}

/// The unread line with a little of what stands above it; the end when there is none.
fn show_unread(list: &Element) {
    let line = list.query_selector(".unread-line").ok().flatten();
    let top = line
        .and_then(|line| line.dyn_into::<HtmlElement>().ok())
        .map_or(list.scroll_height(), |line| (line.offset_top() - CONTEXT_PX).max(0));
    list.set_scroll_top(top);
}
