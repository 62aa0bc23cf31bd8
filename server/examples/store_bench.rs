//! What durability costs: the store beside a plain file that gets the same bytes in batches of the
//! same size and is synced after each, in turns on the same disk; then a million entries.
//!
//! `cargo run --release -p server --example store_bench [DIRECTORY [ENTRIES [AUTHORS [ROOMS]]]]`

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use common::{
    Body, Epoch, Member, MessageId, RoomName, Timestamp, UserId, UserName, encode, http::Keep,
};
use rooms::{Appended, Content, Draft, NewRoom};
use server::log::{Change, Outcome, SqliteStore, Store};

/// Turns of each, plain file and store, for one size of batch.
const TURNS: usize = 4;
/// What a message says, in bytes.
const TEXT: &str = "그래서 그날 저녁에 마당에서 다 같이 모여 앉아 수박을 나눠 먹었어, remember? It was a warm night.";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let mut number =
        |default| arguments.next().map_or(default, |text| text.parse().expect("a number"));
    let (entries, authors, rooms) = (number(1_000_000), number(256), number(16));
    let dir = parent.join(format!("madang-store-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("the directory can be written");
    let mut world = World { said: 0, authors, rooms };
    tell(format_args!("{authors} authors in {rooms} rooms, {} bytes of text", TEXT.len()));
    digest(&mut world);
    compare(&dir, &mut world);
    fill(&dir, &mut world, entries);
    fs::remove_dir_all(&dir).expect("it was made above");
}

/// People who say one thing after another.
struct World {
    said: u64,
    authors: u64,
    rooms: u64,
}

impl World {
    fn says(&mut self) -> Draft {
        self.said += 1;
        let author = format!("u{:020x}", self.said % self.authors);
        // As UUID version 7 writes them: the time first, then what is random.
        let random = self.said.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (time, random) = (0x019a_0000_0000 + self.said / 20, format!("{random:016x}"));
        let time = format!("{time:012x}");
        let id = format!(
            "{}-{}-7{}-8{}-{}{}",
            &time[..8],
            &time[8..],
            &random[..3],
            &random[3..6],
            &random[6..],
            "00"
        );
        Draft {
            room: room(self.said % self.rooms),
            author: Member {
                id: UserId::new(author).expect("a token"),
                name: UserName::new("하나").expect("a name"),
            },
            message_id: MessageId::new(id).expect("a token"),
            content: Content::Post(Body::new(TEXT).expect("a text")),
        }
    }

    fn batch(&mut self, size: usize) -> Vec<Change> {
        (0..size).map(|_| Change::Append(self.says())).collect()
    }
}

fn room(nth: u64) -> RoomName {
    RoomName::new(format!("room-{nth}")).expect("a name")
}

fn at() -> Timestamp {
    Timestamp::new("2026-11-20T09:00:00.000Z").expect("a time")
}

fn open(dir: &Path) -> SqliteStore {
    let epoch = || Epoch::new("0123456789abcdef").expect("a token");
    SqliteStore::open(dir, epoch).expect("the store opens")
}

fn open_rooms(store: &SqliteStore, rooms: u64, keep: Keep) {
    let epoch = Epoch::new("0123456789abcdef").expect("a token");
    let new = |nth| NewRoom { room: room(nth), epoch: epoch.clone(), keep, members: None };
    let changes: Vec<_> = (0..rooms).map(|nth| Change::Open(new(nth))).collect();
    store.commit(&changes, &at()).expect("rooms open");
}

/// What the digest of an entry costs alone.
fn digest(world: &mut World) {
    const TIMES: u32 = 200_000;
    let epoch = Epoch::new("0123456789abcdef").expect("a token");
    let mut digest = common::Digest::start(&epoch);
    let entry = rooms::Entry::new(world.says(), epoch, 1, at(), digest);
    let before = processor_time();
    for _ in 0..TIMES {
        digest = std::hint::black_box(&entry).digest_after(digest);
    }
    let each = (processor_time() - before).as_nanos() / u128::from(TIMES);
    tell(format_args!("digest: {each} ns of processor time an entry ({digest})"));
}

/// Store and plain file, in turns.
fn compare(dir: &Path, world: &mut World) {
    let place = dir.join("compared");
    fs::create_dir_all(&place).expect("the directory can be written");
    let store = open(&place);
    open_rooms(&store, world.rooms, Keep::Forever);
    let plain = dir.join("plain");
    let mut plain = File::create(plain).expect("the directory can be written");
    for (size, commits) in [(1, 500), (16, 500), (256, 400)] {
        let (mut of_plain, mut of_store) = (Vec::new(), Vec::new());
        let mut processor = Duration::ZERO;
        for _ in 0..TURNS {
            for _ in 0..commits {
                let batch = world.batch(size);
                // The same bytes, as they stand on the wire.
                let bytes = frames(&batch);
                of_plain.push(timed(|| {
                    plain.write_all(&bytes).expect("the file takes it");
                    plain.sync_data().expect("the file is synced");
                }));
            }
            for _ in 0..commits {
                let batch = world.batch(size);
                let before = processor_time();
                of_store.push(timed(|| {
                    let outcomes = store.commit(&batch, &at()).expect("the store takes it");
                    let new = |outcome: &Outcome| {
                        matches!(outcome, Outcome::Appended(Ok(Appended::New(_))))
                    };
                    assert!(outcomes.iter().all(new));
                }));
                processor += processor_time() - before;
            }
        }
        let (plain, store) = (Figures::of(of_plain, size), Figures::of(of_store, size));
        tell(format_args!(
            "batch {size}: store / plain file = {:.2}; p99 of a commit / median sync = {:.2}",
            store.per_second / plain.per_second,
            store.p99.as_secs_f64() / plain.p50.as_secs_f64(),
        ));
        plain.tell("plain");
        store.tell("store");
        let entries = f64::from(TURNS as u32 * commits * size as u32);
        tell(format_args!(
            "  store: {:.2} us of processor time an entry",
            processor.as_secs_f64() * 1e6 / entries
        ));
    }
}

fn frames(batch: &[Change]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for change in batch {
        let Change::Append(draft) = change else { continue };
        let before = common::Digest::of_body("");
        let epoch = Epoch::new("0123456789abcdef").expect("a token");
        let entry = rooms::Entry::new(draft.clone(), epoch, 1, at(), before);
        bytes.extend_from_slice(
            encode(&common::ServerMessage::Entry(entry.on_the_wire())).as_bytes(),
        );
        bytes.push(b'\n');
    }
    bytes
}

/// Many entries; then opening them, and reading them.
fn fill(dir: &Path, world: &mut World, entries: u64) {
    const BATCH: usize = 1_000;
    const READ: u64 = 100_000;
    let dir = dir.join("filled");
    fs::create_dir_all(&dir).expect("the directory can be written");
    let store = open(&dir);
    open_rooms(&store, world.rooms, Keep::Forever);
    let filled = timed(|| {
        for _ in 0..entries.div_ceil(BATCH as u64) {
            store.commit(&world.batch(BATCH), &at()).expect("the store takes it");
        }
    });
    drop(store);
    let size = fs::metadata(dir.join("madang.db")).expect("the database is there").len();
    tell(format_args!(
        "{entries} entries in {:.1} s, {} bytes each",
        filled.as_secs_f64(),
        size / entries.max(1)
    ));
    let mut opened = None;
    let opening = timed(|| opened = Some(open(&dir)));
    let store = opened.expect("it was opened");
    tell(format_args!("opened in {:.1} ms", opening.as_secs_f64() * 1e3));
    let (mut count, mut pages) = (0, Vec::new());
    'rooms: for record in store.rooms() {
        let mut after = 0;
        while after < record.head.seq {
            let mut page = Vec::new();
            pages.push(timed(|| {
                page = store
                    .read_after(&record.room, after, 1_000, usize::MAX)
                    .expect("the store is read");
            }));
            after = page.last().expect("the log has no gaps").seq;
            count += page.len() as u64;
            if count >= READ {
                break 'rooms;
            }
        }
    }
    let read = pages.iter().sum::<Duration>();
    tell(format_args!(
        "{count} entries read in pages of 1000: {:.0} a second",
        count as f64 / read.as_secs_f64()
    ));
}

struct Figures {
    per_second: f64,
    p50: Duration,
    p99: Duration,
    longest: Duration,
}

impl Figures {
    fn of(mut commits: Vec<Duration>, size: usize) -> Self {
        commits.sort_unstable();
        let all = commits.iter().sum::<Duration>();
        let at = |share: f64| commits[(commits.len() as f64 * share) as usize];
        Self {
            per_second: (commits.len() * size) as f64 / all.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
            longest: *commits.last().expect("there were commits"),
        }
    }

    fn tell(&self, name: &str) {
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        tell(format_args!(
            "  {name}: {:.0} entries a second; a commit p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms",
            self.per_second,
            ms(self.p50),
            ms(self.p99),
            ms(self.longest)
        ));
    }
}

/// How long this thread has been on a processor: what a busy machine does not change.
fn processor_time() -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn timed(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn tell(line: std::fmt::Arguments<'_>) {
    println!("{line}");
}
