//! The one owner of the list's `scrollTop`.

use std::{cell::RefCell, rc::Rc};

use gloo_timers::callback::Timeout;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement, ResizeObserver};
use yew::prelude::*;

use super::hook::{Flag, nothing, use_effect_at, use_flag};

/// Within this many pixels of the end one is at the end.
const NEAR_PX: i32 = 100;
/// Pixels of what was read that stay in sight above the unread line.
const CONTEXT_PX: i32 = 88;
/// Milliseconds within which a room's first page may still arrive in pieces.
const OPENING_MS: u32 = 400;

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
    hold: Rc<RefCell<Held>>,
}

struct Held {
    hold: Hold,
    opened: Option<Timeout>,
}

/// Scrolling for one list; `filled` says that its first page has begun to arrive, `spoken` counts
/// the person's own messages, each of which leads to the end.
#[hook]
pub(super) fn use_scroll(filled: bool, spoken: u32) -> Scroll {
    let list = use_node_ref();
    let away = use_flag();
    let hold = use_mut_ref(|| Held { hold: Hold::Opening, opened: None });
    let scroll = Scroll { list, away, hold };
    {
        let scroll = scroll.clone();
        use_effect_at(spoken.into(), move || {
            if spoken > 0 {
                scroll.to_end();
            }
            nothing()
        });
    }
    {
        let scroll = scroll.clone();
        use_effect(move || scroll.settle(filled));
    }
    {
        let scroll = scroll.clone();
        use_effect_at(0, move || Box::new(scroll.watch_size()));
    }
    scroll
}

impl Scroll {
    /// The list was scrolled, by the person or by [`Self::settle`].
    pub(super) fn scrolled(&self) {
        let Some(list) = self.list.cast::<Element>() else { return };
        let near = is_near_end(&list);
        let mut held = self.hold.borrow_mut();
        if held.hold != Hold::Opening {
            held.hold = if near { Hold::End } else { Hold::Reading };
        }
        drop(held);
        self.away.set(!near);
    }

    /// The person took the list into their hand.
    pub(super) fn touched(&self) {
        let mut held = self.hold.borrow_mut();
        if held.hold == Hold::Opening {
            held.hold = Hold::Reading;
        }
    }

    /// To the newest.
    pub(super) fn to_end(&self) {
        self.hold.borrow_mut().hold = Hold::End;
        self.settle(true);
    }

    fn settle(&self, filled: bool) {
        let Some(list) = self.list.cast::<Element>() else { return };
        let hold = self.hold.borrow().hold;
        match hold {
            Hold::Opening => {
                show_unread(&list);
                if filled && self.hold.borrow().opened.is_none() {
                    let scroll = self.clone();
                    let opened = Timeout::new(OPENING_MS, move || scroll.opened());
                    self.hold.borrow_mut().opened = Some(opened);
                }
            }
            Hold::End => list.set_scroll_top(list.scroll_height()),
            Hold::Reading => {}
        }
        self.away.set(!is_near_end(&list));
    }

    fn opened(&self) {
        self.touched();
        self.scrolled();
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

fn is_near_end(list: &Element) -> bool {
    list.scroll_height() - list.scroll_top() - list.client_height() < NEAR_PX
}

/// The unread line with a little of what stands above it; the end when there is none.
fn show_unread(list: &Element) {
    let line = list.query_selector(".unread-line").ok().flatten();
    let top = line
        .and_then(|line| line.dyn_into::<HtmlElement>().ok())
        .map_or(list.scroll_height(), |line| (line.offset_top() - CONTEXT_PX).max(0));
    list.set_scroll_top(top);
}
