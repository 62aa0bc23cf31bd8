//! Logs in memory with an index over them.

mod asking;
mod damage;
mod following;

use std::{
    cell::RefCell,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use super::*;

/// Logs in memory, the index over them, and its directory.
struct Stage {
    logs: Logs,
    indexer: Option<Indexer>,
    search: Search,
    dir: PathBuf,
}

#[derive(Default)]
struct Logs {
    rooms: RefCell<Vec<(Head, Vec<Change>)>>,
    /// The rooms that were read, in order.
    read: RefCell<Vec<RoomName>>,
    /// The room that cannot be read.
    broken: RefCell<Option<RoomName>>,
}

impl Source for Logs {
    fn heads(&self) -> Vec<Head> {
        self.rooms.borrow().iter().map(|(head, _)| head.clone()).collect()
    }

    fn read_after(
        &self,
        room: &RoomName,
        after: u64,
        most: usize,
    ) -> Result<Vec<Change>, Unreadable> {
        if self.broken.borrow().as_ref() == Some(room) {
            return Err(Unreadable { room: room.clone(), after });
        }
        self.read.borrow_mut().push(room.clone());
        let rooms = self.rooms.borrow();
        let (head, log) = rooms.iter().find(|(head, _)| head.room == *room).unwrap();
        let kept = log.iter().filter(|change| change.seq > head.floor);
        if after < head.floor {
            return Ok(Vec::new());
        }
        Ok(kept.filter(|change| change.seq > after).take(most).cloned().collect())
    }
}

impl Stage {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "madang-search-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        let (search, indexer) = open(&dir).unwrap();
        let stage = Self { logs: Logs::default(), indexer: Some(indexer), search, dir };
        stage.room("general", true);
        stage
    }

    fn room(&self, name: &str, open: bool) {
        let (room, epoch) = (room(name), Epoch::new("e1").unwrap());
        let head = Head { room, open, epoch, seq: 0, floor: 0 };
        self.logs.rooms.borrow_mut().push((head, Vec::new()));
    }

    fn log<T>(&self, name: &str, change: impl FnOnce(&mut Head, &mut Vec<Change>) -> T) -> T {
        let mut rooms = self.logs.rooms.borrow_mut();
        let (head, log) = rooms.iter_mut().find(|(head, _)| head.room.as_str() == name).unwrap();
        change(head, log)
    }

    fn happens(&self, name: &str, kind: ChangeKind) -> u64 {
        self.log(name, |head, log| {
            head.seq += 1;
            log.push(Change { seq: head.seq, kind });
            head.seq
        })
    }

    fn says(&self, body: &str) -> u64 {
        self.says_in("general", body)
    }

    fn says_in(&self, name: &str, body: &str) -> u64 {
        self.happens(name, ChangeKind::Post { body: body.into() })
    }

    fn step(&mut self) -> bool {
        self.indexer.as_mut().unwrap().step(&self.logs).unwrap()
    }

    fn index(&mut self) {
        let most = 1_000;
        assert!((0..most).any(|_| !self.step()), "the indexer comes to an end");
    }

    /// The process dies and another one begins.
    fn restart(&mut self) {
        self.indexer = None;
        let (search, indexer) = open(&self.dir).unwrap();
        (self.search, self.indexer) = (search, Some(indexer));
    }

    fn page(&self, query: &str, before: Option<Cursor>, limit: usize) -> Page {
        self.search.find(query, &stranger(), None, before, limit).unwrap()
    }

    /// Places of what a stranger finds, the newest first.
    fn finds(&self, query: &str) -> Vec<u64> {
        seqs(&self.page(query, None, PAGE_HITS_MAX))
    }

    fn finds_as(&self, query: &str, readable: &Readable, room: Option<&str>) -> usize {
        let room = room.map(|name| RoomName::new(name).unwrap());
        self.search.find(query, readable, room.as_ref(), None, PAGE_HITS).unwrap().hits.len()
    }

    #[track_caller]
    fn found(&self, query: &str, expected: &[u64]) {
        assert_eq!(self.finds(query), expected, "found by {query:?}");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

fn stranger() -> Readable {
    Readable::OpenAnd(Vec::new())
}

fn seqs(page: &Page) -> Vec<u64> {
    page.hits.iter().map(|hit| hit.position.seq).collect()
}
