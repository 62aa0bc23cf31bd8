//! Somebody's first syllable in a circle of their own tint.

use common::Member;
use yew::prelude::*;

use crate::state::text::{initial, tint};

#[derive(Properties, PartialEq)]
pub(super) struct AvatarProps {
    pub(super) member: Member,
    #[prop_or_default]
    pub(super) small: bool,
}

#[component]
pub(super) fn Avatar(props: &AvatarProps) -> Html {
    let tint = format!("tint-{}", tint(&props.member.id));
    html! {
        <span class={classes!("avatar", tint, props.small.then_some("small"))} aria-hidden="true">
            { initial(props.member.name.as_str()) }
        </span>
    }
}
