//! Where the logs stand: told with the heartbeat, of what was sent.

use common::{Digest, ServerMessage, http::Keep};
use rooms::Settings;

use super::{
    epoch, position, room_name,
    yard::{Visitor, Yard, in_a_small_room},
};

fn yard() -> Yard {
    Yard::new(Settings::default())
}

/// What is heard at the next heartbeat: the rooms' names, places and digests, before the ping.
fn heads(visitor: &mut Visitor, yard: &mut Yard) -> Vec<(String, u64, Digest)> {
    yard.passes(30_000);
    visitor.sits_until(yard.ms);
    let mut heard = visitor.hears();
    assert_eq!(heard.pop(), Some(ServerMessage::Ping {}));
    visitor.says(yard, &common::ClientMessage::Pong {});
    let head = |message| {
        let ServerMessage::Head { room, position, digest } = message else { panic!("{message:?}") };
        assert_eq!(position.epoch, epoch("e1"));
        (room.to_string(), position.seq, digest)
    };
    heard.into_iter().map(head).collect()
}

#[test]
fn a_head_is_told_at_the_heartbeat_after_something_was_sent_and_once() {
    let mut yard = yard();
    let (mut hana, mut duri) = (yard.regular("hana"), yard.regular("duri"));
    assert_eq!(heads(&mut duri, &mut yard), [], "joined said it");
    hana.posts(&mut yard, "general", "m1", "안녕");
    hana.posts(&mut yard, "general", "m2", "또");
    assert_eq!(duri.reads(&mut yard), ["안녕", "또"]);
    let digest = yard.log.room(&room_name("general")).unwrap().digest;
    assert_eq!(heads(&mut duri, &mut yard), [("general".to_owned(), 2, digest)]);
    assert_eq!(heads(&mut duri, &mut yard), []);
}

#[test]
fn no_head_is_told_while_entries_wait_to_be_written() {
    let mut yard = yard();
    let (mut hana, mut duri) = (yard.regular("hana"), yard.regular("duri"));
    hana.posts(&mut yard, "general", "m1", "안녕");
    yard.read(&mut duri.conversation);
    yard.passes(30_000);
    duri.sits_until(yard.ms);
    let heard = duri.hears();
    assert!(matches!(&heard[..], [ServerMessage::Ping {}, ServerMessage::Entry(_)]), "{heard:?}");
    duri.says(&mut yard, &common::ClientMessage::Pong {});
    assert_eq!(heads(&mut duri, &mut yard).len(), 1, "it is told at the next");
}

#[test]
fn a_head_says_where_the_reader_stands_and_not_where_the_log_does() {
    let mut yard = Yard::new(Settings { read_entries_max: 1, ..Settings::default() });
    let (mut hana, mut duri) = (yard.regular("hana"), yard.regular("duri"));
    let mut digests = Vec::new();
    for n in 1..=3 {
        hana.posts(&mut yard, "general", &format!("m{n}"), "안녕");
        digests.push(yard.log.room(&room_name("general")).unwrap().digest);
    }
    yard.read(&mut duri.conversation);
    duri.hears();
    assert_eq!(heads(&mut duri, &mut yard), [("general".to_owned(), 1, digests[0])]);
}

#[test]
fn heads_are_told_of_each_room_of_which_something_was_sent() {
    let mut yard = yard();
    for room in ["quiet", "tech"] {
        yard.opens(room, Keep::Forever);
    }
    let (mut hana, mut duri) = (yard.regular("hana"), yard.regular("duri"));
    for visitor in [&mut hana, &mut duri] {
        visitor.joins(&mut yard, "quiet", None);
        visitor.joins(&mut yard, "tech", None);
        visitor.hears();
    }
    hana.posts(&mut yard, "general", "m1", "안녕");
    hana.posts(&mut yard, "tech", "m2", "안녕");
    duri.reads(&mut yard);
    let told: Vec<_> = heads(&mut duri, &mut yard).into_iter().map(|(room, ..)| room).collect();
    assert_eq!(told, ["general", "tech"]);
}

#[test]
fn nothing_is_told_of_a_room_that_was_left_or_joined_anew() {
    let mut yard = yard();
    let (mut hana, mut duri) = (yard.regular("hana"), yard.regular("duri"));
    hana.posts(&mut yard, "general", "m1", "안녕");
    duri.reads(&mut yard);
    duri.joins(&mut yard, "general", Some(("e1", 1)));
    duri.hears();
    assert_eq!(heads(&mut duri, &mut yard), []);
    hana.posts(&mut yard, "general", "m2", "또");
    duri.reads(&mut yard);
    duri.leaves(&mut yard, "general");
    duri.hears();
    assert_eq!(heads(&mut duri, &mut yard), []);
}

#[test]
fn after_a_resync_no_head_of_the_time_before_is_told() {
    let (mut yard, mut hana, mut duri) = in_a_small_room();
    hana.posts(&mut yard, "small", "m1", "1");
    duri.reads(&mut yard);
    for n in 2..=5 {
        hana.posts(&mut yard, "small", &format!("m{n}"), &format!("{n}"));
    }
    yard.read(&mut duri.conversation);
    let heard = duri.hears();
    let [ServerMessage::Resync { position: head, digest, base, after: 4, .. }] = &heard[..] else {
        panic!("{heard:?}")
    };
    let record = yard.log.room(&room_name("small")).unwrap();
    assert_eq!((head, *digest), (&position("e1", 5), record.digest));
    let last = &yard.log.read_after(&room_name("small"), 4, 1)[0];
    assert_eq!(last.digest_after(base.expect("it is in the tail")), *digest);
    assert_eq!(heads(&mut duri, &mut yard), [], "what was sent before is another piece");
    duri.reads(&mut yard);
    assert_eq!(heads(&mut duri, &mut yard), [("small".to_owned(), 5, record_digest(&yard))]);
}

fn record_digest(yard: &Yard) -> Digest {
    yard.log.room(&room_name("small")).unwrap().digest
}
