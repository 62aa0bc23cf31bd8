//! What tidy reads: the files of the checkout, and of Rust the code without comments and strings.

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// Folders that hold nothing of ours.
const NOT_OURS: &[&str] =
    &[".git", "target", "dist", "dist-dev", "data", "node_modules", "screenshots"];

/// Kinds of files that people write here.
const WRITTEN: &[&str] = &["rs", "toml", "md", "html", "css", "mjs"];

/// One file.
pub(super) struct Source {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// Of Rust: the text with comments and the insides of literals blanked, line by line the
    /// same. Of anything else: the text.
    pub(super) code: String,
}

impl Source {
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let code = if path.ends_with(".rs") { without_comments(&text) } else { text.clone() };
        Self { path, text, code }
    }

    /// The crate it belongs to: the first folder.
    pub(super) fn house(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// Whether it is Rust that ships, and not a test or a benchmark.
    pub(super) fn ships(&self) -> bool {
        let inside = self.path.strip_prefix(self.house()).unwrap_or_default();
        inside.starts_with("/src/") && inside.ends_with(".rs") && !is_test_file(inside)
    }

    /// The lines of code before the tests at the end of the file, counted from 1.
    pub(super) fn lines_before_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let begins_tests = |line: &&str| line.starts_with("mod tests {");
        (1..).zip(self.code.lines().take_while(move |line| !begins_tests(line)))
    }
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || path.contains("/tests/")
}

/// Every file of the checkout that people wrote.
pub(super) fn checkout(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    collect(root, "", &mut sources)?;
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn collect(folder: &Path, prefix: &str, sources: &mut Vec<Source>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) {
                collect(&entry.path(), &format!("{path}/"), sources)?;
            }
        } else if name.rsplit('.').next().is_some_and(|end| WRITTEN.contains(&end)) {
            let text = fs::read_to_string(entry.path())
                .with_context(|| format!("{path} is not text in UTF-8"))?;
            sources.push(Source::new(path, text));
        }
    }
    Ok(())
}

/// The identifiers of a line.
pub(super) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Where a reader of Rust stands.
enum At {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text { hashes: usize, raw: bool },
}

fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut at = At::Code;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        // How many bytes are passed in this step, whether they stay, and where the reader is then.
        let (length, keep, next) = match at {
            At::Code => from_code(rest, &code),
            At::LineComment => (first.len_utf8(), false, (first == '\n').then_some(At::Code)),
            At::BlockComment { depth } => inside_comment(rest, depth),
            At::Text { hashes, raw } => inside_text(rest, hashes, raw),
        };
        let (passed, after) = rest.split_at(length);
        if keep {
            code.push_str(passed);
        } else {
            code.extend(passed.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        at = next.unwrap_or(at);
        rest = after;
    }
    code
}

type Passed = (usize, bool, Option<At>);

fn from_code(rest: &str, before: &str) -> Passed {
    let one = rest.chars().next().map_or(1, char::len_utf8);
    if rest.starts_with("//") {
        return (2, false, Some(At::LineComment));
    }
    if rest.starts_with("/*") {
        return (2, false, Some(At::BlockComment { depth: 1 }));
    }
    if rest.starts_with('"') {
        return (1, true, Some(At::Text { hashes: 0, raw: false }));
    }
    if rest.starts_with('r') && !before.ends_with(|c: char| c.is_alphanumeric() && c != 'b') {
        let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
        if rest[1 + hashes..].starts_with('"') {
            return (2 + hashes, true, Some(At::Text { hashes, raw: true }));
        }
    }
    if let Some(length) = character(rest) {
        return (length, false, None);
    }
    (one, true, None)
}

/// The length of a character literal, if one begins here; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let mut chars = inside.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        return inside[2..].find('\'').map(|end| end + 4);
    }
    let (end, second) = chars.next()?;
    (second == '\'').then_some(end + 2)
}

fn inside_comment(rest: &str, depth: usize) -> Passed {
    if rest.starts_with("*/") {
        let next = if depth == 1 { At::Code } else { At::BlockComment { depth: depth - 1 } };
        return (2, false, Some(next));
    }
    if rest.starts_with("/*") {
        return (2, false, Some(At::BlockComment { depth: depth + 1 }));
    }
    (rest.chars().next().map_or(1, char::len_utf8), false, None)
}

fn inside_text(rest: &str, hashes: usize, raw: bool) -> Passed {
    if !raw && rest.starts_with('\\') {
        let escaped = rest[1..].chars().next().map_or(0, char::len_utf8);
        return (1 + escaped, false, None);
    }
    let ends = rest.starts_with('"')
        && rest[1..].bytes().take_while(|byte| *byte == b'#').take(hashes).count() == hashes;
    if ends {
        return (1 + hashes, true, Some(At::Code));
    }
    (rest.chars().next().map_or(1, char::len_utf8), false, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank_and_lines_stay() {
        for (text, expected) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */\n d */ e", "a             \n      e"),
            (r#"f("tokio \" x", y)"#, r#"f("          ", y)"#),
            (r##"r#"warp " x"# z"##, r##"r#"        "# z"##),
            ("let c = '\"'; d", "let c =    ; d"),
            ("let c = '\\''; d", "let c =     ; d"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            ("for \"x\"", "for \" \""),
        ] {
            assert_eq!(without_comments(text), expected, "{text}");
        }
    }
}
