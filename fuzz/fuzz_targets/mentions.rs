//! Who is meant: the same people as by the rule, looked at place by place.

#![no_main]

use common::{UserName, mention::mentions};
use libfuzzer_sys::fuzz_target;

fn is_hangul(c: char) -> bool {
    ('가'..='힣').contains(&c)
}

fn by_the_rule(text: &str, name: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let Some(rest) = text[at + 1..].strip_prefix(name) else { return false };
        let behind = rest.chars().next();
        !before.is_some_and(char::is_alphanumeric)
            && behind.is_none_or(|c| !c.is_alphanumeric() || is_hangul(c))
    })
}

fuzz_target!(|text: &str| {
    let Some((name, text)) = text.split_once('\n') else { return };
    let Ok(name) = UserName::new(name) else { return };
    assert_eq!(mentions(text, &name), by_the_rule(text, name.as_str()));
});
