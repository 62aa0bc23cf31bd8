//! How fast the search is: builds an index of synthetic posts in 50 rooms, five of them private,
//! and asks it 20 kinds of questions.
//!
//! `cargo run --release -p server --example search_bench -- 1000000` prints a table. What is to be
//! true: every answer within 50 ms at a million.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::{
    cell::Cell,
    path::Path,
    time::{Duration, Instant},
};

use common::{Epoch, RoomName};
use server::search::{
    self, Change, ChangeKind, Head, PAGE_HITS, Readable, Search, Source, Unreadable,
};

const ROOMS: u64 = 50;
/// How often every room gets one post more, after which all is asked again.
const ROUNDS: u64 = 200;
/// Every tenth room is private.
const PRIVATE_EVERY: u64 = 10;
const WORDS: usize = 20_000;
const TIMES: usize = 200;

/// What stands behind a Korean noun, and what ends a sentence, in about the order of frequency.
const PARTICLES: [&str; 16] = [
    "이", "을", "는", "에", "가", "의", "를", "은", "도", "로", "에서", "으로", "와", "과", "만",
    "까지",
];
const VERBS: [&str; 14] = [
    "합니다",
    "했어요",
    "있어요",
    "없어요",
    "하세요",
    "할게요",
    "됩니다",
    "봤는데",
    "입니다",
    "좋아요",
    "같아요",
    "확인했습니다",
    "부탁드립니다",
    "감사합니다",
];
/// Common nouns; the rest of the vocabulary is made of common syllables.
const NOUNS: [&str; 20] = [
    "오늘",
    "회의",
    "서버",
    "배포",
    "내일",
    "확인",
    "일정",
    "문제",
    "수정",
    "시간",
    "사람",
    "자료",
    "회의실",
    "점심",
    "고객",
    "화면",
    "오류",
    "테스트",
    "코드",
    "한국어",
];
const SYLLABLES: &str = "이다는가고지에하사리기로어한자시대나의은도라인수일정전아해보부서과그여장주구상\
    제무를성원마동치유만들안신방세조공문오트스비미경산우모위진거물용회실양생선운개금차소국어화계\
    체년월중반결관광학교";
const ENGLISH: [&str; 30] = [
    "the", "to", "and", "is", "in", "it", "that", "for", "this", "with", "on", "server", "not",
    "be", "are", "we", "deploy", "test", "have", "from", "room", "there", "message", "can",
    "meeting", "they", "review", "then", "release", "commit",
];

/// Questions as costly as they may be.
const SYLLABLES_MOST: &str = "까 만 과 감 봤 점";
const WORDS_MOST: &str = "오늘 회의 서버 배포 내일 확인 일정 문제 수정 시간 사람 자료";
const BOTH_MOST: &str = "까 만 과 감 봤 점 오늘 서버 the to and is";

fn main() {
    let posts = std::env::args().nth(1).map_or(100_000, |count| count.parse().expect("a number"));
    let dir = std::env::temp_dir().join(format!("madang-search-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory for the index");
    let posts_per_room = Cell::new(posts / ROOMS);
    let logs = Logs { posts_per_room, vocabulary: Vocabulary::new() };

    let (search, mut indexer) = search::open(&dir).expect("an empty index");
    let begun = Instant::now();
    while indexer.step(&logs).expect("a step") {}
    let built = begun.elapsed();
    println!(
        "{posts} posts indexed in {:.1} s ({:.0}/s), {} MB",
        built.as_secs_f64(),
        posts as f64 / built.as_secs_f64(),
        size(&dir) / 1_000_000,
    );
    ask_all(&search);

    let begun = Instant::now();
    for _ in 0..ROUNDS {
        logs.posts_per_room.update(|posts| posts + 1);
        while indexer.step(&logs).expect("a step") {}
    }
    let single = begun.elapsed() / u32::try_from(ROUNDS * ROOMS).expect("not that many");
    println!("\nthen {} posts one by one, {single:.0?} each", ROUNDS * ROOMS);
    ask_all(&search);
    std::fs::remove_dir_all(&dir).expect("the directory is ours");
}

fn ask_all(search: &Search) {
    let open = Readable::OpenAnd(Vec::new());
    let private =
        |rooms| Readable::OpenAnd((0..rooms).map(|at| room(at * PRIVATE_EVERY)).collect());
    let only = Readable::Only(room(PRIVATE_EVERY));
    let questions: [(&str, &str, &Readable, Option<RoomName>); 30] = [
        ("a common word", "오늘", &open, None),
        ("a common word of three syllables", "회의실", &open, None),
        ("a common ending", "합니다", &open, None),
        ("a common ending of six", "부탁드립니다", &open, None),
        ("a rare word", "광학교체", &open, None),
        ("a rare phrase of common pairs", "이다는가고지", &open, None),
        ("nothing like it", "뷁쀍", &open, None),
        ("one syllable, common", "이", &open, None),
        ("one syllable, rare", "뷁", &open, None),
        ("two single syllables", "이 를", &open, None),
        ("a common English word", "the", &open, None),
        ("the begin of English words, 1 letter", "t", &open, None),
        ("the begin of English words, 2 letters", "th", &open, None),
        ("the begin of English words, 3 letters", "mee", &open, None),
        ("the begin of English words, 4 letters", "serv", &open, None),
        ("a rare English word", "w19876", &open, None),
        ("two common words", "회의 배포", &open, None),
        ("Korean and English", "서버 deploy", &open, None),
        ("many common words", "the to and is in it that for", &open, None),
        ("four common syllables", "이 을 는 에", &open, None),
        ("as many common syllables as may be", SYLLABLES_MOST, &open, None),
        ("as many common words as may be", WORDS_MOST, &open, None),
        ("as many of both as may be", BOTH_MOST, &open, None),
        ("two beginnings that are seldom one", "이 th", &open, None),
        ("in one open room", "오늘", &open, Some(room(7))),
        ("one syllable in one open room", "이", &open, Some(room(7))),
        ("in a private room", "오늘", &only, None),
        ("five private rooms besides", "오늘", &private(5), None),
        ("the begin of words, in a private room", "th", &only, None),
        ("only in rooms that others may read", "비밀", &open, None),
    ];
    println!("{:<40} hits     first       min       p50       p99       max", "ms");
    let mut slowest = Duration::ZERO;
    for (what, query, readable, room) in questions {
        let mut took = Vec::with_capacity(TIMES);
        let mut hits = 0;
        for _ in 0..TIMES {
            let begun = Instant::now();
            let page = search.find(query, readable, room.as_ref(), None, PAGE_HITS);
            took.push(begun.elapsed());
            hits = page.expect("an answer").hits.len();
        }
        let first = took[0];
        took.sort_unstable();
        slowest = slowest.max(took[TIMES - 1]);
        print!("{what:<40} {hits:>4}");
        for time in [first, took[0], took[TIMES / 2], took[TIMES * 99 / 100], took[TIMES - 1]] {
            print!(" {:>9.2}", time.as_secs_f64() * 1_000.0);
        }
        println!();
    }
    println!("the slowest answer took {:.2} ms", slowest.as_secs_f64() * 1_000.0);
}

fn room(at: u64) -> RoomName {
    RoomName::new(format!("room-{at:02}")).expect("a room's name")
}

fn size(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir).expect("the directory of the index");
    files.map(|file| file.and_then(|file| file.metadata()).map_or(0, |file| file.len())).sum()
}

