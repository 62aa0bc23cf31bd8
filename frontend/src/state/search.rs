//! Looking for what was said: what was asked, and what was found.

use std::rc::Rc;

use common::{Entry, EntryKind, Member, MessageId, RoomName};

use super::{Moment, Trouble};

/// Characters of a hit's text that are shown.
const SHOWN_CHARS_MAX: usize = 200;
/// A hit's text is shown from its beginning when what was looked for stands within so many
/// characters of it.
const LEAD_CHARS_MAX: usize = 60;
/// Characters that are shown before what was looked for, where the beginning is not.
const CONTEXT_CHARS: usize = 24;

/// Looking for what was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// How often it was opened, while it is open: each time leads to its field. 0 when it is
    /// closed.
    pub opened: u32,
    /// What is looked for; empty at first.
    pub words: Rc<str>,
    /// In all rooms, and not only in the one on screen.
    pub everywhere: bool,
    /// How far it is.
    pub progress: Progress,
    /// What was found, the newest first.
    pub hits: Vec<Rc<Hit>>,
    /// Which of them came with the last answer: the first.
    pub fresh: usize,
    /// Names the next page.
    pub next: Option<Rc<str>>,
    /// The last question: an answer to another one comes too late.
    number: u32,
}

/// How far a question is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Nothing was asked.
    #[default]
    Idle,
    /// There is no answer yet.
    Asking,
    /// There is one.
    Answered,
    /// There is none to be had.
    Failed(Failure),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub trouble: Trouble,
    /// The milliseconds after which it is worth asking again, where the server said so.
    pub retry_after_ms: Option<u64>,
}

/// Hits and the name of the next page, or why there are none.
pub type Answer = Result<(Vec<Hit>, Option<String>), Failure>;

/// Something that changes a search.
#[derive(Clone, Debug)]
pub enum Step {
    /// The person wants to look for something.
    Open,
    /// Or not any more; what was found stays.
    Close,
    /// A question; one that asks for `more` of the same adds to what was found.
    Ask {
        /// Its number.
        number: u32,
        /// What is looked for.
        words: Rc<str>,
        /// In all rooms.
        everywhere: bool,
        /// The next page.
        more: bool,
    },
    /// The answer to the question of this number.
    Answer(u32, Answer),
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where.
    pub room: RoomName,
    /// Its place.
    pub seq: u64,
    /// The name its author gave it.
    pub message_id: MessageId,
    /// Who said it.
    pub author: Member,
    /// When.
    pub moment: Moment,
    /// Its text where it was found, in parts; what was looked for is marked.
    pub parts: Vec<Part>,
}

/// A part of a text, and whether it was looked for.
pub type Part = (Rc<str>, bool);

impl Search {
    pub(super) fn apply(&mut self, step: Step) {
        match step {
            Step::Open => self.opened += 1,
            Step::Close => self.opened = 0,
            Step::Ask { number, words, everywhere, more } => {
                (self.number, self.words, self.everywhere) = (number, words, everywhere);
                if self.words.is_empty() {
                    self.forget();
                } else {
                    // What was found stays until the answer: a list that goes and comes flickers.
                    self.progress = Progress::Asking;
                    self.fresh = if more { self.hits.len() } else { 0 };
                }
            }
            Step::Answer(number, answer) if number == self.number => self.take(answer),
            Step::Answer(..) => {}
        }
    }

    fn take(&mut self, answer: Answer) {
        match answer {
            Ok((hits, next)) => {
                self.hits.truncate(self.fresh);
                for hit in hits {
                    let same = |other: &Rc<Hit>| other.room == hit.room && other.seq == hit.seq;
                    if !self.hits.iter().any(same) {
                        self.hits.push(Rc::new(hit));
                    }
                }
                self.next = next.map(Into::into);
                self.progress = Progress::Answered;
            }
            Err(failure) => {
                self.progress = Progress::Failed(failure);
                if self.fresh == 0 {
                    self.hits.clear();
                    self.next = None;
                }
            }
        }
    }

    /// Nothing was asked; the words stay in the field.
    fn forget(&mut self) {
        (self.progress, self.fresh, self.next) = (Progress::Idle, 0, None);
        self.hits.clear();
    }

    /// Another room is on screen: what was found in that room alone is not what is asked there.
    pub(super) fn turn_away(&mut self) {
        if !self.everywhere {
            self.number = 0;
            self.forget();
        }
    }

    /// The room may not be read any more, nor what was found there.
    pub(super) fn lose(&mut self, room: &RoomName) {
        self.hits.retain(|hit| hit.room != *room);
    }

