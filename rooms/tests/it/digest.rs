//! The digest of a log: what was read verifies what the room says of itself.

use common::{Digest, Epoch, http::Keep};
use proptest::prelude::*;
use rooms::{
    Appended, Content, Draft, Entry, MembershipChange, MemoryLog, NewRoom, Read, Room, Settings,
};

use super::{
    delete, draft, draft_of, edit, epoch, member, membership, new_room, noon, position, post,
    reaction, room_name, say, topic,
};

fn log_with(entries: u64, keep: Keep) -> MemoryLog {
    let mut log = MemoryLog::new();
    log.open(new_room("마당", keep)).unwrap();
    for n in 1..=entries {
        say(&mut log, draft("마당", "hana", &format!("m{n}"), &format!("{n}")));
    }
    log
}

fn running(log: &MemoryLog, settings: &Settings) -> Room {
    let record = log.room(&room_name("마당")).unwrap();
    let after = record.head.seq.saturating_sub(settings.tail_entries_max as u64);
    let last = log.read_after(&record.room, after.max(record.floor), settings.tail_entries_max);
    Room::load(record, last, settings)
}

#[test]
fn a_log_begins_with_the_digest_of_its_epoch() {
    let log = log_with(0, Keep::Forever);
    let record = log.room(&room_name("마당")).unwrap();
    let start = Digest::start(&epoch("e1"));
    assert_eq!((record.digest, record.floor_digest), (start, start));
    assert_ne!(start, Digest::start(&epoch("e2")));
}

#[test]
fn what_is_kept_verifies_from_the_floor_to_the_head() {
    for keep in [Keep::Forever, Keep::Last(3), Keep::None] {
        let log = log_with(10, keep);
        let record = log.room(&room_name("마당")).unwrap();
        let kept = log.read_after(&record.room, record.floor, usize::MAX);
        let digest =
            kept.iter().fold(record.floor_digest, |before, entry| entry.digest_after(before));
        assert_eq!(digest, record.digest, "{keep:?}");
    }
}

#[test]
fn the_digest_covers_everything_but_the_name_and_the_time() {
    let entry = |draft: Draft, epoch: &Epoch, seq, at: &str, before| {
        let at = common::Timestamp::new(at).unwrap();
        Entry::new(draft, epoch.clone(), seq, at, before).digest
    };
    let (e1, noon) = (epoch("e1"), "2026-11-20T12:00:00.000Z");
    let (start, other) = (Digest::start(&e1), Digest::start(&epoch("e2")));
    let say = |text| draft("마당", "hana", "m1", text);
    let first = entry(say("안녕"), &e1, 1, noon, start);
    assert_eq!(entry(say("안녕"), &e1, 1, "2026-11-20T12:00:01.000Z", start), first);
    for another in [
        entry(say("안녕!"), &e1, 1, noon, start),
        entry(say("안녕"), &e1, 2, noon, start),
        entry(say("안녕"), &e1, 1, noon, other),
        entry(draft("마당", "duri", "m1", "안녕"), &e1, 1, noon, start),
        entry(draft("마당", "hana", "m2", "안녕"), &e1, 1, noon, start),
        entry(draft_of("마당", "hana", "m1", edit(1, "안녕")), &e1, 1, noon, start),
        entry(draft_of("마당", "hana", "m1", edit(2, "안녕")), &e1, 1, noon, start),
        entry(draft_of("마당", "hana", "m1", topic("안녕")), &e1, 1, noon, start),
    ] {
        assert_ne!(another, first);
    }
    let kicks = |who| {
        let content = membership(MembershipChange::Kicked, who);
        entry(draft_of("마당", "hana", "m1", content), &e1, 1, noon, start)
    };
    assert_ne!(kicks("duri"), kicks("sena"));
}

#[test]
fn whoever_joins_is_told_the_digest_at_the_head_and_where_they_begin() {
    let settings = Settings { page_entries: 4, tail_entries_max: 6, ..Settings::default() };
    let log = log_with(10, Keep::Forever);
    let room = running(&log, &settings);
    let digests: Vec<Digest> = log
        .read_after(&room_name("마당"), 0, usize::MAX)
        .iter()
        .map(|entry| entry.digest)
        .collect();
    let at = |seq: usize| seq.checked_sub(1).map_or(Digest::start(&epoch("e1")), |n| digests[n]);
    for (after, begins, base) in [
        (None, 6, Some(at(6))),
        (Some(0), 0, Some(at(0))),
        (Some(3), 3, None),
        (Some(4), 4, None),
        (Some(5), 5, Some(at(5))),
        (Some(10), 10, Some(at(10))),
        (Some(11), 6, Some(at(6))),
    ] {
        let place = after.map(|seq| position("e1", seq));
        let start = room.start(place.as_ref(), settings.page_entries);
        assert_eq!((start.after, start.base, start.digest), (begins, base, at(10)), "{after:?}");
    }
}

