//! The sheets in which something is chosen: language, colours, leaving, a new room.

use common::{RoomName, Topic};
use session::Content;
use web_sys::Event;
use yew::prelude::*;

use crate::{
    browser,
    courtyard::Intent,
    i18n::{Language, Text},
    state::{Theme, text::room_name_from},
};

use super::{
    form::{Form, FormProps},
    tag::{Tag, classed, component, tag},
    toast::trouble_text,
    view::View,
};

/// Language, colours, leaving.
pub(super) fn settings_sheet(sheet: Tag, view: &View) -> Tag {
    let colours = Theme::ALL.into_iter().fold(choice(view, Text::Colours), |choice, theme| {
        let text = match theme {
            Theme::System => Text::ThemeSystem,
            Theme::Light => Text::ThemeLight,
            Theme::Dark => Text::ThemeDark,
        };
        let chosen = view.state.theme == theme;
        choice.child(option("theme", chosen, view.on(Intent::Theme(theme)), view.text(text)))
    });
    let sign_out =
        classed("button", "button").click(view.on(Intent::SignOut)).text(view.text(Text::SignOut));
    let foot = classed("div", "sheet-foot")
        .child(classed("p", "note").text(view.text(Text::SignOutHint)))
        .child(sign_out);
    sheet.child(language_choice(view)).child(colours).child(foot)
}

/// Which language; each under its own name.
pub(super) fn language_choice(view: &View) -> Tag {
    Language::ALL.into_iter().fold(choice(view, Text::Language), |choice, language| {
        let chosen = view.language() == language;
        let then = view.on(Intent::Language(language));
        let option = option("language", chosen, then, language.own_name());
        choice.child(option.with("lang", language.tag()))
    })
}

/// One of several things, under a name for all of them.
pub(super) fn choice(view: &View, legend: Text) -> Tag {
    classed("fieldset", "choice").child(tag("legend").text(view.text(legend)))
}

/// One of the things; `then` hears that it was chosen.
pub(super) fn option(
    group: &'static str,
    chosen: bool,
    then: Callback<Event>,
    text: &'static str,
) -> Tag {
    let radio =
        tag("input").with("type", "radio").with("name", group).checked(chosen).on("change", then);
    tag("label").child(radio).child(tag("span").text(text))
}

/// A name for a new room.
pub(super) fn new_room_sheet(sheet: Tag, view: &View) -> Tag {
    const FIELD: &[(&str, &str)] = &[
        ("autocomplete", "off"),
        ("autocapitalize", "off"),
        ("maxlength", "64"),
        ("autofocus", "autofocus"),
    ];
    let intend = view.intend.clone();
    let take = move |typed: String| {
        let name = room_name_from(&browser::lower_case(&browser::composed(&typed)));
        RoomName::new(name).map(|room| intend.emit(Intent::Create(room))).is_ok()
    };
    let form = FormProps {
        id: "room-name",
        label: view.text(Text::RoomNameLabel),
        hint: view.text(Text::RoomNameHint),
        invalid: view.text(Text::RoomNameInvalid),
        trouble: view.state.trouble.map(|trouble| trouble_text(trouble, view.language())),
        button: view.text(Text::Create),
        busy: false,
        field: FIELD,
        first: String::new(),
        take: Callback::from(take),
    };
    sheet.html(component::<Form>(form, "room"))
}

/// What the room is about.
pub(super) fn topic_sheet(sheet: Tag, view: &View) -> Tag {
    let Some(room) = view.state.current_room() else { return sheet };
    let (intend, name) = (view.intend.clone(), room.name.clone());
    let take = move |typed: String| {
        let topic = Topic::new(browser::composed(typed.trim()));
        let written = topic.map(|topic| Intent::Write(name.clone(), Content::Topic(topic)));
        written
            .map(|written| {
                intend.emit(written);
                intend.emit(Intent::Sheet(None));
            })
            .is_ok()
    };
    let form = FormProps {
        id: "topic",
        label: view.text(Text::Topic),
        hint: view.text(Text::TopicHint),
        invalid: view.text(Text::TopicHint),
        trouble: None,
        button: view.text(Text::Save),
        busy: false,
        field: &[("autocomplete", "off")],
        first: room.topic.to_string(),
        take: Callback::from(take),
    };
    sheet.html(component::<Form>(form, "topic"))
}
