//! What floats above the page: it takes the focus, goes at Escape, and gives the focus back.

use web_sys::HtmlDialogElement;
use yew::prelude::*;

use crate::{courtyard::Intent, i18n::Text};

use super::{
    icon::{Shape, icon},
    view::use_view,
};

#[derive(Properties, PartialEq)]
pub(super) struct FloatingProps {
    pub(super) title: AttrValue,
    #[prop_or_default]
    pub(super) children: Html,
}

/// The browser's own dialog does the keeping of focus.
#[component]
pub(super) fn Floating(props: &FloatingProps) -> Html {
    let view = use_view();
    let dialog = use_node_ref();
    {
        let dialog = dialog.clone();
        use_effect_with((), move |()| {
            let dialog = dialog.cast::<HtmlDialogElement>();
            if let Some(dialog) = &dialog {
                let _ = dialog.show_modal();
            }
            move || {
                if let Some(dialog) = dialog {
                    dialog.close();
                }
            }
        });
    }
    let close = {
        let dialog = dialog.clone();
        Callback::from(move |()| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                dialog.close();
            }
        })
    };
    // A click on the dialog itself, not on what is in it, is one on the backdrop.
    let onclick = {
        let (dialog, close) = (dialog.clone(), close.clone());
        Callback::from(move |event: MouseEvent| {
            let dialog = dialog.cast::<HtmlDialogElement>();
            if event.target() == dialog.map(Into::into) {
                close.emit(());
            }
        })
    };
    html! {
        <dialog class="sheet" ref={dialog} aria-labelledby="sheet-title" {onclick}
            onclose={view.on(Intent::Sheet(None))}>
            <div class="sheet-content">
                <header class="sheet-head">
                    <h2 id="sheet-title">{ props.title.clone() }</h2>
                    <button class="icon-button" aria-label={view.text(Text::Close)}
                        onclick={close.reform(|_: MouseEvent| ())}>
                        { icon(Shape::Close) }
                    </button>
                </header>
                { props.children.clone() }
            </div>
        </dialog>
    }
}
