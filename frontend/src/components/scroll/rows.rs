//! Which rows of the list are in sight, and where they stand. It only looks, but for the first
//! place of all.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::state::text::number;

/// Pixels of what was read that stay in sight above the unread line.
const CONTEXT_PX: i32 = 88;

/// Pixels from the end.
pub(super) fn from_end(list: &Element) -> i32 {
    list.scroll_height() - list.scroll_top() - list.client_height()
}

/// Where in the list a row ends.
pub(super) fn end_of(row: &HtmlElement) -> i32 {
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

/// The row of a place in the log.
pub(super) fn row_of(list: &Element, seq: u64) -> Option<HtmlElement> {
    let row = ["[data-seq=\"", &number(seq), "\"]"].concat();
    list.query_selector(&row).ok().flatten()?.dyn_into().ok()
}

/// The row at the upper edge: a message, since other rows come and go.
pub(super) fn anchor(list: &Element) -> Option<(HtmlElement, i32)> {
    let mut row = row_at(list, 0)?;
    while !row.has_attribute("data-seq") {
        row = row.next_element_sibling()?.dyn_into().ok()?;
    }
    let end = end_of(&row);
    Some((row, end))
}

/// The place in the log of a row.
fn place(row: &Element) -> Option<u64> {
    row.get_attribute("data-seq")?.parse().ok()
}

/// Whether what is in sight goes on from what was read up to this place, or stands before it.
pub(super) fn goes_on_from(list: &Element, read: u64) -> bool {
    let Some((row, _)) = anchor(list) else { return true };
    let mut above = row.previous_element_sibling();
    while let Some(row) = above {
        if let Some(place) = place(&row) {
            return place <= read;
        }
        above = row.previous_element_sibling();
    }
    place(&row).is_none_or(|place| place <= read.saturating_add(1))
}

/// The place of the last row that is in sight down to its end.
pub(super) fn last_seen(list: &Element) -> u64 {
    let below = row_at(list, list.client_height()).map(Element::from);
    let mut row = match &below {
        Some(below) => below.previous_element_sibling(),
        None => list.first_element_child().and_then(|rows| rows.last_element_child()),
    };
    while let Some(seen) = row {
        if let Some(place) = place(&seen) {
            return place;
        }
        row = seen.previous_element_sibling();
    }
    0
}

/// The unread line with a little of what stands above it; the end when there is none.
pub(super) fn show_unread(list: &Element) {
    let line = list.query_selector(".unread-line").ok().flatten();
    let top = line
        .and_then(|line| line.dyn_into::<HtmlElement>().ok())
        .map_or(list.scroll_height(), |line| (line.offset_top() - CONTEXT_PX).max(0));
    list.set_scroll_top(top);
}
