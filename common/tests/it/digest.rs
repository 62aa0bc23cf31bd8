//! The rolling digest: the examples of docs/protocol.md, and what it is good for.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use common::{
    Digest, Entry, EntryKind, Epoch, Member, MessageId, RoomName, Timestamp, UserId, UserName,
};

fn entry(
    seq: u64,
    kind: EntryKind,
    author: &str,
    message_id: &str,
    of: Option<u64>,
    body: &str,
) -> Entry {
    let name = UserName::new("하나").unwrap();
    Entry {
        room: RoomName::new("general").unwrap(),
        seq,
        at: Timestamp::new("2026-11-20T09:00:00.000Z").unwrap(),
        author: Member { id: UserId::new(author).unwrap(), name },
        message_id: MessageId::new(message_id).unwrap(),
        kind,
        of,
        member: None,
        body: body.to_owned(),
        erased: None,
    }
}

fn log() -> Vec<Entry> {
    let third = Member { id: UserId::new("u3").unwrap(), name: UserName::new("세나").unwrap() };
    vec![
        entry(1, EntryKind::Post, "u1", "m1", None, "안녕"),
        entry(2, EntryKind::Edit, "u1", "m2", Some(1), "안녕하세요"),
        entry(3, EntryKind::Reaction, "u2", "m1", Some(1), "👍"),
        entry(4, EntryKind::Topic, "u2", "m2", None, "이번 주 배포"),
        Entry {
            member: Some(third),
            ..entry(5, EntryKind::Membership, "u1", "m3", None, "joined")
        },
        entry(6, EntryKind::Delete, "u1", "m4", Some(1), ""),
    ]
}

fn digests(log: &[Entry]) -> Vec<Digest> {
    let start = Digest::start(&Epoch::new("6f1d0c2a9b3e4d58").unwrap());
    let rolling = log.iter().scan(start, |digest, entry| {
        *digest = entry.digest_after(*digest);
        Some(*digest)
    });
    std::iter::once(start).chain(rolling).collect()
}

#[test]
fn the_examples_of_the_protocol_are_what_is_computed() {
    let protocol = include_str!("../../../docs/protocol.md");
    let section = protocol.split_once("## Proof").unwrap().1.split_once("\n## ").unwrap().0;
    let rows = section.lines().filter(|line| line.starts_with("| ") && line.ends_with("` |"));
    let written: Vec<&str> =
        rows.map(|row| row.trim_end_matches("` |").rsplit_once('`').unwrap().1).collect();
    let computed: Vec<String> = digests(&log()).iter().map(Digest::to_string).collect();
    assert_eq!(written, computed);
    assert!(section.contains(&Digest::of_body("안녕").to_string()));
}

#[test]
fn an_erased_entry_keeps_its_digest() {
    let mut erased = log();
    let body = std::mem::take(&mut erased[0].body);
    erased[0].erased = Some(Digest::of_body(&body));
    assert_eq!(digests(&erased), digests(&log()));
}

#[test]
fn whatever_is_missing_doubled_moved_or_changed_shows() {
    let whole = *digests(&log()).last().unwrap();
    let changed = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut log = log();
        change(&mut log);
        *digests(&log).last().unwrap()
    };
    assert_ne!(changed(&|log| drop(log.remove(2))), whole, "missing");
    assert_ne!(changed(&|log| log.insert(2, log[2].clone())), whole, "doubled");
    assert_ne!(changed(&|log| log.swap(2, 3)), whole, "moved");
    assert_ne!(changed(&|log| log[0].body = "안녕?".to_owned()), whole, "another text");
    assert_ne!(changed(&|log| log[1].of = Some(2)), whole, "of another post");
    assert_ne!(changed(&|log| log[2].kind = EntryKind::Post), whole, "another kind");
    assert_ne!(changed(&|log| log[4].member = None), whole, "about nobody");
    let author = UserId::new("u9").unwrap();
    assert_ne!(changed(&|log| log[3].author.id = author.clone()), whole, "of somebody else");
}

#[test]
fn a_digest_is_read_as_it_is_written_and_nothing_else_is_one() {
    let digest = Digest::of_body("안녕");
    assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
    for text in [
        "",
        "e8f8",
        "E8F817F346D1D411CC59D5BDDA64FAB3",
        "g8f817f346d1d411cc59d5bdda64fab3",
        "e8f817f346d1d411cc59d5bdda64fab3aa",
    ] {
        assert_eq!(Digest::parse(text), None, "{text}");
    }
}
