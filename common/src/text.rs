//! Names and ids: each is a newtype whose constructor checks, so that whoever holds one need not.
//!
//! All of them are cheap to clone: the text is shared.

use std::{fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

use crate::limits::{
    BODY_BYTES_MAX, BODY_CHARS_MAX, EMOJI_CHARS_MAX, ID_CHARS_MAX, ROOM_NAME_CHARS_MAX,
    TIMESTAMP_CHARS_MAX, TOPIC_CHARS_MAX, USER_NAME_CHARS_MAX,
};

/// Why a text is not a name, an id or a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing, or nothing but space.
    #[error("it is empty")]
    Empty,
    /// More characters or bytes than allowed.
    #[error("it is too long")]
    TooLong,
    /// A character that is not allowed here.
    #[error("it holds a character that is not allowed here")]
    Character,
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text and takes it.
            ///
            /// # Errors
            /// Says which rule the text breaks.
            pub fn new(text: impl AsRef<str>) -> Result<Self, TextError> {
                let text = text.as_ref();
                $check(text)?;
                Ok(Self(text.into()))
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                /// Takes the text from where it stands, without a copy in between.
                struct Text;

                impl Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a string")
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        $name::new(text).map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Text)
            }
        }
    };
}

checked_text!(
    /// The name of a room: 1 to 64 lower-case letters, digits, `-` and `_`, in any script.
    /// Hangul stands in composed syllables (NFC), so that one name is one room.
    RoomName,
    check_room_name
);
checked_text!(
    /// Who somebody is: an opaque token made by the server.
    UserId,
    check_token
);
checked_text!(
    /// What somebody is called: 1 to 40 characters on one line. Two people may share a name.
    UserName,
    check_user_name
);
checked_text!(
    /// The name of a message, made by its sender: a token unique for that author.
    /// 128 random or time-ordered bits (UUID version 7) are expected.
    MessageId,
    check_token
);
checked_text!(
    /// The life of a room's log. When the log began anew, its epoch is another one.
    Epoch,
    check_token
);
checked_text!(
    /// One connection, for logs and for people who report a fault.
    ConnectionId,
    check_token
);
checked_text!(
    /// What was said: 1 to 4,000 characters in at most 16 KiB, not only space.
    Body,
    check_body
);
checked_text!(
    /// What a room is about: up to 250 characters on one line, or nothing.
    Topic,
    check_topic
);
checked_text!(
    /// A sign put on a post: 1 to 16 characters without space, meant for one emoji.
    Emoji,
    check_emoji
);
checked_text!(
    /// A moment as RFC 3339 writes it, in UTC with milliseconds. It is shown to people; order
    /// never depends on it.
    Timestamp,
    check_timestamp
);

fn check_room_name(text: &str) -> Result<(), TextError> {
    check_length(text, ROOM_NAME_CHARS_MAX)?;
    let allowed = |c: char| {
        let letter = is_small_letter(c) && !is_conjoining(c) && !is_invisible(c);
        matches!(c, '-' | '_') || letter
    };
    let is_plain = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    // Most names are: Unicode's tables need not be asked.
    if text.bytes().all(is_plain) { Ok(()) } else { check_characters(text, allowed) }
}

/// A letter that is not a capital, or a digit. Unicode's tables are a tenth of what a page may
/// weigh: there only ASCII is judged, and the server judges the rest.
fn is_small_letter(c: char) -> bool {
    if cfg!(target_family = "wasm") { may_be_small_letter(c) } else { is_known_small_letter(c) }
}

