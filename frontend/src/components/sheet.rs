//! What floats above the page: it takes the focus, goes at Escape, and gives the focus back.

use web_sys::{Event, HtmlDialogElement};
use yew::prelude::*;

use crate::{courtyard::Intent, i18n::Text, state::Sheet};

use super::{
    hook::{nothing, use_effect_at},
    icon::{Shape, icon_button},
    people::people_sheet,
    settings::{new_room_sheet, settings_sheet, topic_sheet},
    tag::{Tag, classed, tag},
    view::View,
};

/// The one dialog of the page, open while there is a sheet. The browser keeps the focus in it.
#[hook]
pub(super) fn use_sheet(view: &View) -> Tag {
    let dialog = use_node_ref();
    let sheet = view.state.sheet;
    {
        let dialog = dialog.clone();
        let open = sheet.is_some();
        use_effect_at(open.into(), move || {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                if open {
                    let _ = dialog.show_modal();
                } else {
                    dialog.close();
                }
            }
            nothing()
        });
    }
    let close = {
        let dialog = dialog.clone();
        Callback::from(move |_| close(&dialog))
    };
    // A click on the dialog itself, not on what is in it, is one on the backdrop.
    let click = {
        let dialog = dialog.clone();
        Callback::from(move |event: Event| {
            if event.target() == dialog.get().map(Into::into) {
                self::close(&dialog);
            }
        })
    };
    classed("dialog", "sheet")
        .with("aria-labelledby", "sheet-title")
        .at(&dialog)
        .click(click)
        .on("close", view.on(Intent::Sheet(None)))
        .maybe(sheet.map(|sheet| content(view, sheet, close)))
}

fn close(dialog: &NodeRef) {
    if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
        dialog.close();
    }
}

fn content(view: &View, sheet: Sheet, close: Callback<Event>) -> Tag {
    let title = view.text(match sheet {
        Sheet::People => Text::PeopleHere,
        Sheet::NewRoom => Text::NewRoom,
        Sheet::Settings => Text::Settings,
        Sheet::Topic => Text::Topic,
    });
    let head = classed("header", "sheet-head")
        .child(tag("h2").with("id", "sheet-title").text(title))
        .child(icon_button(Shape::Close, view.text(Text::Close), close));
    let content = classed("div", "sheet-content").child(head);
    match sheet {
        Sheet::People => people_sheet(content, view),
        Sheet::NewRoom => new_room_sheet(content, view),
        Sheet::Settings => settings_sheet(content, view),
        Sheet::Topic => topic_sheet(content, view),
    }
}
