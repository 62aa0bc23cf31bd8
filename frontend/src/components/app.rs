//! The whole page: its state, what stands behind it, and which screen is shown.

use std::{cell::OnceCell, rc::Rc};

use gloo_events::EventListener;
use yew::prelude::*;

use crate::{
    browser,
    courtyard::{Courtyard, Intent, Store},
    i18n::{Language, Text},
    router,
    state::{Stage, State, text::number},
    storage,
};

use super::{
    banner::use_banner,
    hall::{hall, hears_keys},
    hook::use_effect_at,
    name_screen::name_screen,
    search::use_search,
    sheet::use_sheet,
    tag::{classed, tag},
    toast::use_passing_notice,
    view::View,
};

/// The page.
#[component]
pub fn App() -> Html {
    let store = use_reducer(|| Store(Rc::new(remembered())));
    let behind = use_mut_ref(Behind::default);
    let Behind { courtyard, intend } = behind.borrow().clone();
    {
        let (dispatch, intend) = (store.dispatcher(), intend.clone());
        use_effect_at(0, move || {
            courtyard.get_or_init(|| Courtyard::open(dispatch));
            let keys = hears_keys(intend.clone());
            let moved = move |_: &_| intend.emit(Intent::Show(router::current()));
            let back = EventListener::new(&browser::window(), "popstate", moved);
            Box::new([back, keys])
        });
    }
    let view = View { state: store.0.clone(), intend };
    use_passing_notice(&view);
    let (banner, search, sheet) = (use_banner(&view), use_search(&view), use_sheet(&view));
    {
        let state = view.state.clone();
        use_effect(move || set_document(&state));
    }
    match view.state.stage {
        Stage::Starting => {
            let text = tag("p").text(view.text(Text::Loading));
            classed("main", "opening").with("aria-busy", "true").child(text).into()
        }
        Stage::Naming { trouble, busy } => name_screen(&view, trouble, busy).into(),
        Stage::Inside => hall(&view, &router::current(), banner, search, sheet),
    }
}

/// What stands behind the page, once it is there, and the one way to speak to it.
#[derive(Clone)]
struct Behind {
    courtyard: Rc<OnceCell<Rc<Courtyard>>>,
    intend: Callback<Intent>,
}

impl Default for Behind {
    fn default() -> Self {
        let courtyard = Rc::new(OnceCell::<Rc<Courtyard>>::new());
        let hears = courtyard.clone();
        let intend = Callback::from(move |intent| {
            if let Some(courtyard) = hears.get() {
                courtyard.wants(intent);
            }
        });
        Self { courtyard, intend }
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
fn set_document(state: &State) {
    let (document, title) = (browser::document(), title(state));
    if document.title() != title {
        document.set_title(&title);
    }
    browser::set_root_attribute("lang", Some(state.language.tag()));
    browser::set_root_attribute("data-theme", state.theme.attribute());
}

fn title(state: &State) -> String {
    let product = state.language.text(Text::Product);
    let unread = match state.unread() {
        0 => String::new(),
        unread => ["(", &number(unread), ") "].concat(),
    };
    let Some(room) = &state.current else { return [&unread, product].concat() };
    let (hash, place) = match state.companion(room) {
        Some(companion) => ("", companion.name.as_str()),
        None => ("#", room.as_str()),
    };
    [&unread, hash, place, " · ", product].concat()
}
