//! Who is meant: `@name` in what somebody says.

use crate::UserName;

/// Whether the text mentions somebody of this name: `@name`, and no letter or digit of another
/// script run right before the `@`, nor one that would make the name a longer one, behind it.
///
/// A particle may follow a Korean name without a space (`@하나야`), so that a Hangul syllable
/// behind the name does not make it another one.
#[must_use]
pub fn mentions(text: &str, name: &UserName) -> bool {
    let mut text = text;
    while let Some((before, behind)) = text.split_once('@') {
        let follows_word = before.chars().next_back().is_some_and(is_letter);
        let ends = |rest: &str| rest.chars().next().is_none_or(|c| !is_letter(c) || is_hangul(c));
        if !follows_word && behind.strip_prefix(name.as_str()).is_some_and(ends) {
            return true;
        }
        text = behind;
    }
    false
}

/// A letter or a digit. Unicode's tables are a tenth of what a page may weigh: there everything
/// beyond ASCII counts but spaces, punctuation and pictures, and the server's count is the one
/// that stays.
fn is_letter(c: char) -> bool {
    if cfg!(target_family = "wasm") { may_be_letter(c) } else { c.is_alphanumeric() }
}

fn may_be_letter(c: char) -> bool {
    match c {
        '\0'..='\u{7f}' => c.is_ascii_alphanumeric(),
        '\u{80}'..='\u{a9}'
        | '\u{ab}'..='\u{b1}'
        | '\u{b4}'
        | '\u{b6}'..='\u{b8}'
        | '\u{bb}'
        | '\u{bf}'
        | '\u{d7}'
        | '\u{f7}'
        | '\u{2000}'..='\u{2bff}'
        | '\u{3000}'..='\u{3004}'
        | '\u{3008}'..='\u{3020}'
        | '\u{fe00}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff0f}'
        | '\u{1f000}'..='\u{1faff}' => false,
        _ => true,
    }
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7a3}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_takes_what_people_write_between_words_for_what_it_is() {
        for c in "aZ09 .,!?@'\"()…“”‘’·、。「」！，😀🎉é하ㅎ漢かカЖ".chars()
        {
            assert_eq!(may_be_letter(c), c.is_alphanumeric(), "{c:?}");
        }
    }

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
