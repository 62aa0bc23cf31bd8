//! What a strict content security policy, an isolated network and patient tests ask of the page.

use super::{
    Complaint,
    source::{Source, words},
};

/// Words that write HTML past Yew.
const RAW_HTML: &[&str] =
    &["dangerously_set_inner_html", "from_html_unchecked", "set_inner_html", "set_outer_html"];

pub(super) fn check(sources: &[Source]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for source in sources {
        let is_page = source.path == "index.html" || source.path.starts_with("frontend/");
        for (line, code) in (1..).zip(source.code.lines()) {
            let found = if source.path.starts_with("e2e/stories/") {
                sleep(code)
            } else if is_page && source.path.ends_with(".rs") {
                component(code)
            } else if is_page && source.path.ends_with(".html") {
                html(code)
            } else if is_page && source.path.ends_with(".css") {
                style(code)
            } else {
                None
            };
            if let Some(what) = found {
                let complaint =
                    Complaint { path: source.path.clone(), line, what: what.to_owned() };
                complaints.push(complaint);
            }
        }
    }
    complaints
}

fn component(code: &str) -> Option<&'static str> {
    if words(code).any(|word| RAW_HTML.contains(&word)) {
        return Some("what people write must not become HTML: build nodes");
    }
    let has_style = code.contains(" style=\"") || code.contains(" style={");
    has_style.then_some("the content security policy refuses style attributes: use a class")
}

fn html(code: &str) -> Option<&'static str> {
    if code.contains(" style=") || code.contains("<style") {
        return Some("the content security policy refuses inline style: put it into a file");
    }
    if code.contains("<script") && !code.contains(" src=") {
        return Some("the content security policy refuses inline script: put it into a file");
    }
    asks_others(code)
}

fn style(code: &str) -> Option<&'static str> {
    asks_others(code)
}

fn asks_others(code: &str) -> Option<&'static str> {
    let names_others = ["\"https://", "\"http://", "\"//", "url(http", "url(//"];
    let names_others = names_others.iter().any(|start| code.contains(start));
    names_others.then_some("the page asks nobody but its own server: bring the file along")
}

fn sleep(code: &str) -> Option<&'static str> {
    let sleeps = words(code).any(|word| word == "waitForTimeout" || word == "setTimeout");
    sleeps.then_some("a story waits for what it needs, not for time to pass: use until(…)")
}
