//! Looking for what was said. The field belongs to the browser, as the composer's does: its value
//! is never written while a syllable is being composed, and it is read when something is asked.

use std::rc::Rc;

use common::{ErrorCode, RoomName};
use web_sys::{Element, Event, HtmlInputElement};
use yew::prelude::*;

use crate::{
    browser, calendar,
    courtyard::Intent,
    i18n::Text,
    state::{Hit, Progress, Trouble, search::Part, text::number},
};

use super::{
    hook::{nothing, use_effect_at},
    icon::{Shape, icon, icon_button},
    keys,
    settings::{choice, option},
    tag::{Tag, classed, copied, tag},
    toast::trouble_text,
    view::View,
};

/// The pane in which one looks for something, while it is open.
#[hook]
pub(super) fn use_search(view: &View) -> Option<Tag> {
    let (field, list) = (use_node_ref(), use_node_ref());
    let search = &view.state.search;
    {
        let (field, words) = (field.clone(), search.words.clone());
        use_effect_at(search.opened.into(), move || {
            if let Some(field) = field.cast::<HtmlInputElement>() {
                if field.value().is_empty() {
                    field.set_value(&words);
                }
                let _ = field.focus();
                field.select();
            }
            nothing()
        });
    }
    // Whoever asked for more goes on reading where it begins.
    let answered = search.progress == Progress::Answered;
    let fresh = u32::try_from(search.fresh).ok().filter(|_| answered).unwrap_or(0);
    {
        let list = list.clone();
        use_effect_at(fresh.into(), move || {
            let hit = list.cast::<Element>().filter(|_| fresh > 0);
            if let Some(hit) = hit.and_then(|list| list.children().item(fresh)) {
                browser::focus_in(&hit, "button");
            }
            nothing()
        });
    }
    (search.opened > 0).then(|| pane(view, &field, &list))
}

fn pane(view: &View, field: &NodeRef, list: &NodeRef) -> Tag {
    let close = closes(view);
    let head = classed("header", "search-head")
        .child(tag("h2").text(view.text(Text::Search)))
        .child(icon_button(Shape::Close, view.text(Text::Close), close.clone()));
    let key = Callback::from(move |event: Event| match keys::name(&event).as_deref() {
        Some("Escape") => {
            event.prevent_default();
            close.emit(event);
        }
        Some("ArrowDown") if keys::target(&event).is_some_and(|it| it.id() == "search") => {
            browser::focus(".hit");
        }
        Some("ArrowDown") => keys::step(&event, true, ".hit"),
        Some("ArrowUp") => keys::step(&event, false, ".hit"),
        Some(_) | None => {}
    });
    classed("aside", "search")
        .label(view.text(Text::Search))
        .with("data-testid", "search")
        .on("keydown", key)
        .child(head)
        .child(form(view, field))
        .child(classed("div", "search-found").child(note(view)).maybe(hits(view, list)))
}

/// Closes the pane; the focus goes back to where one writes.
fn closes(view: &View) -> Callback<Event> {
    let close = view.on(Intent::Search(false));
    Callback::from(move |event| {
        close.emit(event);
        if !browser::is_touch() {
            // The conversation may be hidden until the pane is gone.
            browser::soon(|| browser::focus("#composer"));
        }
    })
}

fn form(view: &View, field: &NodeRef) -> Tag {
    const FIELD: &[(&str, &str)] = &[
        ("id", "search"),
        ("autocomplete", "off"),
        ("enterkeyhint", "search"),
        ("aria-describedby", "search-note"),
    ];
    let here = view.state.current_room().map(|room| &room.name);
    let everywhere = here.is_none() || view.state.search.everywhere;
    let label = view.text(Text::SearchLabel);
    let input = classed("input", "field").at(field).fixed(FIELD).with("placeholder", label);
    let ask = asks(view, field, here.filter(|_| !everywhere));
    let scopes = here.map(|here| {
        let scope = |room: Option<&RoomName>, text| {
            let chosen = room.is_none() == everywhere;
            option("scope", chosen, asks(view, field, room), view.text(text))
        };
        choice(view, Text::SearchWhere)
            .child(scope(Some(here), Text::ThisRoom))
            .child(scope(None, Text::AllRooms))
    });
    let send = view.text(Text::Search);
    let line = classed("div", "search-line").child(input).child(
        classed("button", "icon-button").label(send).with("title", send).child(icon(Shape::Search)),
    );
    classed("form", "search-form")
        .with("role", "search")
        .on("submit", ask)
        .child(classed("label", "visually-hidden").with("for", "search").text(label))
        .child(line)
        .maybe(scopes)
}

