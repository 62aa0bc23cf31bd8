//! Somebody's first syllable in a circle of their own tint.

use common::Member;

use crate::state::text::{initial, tint};

use super::tag::{Tag, classed};

/// The circle's classes, by tint; `avatar.css` has the colours.
const TINTS: [&str; 8] = [
    "avatar tint-0",
    "avatar tint-1",
    "avatar tint-2",
    "avatar tint-3",
    "avatar tint-4",
    "avatar tint-5",
    "avatar tint-6",
    "avatar tint-7",
];

/// The circle.
pub(super) fn avatar(member: &Member) -> Tag {
    classed("span", TINTS[tint(&member.id)])
        .with("aria-hidden", "true")
        .text(initial(member.name.as_str()))
}
