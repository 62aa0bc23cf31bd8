//! A form with one field: a person's name, or a room's.

use web_sys::{Event, HtmlInputElement};
use yew::prelude::*;

use super::{
    hook::{nothing, use_effect_at, use_flag},
    tag::{classed, tag},
};

/// What the form asks.
#[derive(Properties, PartialEq)]
pub(super) struct FormProps {
    pub(super) id: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    /// What is said of a text that cannot be taken.
    pub(super) invalid: &'static str,
    /// What went wrong elsewhere.
    pub(super) trouble: Option<&'static str>,
    pub(super) button: &'static str,
    pub(super) busy: bool,
    /// Attributes of the field.
    pub(super) field: &'static [(&'static str, &'static str)],
    /// What stands in the field at first.
    pub(super) first: String,
    /// Takes the text, or says that it cannot be taken.
    pub(super) take: Callback<String, bool>,
}

#[component]
pub(super) fn Form(props: &FormProps) -> Html {
    let field = use_node_ref();
    let invalid = use_flag();
    {
        let (field, first) = (field.clone(), props.first.clone());
        use_effect_at(0, move || {
            if let Some(field) = field.cast::<HtmlInputElement>() {
                field.set_value(&first);
                let _ = field.focus();
                // Enter goes on as before; whoever types wants something else.
                field.select();
            }
            nothing()
        });
    }
    let submit = {
        let (field, invalid, take) = (field.clone(), invalid.clone(), props.take.clone());
        Callback::from(move |event: Event| {
            event.prevent_default();
            if let Some(field) = field.cast::<HtmlInputElement>() {
                invalid.set(!take.emit(field.value()));
            }
        })
    };
    let trouble = if invalid.is_set() { Some(props.invalid) } else { props.trouble };
    let input = classed("input", "field")
        .at(&field)
        .with("id", props.id)
        .with("aria-describedby", "form-note")
        .fixed(props.field)
        .set("aria-invalid", invalid.is_set().then_some("true".into()));
    let note = classed("p", if trouble.is_some() { "note trouble" } else { "note" })
        .with("id", "form-note")
        .set("role", trouble.map(|_| "alert".into()))
        .text(trouble.unwrap_or(props.hint));
    let button = classed("button", "button primary")
        .set("disabled", props.busy.then_some("disabled".into()))
        .text(props.button);
    classed("form", "form")
        .with("novalidate", "novalidate")
        .on("submit", submit)
        .child(tag("label").with("for", props.id).text(props.label))
        .child(input)
        .child(note)
        .child(button)
        .into()
}