/// Rooms whose posts are made when they are read: always the same ones.
struct Logs {
    posts_per_room: Cell<u64>,
    vocabulary: Vocabulary,
}

impl Source for Logs {
    fn heads(&self) -> Vec<Head> {
        let head = |at| Head {
            room: room(at),
            open: !at.is_multiple_of(PRIVATE_EVERY),
            epoch: Epoch::new("e1").expect("an epoch"),
            seq: self.posts_per_room.get(),
            floor: 0,
        };
        (0..ROOMS).map(head).collect()
    }

    fn read_after(
        &self,
        room: &RoomName,
        after: u64,
        most: usize,
    ) -> Result<Vec<Change>, Unreadable> {
        let at: u64 = room.as_str()[5..].parse().expect("a room's number");
        let up_to = self.posts_per_room.get().min(after + most as u64);
        let post = |seq| {
            let mut body = self.vocabulary.post(&mut Random(at << 32 | seq));
            if at.is_multiple_of(PRIVATE_EVERY) {
                body.push_str(" 비밀");
            }
            Change { seq, kind: ChangeKind::Post { body } }
        };
        Ok((after + 1..=up_to).map(post).collect())
    }
}

/// Words, the frequent ones first.
struct Vocabulary {
    nouns: Vec<String>,
    english: Vec<String>,
}

impl Vocabulary {
    fn new() -> Self {
        let syllables: Vec<char> = SYLLABLES.chars().filter(|c| !c.is_whitespace()).collect();
        let mut random = Random(1);
        let mut nouns: Vec<String> = NOUNS.iter().map(ToString::to_string).collect();
        nouns.resize_with(WORDS, || {
            let length = 2 + random.below(3);
            (0..length).map(|_| syllables[random.by_rank(syllables.len())]).collect()
        });
        let mut english: Vec<String> = ENGLISH.iter().map(ToString::to_string).collect();
        while english.len() < WORDS {
            // Prefixes are as common as they are in a language: few beginnings, many words.
            let begin = ENGLISH[random.by_rank(ENGLISH.len())];
            let at = english.len();
            english.push(if at.is_multiple_of(2) {
                format!("w{at}")
            } else {
                format!("{begin}{at}")
            });
        }
        Self { nouns, english }
    }

    /// 20 to 80 characters: three of four posts are Korean, with an English word here and there.
    fn post(&self, random: &mut Random) -> String {
        let length = 20 + random.below(61);
        let is_korean = random.below(4) > 0;
        let mut post = String::new();
        let mut characters = 0;
        while characters < length {
            if !post.is_empty() {
                post.push(' ');
            }
            if !is_korean || random.below(12) == 0 {
                post.push_str(&self.english[random.by_rank(self.english.len())]);
            } else if random.below(4) == 0 {
                post.push_str(VERBS[random.by_rank(VERBS.len())]);
            } else {
                post.push_str(&self.nouns[random.by_rank(self.nouns.len())]);
                post.push_str(PARTICLES[random.by_rank(PARTICLES.len())]);
            }
            characters = post.chars().count();
        }
        post
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Below `end`, with Zipf's frequencies: the k-th is drawn in proportion to 1/k.
    fn by_rank(&mut self, end: usize) -> usize {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let rank = ((end as f64 + 1.0).ln() * share).exp() as usize;
        rank.clamp(1, end) - 1
    }
}
