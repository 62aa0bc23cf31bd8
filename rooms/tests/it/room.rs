//! A running room: where a follower begins, and reading to the head.

use common::{ResyncReason, http::Keep};
use proptest::prelude::*;
use rooms::{MemoryLog, Read, Room, Settings, Start};

use super::{draft, new_room, position, room_name, say};

struct Talk {
    log: MemoryLog,
    room: Room,
    settings: Settings,
}

impl Talk {
    fn with(keep: Keep, settings: Settings) -> Self {
        let mut log = MemoryLog::new();
        let record = log.open(new_room("마당", keep)).unwrap();
        let room = Room::load(&record, Vec::new(), &settings);
        Self { log, room, settings }
    }

    fn of(keep: Keep, entries: u64, settings: Settings) -> Self {
        let mut talk = Self::with(keep, settings);
        (0..entries).for_each(|_| talk.says("안녕"));
        talk
    }

    fn says(&mut self, text: &str) {
        let n = self.room.head().seq;
        self.room.append(say(&mut self.log, draft("마당", "hana", &format!("m{n}"), text)));
    }

    fn start(&self, after: Option<(&str, u64)>) -> Start {
        let after = after.map(|(epoch, seq)| position(epoch, seq));
        self.room.start(after.as_ref(), self.settings.page_entries)
    }

    fn read(&self, of: &str, seq: u64) -> Read {
        let Settings { read_entries_max, read_bytes_max, page_entries, .. } = self.settings;
        self.room.read_after(&position(of, seq), read_entries_max, read_bytes_max, page_entries)
    }

    /// The numbers of one read, and whether it says that it reached the head.
    fn page(&self, seq: u64) -> (Vec<u64>, bool) {
        match self.read("e1", seq) {
            Read::Entries { entries, to_the_head } => {
                (entries.iter().map(|entry| entry.seq).collect(), to_the_head)
            }
            other @ (Read::FurtherBack { .. } | Read::Resync(_)) => panic!("{other:?}"),
        }
    }

    /// Reads as a shell does, from the tail or from the log, until the head or a resync.
    fn read_to_the_head(&self, of: &str, mut seq: u64) -> Result<Vec<u64>, Start> {
        let mut seqs = Vec::new();
        for _ in 0..=self.room.head().seq + 1 {
            let entries = match self.read(of, seq) {
                Read::Entries { entries, to_the_head } => {
                    seqs.extend(entries.iter().map(|entry| entry.seq));
                    if to_the_head {
                        return Ok(seqs);
                    }
                    entries
                }
                Read::FurtherBack { .. } => {
                    let most = self.settings.read_entries_max;
                    let page = self.log.read_after(self.room.name(), seq, most);
                    seqs.extend(page.iter().map(|entry| entry.seq));
                    page
                }
                Read::Resync(start) => return Err(start),
            };
            seq = entries.last().expect("a read before the head gives something").seq;
        }
        panic!("reading does not come to rest");
    }
}

fn resync(talk: &Talk, of: &str, seq: u64) -> Option<ResyncReason> {
    let start = talk.start(Some((of, seq)));
    assert_eq!(start.recovered, start.resync.is_none());
    start.resync
}

#[test]
fn a_first_join_begins_a_page_before_the_head() {
    for (entries, after) in [(0, 0), (49, 0), (50, 0), (51, 1), (120, 70)] {
        let talk = Talk::of(Keep::Forever, entries, Settings::default());
        let start = talk.start(None);
        assert_eq!((start.head, start.after), (position("e1", entries), after));
        assert_eq!((start.recovered, start.resync, start.floor), (false, None, 0));
    }
}

#[test]
fn a_resume_begins_after_the_position_or_says_why_not() {
    let talk = Talk::of(Keep::Last(100), 120, Settings::default());
    let head = position("e1", 120);
    let whole = talk.start(Some(("e1", 20)));
    assert_eq!((&whole.head, whole.after, whole.floor), (&head, 20, 20));
    assert!(whole.recovered, "the oldest position that can be continued");
    assert_eq!(resync(&talk, "e1", 120), None);
    assert_eq!(resync(&talk, "e1", 19), Some(ResyncReason::Pruned));
    assert_eq!(resync(&talk, "e1", 121), Some(ResyncReason::CursorAhead));
    assert_eq!(resync(&talk, "e0", 20), Some(ResyncReason::EpochChanged));
    let Start { head: told, after, .. } = talk.start(Some(("e0", 20)));
    assert_eq!((told, after), (head, 70), "whoever cannot go on begins with the last page");
}

#[test]
fn a_resync_never_begins_before_what_is_kept() {
    let talk = Talk::of(Keep::Last(10), 120, Settings::default());
    assert_eq!(talk.start(None).after, 110);
    assert_eq!(talk.start(Some(("e1", 3))).after, 110);
    let Read::Resync(start) = talk.read("e1", 3) else { panic!() };
    assert_eq!((start.after, start.resync), (110, Some(ResyncReason::Pruned)));
}

#[test]
fn a_room_that_keeps_nothing_still_serves_its_tail() {
    let settings = Settings { tail_entries_max: 5, ..Settings::default() };
    let talk = Talk::of(Keep::None, 8, settings);
    assert_eq!(talk.page(3), (vec![4, 5, 6, 7, 8], true));
    assert_eq!(resync(&talk, "e1", 2), Some(ResyncReason::Pruned));
}

#[test]
fn a_read_is_limited_in_entries() {
    let settings = Settings { read_entries_max: 3, ..Settings::default() };
    let talk = Talk::of(Keep::Forever, 6, settings);
    assert_eq!(talk.page(0), (vec![1, 2, 3], false));
    assert_eq!(talk.page(3), (vec![4, 5, 6], true));
    assert_eq!(talk.page(6), (vec![], true));
}

