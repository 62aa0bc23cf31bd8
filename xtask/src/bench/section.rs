//! The part of a document between two markers, which is written anew while the rest stays.

/// Puts `text` between the markers called `name`, at the end where there are none.
///
/// # Errors
///
/// Says which marker is there without the other.
pub(super) fn replace(document: &str, name: &str, text: &str) -> Result<String, String> {
    let (begin, end) = (format!("<!-- {name}: begin"), format!("<!-- {name}: end -->"));
    let text = text.trim();
    let first = format!("{begin}; written by cargo xtask bench, changes here are lost -->");
    let section = format!("{first}\n\n{text}\n\n{end}");
    match (document.find(&begin), document.find(&end)) {
        (Some(from), Some(to)) if from < to => {
            Ok(format!("{}{section}{}", &document[..from], &document[to + end.len()..]))
        }
        (None, None) => Ok(format!("{}\n\n{section}\n", document.trim_end())),
        _ => Err(format!("the markers `{begin}` and `{end}` do not stand one after the other")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_added_once_and_then_replaced_where_it_stands() {
        let document = replace("# Title\n\nBefore.\n", "peers", "one\n").unwrap();
        assert!(document.starts_with("# Title\n\nBefore.\n\n<!-- peers: begin"));
        let document = document + "\nAfter.\n";
        let again = replace(&document, "peers", "two").unwrap();
        assert!(again.contains("\n\ntwo\n\n") && !again.contains("one"));
        assert!(again.ends_with("<!-- peers: end -->\n\nAfter.\n"));
        assert_eq!(replace(&again, "peers", "two").unwrap(), again);
    }

    #[test]
    fn a_lone_marker_is_an_error() {
        assert!(replace("<!-- peers: end -->", "peers", "").is_err());
        assert!(replace("<!-- peers: end -->\n<!-- peers: begin -->", "peers", "").is_err());
    }
}
