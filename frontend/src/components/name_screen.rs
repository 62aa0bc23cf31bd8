//! The gate: a name, and one is in.

use common::UserName;
use yew::prelude::*;

use crate::{browser, courtyard::Intent, i18n::Text, state::Trouble, storage};

use super::{
    form::{Form, FormProps},
    icon::mark,
    settings::language_choice,
    tag::{Tag, classed, component, tag},
    toast::trouble_text,
    view::View,
};

pub(super) fn name_screen(view: &View, trouble: Option<Trouble>, busy: bool) -> Tag {
    let slogan = classed("p", "gate-slogan").text(view.text(Text::Slogan));
    let card = classed("div", "gate-card")
        .child(mark())
        .child(tag("h1").text(view.text(Text::Product)))
        .child(slogan)
        .html(component::<Form>(form(view, trouble, busy), "name"));
    classed("main", "gate").child(card).child(language_choice(view))
}

fn form(view: &View, trouble: Option<Trouble>, busy: bool) -> FormProps {
    let intend = view.intend.clone();
    let take = move |typed: String| {
        let name = UserName::new(browser::composed(typed.trim()));
        name.map(|name| intend.emit(Intent::Enter(name))).is_ok()
    };
    FormProps {
        id: "name",
        label: view.text(Text::NameLabel),
        hint: view.text(Text::NameHint),
        invalid: view.text(Text::NameInvalid),
        trouble: trouble.map(|trouble| trouble_text(trouble, view.language())),
        button: view.text(if busy { Text::Entering } else { Text::Enter }),
        busy,
        field: &[("autocomplete", "nickname"), ("maxlength", "80")],
        first: storage::name().map_or_else(String::new, |name| name.as_str().to_owned()),
        take: Callback::from(take),
    }
}
