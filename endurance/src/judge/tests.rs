use common::{Body, Position};

use super::*;
use crate::ledger::Said;

fn epoch(name: &str) -> Epoch {
    Epoch::new(name).unwrap()
}

fn acked_at(seq: u64) -> Acked {
    Acked { position: Position { epoch: epoch("e1"), seq }, life: 1 }
}

/// `"ann:1@1 ann:2@2 ann:3"`: what was said by whom, and where it was acknowledged.
fn ledgers(script: &str) -> Vec<Ledger> {
    let mut ledgers: Vec<Ledger> = Vec::new();
    for word in script.split_whitespace() {
        let (message, place) = word.split_once('@').map_or((word, None), |(m, p)| (m, Some(p)));
        let author = UserId::new(message.split(':').next().unwrap()).unwrap();
        let acked = place.map(|seq| acked_at(seq.parse().unwrap()));
        let message_id = MessageId::new(message.replace(':', "-")).unwrap();
        let said = Said { message_id, body: Body::new(message).unwrap(), acked };
        match ledgers.iter_mut().find(|ledger| ledger.author == author) {
            Some(ledger) => ledger.said.push(said),
            None => ledgers.push(Ledger { author, said: vec![said] }),
        }
    }
    ledgers
}

/// `"1=ann:1 2=bob:1"`: what stands where.
fn record(script: &str) -> Record {
    let line = |word: &str| {
        let (seq, message) = word.split_once('=').unwrap();
        Line {
            seq: seq.parse().unwrap(),
            author: UserId::new(message.split(':').next().unwrap()).unwrap(),
            message_id: MessageId::new(message.trim_end_matches('!').replace(':', "-")).unwrap(),
            kind: EntryKind::Post,
            body: message.to_owned(),
        }
    };
    Record { epoch: epoch("e1"), lines: script.split_whitespace().map(line).collect() }
}

fn check_heard(said: &str, log: &str, heard: &str, expected: &[&str]) {
    let ledgers = ledgers(said);
    let (log, witness) = (record(log), record(heard));
    let ledgers: Vec<&Ledger> = ledgers.iter().collect();
    let findings = judge(Evidence { log: &log, ledgers: &ledgers, witness: &witness });
    let findings: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert_eq!(findings, expected);
}

fn check(said: &str, log: &str, expected: &[&str]) {
    check_heard(said, log, log, expected);
}

#[test]
fn what_stands_where_it_was_acknowledged_is_good() {
    check("", "", &[]);
    check("ann:1@1 bob:1@2 ann:2@3", "1=ann:1 2=bob:1 3=ann:2", &[]);
}

#[test]
fn a_message_without_an_ack_may_stand_there_or_not() {
    check("ann:1@1 ann:2", "1=ann:1 2=ann:2", &[]);
    check("ann:1@1 ann:2", "1=ann:1", &[]);
}

#[test]
fn what_was_acknowledged_and_stands_nowhere_is_lost() {
    check("ann:1@1 ann:2@2", "1=ann:1", &["lost: ann-2, acknowledged at 2 of e1 in life 1"]);
}

#[test]
fn what_was_acknowledged_in_a_log_that_began_anew_is_false_even_at_the_same_number() {
    let ledgers = ledgers("ann:1@1");
    let mut log = record("1=ann:1");
    log.epoch = epoch("e2");
    let findings = judge(Evidence { log: &log, ledgers: &[&ledgers[0]], witness: &log });
    assert_eq!(
        findings,
        [Finding::Elsewhere {
            message_id: MessageId::new("ann-1").unwrap(),
            acked: acked_at(1),
            seq: 1
        }]
    );
}

#[test]
fn a_message_that_stands_elsewhere_was_acknowledged_falsely() {
    let false_ack = "false ack: ann-1, acknowledged at 1 of e1 in life 1, stands at 2";
    check("ann:1@1 bob:1", "1=bob:1 2=ann:1", &[false_ack]);
}

#[test]
fn a_text_that_is_not_what_was_said_is_a_false_ack() {
    let false_ack = "false ack: ann-1, acknowledged at 1 of e1 in life 1, has another text";
    check("ann:1@1", "1=ann:1!", &[false_ack]);
}

#[test]
fn a_message_that_stands_twice_is_doubled() {
    check("ann:1@1", "1=ann:1 2=ann:1", &["doubled: ann-1 stands at 1 and at 2"]);
}

#[test]
fn two_people_may_use_one_message_id() {
    let mut ledgers = ledgers("ann:1@1 bob:1@2");
    let mut log = record("1=ann:1 2=bob:1");
    let shared = MessageId::new("shared").unwrap();
    for ledger in &mut ledgers {
        ledger.said[0].message_id = shared.clone();
    }
    for line in &mut log.lines {
        line.message_id = shared.clone();
    }
    let ledgers: Vec<&Ledger> = ledgers.iter().collect();
    assert_eq!(judge(Evidence { log: &log, ledgers: &ledgers, witness: &log }), []);
}

#[test]
fn a_sequence_with_a_gap_is_found_also_before_its_first_entry() {
    check("ann:1@1 ann:2@3", "1=ann:1 3=ann:2", &["gap: 3 came where 2 belongs"]);
    check("ann:1@2", "2=ann:1", &["gap: 2 came where 1 belongs"]);
}

#[test]
fn an_author_whose_later_message_stands_first_is_reordered() {
    let reordered = "reordered: at 2 stands what ann had said before";
    check("ann:1@2 ann:2@1", "1=ann:2 2=ann:1", &[reordered]);
}

#[test]
fn an_entry_that_nobody_said_is_found() {
    check("ann:1@1", "1=ann:1 2=eve:1", &["doubled: at 2 stands what nobody said"]);
}

#[test]
fn a_follower_has_heard_what_stands_there_no_more_and_no_less() {
    let said = "ann:1@1 ann:2@2";
    let at_2 = ["reordered: at 2 a follower heard something else"];
    check_heard(said, "1=ann:1 2=ann:2", "1=ann:1", &at_2);
    check_heard("ann:1@1 ann:2", "1=ann:1", "1=ann:1 2=ann:2", &at_2);
    check_heard(said, "1=ann:1 2=ann:2", "1=ann:1 2=ann:2!", &at_2);
}

#[test]
fn a_second_ack_with_another_place_is_found_when_it_comes() {
    let mut ledger = ledgers("ann:1").remove(0);
    assert_eq!(ledger.acked(0, acked_at(1)), None);
    assert_eq!(ledger.acked(0, acked_at(1)), None);
    let found = ledger.acked(0, acked_at(2)).unwrap();
    assert_eq!(found.breaks(), Promise::NoFalseAck);
    assert_eq!(ledger.said[0].acked, Some(acked_at(1)));
}
