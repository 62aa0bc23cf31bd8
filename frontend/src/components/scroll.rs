//! The one owner of the list's `scrollTop`.
//!
//! What is added above, and what is taken away there, does not move what is read: the row at the
//! upper edge is remembered, and stays where it was.

mod reading;
mod rows;

use std::{cell::RefCell, mem, rc::Rc};

use common::RoomName;
use gloo_timers::callback::Timeout;
use session::Edge;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event, HtmlElement, ResizeObserver};
use yew::prelude::*;

use crate::{
    browser,
    courtyard::Intent,
    state::{Room, Seeking},
};

use self::rows::{anchor, end_of, from_end, last_seen, row_of, show_unread};

use super::{
    hook::{Flag, nothing, use_effect_at, use_flag},
    keys,
    view::View,
};

/// Within this many pixels of the end one is at the end.
const NEAR_PX: i32 = 100;
/// Within this many pixels of an edge the page beyond it is asked for.
const REACH_PX: i32 = 600;
/// Milliseconds within which a room's first page may still arrive in pieces.
const OPENING_MS: u32 = 400;
/// Milliseconds that a message that was sought stands out.
const SHOWN_MS: u32 = 2_400;

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
    /// How often the person had spoken when the list last went to its end for it.
    spoken: u32,
    opened: Option<Timeout>,
    /// Where the list stood when it was last looked at.
    top: i32,
    /// The row at the upper edge, and where in the list it ended.
    anchor: Option<(HtmlElement, i32)>,
    /// Looks whether what is in sight still is in a moment.
    seeing: Option<Timeout>,
    /// The last row that was in sight long enough, in which life of the log.
    read: (u32, u64),
    /// A message that was sought stands out for a moment.
    shown: Option<Timeout>,
    beyond: Beyond,
}

/// What there is beyond the rows.
#[derive(Default)]
struct Beyond {
    above: Option<Edge>,
    below: Option<Edge>,
    /// The page around the first unread message, which is not among the rows.
    unread: Option<Edge>,
    /// Which life of the log is being written.
    life: u32,
    /// The person never read anything here: what was said before they came is not unread.
    first_time: bool,
    /// Other rows are about to take the place of these.
    elsewhere: bool,
    /// The message that a search leads to, and the page around it where it is not among the rows.
    sought: Option<(u64, Option<Edge>)>,
    /// Where a search led: up to where the room was read before, and whether that is over.
    read_before: Option<(u64, bool)>,
    /// On a narrow screen what was found covers the messages.
    covered: bool,
}

/// Scrolling for one list.
#[hook]
pub(super) fn use_scroll(view: &View, name: &RoomName) -> Scroll {
    let list = use_node_ref();
    let away = use_flag();
    let room = view.state.room(name);
    let spoken = room.map_or(0, |room| room.spoken);
    let held = use_mut_ref(|| Held {
        hold: Hold::Opening,
        spoken,
        opened: None,
        top: 0,
        anchor: None,
        seeing: None,
        read: (0, 0),
        shown: None,
        beyond: Beyond::default(),
    });
    let searching = view.state.search.opened > 0;
    held.borrow_mut().beyond = room.map(|room| Beyond::of(room, searching)).unwrap_or_default();
    let scroll = Scroll { list, away, held, intend: view.intend.clone(), room: name.clone() };
    {
        let scroll = scroll.clone();
        use_effect_at(spoken.into(), move || {
            scroll.spoke(spoken);
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
    fn of(room: &Room, searching: bool) -> Self {
        let idle = room.asked.is_none();
        let elsewhere = matches!(&room.asked, Some((Edge::Newest, false)));
        let (above, below) = (room.edge_top(), room.edge_below());
        let (unread, first_time) = (room.edge_unread(), room.is_new());
        let (above, below) = (above.filter(|_| idle), below.filter(|_| idle));
        let sought = room.seeks_for().map(|seq| (seq, room.edge_sought().filter(|_| idle)));
        let read_before = room.read_before_seeking();
        let covered = searching && browser::is_narrow();
        let life = room.life();
        Self { above, below, unread, life, first_time, elsewhere, sought, read_before, covered }
    }
}

impl Scroll {
    /// The list was scrolled, by the person or by [`Self::settle`].
    pub(super) fn scrolled(&self) {
        let Some(list) = self.list.cast::<Element>() else { return };
        let moved = list.scroll_top() != self.held.borrow().top;
        self.take_hold(&list);
        self.remember(&list);
        self.leave_sought(&list, moved);
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

    /// A key in the list: one goes from row to row, from the list itself to the last in sight.
    pub(super) fn key(&self, event: &Event) {
        self.touched();
        let down = match keys::name(event).as_deref() {
            Some("ArrowDown") => true,
            Some("ArrowUp") => false,
            Some("Escape") => return browser::focus("#composer"),
            Some(_) | None => return,
        };
        let itself =
            self.list.cast::<Element>().filter(|it| keys::target(event).as_ref() == Some(it));
        match itself {
            None => keys::step(event, down, "li.message"),
            Some(list) => {
                if let Some(row) = row_of(&list, last_seen(&list)) {
                    event.prevent_default();
                    let _ = row.focus();
                }
            }
        }
    }

    /// Each of the person's own messages leads to the end; those from before the list was opened
    /// have done so.
    fn spoke(&self, spoken: u32) {
        let before = mem::replace(&mut self.held.borrow_mut().spoken, spoken);
        if spoken != before {
            self.to_end();
        }
    }

    /// To the newest, also where it is not among the rows.
    pub(super) fn to_end(&self) {
        self.leave();
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
        let sought = self.held.borrow_mut().beyond.sought.take();
        if let Some((seq, edge)) = sought {
            return self.seek(&list, seq, edge);
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
        self.leave_sought(&list, false);
        self.see(&list);
    }

    /// Shows a message where a search leads to, as soon as it is there.
    fn seek(&self, list: &Element, seq: u64, edge: Option<Edge>) {
        if let Some(edge) = edge {
            return self.ask(edge);
        }
        let Some(row) = row_of(list, seq) else { return };
        self.held.borrow_mut().hold = Hold::Reading;
        list.set_scroll_top(row.offset_top() - (list.client_height() - row.offset_height()) / 2);
        let _ = row.focus();
        self.remember(list);
        self.intend.emit(Intent::Sought(self.room.clone(), Seeking::Shown));
        let over = Intent::Sought(self.room.clone(), Seeking::Over);
        let intend = self.intend.clone();
        let shown = Timeout::new(SHOWN_MS, move || intend.emit(over));
        self.held.borrow_mut().shown = Some(shown);
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
