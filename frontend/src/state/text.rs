//! Small questions about texts.

use std::rc::Rc;

use common::{Entry, RoomName, UserId};

/// How many tints an avatar may have; `avatar.css` has a class for each.
pub const TINTS: usize = 1 << 3;

/// Which tint somebody has: always the same one.
#[must_use]
pub fn tint(id: &UserId) -> usize {
    // FNV-1a: short, and spreads short ids well.
    let hash = id
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    // Its high bits hardly differ between ids that end alike: stir once more.
    ((hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d) >> 29) as usize
}

/// A number in digits.
#[must_use]
pub fn number(number: impl Into<u64>) -> String {
    number.into().to_string()
}

/// What stands in an avatar: the first syllable or letter.
#[must_use]
pub fn initial(name: &str) -> String {
    name.chars().next().map(|first| first.to_ascii_uppercase().to_string()).unwrap_or_default()
}

/// Whether a text is nothing but a few emoji, which are shown larger.
#[must_use]
pub fn is_emoji_only(body: &str) -> bool {
    const EMOJI_MAX: usize = 6;
    let mut count = 0;
    for c in body.trim().chars() {
        match c {
            '\u{200d}' | '\u{fe0f}' | ' ' | '\u{1f3fb}'..='\u{1f3ff}' => {}
            '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}' => {
                count += 1;
            }
            _ => return false,
        }
    }
    (1..=EMOJI_MAX).contains(&count)
}

/// What a screen reader says of a new message.
#[must_use]
pub fn announcement(entry: &Entry) -> Rc<str> {
    [entry.author.name.as_str(), ": ", &entry.body].concat().into()
}

/// The room of two people, the same one whoever opens it. `None` when the ids make no room's name.
#[must_use]
pub fn private_room(one: &UserId, other: &UserId) -> Option<RoomName> {
    // Two such parts, `dm-` and the dash between fit into the 64 characters of a room's name.
    const PART_CHARS_MAX: usize = 30;
    let part = |id: &UserId| {
        let part: String = id.as_str().chars().take(PART_CHARS_MAX).collect();
        part.to_ascii_lowercase()
    };
    let (one, other) = (part(one), part(other));
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    RoomName::new(["dm-", &first, "-", &second].concat()).ok()
}

/// What a person typed, in lower case already, as a room's name: dashes for spaces.
#[must_use]
pub fn room_name_from(typed: &str) -> String {
    let words: Vec<&str> = typed.trim().trim_start_matches('#').split_whitespace().collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_few_emoji_and_nothing_else_are_large() {
        for (body, expected) in [
            ("🎉", true),
            ("👩‍🚀 ❤️", true),
            ("🎉!", false),
            ("1", false),
            ("", false),
            ("🎉🎉🎉🎉🎉🎉🎉", false),
        ] {
            assert_eq!(is_emoji_only(body), expected, "{body}");
        }
    }

    #[test]
    fn a_private_room_has_one_name_whoever_opens_it() {
        let (one, other) = (UserId::new("uB2").unwrap(), UserId::new("ua1").unwrap());
        assert_eq!(private_room(&one, &other), private_room(&other, &one));
        assert_eq!(private_room(&one, &other).unwrap().as_str(), "dm-ua1-ub2");
        let long = UserId::new("f".repeat(64)).unwrap();
        assert!(private_room(&one, &long).is_some());
        assert!(private_room(&long, &long).is_some());
    }

    #[test]
    fn a_typed_name_becomes_a_rooms_name() {
        for (typed, expected) in
            [(" #general ", "general"), ("점심 모임", "점심-모임"), ("a  b", "a-b"), ("", "")]
        {
            assert_eq!(room_name_from(typed), expected);
        }
    }

    #[test]
    fn an_avatar_shows_the_first_syllable() {
        assert_eq!(initial("하나"), "하");
        assert_eq!(initial("ada"), "A");
        assert!(tint(&UserId::new("u1").unwrap()) < TINTS);
    }
}