#[test]
fn a_read_is_limited_in_bytes_and_gives_at_least_one() {
    let weight = Talk::of(Keep::Forever, 1, Settings::default());
    let Read::Entries { entries, .. } = weight.read("e1", 0) else { panic!() };
    let one = entries[0].weight();
    for (read_bytes_max, seqs) in
        [(3 * one, vec![1, 2, 3]), (3 * one - 1, vec![1, 2]), (1, vec![1])]
    {
        let settings = Settings { read_bytes_max, ..Settings::default() };
        assert_eq!(Talk::of(Keep::Forever, 4, settings).page(0), (seqs, false));
    }
}

#[test]
fn the_tail_is_limited_in_entries_and_bytes_and_never_empty() {
    let weight = Talk::of(Keep::Forever, 1, Settings::default());
    let Read::Entries { entries, .. } = weight.read("e1", 0) else { panic!() };
    let one = entries[0].weight();
    for (entries, bytes, begins_after) in
        [(4, usize::MAX, 6), (10, 10 * one, 0), (10, 3 * one, 7), (10, 3 * one - 1, 8), (10, 1, 9)]
    {
        let settings =
            Settings { tail_entries_max: entries, tail_bytes_max: bytes, ..Settings::default() };
        let talk = Talk::of(Keep::Forever, 10, settings);
        assert_eq!(talk.page(begins_after).0.len() as u64, 10 - begins_after);
        if begins_after > 0 {
            assert!(matches!(talk.read("e1", begins_after - 1), Read::FurtherBack { .. }));
        }
        assert_eq!(talk.read_to_the_head("e1", 0).unwrap(), (1..=10).collect::<Vec<_>>());
    }
}

#[test]
fn a_room_is_loaded_from_its_log_as_it_was() {
    let settings = Settings { tail_entries_max: 4, ..Settings::default() };
    let talk = Talk::of(Keep::Last(6), 10, settings.clone());
    let record = talk.log.room(&room_name("마당")).unwrap();
    let last = talk.log.read_after(&record.room, record.head.seq - 4, 4);
    let loaded = Talk { room: Room::load(record, last, &settings), ..talk };
    assert_eq!(loaded.room.head(), position("e1", 10));
    assert_eq!(loaded.read_to_the_head("e1", 4).unwrap(), [5, 6, 7, 8, 9, 10]);
    assert_eq!(resync(&loaded, "e1", 3), Some(ResyncReason::Pruned));
}

#[test]
#[should_panic(expected = "in the order of the log")]
fn an_entry_that_does_not_follow_the_head_is_never_taken() {
    let mut talk = Talk::of(Keep::Forever, 1, Settings::default());
    say(&mut talk.log, draft("마당", "hana", "skipped", "안녕"));
    talk.room.append(say(&mut talk.log, draft("마당", "hana", "next", "안녕")));
}

#[test]
fn whoever_read_the_log_and_is_ahead_of_the_room_waits_for_it() {
    let mut talk = Talk::of(Keep::Forever, 2, Settings::default());
    let third = say(&mut talk.log, draft("마당", "hana", "third", "안녕"));
    let fourth = say(&mut talk.log, draft("마당", "hana", "fourth", "안녕"));
    assert_eq!(talk.page(3), (vec![], true), "the log was read up to the third");
    talk.room.append(third);
    assert_eq!(talk.page(3), (vec![], true));
    talk.room.append(fourth);
    assert_eq!(talk.page(3), (vec![4], true));
}

fn any_keep() -> impl Strategy<Value = Keep> {
    prop_oneof![Just(Keep::Forever), (1..60_u32).prop_map(Keep::Last), Just(Keep::None)]
}

proptest! {
    #[test]
    fn reading_to_the_head_gives_exactly_what_is_missing_or_says_that_it_cannot(
        keep in any_keep(),
        bodies in proptest::collection::vec(1..3_000_usize, 0..80),
        tail_entries_max in 1..40_usize,
        tail_bytes_max in 1..40_000_usize,
        read_entries_max in 1..10_usize,
        read_bytes_max in 1..10_000_usize,
        cursors in proptest::collection::vec((prop::bool::ANY, 0..100_u64), 1..20),
    ) {
        let settings = Settings {
            tail_entries_max, tail_bytes_max, read_entries_max, read_bytes_max,
            ..Settings::default()
        };
        let mut talk = Talk::with(keep, settings);
        for bytes in &bodies {
            talk.says(&"x".repeat(*bytes));
        }
        let head = bodies.len() as u64;
        for (same_epoch, seq) in cursors {
            let of = if same_epoch { "e1" } else { "e0" };
            let start = talk.start(Some((of, seq)));
            match talk.read_to_the_head(of, seq) {
                Ok(seqs) if same_epoch && seq > head => {
                    prop_assert_eq!(start.resync, Some(ResyncReason::CursorAhead));
                    prop_assert_eq!(seqs, Vec::<u64>::new());
                }
                Ok(seqs) => {
                    prop_assert!(start.recovered && same_epoch);
                    prop_assert_eq!(seqs, (seq + 1..=head).collect::<Vec<_>>());
                }
                Err(instead) => {
                    prop_assert_eq!(&instead, &start);
                    let of_the_log = talk.read_to_the_head("e1", instead.after).unwrap();
                    prop_assert_eq!(of_the_log, (instead.after + 1..=head).collect::<Vec<_>>());
                    let floor = talk.log.room(&room_name("마당")).unwrap().floor;
                    let lost = !same_epoch || seq > head || seq < floor;
                    prop_assert!(lost, "a resync without a reason: {:?}", instead);
                }
            }
        }
    }
}
