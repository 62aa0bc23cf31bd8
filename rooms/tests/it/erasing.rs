//! Deleting: the text is gone from the log and from the running tail, and the digests still hold.

use common::{Digest, EntryKind, http::Keep};
use proptest::prelude::*;
use rooms::{Content, Entry, MemoryLog, Read, Room, Settings};

use super::{
    delete, draft_of, edit, epoch, new_room, position, post, reaction, room_name, say, yard::Yard,
};

/// A log and the room that runs beside it.
struct Talk {
    log: MemoryLog,
    room: Room,
    said: u64,
}

impl Talk {
    fn new(settings: &Settings) -> Self {
        let mut log = MemoryLog::new();
        let record = log.open(new_room("마당", Keep::Forever)).unwrap();
        Self { log, room: Room::load(&record, Vec::new(), settings), said: 0 }
    }

    fn says(&mut self, content: Content) {
        self.said += 1;
        let draft = draft_of("마당", "hana", &format!("m{}", self.said), content);
        self.room.append(say(&mut self.log, draft));
    }

    fn log(&self) -> Vec<Entry> {
        let entries = self.log.read_after(&room_name("마당"), 0, usize::MAX);
        entries.iter().map(|entry| Entry::clone(entry)).collect()
    }

    fn tail(&self, after: u64) -> Vec<Entry> {
        match self.room.read_after(&position("e1", after), usize::MAX, usize::MAX, 50) {
            Read::Entries { entries, .. } => entries.iter().map(|it| Entry::clone(it)).collect(),
            other @ (Read::FurtherBack { .. } | Read::Resync(_)) => panic!("{other:?}"),
        }
    }
}

fn texts(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.body.as_str()).collect()
}

/// What somebody computes who reads it from the beginning.
fn digest_of(entries: &[Entry]) -> Digest {
    let start = Digest::start(&epoch("e1"));
    entries.iter().fold(start, |before, entry| entry.digest_after(before))
}

fn talk_with_a_deleted_post() -> Talk {
    let mut talk = Talk::new(&Settings::default());
    talk.says(post("비밀번호"));
    talk.says(post("남는 것"));
    talk.says(edit(1, "비밀번호!"));
    talk.says(edit(2, "남는 것!"));
    talk.says(reaction(1, "👋"));
    talk.says(delete(1));
    talk
}

#[test]
fn deleting_erases_the_post_and_its_edits_and_nothing_else_in_the_log_and_in_the_tail() {
    let talk = talk_with_a_deleted_post();
    for entries in [talk.log(), talk.tail(0)] {
        assert_eq!(texts(&entries), ["", "남는 것", "", "남는 것!", "👋", ""]);
        let erased: Vec<u64> =
            entries.iter().filter(|entry| entry.erased.is_some()).map(|entry| entry.seq).collect();
        assert_eq!(erased, [1, 3]);
        assert_eq!(entries[0].erased, Some(Digest::of_body("비밀번호")));
    }
}

#[test]
fn digests_hold_before_and_after_erasing() {
    let talk = talk_with_a_deleted_post();
    let head = talk.log.room(&room_name("마당")).unwrap().digest;
    for entries in [talk.log(), talk.tail(0)] {
        assert_eq!(digest_of(&entries), head);
        for entry in &entries {
            assert_eq!(entry.digest, digest_of(&entries[..entry.seq as usize]));
        }
    }
}

#[test]
fn nothing_of_what_was_deleted_is_in_a_frame_that_was_encoded_before() {
    let mut yard = Yard::new(Settings::default());
    let (mut hana, mut duri) = (yard.regular("hana"), yard.regular("duri"));
    hana.posts(&mut yard, "general", "m1", "비밀번호");
    assert_eq!(duri.reads(&mut yard), ["비밀번호"], "it was encoded once");
    yard.takes("general", "hana", "m2", delete(1));
    let mut sena = yard.guest("sena");
    sena.joins(&mut yard, "general", None);
    let frames: Vec<String> = sena.hears_all(&mut yard).iter().map(common::encode).collect();
    assert!(frames.iter().all(|frame| !frame.contains("비밀번호")), "{frames:?}");
    assert!(frames[1].contains(r#""body":"","erased":""#), "{frames:?}");
}

#[test]
fn a_sign_that_is_taken_back_is_erased() {
    let mut talk = Talk::new(&Settings::default());
    talk.says(post("안녕"));
    talk.says(reaction(1, "👋"));
    talk.says(delete(2));
    assert_eq!(texts(&talk.tail(0)), ["안녕", "", ""]);
    assert_eq!(talk.tail(0)[1].kind, EntryKind::Reaction);
}

#[test]
fn erasing_gives_back_the_room_that_the_text_took_in_the_tail() {
    let text = "x".repeat(4_000);
    let mut talk = Talk::new(&Settings { tail_bytes_max: 30_000, ..Settings::default() });
    for _ in 0..3 {
        talk.says(post(&text));
    }
    for of in 1..=3 {
        talk.says(delete(of));
    }
    for _ in 0..3 {
        talk.says(post(&text));
    }
    assert_eq!(talk.tail(0).len(), 9, "three texts weigh less than the tail may");
    talk.says(post(&text));
    let begins_after = talk.room.read_after(&position("e1", 0), usize::MAX, usize::MAX, 50);
    assert!(matches!(begins_after, Read::FurtherBack { .. }), "a fourth is too much");
}

fn any_content() -> impl Strategy<Value = Content> {
    prop_oneof![
        3 => "[a-z]{1,8}".prop_map(|text| post(&text)),
        2 => (1..40_u64, "[a-z]{1,8}").prop_map(|(of, text)| edit(of, &text)),
        1 => (1..40_u64).prop_map(delete),
        1 => (1..40_u64, "[👋🎉]").prop_map(|(of, emoji)| reaction(of, &emoji)),
    ]
}

proptest! {
    #[test]
    fn log_and_tail_read_the_same_and_hold_no_text_of_what_was_deleted(
        contents in proptest::collection::vec(any_content(), 1..60),
        tail_entries_max in 1..60_usize,
    ) {
        let mut talk = Talk::new(&Settings { tail_entries_max, ..Settings::default() });
        for content in contents {
            talk.said += 1;
            let draft = draft_of("마당", "hana", &format!("m{}", talk.said), content);
            if let Ok(rooms::Appended::New(entry)) = talk.log.append(draft, super::noon()) {
                talk.room.append(entry);
            }
        }
        let log = talk.log();
        let begins_after = log.len().saturating_sub(tail_entries_max);
        let seen = |entry: &Entry| (entry.on_the_wire(), entry.digest);
        let tail: Vec<_> = talk.tail(begins_after as u64).iter().map(seen).collect();
        prop_assert_eq!(tail, log[begins_after..].iter().map(seen).collect::<Vec<_>>());
        prop_assert_eq!(digest_of(&log), talk.log.room(&room_name("마당")).unwrap().digest);
        for deletion in log.iter().filter(|entry| entry.kind == EntryKind::Delete) {
            let of = deletion.of.unwrap();
            for gone in log.iter().filter(|entry| entry.goes_with(of)) {
                prop_assert!(gone.body.is_empty() && gone.erased.is_some(), "{:?}", gone);
            }
        }
    }
}
