//! Passing over who is present without decoding it.

use std::borrow::Cow;

/// The message without its members; nothing when it tells of nothing else.
pub(super) fn passed_over(text: &str) -> Option<Cow<'_, str>> {
    const MEMBERS: &str = r#""members":["#;
    if text.starts_with(r#"{"type":"presence""#) {
        return None;
    }
    if !text.starts_with(r#"{"type":"joined""#) {
        return Some(text.into());
    }
    let Some(begin) = text.find(MEMBERS).map(|at| at + MEMBERS.len()) else {
        return Some(text.into());
    };
    let Some(end) = end_of_list(&text[begin..]) else { return Some(text.into()) };
    Some(format!("{}{}", &text[..begin], &text[begin + end..]).into())
}

/// Where the list ends that was begun before.
fn end_of_list(text: &str) -> Option<usize> {
    let (mut in_text, mut escaped) = (false, false);
    text.bytes().position(|byte| {
        if in_text {
            in_text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            return false;
        }
        in_text = byte == b'"';
        byte == b']'
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_cut_out_and_everything_else_stays() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(passed_over(text).as_deref(), expected);
        };
        check(r#"{"type":"presence","room":"r","count":1}"#, None);
        check(r#"{"type":"ping"}"#, Some(r#"{"type":"ping"}"#));
        check(
            r#"{"type":"joined","members":[{"id":"u","name":"a]\"]\\"}],"count":1}"#,
            Some(r#"{"type":"joined","members":[],"count":1}"#),
        );
        check(r#"{"type":"joined","count":1}"#, Some(r#"{"type":"joined","count":1}"#));
    }
}