    /// What was taken back or said otherwise does not go on standing here.
    pub(super) fn change(&mut self, entry: &Entry) {
        let of = |hit: &Hit| hit.room == entry.room && Some(hit.seq) == entry.of;
        match entry.kind {
            EntryKind::Delete => self.hits.retain(|hit| !of(hit)),
            EntryKind::Edit => {
                for hit in self.hits.iter_mut().filter(|hit| of(hit)) {
                    Rc::make_mut(hit).parts = parts(&entry.body, "", str::to_owned);
                }
            }
            EntryKind::Post
            | EntryKind::Membership
            | EntryKind::Topic
            | EntryKind::Reaction
            | EntryKind::Unknown => {}
        }
    }
}

impl Hit {
    /// A post that was found by these words; `fold` makes alike what differs in case only.
    #[must_use]
    pub fn new(entry: Entry, moment: Moment, words: &str, fold: impl Fn(&str) -> String) -> Self {
        let parts = parts(&entry.body, words, fold);
        let Entry { room, seq, author, message_id, .. } = entry;
        Self { room, seq, message_id, author, moment, parts }
    }
}

/// A text in parts, from near the first word that was looked for.
fn parts(text: &str, words: &str, fold: impl Fn(&str) -> String) -> Vec<Part> {
    let chars: Vec<char> = text.chars().collect();
    let mut folded: Vec<char> = fold(text).chars().collect();
    if folded.len() != chars.len() {
        // There is no telling which character is which.
        folded.clone_from(&chars);
    }
    let marked = marks(&folded, &fold(words));
    let first = marked.iter().position(|marked| *marked).unwrap_or(0);
    let from = if first > LEAD_CHARS_MAX { first - CONTEXT_CHARS } else { 0 };
    let to = chars.len().min(from + SHOWN_CHARS_MAX);

    let mut parts: Vec<(String, bool)> = Vec::new();
    let mut add = |c: char, marked: bool| match parts.last_mut() {
        Some((part, same)) if *same == marked => part.push(c),
        Some(_) | None => parts.push((c.to_string(), marked)),
    };
    if from > 0 {
        add('…', false);
    }
    (from..to).for_each(|at| add(chars[at], marked[at]));
    if to < chars.len() {
        add('…', false);
    }
    parts.into_iter().map(|(part, marked)| (part.into(), marked)).collect()
}

/// Which characters were looked for. Words of most scripts are found from their beginning; Hangul
/// and its neighbours anywhere.
fn marks(text: &[char], words: &str) -> Vec<bool> {
    let mut marked = vec![false; text.len()];
    let between = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
    for word in words.split(between).filter(|word| !word.is_empty()) {
        let word: Vec<char> = word.chars().collect();
        let within = |at: usize| {
            let before = at.checked_sub(1).map(|before| text[before]);
            word[0].is_ascii_alphanumeric() && before.is_some_and(|c| c.is_ascii_alphanumeric())
        };
        for at in 0..text.len() {
            if text[at..].starts_with(&word) && !within(at) {
                marked[at..at + word.len()].fill(true);
            }
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, words: &str) -> String {
        let part =
            |(part, marked): &Part| if *marked { format!("[{part}]") } else { part.to_string() };
        parts(text, words, str::to_lowercase).iter().map(part).collect()
    }

    #[test]
    fn what_was_looked_for_is_marked() {
        for (text, words, expected) in [
            ("주간회의록 초안", "회의", "주간[회의]록 초안"),
            ("회의, 회의!", "회의", "[회의], [회의]!"),
            ("Tea and team", "tea", "[Tea] and [tea]m"),
            ("steam", "tea", "steam"),
            ("오늘 저녁 tea", "TEA  저녁", "오늘 [저녁] [tea]"),
            ("<b>bold</b>", "<b>", "<[b]>[b]old</[b]>"),
            ("nothing", "", "nothing"),
            // In lower case it has one character more: nothing is marked in the wrong place.
            ("İstanbul tea", "tea", "İstanbul [tea]"),
        ] {
            assert_eq!(marked(text, words), expected, "{text} / {words}");
        }
    }

    #[test]
    fn a_long_text_is_shown_where_it_was_found() {
        let text = format!("{}회의{}", "가".repeat(500), "나".repeat(500));
        let shown = marked(&text, "회의");
        assert!(shown.starts_with(&format!("…{}[회의]나", "가".repeat(CONTEXT_CHARS))));
        assert!(shown.ends_with("나…"));
        assert_eq!(shown.chars().count(), SHOWN_CHARS_MAX + 2 + "[]".len());
    }
}
