//! The few pictures of the page, drawn on a grid of 20 by 20.

use web_sys::Event;
use yew::Callback;

use super::tag::{Tag, classed, tag};

/// Which picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Hash,
    Plus,
    Back,
    People,
    Leave,
    Settings,
    Send,
    Close,
    Down,
    Lock,
    Warning,
    Break,
    Check,
    Smile,
    Pencil,
    Bin,
    Search,
}

impl Shape {
    fn path(self) -> &'static str {
        match self {
            Self::Hash => "M8 3.5 6.5 16.5M13.5 3.5 12 16.5M4 7.5h13M3 12.5h13",
            Self::Plus => "M10 4v12M4 10h12",
            Self::Back => "M12 4.5 6.5 10l5.5 5.5",
            Self::People => {
                "M7.5 9a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5ZM2.5 16c.3-2.8 2.3-4.5 5-4.5s4.7 1.7 5 4.5M13 4a2.5 2.5 0 0 1 0 4.8M14.5 11.8c1.7.600 2.8 2.1 3 4.2"
            }
            Self::Leave => "M8 3.5H4.5v13H8M12.5 6.5 16 10l-3.5 3.5M16 10H8",
            Self::Settings => {
                "M3 6h6M13 6h4M3 14h3M10 14h7M11 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM8 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z"
            }
            Self::Send => "M10 16V4.5M5 9l5-5 5 5",
            Self::Close => "m5 5 10 10M15 5 5 15",
            Self::Down => "M10 4v11.5M5 11l5 5 5-5",
            Self::Lock => "M6.5 9V6.5a3.5 3.5 0 0 1 7 0V9M5 9h10v7.5H5Z",
            Self::Warning => "M10 3 2.5 16.5h15ZM10 8v4M10 14.3v.1",
            Self::Break => "M3 10h3l1.5-4 2 8 2-8 1.5 4h4",
            Self::Check => "m4 10.5 4 4 8-9",
            Self::Smile => {
                "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM7 11.5c1.5 2 4.5 2 6 0M7.5 8v.1M12.5 8v.1"
            }
            Self::Pencil => {
                "m4 16 .7-3.200L13 4.400l2.600 2.600-8.400 8.300ZM11.300 6.100l2.600 2.600"
            }
            Self::Search => "M9 15a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM13.500 13.500 17 17",
            Self::Bin => "M4 6h12M8 6V4h4v2M5.500 6l.8 10.500h7.400L14.500 6",
        }
    }
}

/// A picture beside a text, or within a button that has a label.
pub(super) fn icon(shape: Shape) -> Tag {
    const CANVAS: &[(&str, &str)] = &[
        ("class", "icon"),
        ("viewBox", "0 0 20 20"),
        ("aria-hidden", "true"),
        ("focusable", "false"),
    ];
    tag("svg").fixed(CANVAS).child(tag("path").with("d", shape.path()))
}

/// The courtyard seen from above: a house on four sides, and who meets within.
pub(super) fn mark() -> Tag {
    const CANVAS: &[(&str, &str)] = &[
        ("class", "mark"),
        ("viewBox", "0 0 32 32"),
        ("aria-hidden", "true"),
        ("focusable", "false"),
    ];
    const HOUSE: &[(&str, &str)] = &[
        ("class", "mark-house"),
        ("d", "M13 4H8a4 4 0 0 0-4 4v16a4 4 0 0 0 4 4h16a4 4 0 0 0 4-4V8a4 4 0 0 0-4-4h-5"),
    ];
    let person = |x| tag("circle").fixed(&[("cy", "17"), ("r", "2.6")]).with("cx", x);
    let house = tag("path").fixed(HOUSE);
    tag("svg").fixed(CANVAS).child(house).child(person("12.5")).child(person("19.5"))
}

/// A button that is a picture: its label is its tooltip too.
pub(super) fn icon_button(shape: Shape, label: &'static str, then: Callback<Event>) -> Tag {
    classed("button", "icon-button")
        .label(label)
        .with("title", label)
        .click(then)
        .child(icon(shape))
}