fn may_be_small_letter(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn is_known_small_letter(c: char) -> bool {
    c.is_alphanumeric() && c.to_lowercase().eq([c])
}

fn check_user_name(text: &str) -> Result<(), TextError> {
    check_length(text, USER_NAME_CHARS_MAX)?;
    if text.trim() != text {
        return Err(TextError::Character);
    }
    // A joiner or a variation selector shapes what stands before it, as in 👩‍🚀; alone it is nothing.
    let visible = text.chars().any(|c| !is_joiner(c) && !c.is_whitespace());
    let ends_open = text.starts_with(is_joiner) || text.ends_with(ZERO_WIDTH_JOINER);
    if !visible || ends_open {
        return Err(TextError::Character);
    }
    check_characters(text, |c| !c.is_control() && !is_invisible(c))
}

fn check_token(text: &str) -> Result<(), TextError> {
    check_length(text, ID_CHARS_MAX)?;
    check_bytes(text, |c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
}

fn check_body(text: &str) -> Result<(), TextError> {
    if text.len() > BODY_BYTES_MAX {
        return Err(TextError::TooLong);
    }
    check_length(text, BODY_CHARS_MAX)?;
    if text.as_bytes().contains(&0) { Err(TextError::Character) } else { Ok(()) }
}

fn check_topic(text: &str) -> Result<(), TextError> {
    if text.is_empty() {
        return Ok(());
    }
    check_length(text, TOPIC_CHARS_MAX)?;
    check_characters(text, |c| !c.is_control() && !is_invisible(c))
}

fn check_emoji(text: &str) -> Result<(), TextError> {
    check_length(text, EMOJI_CHARS_MAX)?;
    // Flags of regions such as Scotland are spelled in tag characters.
    let is_tag = |c: char| matches!(c, '\u{e0020}'..='\u{e007f}');
    let allowed =
        |c: char| !c.is_control() && !c.is_whitespace() && (is_tag(c) || !is_invisible(c));
    check_characters(text, allowed)
}

fn check_timestamp(text: &str) -> Result<(), TextError> {
    check_length(text, TIMESTAMP_CHARS_MAX)?;
    check_bytes(text, |c| {
        c.is_ascii_digit() || matches!(c, b'-' | b':' | b'.' | b'+' | b'T' | b'Z')
    })
}

fn check_length(text: &str, chars_max: usize) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    // A character has at least one byte: most texts need no counting.
    if text.len() > chars_max && text.chars().count() > chars_max {
        return Err(TextError::TooLong);
    }
    Ok(())
}

fn check_characters(text: &str, allowed: impl Fn(char) -> bool) -> Result<(), TextError> {
    if text.chars().all(allowed) { Ok(()) } else { Err(TextError::Character) }
}

/// The same where nothing but ASCII is allowed.
fn check_bytes(text: &str, allowed: impl Fn(u8) -> bool) -> Result<(), TextError> {
    if text.bytes().all(allowed) { Ok(()) } else { Err(TextError::Character) }
}

/// Jamo that join into syllables, also in their halfwidth forms: a decomposed 마당 would look like
/// the composed one and not be it.
fn is_conjoining(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}'
        | '\u{ffa0}'..='\u{ffdc}')
}

/// Characters that show nothing, or turn the direction of what follows: they let one name pass
/// for another (Unicode Technical Report 36, section 2.10; the property Default_Ignorable_Code_Point
/// without what shapes emoji).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
        | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// What shapes the character before it.
fn is_joiner(c: char) -> bool {
    matches!(c, ZERO_WIDTH_JOINER | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_names_are_composed_lower_case_words() {
        for name in ["general", "마당", "team-2_b", "ㄱ", "東京", "a".repeat(64).as_str()] {
            assert!(RoomName::new(name).is_ok(), "{name}");
        }
        for (name, fault) in [
            ("", TextError::Empty),
            ("  ", TextError::Empty),
            ("General", TextError::Character),
            ("a b", TextError::Character),
            ("general\u{3164}", TextError::Character),
            ("\u{ffa0}", TextError::Character),
            ("\u{01c5}", TextError::Character),
            ("../etc", TextError::Character),
            ("\u{1106}\u{1161}\u{1103}\u{1161}\u{11bc}", TextError::Character),
            ("a".repeat(65).as_str(), TextError::TooLong),
        ] {
            assert_eq!(RoomName::new(name), Err(fault), "{name}");
        }
    }

    #[test]
    fn a_page_refuses_no_room_name_that_the_server_takes() {
        for c in '\0'..=char::MAX {
            assert!(may_be_small_letter(c) || !is_known_small_letter(c), "{c:?}");
            assert!(!c.is_ascii() || may_be_small_letter(c) == is_known_small_letter(c), "{c:?}");
        }
    }

    #[test]
    fn user_names_are_one_visible_line() {
        for name in ["하나", "Ada Lovelace", "👩‍🚀", "가".repeat(40).as_str()] {
            assert!(UserName::new(name).is_ok(), "{name}");
        }
        for name in [
            "",
            " 하나",
            "a\nb",
            "a\u{202e}b",
            "\u{3164}",
            "\u{200d}",
            "하나\u{200d}",
            "\u{061c}하나",
            "\u{fe0f}",
            "a\u{e0041}",
            "\u{2800}",
            "가".repeat(41).as_str(),
        ] {
            assert!(UserName::new(name).is_err(), "{name}");
        }
    }

    #[test]
    fn bodies_are_limited_in_characters_and_in_bytes() {
        assert!(Body::new("가".repeat(BODY_CHARS_MAX)).is_ok());
        assert_eq!(Body::new("가".repeat(BODY_CHARS_MAX + 1)), Err(TextError::TooLong));
        assert!(Body::new("😀".repeat(BODY_BYTES_MAX / 4 - 96)).is_ok());
        assert_eq!(Body::new("\n \t"), Err(TextError::Empty));
        assert_eq!(Body::new("a\0b"), Err(TextError::Character));
    }
}
