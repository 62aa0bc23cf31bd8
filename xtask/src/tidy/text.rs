//! Lengths, titles and words.

use super::{
    Complaint,
    source::{Source, words},
};

/// Lines of a file before its tests from which on it is worth asking whether it holds two concepts.
const LINES_ADVISED: usize = 400;
/// Lines of a file before its tests that it may not exceed.
const LINES_MAX: usize = 500;

/// Marks of unfinished work; written apart, so that this file does not hold them.
const UNFINISHED: &[&str] = &[concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X")];

pub(super) fn check(sources: &[Source]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for source in sources {
        unfinished(source, &mut complaints);
        if source.path.ends_with(".md") {
            one_title(source, &mut complaints);
        }
        if source.path.ends_with("/mod.rs") {
            let what = "name the file after its module, beside the folder".to_owned();
            complaints.push(Complaint { path: source.path.clone(), line: 1, what });
        }
        if length(source) > LINES_MAX {
            let what = format!(
                "{} lines before the tests, at most {LINES_MAX}: split it by concept",
                length(source)
            );
            complaints.push(Complaint { path: source.path.clone(), line: LINES_MAX + 1, what });
        }
    }
    complaints
}

/// Files that are not too long and may soon be.
pub(super) fn long_files(sources: &[Source]) -> Vec<Complaint> {
    let long = |source: &&Source| (LINES_ADVISED + 1..=LINES_MAX).contains(&length(source));
    let advice = |source: &Source| Complaint {
        path: source.path.clone(),
        line: LINES_ADVISED + 1,
        what: format!("{} lines: does this file hold two concepts?", length(source)),
    };
    sources.iter().filter(long).map(advice).collect()
}

/// Lines that count for the limit; of documents and test files none do.
fn length(source: &Source) -> usize {
    let is_style = source.path.ends_with(".css") || source.path.ends_with(".mjs");
    if source.ships() || is_style { source.lines_before_tests().count() } else { 0 }
}

fn unfinished(source: &Source, complaints: &mut Vec<Complaint>) {
    for (line, text) in (1..).zip(source.text.lines()) {
        for word in words(text).filter(|word| UNFINISHED.contains(word)) {
            let what = format!("{word}: do it, or say in the comment why it is as it is");
            complaints.push(Complaint { path: source.path.clone(), line, what });
        }
    }
}

fn one_title(source: &Source, complaints: &mut Vec<Complaint>) {
    let mut titles = 0;
    let mut is_code = false;
    for (line, text) in (1..).zip(source.text.lines()) {
        if text.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code || !text.starts_with("# ") {
            continue;
        }
        titles += 1;
        if titles > 1 {
            let what = "a second title: make it a section (##)".to_owned();
            complaints.push(Complaint { path: source.path.clone(), line, what });
        }
    }
    if titles == 0 {
        let what = "no title: begin with one line `# …`".to_owned();
        complaints.push(Complaint { path: source.path.clone(), line: 1, what });
    }
}
