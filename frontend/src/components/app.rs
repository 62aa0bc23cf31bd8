//! The whole page: its state, what stands behind it, and which screen is shown.

use std::rc::Rc;

use yew::prelude::*;

use crate::{
    browser,
    courtyard::{Courtyard, Intent, Store},
    i18n::{Language, Text},
    router::{self, Route},
    state::{Stage, State},
    storage,
};

use super::{hall::Hall, name_screen::NameScreen, view::View};

/// The page.
#[component]
pub fn App() -> Html {
    let store = use_reducer(|| Store(Rc::new(remembered())));
    let courtyard = use_mut_ref(|| None::<Rc<Courtyard>>);
    let intend = {
        let courtyard = courtyard.clone();
        use_callback((), move |intent: Intent, ()| {
            let courtyard = courtyard.borrow().clone();
            if let Some(courtyard) = courtyard {
                courtyard.wants(intent);
            }
        })
    };
    {
        let dispatch = store.dispatcher();
        use_effect_with((), move |()| {
            *courtyard.borrow_mut() = Some(Courtyard::open(dispatch));
        });
    }
    let route = router::use_route();
    {
        let intend = intend.clone();
        use_effect_with(route.clone(), move |route| intend.emit(Intent::Show(route.clone())));
    }
    let state = store.0.clone();
    use_document(&state);
    html! {
        <ContextProvider<View> context={View { state: state.clone(), intend }}>
            { screen(&state, route) }
        </ContextProvider<View>>
    }
}

fn screen(state: &State, route: Route) -> Html {
    match state.stage {
        Stage::Starting => html! {
            <main class="opening" aria-busy="true"><p>{ state.language.text(Text::Loading) }</p></main>
        },
        Stage::Naming { trouble, busy } => html! { <NameScreen {trouble} {busy} /> },
        Stage::Inside => html! { <Hall {route} /> },
    }
}

/// What was chosen earlier, or what the browser prefers.
fn remembered() -> State {
    let preferred = || Language::from_tag(&browser::preferred_language());
    State {
        language: storage::language().unwrap_or_else(preferred),
        theme: storage::theme(),
        ..State::default()
    }
}

/// Keeps title, language and colours of the document as the state has them.
#[hook]
fn use_document(state: &State) {
    use_effect_with(title(state), |title| browser::document().set_title(title));
    use_effect_with(state.language, |language| {
        browser::set_root_attribute("lang", Some(language.tag()));
    });
    use_effect_with(state.theme, |theme| {
        browser::set_root_attribute("data-theme", theme.attribute());
    });
}

fn title(state: &State) -> String {
    let product = state.language.text(Text::Product);
    let place = state.current.as_ref().map(|room| match state.companion(room) {
        Some(companion) => companion.name.to_string(),
        None => format!("#{room}"),
    });
    let title = place.map_or_else(|| product.to_owned(), |place| format!("{place} · {product}"));
    match state.unread() {
        0 => title,
        unread => format!("({unread}) {title}"),
    }
}
