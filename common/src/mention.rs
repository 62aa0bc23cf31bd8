//! Who is meant: `@name` in what somebody says.

use crate::UserName;

/// Whether the text mentions somebody of this name: `@name`, and no letter or digit of another
/// script run right before the `@`, nor one that would make the name a longer one, behind it.
///
/// A particle may follow a Korean name without a space (`@하나야`), so that a Hangul syllable
/// behind the name does not make it another one.
#[must_use]
pub fn mentions(text: &str, name: &UserName) -> bool {
    let name = name.as_str();
    text.match_indices('@').any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let Some(behind) = text[at + 1..].strip_prefix(name) else { return false };
        let ends = behind.chars().next().is_none_or(|c| !c.is_alphanumeric() || is_hangul(c));
        ends && before.is_none_or(|c| !c.is_alphanumeric())
    })
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7a3}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_behind_an_at_sign_is_a_mention() {
        for (text, name, expected) in [
            ("@하나", "하나", true),
            ("안녕 @하나야, 밥 먹었어?", "하나", true),
            ("hi @ada!", "ada", true),
            ("(@ada)", "ada", true),
            ("@ada @grace", "grace", true),
            ("@ada lovelace: hi", "ada lovelace", true),
            ("mail ada@ada.org", "ada", false),
            ("@adam", "ada", false),
            ("ada", "ada", false),
            ("@", "ada", false),
            ("@하", "하나", false),
        ] {
            let name = UserName::new(name).unwrap();
            assert_eq!(mentions(text, &name), expected, "{text} / {name}");
        }
    }
}
