//! From text to what the index holds of it, and from what somebody asks to what the index is asked.
//!
//! Korean puts particles behind its words and words into one another, so words as they stand between
//! spaces find little. Hangul is indexed as overlapping pairs of syllables: 회의실 is 회의 의실 실,
//! and a query is the phrase of its own pairs. The last syllable stands alone once more: whoever
//! asks for one syllable asks for all tokens that begin with it, and it keeps the pairs of two
//! runs from being neighbours. Chinese and Japanese letters are treated alike; what other letters
//! and digits stand together is a word.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;

/// Characters of a query. Longer ones find nothing that shorter ones do not.
pub const QUERY_CHARS_MAX: usize = 128;
/// Runs of a query, each of which is looked up.
pub const QUERY_TERMS_MAX: usize = 12;
/// Runs of one syllable among them: nearly every post has the common ones, so each costs several
/// milliseconds where a million posts are searched and no post has them all.
pub const QUERY_SINGLES_MAX: usize = 6;

/// Why a query cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// It holds no letter, syllable or digit.
    #[error("it holds nothing that could be looked up")]
    Empty,
    /// More than [`QUERY_CHARS_MAX`] characters, [`QUERY_TERMS_MAX`] terms, or
    /// [`QUERY_SINGLES_MAX`] terms of one syllable.
    #[error("it is too long")]
    TooLong,
}

/// The tokens of a text in their order, with a space between two. Tokens consist of what
/// [`char::is_alphanumeric`] allows, so anything else may be put beside them as a mark.
#[must_use]
pub(super) fn tokens(text: &str) -> String {
    let mut joined = String::with_capacity(text.len() * 2);
    for run in runs(text) {
        match run {
            Run::Word(word) => push(&mut joined, &word),
            Run::Syllables(syllables) => {
                let last = &syllables[syllables.len() - 1..];
                for token in syllables.windows(2).chain([last]) {
                    push(&mut joined, token);
                }
            }
        }
    }
    joined
}

/// What FTS5 is to match for a query: every run of it, in any order. All of it is in quotes, so
/// nothing of the asker's is read as syntax.
///
/// # Errors
/// The query is too long or holds nothing to look up.
pub(super) fn expression(query: &str) -> Result<String, QueryError> {
    if query.chars().count() > QUERY_CHARS_MAX {
        return Err(QueryError::TooLong);
    }
    let runs = runs(query);
    let Some(last) = runs.len().checked_sub(1) else {
        return Err(QueryError::Empty);
    };
    // Somebody is perhaps still writing the last word; all others are finished.
    let terms: BTreeSet<String> =
        runs.iter().enumerate().map(|(at, run)| term(run, at == last)).collect();
    let singles = runs.iter().filter(|run| run.is_single()).count();
    if terms.len() > QUERY_TERMS_MAX || singles > QUERY_SINGLES_MAX {
        return Err(QueryError::TooLong);
    }
    Ok(Vec::from_iter(terms).join(" AND "))
}

fn term(run: &Run, unfinished: bool) -> String {
    let mut phrase = String::new();
    let prefix = match run {
        Run::Word(word) => {
            push(&mut phrase, word);
            unfinished
        }
        Run::Syllables(syllables) => {
            for token in syllables.windows(if run.is_single() { 1 } else { 2 }) {
                push(&mut phrase, token);
            }
            run.is_single()
        }
    };
    if prefix { format!("\"{phrase}\"*") } else { format!("\"{phrase}\"") }
}

/// Letters that stand together and are looked up in one way; there is at least one.
enum Run {
    /// Of a script that puts spaces between words, or digits.
    Word(Vec<char>),
    /// Of a script that is looked up by pairs.
    Syllables(Vec<char>),
}

