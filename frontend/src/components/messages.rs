//! What was said in a room, and what waits to be.

use common::{ResyncReason, RoomName};
use gloo_timers::callback::Timeout;
use yew::prelude::*;

use crate::{
    calendar,
    courtyard::Intent,
    i18n::Text,
    state::{
        Room, Standing,
        arrange::{Item, arrange},
        text::number,
    },
};

use super::{
    hook::{nothing, use_effect_at},
    icon::{Shape, icon},
    row::{MessageRow, MessageRowProps, notice_row},
    scroll::{Scroll, use_scroll},
    tag::{Tag, classed, component, tag},
    view::View,
};

/// Milliseconds that something must be in sight to count as read.
const READING_MS: u32 = 800;

/// The list of one room.
#[hook]
pub(super) fn use_messages(view: &View, room: &RoomName) -> Html {
    let room = view.state.room(room);
    let filled = room.is_some_and(|room| !room.rows.is_empty());
    let scroll = use_scroll(filled, room.map_or(0, |room| room.spoken));
    let unread = room.is_some_and(|room| room.unread > 0);
    use_reading(view, room, !scroll.away.is_set() && view.state.attentive && unread);
    room.map_or_else(Html::default, |room| frame(view, room, &scroll).into())
}

fn frame(view: &View, room: &Room, scroll: &Scroll) -> Tag {
    let calls = |then: fn(&Scroll)| {
        let scroll = scroll.clone();
        Callback::from(move |_| then(&scroll))
    };
    let touched = calls(Scroll::touched);
    let list = classed("div", "messages")
        .at(&scroll.list)
        .fixed(&[("role", "log"), ("aria-live", "off"), ("tabindex", "0")])
        .label(view.text(Text::Messages))
        .on("scroll", calls(Scroll::scrolled))
        .on("wheel", touched.clone())
        .on("touchmove", touched.clone())
        .on("pointerdown", touched.clone())
        .on("keydown", touched);
    let items = arrange(room, &view.state.outbox);
    let content = if items.is_empty() {
        empty(view, room)
    } else {
        items.into_iter().fold(tag("ol"), |list, item| list.html(show(view, item)))
    };
    let jump = scroll.away.is_set().then(|| {
        classed("button", if room.unread > 0 { "jump has-unread" } else { "jump" })
            .click(calls(Scroll::to_end))
            .child(icon(Shape::Down))
            .text(view.language().jump_to_newest(room.unread))
    });
    classed("div", "messages-frame").child(list.child(content)).maybe(jump)
}

/// What stood in sight for a moment is read.
#[hook]
fn use_reading(view: &View, room: Option<&Room>, reads: bool) {
    let intend = view.intend.clone();
    let room = room.filter(|_| reads).map(|room| room.name.clone());
    use_effect_at(reads.into(), move || {
        let Some(room) = room else { return nothing() };
        Box::new(Timeout::new(READING_MS, move || intend.emit(Intent::Read(room))))
    });
}

fn empty(view: &View, room: &Room) -> Tag {
    let text = match (room.standing == Standing::Joined, view.state.companion(&room.name)) {
        (false, _) => Text::Joining,
        (true, Some(_)) => Text::EmptyPrivate,
        (true, None) => Text::EmptyRoom,
    };
    classed("p", "messages-empty").text(view.text(text))
}

fn show(view: &View, item: Item) -> Html {
    let language = view.language();
    let row = match item {
        Item::FurtherUp => {
            classed("li", "aside-row").key("further-up").text(view.text(Text::FurtherUp))
        }
        Item::Day(moment) => {
            let day = tag("h2").text(calendar::day(moment, language));
            classed("li", "day").key(&keyed("day", moment.day.unsigned_abs())).child(day)
        }
        Item::UnreadLine => {
            let line = tag("span").text(view.text(Text::NewMessages));
            classed("li", "unread-line").key("unread-line").child(line)
        }
        Item::Said { said, sending, leads } => {
            let (key, intend) = (said.key.clone(), view.intend.clone());
            let row = MessageRowProps { said, sending, leads, language, intend };
            return component::<MessageRow>(row, &key);
        }
        Item::Notice(notice) => notice_row(&notice, language).key(&keyed("notice", notice.number)),
        Item::Resync { piece, reason } => classed("li", "resync")
            .key(&keyed("resync", piece))
            .with("data-testid", "resync")
            .child(icon(Shape::Break))
            .child(tag("p").text(view.text(resync_text(reason)))),
    };
    row.into()
}

fn keyed(kind: &str, of: u32) -> String {
    [kind, &number(of)].concat()
}

fn resync_text(reason: ResyncReason) -> Text {
    match reason {
        ResyncReason::EpochChanged | ResyncReason::CursorAhead => Text::ResyncEpoch,
        ResyncReason::Pruned => Text::ResyncPruned,
        ResyncReason::Unknown => Text::ResyncUnknown,
    }
}
