//! How far was read: told, never back, not too often, and again until it is confirmed.

use common::{ClientMessage, ErrorCode, ServerMessage, http::Unread};
use session::Event;

use crate::alice::{Alice, at, error, joined, ms, name, secs};

impl Alice {
    fn reads(&mut self, seq: u64) {
        self.session.mark(&name("general"), at("e1", seq), self.now);
        self.settles();
    }

    /// The marks sent since the last look, with the ids of the requests.
    fn marks(&mut self) -> Vec<(u64, u64)> {
        let mark = |message| match message {
            ClientMessage::Mark { id, position, .. } => Some((id, position.seq)),
            _ => None,
        };
        self.sent().into_iter().filter_map(mark).collect()
    }

    fn is_marked(&mut self, id: Option<u64>, read: u64) {
        let unread = Unread { read, posts: 2, mentions: 1 };
        self.hears(ServerMessage::Marked { id, room: name("general"), unread });
    }

    fn seqs_marked(&mut self) -> Vec<u64> {
        self.marks().into_iter().map(|(_, seq)| seq).collect()
    }
}

#[test]
fn what_was_read_is_told_and_its_answer_too() {
    let mut alice = Alice::in_general_at(9);
    alice.reads(5);
    let marks = alice.marks();
    alice.is_marked(Some(marks[0].0), 5);
    assert_eq!(marks[0].1, 5);
    assert!(matches!(
        &alice.events[..],
        [Event::Marked { unread: Unread { read: 5, posts: 2, mentions: 1 }, .. }]
    ));
    alice.waits(secs(60));
    assert_eq!(alice.seqs_marked(), [0; 0]);
}

#[test]
fn marks_never_go_back() {
    let mut alice = Alice::in_general_at(9);
    alice.is_marked(None, 7);
    for seq in [3, 7, 5] {
        alice.reads(seq);
        alice.waits(secs(2));
    }
    assert_eq!(alice.seqs_marked(), [0; 0]);
    alice.reads(8);
    assert_eq!(alice.seqs_marked(), [8]);
}

#[test]
fn what_is_read_within_a_second_is_told_at_once() {
    let mut alice = Alice::in_general_at(9);
    alice.reads(1);
    let (id, _) = alice.marks()[0];
    alice.is_marked(Some(id), 1);
    for seq in 2..=6 {
        alice.reads(seq);
        alice.waits(ms(100));
    }
    assert_eq!(alice.seqs_marked(), [0; 0]);
    alice.waits(secs(1));
    assert_eq!(alice.seqs_marked(), [6]);
}

#[test]
fn a_mark_without_an_answer_is_sent_again_also_after_a_reconnect() {
    let mut alice = Alice::in_general_at(9);
    alice.reads(4);
    assert_eq!(alice.seqs_marked(), [4]);
    alice.hears(ServerMessage::Ping {});
    alice.waits(secs(10));
    assert_eq!(alice.seqs_marked(), [4]);
    alice.loses_the_connection();
    alice.comes_back();
    alice.gets_joined_again(9, 9);
    let (id, seq) = alice.marks()[0];
    assert_eq!(seq, 4);
    alice.is_marked(Some(id), 4);
    alice.waits(secs(20));
    assert_eq!(alice.seqs_marked(), [0; 0]);
}

#[test]
fn a_mark_that_the_server_refuses_is_not_repeated() {
    let mut alice = Alice::in_general_at(9);
    alice.reads(4);
    let (id, _) = alice.marks()[0];
    alice.hears(error(id, ErrorCode::Forbidden));
    alice.waits(secs(20));
    assert_eq!(alice.seqs_marked(), [0; 0]);
}

#[test]
fn what_was_read_of_another_log_is_not_told() {
    let mut alice = Alice::in_general_at(9);
    alice.loses_the_connection();
    alice.reads(4);
    alice.comes_back();
    let id = alice.join_sent("general").0;
    alice.hears(joined(id, "general", ("e2", 3), 0, false));
    assert_eq!(alice.seqs_marked(), [0; 0]);
}

#[test]
fn a_mark_waits_until_the_room_is_joined() {
    let mut alice = Alice::new();
    alice.connects();
    alice.joins("general");
    let id = alice.join_sent("general").0;
    alice.reads(4);
    assert_eq!(alice.seqs_marked(), [0; 0]);
    alice.hears(joined(id, "general", ("e1", 9), 9, false));
    assert_eq!(alice.seqs_marked(), [4]);
}

#[test]
fn whoever_is_removed_is_told_and_does_not_come_back_by_itself() {
    let mut alice = Alice::in_general_at(9);
    alice.hears(ServerMessage::Left { id: None, room: name("general"), removed: true });
    assert_eq!(alice.events, [Event::Removed { room: name("general") }]);
    alice.loses_the_connection();
    alice.comes_back();
    assert_eq!(alice.sent(), []);
    alice.joins("general");
    alice.join_sent("general");
}
