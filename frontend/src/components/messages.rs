//! What was said in a room, and what waits to be.

use common::{ResyncReason, RoomName};
use yew::prelude::*;

use crate::{
    calendar,
    courtyard::Intent,
    i18n::Text,
    state::{
        Break, End, Room, Standing,
        arrange::{Item, arrange},
        text::number,
    },
};

use super::{
    icon::{Shape, icon},
    row::{MessageRow, MessageRowProps, done_row, notice_row},
    scroll::{Scroll, use_scroll},
    tag::{Tag, classed, component, tag},
    view::View,
};

/// The list of one room.
#[hook]
pub(super) fn use_messages(view: &View, room: &RoomName) -> Html {
    let scroll = use_scroll(view, room);
    view.state.room(room).map_or_else(Html::default, |room| frame(view, room, &scroll).into())
}

fn frame(view: &View, room: &Room, scroll: &Scroll) -> Tag {
    let calls = |then: fn(&Scroll)| {
        let scroll = scroll.clone();
        Callback::from(move |_| then(&scroll))
    };
    let touched = calls(Scroll::touched);
    let key = {
        let scroll = scroll.clone();
        Callback::from(move |event| scroll.key(&event))
    };
    let list = classed("div", "messages")
        .at(&scroll.list)
        .fixed(&[("role", "log"), ("aria-live", "off"), ("tabindex", "0")])
        .label(view.text(Text::Messages))
        .on("scroll", calls(Scroll::scrolled))
        .on("wheel", touched.clone())
        .on("touchmove", touched.clone())
        .on("pointerdown", touched)
        .on("keydown", key);
    let items = arrange(room, &view.state.outbox);
    let content = if items.is_empty() {
        empty(view, room)
    } else {
        items.into_iter().fold(tag("ol"), |list, item| list.html(show(view, room, item)))
    };
    let jump = scroll.away.is_set().then(|| {
        classed("button", if room.unread > 0 { "jump has-unread" } else { "jump" })
            .click(calls(Scroll::to_end))
            .child(icon(Shape::Down))
            .text(view.language().jump_to_newest(room.unread))
    });
    classed("div", "messages-frame").child(list.child(content)).maybe(jump)
}

fn empty(view: &View, room: &Room) -> Tag {
    let text = match (room.standing == Standing::Joined, view.state.companion(&room.name)) {
        (false, _) => Text::Joining,
        (true, Some(_)) => Text::EmptyPrivate,
        (true, None) => Text::EmptyRoom,
    };
    classed("p", "messages-empty").text(view.text(text))
}

fn show(view: &View, room: &Room, item: Item) -> Html {
    let language = view.language();
    let row = match item {
        Item::Above(end) => {
            end_row(view, room, end, "above", room.pieces.first().map(|it| room.edge_above(it)))
        }
        Item::Below(end) => end_row(view, room, end, "below", room.edge_below()),
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
            let shown = room.shows().is_some_and(|seq| said.seq() == Some(seq));
            let (room, me) = (room.name.clone(), view.state.me.as_ref().map(|me| me.id.clone()));
            let row = MessageRowProps { room, me, said, sending, leads, shown, language, intend };
            return component::<MessageRow>(row, &key);
        }
        Item::Done(done) => done_row(&done, language).key(&done.key),
        Item::Notice(notice) => notice_row(&notice, language).key(&keyed("notice", notice.number)),
        Item::Break { number, why, hole } => {
            let text = view.text(match (&hole, why) {
                (Some((End::Beginning | End::Pruned, _)) | None, _) | (_, Break::Disproved) => {
                    break_text(why)
                }
                (Some((End::More | End::Loading | End::Failed, _)), Break::Resync(_)) => Text::Hole,
            });
            let step = hole.and_then(|(end, edge)| {
                let text = match end {
                    End::More => Text::Load,
                    End::Failed => Text::TryAgain,
                    End::Loading => Text::LoadingMessages,
                    End::Beginning | End::Pruned => return None,
                };
                Some(load(view, room, edge, text))
            });
            let class = if why == Break::Disproved { "resync trouble" } else { "resync" };
            classed("li", class)
                .key(&keyed("break", number))
                .with("data-testid", "resync")
                .child(icon(Shape::Break))
                .child(tag("p").text(text))
                .maybe(step)
        }
    };
    row.into()
}

/// How it goes on beyond the rows.
fn end_row(
    view: &View,
    room: &Room,
    end: End,
    key: &'static str,
    edge: Option<session::Edge>,
) -> Tag {
    let text = match end {
        End::More | End::Loading => Text::LoadingMessages,
        End::Failed => Text::NotLoaded,
        End::Beginning => Text::Beginning,
        End::Pruned => Text::NotKeptBefore,
    };
    let again = edge.filter(|_| end == End::Failed);
    classed("li", "aside-row end-row")
        .key(key)
        .with("data-testid", key)
        .text(view.text(text))
        .maybe(again.map(|edge| load(view, room, edge, Text::TryAgain)))
}

fn load(view: &View, room: &Room, edge: session::Edge, text: Text) -> Tag {
    classed("button", "button small")
        .click(view.on(Intent::History(room.name.clone(), edge)))
        .text(view.text(text))
}

fn keyed(kind: &str, of: u32) -> String {
    [kind, &number(of)].concat()
}

fn break_text(why: Break) -> Text {
    match why {
        Break::Disproved => Text::Disproved,
        Break::Resync(reason) => match reason {
            ResyncReason::EpochChanged | ResyncReason::CursorAhead => Text::ResyncEpoch,
            ResyncReason::Pruned => Text::ResyncPruned,
            ResyncReason::Unknown => Text::ResyncUnknown,
        },
    }
}
