//! What was said in a room, and what waits to be.

use std::rc::Rc;

use common::{ResyncReason, RoomName};
use gloo_timers::callback::Timeout;
use yew::prelude::*;

use crate::{
    calendar,
    courtyard::Intent,
    i18n::Text,
    state::{
        Standing,
        arrange::{Item, arrange},
    },
};

use super::{
    icon::{Shape, icon},
    row::{MessageRow, notice_row},
    scroll::use_scroll,
    view::{View, use_view},
};

/// Milliseconds that something must be in sight to count as read.
const READING_MS: u32 = 800;

#[derive(Properties, PartialEq)]
pub(super) struct MessagesProps {
    pub(super) room: RoomName,
}

#[component]
pub(super) fn Messages(props: &MessagesProps) -> Html {
    let view = use_view();
    let room = view.state.rooms.get(&props.room).cloned();
    let (filled, spoken, unread, joined) = room.as_ref().map_or((false, 0, 0, false), |room| {
        (!room.rows.is_empty(), room.spoken, room.unread, room.standing == Standing::Joined)
    });
    let scroll = use_scroll(filled, spoken);
    let reads = !*scroll.away && view.state.attentive && unread > 0;
    use_reading(&props.room, reads, &view.intend);
    let Some(room) = room else { return Html::default() };
    let items = arrange(&room, &view.state.outbox);
    let onscroll = {
        let scroll = scroll.clone();
        Callback::from(move |_: Event| scroll.scrolled())
    };
    let (onwheel, ontouchmove, onpointerdown, onkeydown) = {
        let touched = Rc::new({
            let scroll = scroll.clone();
            move || scroll.touched()
        });
        let (wheel, touch, pointer) = (touched.clone(), touched.clone(), touched.clone());
        (
            Callback::from(move |_: WheelEvent| wheel()),
            Callback::from(move |_: TouchEvent| touch()),
            Callback::from(move |_: PointerEvent| pointer()),
            Callback::from(move |_: KeyboardEvent| touched()),
        )
    };
    let jump = {
        let scroll = scroll.clone();
        Callback::from(move |_: MouseEvent| scroll.to_end())
    };
    html! {
        <div class="messages-frame">
            <div class="messages" ref={scroll.list.clone()} role="log" aria-live="off" tabindex="0"
                aria-label={view.text(Text::Messages)} {onscroll} {onwheel} {ontouchmove} {onpointerdown} {onkeydown}>
                if items.is_empty() {
                    { empty(&view, &props.room, joined) }
                } else {
                    <ol>{ for items.into_iter().map(|item| show(&view, item)) }</ol>
                }
            </div>
            if *scroll.away {
                <button class={classes!("jump", (unread > 0).then_some("has-unread"))} onclick={jump}>
                    { icon(Shape::Down) }{ view.language().jump_to_newest(unread) }
                </button>
            }
        </div>
    }
}

/// What stood in sight for a moment is read.
#[hook]
fn use_reading(room: &RoomName, reads: bool, intend: &Callback<Intent>) {
    let intend = intend.clone();
    use_effect_with((room.clone(), reads), move |(room, reads)| {
        let room = room.clone();
        let timeout =
            reads.then(|| Timeout::new(READING_MS, move || intend.emit(Intent::Read(room))));
        move || drop(timeout)
    });
}

fn empty(view: &View, room: &RoomName, joined: bool) -> Html {
    let text = match (joined, view.state.companion(room)) {
        (false, _) => Text::Joining,
        (true, Some(_)) => Text::EmptyPrivate,
        (true, None) => Text::EmptyRoom,
    };
    html! { <p class="messages-empty">{ view.text(text) }</p> }
}

fn show(view: &View, item: Item) -> Html {
    let language = view.language();
    match item {
        Item::FurtherUp => html! {
            <li key="further-up" class="aside-row">{ view.text(Text::FurtherUp) }</li>
        },
        Item::Day(moment) => html! {
            <li key={format!("day{}", moment.day)} class="day"><h2>{ calendar::day(moment, language) }</h2></li>
        },
        Item::UnreadLine => html! {
            <li key="unread-line" class="unread-line"><span>{ view.text(Text::NewMessages) }</span></li>
        },
        Item::Said { said, sending, leads } => html! {
            <MessageRow key={&*said.key} said={said.clone()} {sending} {leads} {language} />
        },
        Item::Notice(notice) => notice_row(&notice, language),
        Item::Resync { piece, reason } => html! {
            <li key={format!("resync{piece}")} class="resync" data-testid="resync">
                { icon(Shape::Break) }<p>{ view.text(resync_text(reason)) }</p>
            </li>
        },
    }
}

fn resync_text(reason: ResyncReason) -> Text {
    match reason {
        ResyncReason::EpochChanged | ResyncReason::CursorAhead => Text::ResyncEpoch,
        ResyncReason::Pruned => Text::ResyncPruned,
        ResyncReason::Unknown => Text::ResyncUnknown,
    }
}