/// Asks for what stands in the field.
fn asks(view: &View, field: &NodeRef, room: Option<&RoomName>) -> Callback<Event> {
    let (intend, field, room) = (view.intend.clone(), field.clone(), room.cloned());
    Callback::from(move |event: Event| {
        event.prevent_default();
        if let Some(field) = field.cast::<HtmlInputElement>() {
            intend.emit(Intent::Ask(field.value(), room.clone()));
        }
    })
}

/// How far it is, and what went wrong.
fn note(view: &View) -> Tag {
    let (search, language) = (&view.state.search, view.language());
    let fixed = |text| AttrValue::Static(view.text(text));
    let mut class = "note";
    let text = match search.progress {
        Progress::Idle => fixed(Text::SearchHint),
        Progress::Asking => {
            class = "note search-waits";
            fixed(Text::Searching)
        }
        Progress::Answered if search.hits.is_empty() => {
            let all = search.everywhere;
            let hint = if all { Text::FewerWords } else { Text::FewerWordsOrAllRooms };
            let hint = view.text(hint);
            [&language.found_nothing(&search.words), " ", hint].concat().into()
        }
        Progress::Answered => language.found(search.hits.len(), search.next.is_some()).into(),
        Progress::Failed(failure) => {
            class = "note trouble";
            match (failure.trouble, failure.retry_after_ms) {
                (Trouble::Refused(ErrorCode::RateLimited), Some(ms)) => {
                    language.search_again_in(ms.div_ceil(1000)).into()
                }
                (Trouble::Refused(ErrorCode::Validation), _) => fixed(Text::SearchWords),
                (trouble, _) => AttrValue::Static(trouble_text(trouble, language)),
            }
        }
    };
    classed("p", class).fixed(&[("id", "search-note"), ("role", "status")]).text(text)
}

fn hits(view: &View, list: &NodeRef) -> Option<Tag> {
    let search = &view.state.search;
    if search.hits.is_empty() {
        return None;
    }
    let room = view.state.current.clone().filter(|_| !search.everywhere);
    let more = search.next.clone().map(|page| {
        let more = Intent::AskForMore(search.words.clone(), room, page);
        classed("button", "button small").click(view.on(more)).text(view.text(Text::More))
    });
    let list = tag("ol").at(list);
    let list = search.hits.iter().fold(list, |list, it| list.child(hit(view, it)));
    Some(tag("div").child(list).maybe(more))
}

fn hit(view: &View, hit: &Rc<Hit>) -> Tag {
    let language = view.language();
    let place = view.state.search.everywhere.then(|| {
        let place = classed("span", "hit-room");
        match view.state.companion(&hit.room) {
            Some(companion) => place.child(icon(Shape::Lock)).text(copied(companion.name.as_str())),
            None => place.child(icon(Shape::Hash)).text(copied(hit.room.as_str())),
        }
    });
    let time = classed("time", "message-time")
        .with("title", calendar::full(hit.moment, language))
        .text(calendar::short(hit.moment, language));
    let head = classed("span", "hit-head")
        .child(classed("span", "message-author").text(copied(hit.author.name.as_str())))
        .child(time);
    let text = classed("span", "hit-text").with("dir", "auto");
    let text = hit.parts.iter().fold(text, |text, (part, marked): &Part| match marked {
        true => text.child(tag("mark").text(part.clone())),
        false => text.text(part.clone()),
    });
    let button = classed("button", "hit")
        .click(view.on(Intent::Seek(hit.clone())))
        .maybe(place)
        .child(head)
        .child(text);
    let key = [hit.room.as_str(), "/", &number(hit.seq)].concat();
    tag("li").key(&key).child(button)
}
