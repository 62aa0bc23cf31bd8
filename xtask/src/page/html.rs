//! Finding trunk's links in `index.html`. It reads tags and comments and knows nothing else of HTML.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// The attributes of one tag.
pub(super) type Attributes = BTreeMap<String, String>;

/// A part of the page's HTML.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'a> {
    /// Stays as it is.
    Text(&'a str),
    /// A `<link data-trunk …>`, to be replaced.
    Link(Attributes),
}

/// The page's HTML in its order.
pub(super) fn pieces(html: &str) -> Result<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = html[at..].find('<').map(|found| at + found) {
        let (end, is_comment) = end_of_tag(html, found)?;
        let tag = &html[found..end];
        if !is_comment && tag.starts_with("<link") {
            let attributes = attributes(tag);
            if attributes.contains_key("data-trunk") {
                pieces.push(Piece::Text(&html[kept..found]));
                pieces.push(Piece::Link(attributes));
                kept = end;
            }
        }
        at = end;
    }
    pieces.push(Piece::Text(&html[kept..]));
    Ok(pieces)
}

fn end_of_tag(html: &str, start: usize) -> Result<(usize, bool)> {
    let is_comment = html[start..].starts_with("<!--");
    let mark = if is_comment { "-->" } else { ">" };
    let length = html[start..].find(mark).with_context(|| {
        let line = html[..start].matches('\n').count() + 1;
        format!("index.html:{line}: a tag or comment begins here and never ends")
    })?;
    Ok((start + length + mark.len(), is_comment))
}

/// Reads `name="value"` and bare names; values without quotes are not used here.
fn attributes(tag: &str) -> Attributes {
    let mut found = Attributes::new();
    let mut rest = tag.trim_start_matches("<link").trim_end_matches('>').trim_end_matches('/');
    loop {
        rest = rest.trim_start();
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        if end == 0 {
            return found;
        }
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let end = quoted.find('"').unwrap_or(quoted.len());
            value = quoted[..end].to_owned();
            rest = quoted.get(end + 1..).unwrap_or("");
        }
        found.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &[Piece<'_>]) {
        assert_eq!(pieces(html).unwrap(), expected, "{html}");
    }

    fn link(attributes: &[(&str, &str)]) -> Piece<'static> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Piece::Link(attributes.iter().map(owned).collect())
    }

    #[test]
    fn only_links_for_trunk_are_taken_out() {
        check(
            "<head><link rel=\"icon\" href=\"x\"><link data-trunk rel=\"css\" href=\"a.css\"/></head>",
            &[
                Piece::Text("<head><link rel=\"icon\" href=\"x\">"),
                link(&[("data-trunk", ""), ("rel", "css"), ("href", "a.css")]),
                Piece::Text("</head>"),
            ],
        );
    }

    #[test]
    fn a_link_may_stand_on_several_lines_and_a_comment_hides_it() {
        check(
            "<!-- <link data-trunk rel=\"css\"> --><link\n  data-trunk\n  rel=\"rust\"\n>",
            &[
                Piece::Text("<!-- <link data-trunk rel=\"css\"> -->"),
                link(&[("data-trunk", ""), ("rel", "rust")]),
                Piece::Text(""),
            ],
        );
    }

    #[test]
    fn a_tag_without_end_is_named_with_its_line() {
        let error = pieces("<p>\n<link data-trunk").unwrap_err();
        assert!(error.to_string().starts_with("index.html:2:"), "{error}");
    }
}
