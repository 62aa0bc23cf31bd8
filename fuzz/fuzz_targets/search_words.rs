//! Words: whatever is said is found by its own beginning, and nothing that is asked is read as
//! syntax.

#![no_main]

use std::{
    cell::RefCell,
    sync::{Mutex, OnceLock},
};

use common::{Epoch, RoomName};
use libfuzzer_sys::fuzz_target;
use server::search::{
    self, Change, ChangeKind, Head, Indexer, QUERY_CHARS_MAX, Readable, Search, SearchRefusal,
    Source, Unreadable,
};

/// Posts of one epoch; then the index begins anew, so that it stays small.
const POSTS: u64 = 1_000;

struct Stage {
    search: Search,
    indexer: Indexer,
    log: Log,
    said: u64,
}

#[derive(Default)]
struct Log(RefCell<(u64, Vec<String>)>);

fn room() -> RoomName {
    RoomName::new("general").expect("it is a name")
}

impl Source for Log {
    fn heads(&self) -> Vec<Head> {
        let (epoch, texts) = &*self.0.borrow();
        let epoch = Epoch::new(format!("e{epoch}")).expect("it is an epoch");
        let seq = texts.len() as u64;
        vec![Head { room: room(), open: true, epoch, seq, floor: 0 }]
    }

    fn read_after(&self, _: &RoomName, after: u64, most: usize) -> Result<Vec<Change>, Unreadable> {
        let skip = usize::try_from(after).expect("it is small");
        let texts = &self.0.borrow().1;
        let posts = (after + 1..).zip(texts.iter().skip(skip).take(most));
        let change = |(seq, body): (u64, &String)| Change {
            seq,
            kind: ChangeKind::Post { body: body.clone() },
        };
        Ok(posts.map(change).collect())
    }
}

impl Stage {
    fn new() -> Self {
        let (search, indexer) =
            search::open(&fuzz::directory("search")).expect("an index can be begun");
        Self { search, indexer, log: Log::default(), said: 0 }
    }

    /// Says something, and answers its place.
    fn says(&mut self, text: &str) -> u64 {
        if self.said % POSTS == 0 {
            *self.log.0.borrow_mut() = (self.said / POSTS, Vec::new());
        }
        self.said += 1;
        self.log.0.borrow_mut().1.push(text.to_owned());
        while self.indexer.step(&self.log).expect("the index can be written") {}
        self.log.0.borrow().1.len() as u64
    }

    fn finds(&self, query: &str) -> Option<Vec<u64>> {
        let readable = Readable::OpenAnd(Vec::new());
        match self.search.find(query, &readable, None, None, 50) {
            Ok(page) => Some(page.hits.iter().map(|hit| hit.position.seq).collect()),
            Err(SearchRefusal::Query(_)) => None,
            Err(SearchRefusal::Unavailable(error)) => panic!("{query:?}: {error}"),
        }
    }
}

fuzz_target!(|text: &str| {
    static STAGE: OnceLock<Mutex<Stage>> = OnceLock::new();
    let (query, text) = text.split_once('\n').unwrap_or((text, text));
    let stage = STAGE.get_or_init(|| Mutex::new(Stage::new()));
    let mut stage = stage.lock().expect("nobody panicked");
    let place = stage.says(text);
    stage.finds(query);
    // Up to a space, so that no letter is torn from a mark that belongs to it.
    let beginning: String = text.chars().take(QUERY_CHARS_MAX).collect();
    let beginning = match beginning.rsplit_once(' ') {
        Some((beginning, _)) if beginning.len() < text.len() => beginning,
        Some(_) | None if beginning.len() == text.len() => &*beginning,
        Some(_) | None => return,
    };
    if let Some(found) = stage.finds(beginning) {
        assert!(found.contains(&place), "{beginning:?} of {text:?}");
    }
});
