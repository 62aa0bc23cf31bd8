//! Somebody's first syllable in a circle of their own tint.

use common::Member;
use yew::prelude::*;

use crate::state::text::{initial, tint};

/// The circle; `size` is a class of it.
pub(super) fn avatar(member: &Member, size: Option<&'static str>) -> Html {
    let tint = format!("tint-{}", tint(&member.id));
    html! {
        <span class={classes!("avatar", tint, size)} aria-hidden="true">
            { initial(member.name.as_str()) }
        </span>
    }
}