#[test]
fn the_digest_before_the_tail_is_at_hand_once_the_tail_let_go_of_an_entry() {
    let settings = Settings { page_entries: 50, tail_entries_max: 2, ..Settings::default() };
    for keep in [Keep::None, Keep::Forever] {
        let mut log = log_with(0, keep);
        let mut room = running(&log, &settings);
        let mut digests = Vec::new();
        for n in 1..=5 {
            let entry = say(&mut log, draft("마당", "hana", &format!("m{n}"), "안녕"));
            digests.push(entry.digest);
            room.append(entry);
        }
        let start = room.start(Some(&position("e1", 3)), settings.page_entries);
        assert_eq!((start.after, start.base), (3, Some(digests[2])), "{keep:?}");
    }
}

#[test]
fn the_floor_of_a_room_that_was_loaded_has_a_digest() {
    let settings = Settings { tail_entries_max: 2, ..Settings::default() };
    let log = log_with(10, Keep::Last(5));
    let record = log.room(&room_name("마당")).unwrap();
    let start = running(&log, &settings).start(Some(&position("e1", 5)), 50);
    assert_eq!((start.after, start.base, start.floor), (5, Some(record.floor_digest), 5));
}

fn any_draft() -> impl Strategy<Value = Draft> {
    let author = prop::sample::select(vec!["hana", "duri", "sena"]);
    let who = prop::sample::select(vec!["hana", "duri", "sena", "nari"]);
    let change = prop::sample::select(vec![
        MembershipChange::Joined,
        MembershipChange::Left,
        MembershipChange::Kicked,
    ]);
    let content = prop_oneof![
        4 => "[a-z가-힣]{1,8}".prop_map(|text| post(&text)),
        2 => (0..40_u64, "[a-z]{1,8}").prop_map(|(of, text)| edit(of, &text)),
        2 => (0..40_u64).prop_map(delete),
        2 => (0..40_u64, "[👋🎉]").prop_map(|(of, emoji)| reaction(of, &emoji)),
        1 => "[a-z]{0,8}".prop_map(|text| topic(&text)),
        2 => (change, who).prop_map(|(change, who)| membership(change, who)),
    ];
    let room = prop::sample::select(vec!["마당", "비밀", "nowhere"]);
    (room, author, 0..30_u8, content).prop_map(|(room, author, id, content): (_, _, _, Content)| {
        draft_of(room, author, &format!("m{id}"), content)
    })
}

proptest! {
    #[test]
    fn no_drafts_break_the_chain_or_leave_a_gap(
        drafts in proptest::collection::vec(any_draft(), 0..120),
        keep in prop_oneof![
            Just(Keep::Forever), (1..30_u32).prop_map(Keep::Last), Just(Keep::None),
        ],
        tail_entries_max in 1..30_usize,
    ) {
        let settings = Settings { tail_entries_max, ..Settings::default() };
        let mut log = MemoryLog::new();
        let members = vec![member("hana"), member("duri")];
        log.open(new_room("마당", keep)).unwrap();
        log.open(NewRoom { members: Some(members), ..new_room("비밀", keep) }).unwrap();
        let names = ["마당", "비밀"].map(room_name);
        let mut rooms = names.clone().map(|name| {
            Room::load(log.room(&name).unwrap(), Vec::new(), &settings)
        });
        for draft in drafts {
            let before: Vec<_> = log.rooms().cloned().collect();
            match log.append(draft, noon()) {
                Ok(Appended::New(entry)) => {
                    let at = names.iter().position(|name| *name == entry.room).unwrap();
                    rooms[at].append(entry);
                }
                Ok(Appended::Repeated(_)) | Err(_) => {
                    prop_assert_eq!(log.rooms().cloned().collect::<Vec<_>>(), before);
                }
            }
        }
        for (name, room) in names.iter().zip(&rooms) {
            let record = log.room(name).unwrap();
            let kept = log.read_after(name, record.floor, usize::MAX);
            let mut digest = record.floor_digest;
            for (seq, entry) in (record.floor + 1..).zip(&kept) {
                digest = entry.digest_after(digest);
                prop_assert_eq!((entry.seq, entry.digest), (seq, digest));
            }
            prop_assert_eq!(record.floor + kept.len() as u64, record.head.seq);
            prop_assert_eq!(digest, record.digest);
            let start = room.start(None, tail_entries_max as u64 - 1);
            prop_assert_eq!((start.head.clone(), start.digest), (record.head.clone(), digest));
            let after = position("e1", start.after);
            let Read::Entries { entries, .. } =
                room.read_after(&after, usize::MAX, usize::MAX, 50) else { panic!("the tail") };
            let base = start.base.expect("it is at hand within the tail");
            prop_assert_eq!(entries.iter().fold(base, |it, entry| entry.digest_after(it)), digest);
        }
    }
}