impl Run {
    fn is_single(&self) -> bool {
        match self {
            Self::Word(_) => false,
            Self::Syllables(syllables) => syllables.len() == 1,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Syllable,
    Between,
}

/// In small letters and composed, in this order, so that one text has one spelling: İ becomes two
/// characters.
fn runs(text: &str) -> Vec<Run> {
    let letters: Vec<char> = text.chars().flat_map(char::to_lowercase).nfc().collect();
    letters
        .chunk_by(|one, next| class(*one) == class(*next))
        .filter_map(|run| match class(run[0]) {
            Class::Word => Some(Run::Word(run.to_vec())),
            Class::Syllable => Some(Run::Syllables(run.to_vec())),
            Class::Between => None,
        })
        .collect()
}

/// Syllables are Hangul with its single letters (ㅋㅋ), Kana, and Han.
fn class(letter: char) -> Class {
    let is_syllable = matches!(letter,
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7ff}' | '\u{ffa0}'..='\u{ffdc}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{ff66}'..='\u{ff9f}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}');
    match letter.is_alphanumeric() {
        false => Class::Between,
        true if is_syllable => Class::Syllable,
        true => Class::Word,
    }
}

fn push(joined: &mut String, token: &[char]) {
    if !joined.is_empty() {
        joined.push(' ');
    }
    joined.extend(token);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn indexed(text: &str, expected: &str) {
        assert_eq!(tokens(text), expected, "the tokens of {text:?}");
    }

    #[track_caller]
    fn asked(query: &str, expected: &str) {
        assert_eq!(expression(query).as_deref(), Ok(expected), "the expression for {query:?}");
    }

    #[test]
    fn hangul_is_indexed_as_overlapping_pairs_and_its_last_syllable() {
        indexed("안녕하세요", "안녕 녕하 하세 세요 요");
        indexed("회의", "회의 의");
        indexed("나", "나");
        indexed("가나 나다", "가나 나 나다 다");
        indexed("東京タワー", "東京 京タ タワ ワー ー");
        indexed("안녕ㅋㅋ", "안녕 녕ㅋ ㅋㅋ ㅋ");
    }

    #[test]
    fn other_letters_and_digits_that_stand_together_are_words() {
        indexed("Let's go, 2026!", "let s go 2026");
        indexed("API를 고쳤다", "api 를 고쳤 쳤다 다");
        indexed("  👍 \n", "");
        indexed("snake_case", "snake case");
    }

    #[test]
    fn one_text_has_one_spelling() {
        indexed("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}", "한글 글");
        indexed("CAFE\u{301}", "café");
        assert_eq!(
            expression("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
            expression("한글")
        );
    }

    #[test]
    fn a_query_is_the_phrases_of_its_runs() {
        asked("안녕하세요", "\"안녕 녕하 하세 세요\"");
        asked("회", "\"회\"*");
        asked("Rust 배포 se", "\"rust\" AND \"se\"* AND \"배포\"");
        asked("se rust", "\"rust\"* AND \"se\"");
        asked("배포 배포", "\"배포\"");
    }

    #[test]
    fn a_query_of_nothing_and_one_too_long_are_refused() {
        assert_eq!(expression(""), Err(QueryError::Empty));
        assert_eq!(expression("\" * ( ) - 👍"), Err(QueryError::Empty));
        assert_eq!(expression(&"가".repeat(QUERY_CHARS_MAX + 1)), Err(QueryError::TooLong));
        let many: Vec<String> = (0..=QUERY_TERMS_MAX).map(|at| format!("w{at}")).collect();
        assert_eq!(expression(&many.join(" ")), Err(QueryError::TooLong));
        assert!(expression(&many[1..].join(" ")).is_ok());
        assert!(expression("나 이 책 볼 때 꼭").is_ok());
        assert_eq!(expression("나 이 책 볼 때 꼭 와"), Err(QueryError::TooLong));
    }

    #[test]
    fn every_character_becomes_letters_and_digits_or_nothing() {
        let characters: Vec<char> = (0..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
        for some in characters.chunks(QUERY_TERMS_MAX) {
            let text = String::from_iter(some);
            for token in tokens(&text).split_ascii_whitespace() {
                assert!(token.chars().all(char::is_alphanumeric), "{token:?} of {text:?}");
            }
            let Ok(expression) = expression(&text) else { continue };
            for (at, part) in expression.split('"').enumerate() {
                let harmless = if at % 2 == 1 {
                    part.chars().all(|c| c.is_alphanumeric() || c == ' ')
                } else {
                    matches!(part, "" | "*" | " AND " | "* AND ")
                };
                assert!(harmless, "{expression} of {text:?}");
            }
        }
    }
}
