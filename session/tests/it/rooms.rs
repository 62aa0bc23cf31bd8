//! Positions, duplicates, holes, and logs that cannot be continued.

use common::{ClientMessage, ErrorCode, ResyncReason, ServerMessage};
use session::Event;

use crate::alice::{Alice, at, entry, error, joined, member, ms, name, resync, secs, slow_down};

fn reasons(alice: &Alice) -> Vec<ResyncReason> {
    let reason = |event: &Event| match event {
        Event::Resynced { reason, .. } => Some(*reason),
        _ => None,
    };
    alice.events.iter().filter_map(reason).collect()
}

fn recovered(alice: &Alice) -> (Vec<Option<u64>>, Vec<u64>) {
    let coming = |event: &Event| match event {
        Event::Joined { recovered, .. } => Some(*recovered),
        _ => None,
    };
    let done = |event: &Event| match event {
        Event::Recovered { count, .. } => Some(*count),
        _ => None,
    };
    (
        alice.events.iter().filter_map(coming).collect(),
        alice.events.iter().filter_map(done).collect(),
    )
}

#[test]
fn a_room_is_joined_when_the_welcome_comes_and_its_last_page_follows() {
    let mut alice = Alice::new();
    alice.joins("general");
    alice.connects();
    let (id, after) = alice.join_sent("general");
    assert_eq!(after, None);
    alice.hears(joined(id, "general", ("e1", 52), 50, false));
    alice.hears_entries(51..=53);
    assert_eq!(alice.delivered(), [51, 52, 53]);
    assert_eq!(alice.session.position(&name("general")), Some(&at("e1", 53)));
    assert_eq!(recovered(&alice), (vec![None], vec![]));
    assert_eq!(reasons(&alice), []);
}

#[test]
fn entries_before_the_joined_of_this_connection_are_dropped() {
    let mut alice = Alice::in_general_at(3);
    alice.loses_the_connection();
    alice.comes_back();
    alice.hears_entries([4]);
    assert_eq!(alice.delivered(), [0; 0]);
    alice.hears_joined("general", ("e1", 4), 3, true);
    alice.hears_entries([4]);
    assert_eq!(alice.delivered(), [4]);
}

#[test]
fn what_was_meant_for_the_time_before_leaving_is_dropped_after_joining_again() {
    let mut alice = Alice::in_general_at(3);
    alice.leaves("general");
    alice.joins("general");
    let (id, after) = alice.join_sent("general");
    assert_eq!(after, None);
    // The server had not read the `leave` when it wrote these.
    alice.hears(resync(ResyncReason::Pruned, ("e1", 40), 30));
    alice.hears_entries(31..=32);
    assert_eq!((alice.delivered(), reasons(&alice)), (vec![], vec![]));
    alice.hears(joined(id, "general", ("e1", 40), 38, false));
    alice.hears_entries(39..=40);
    assert_eq!(alice.delivered(), [39, 40]);
}

#[test]
fn entries_and_presence_of_other_rooms_are_dropped() {
    let mut alice = Alice::in_general_at(3);
    let presence = |room: &str| ServerMessage::Presence {
        room: name(room),
        joined: vec![member("bob")],
        left: vec![],
        members: None,
        count: 2,
    };
    alice.hears(entry("tech", 1, "bob", "b1"));
    alice.hears(presence("tech"));
    assert_eq!(alice.events, []);
    alice.hears(presence("general"));
    assert!(matches!(alice.events[..], [Event::Presence { count: 2, .. }]));
}

#[test]
fn a_resume_names_the_position_and_counts_what_was_missed() {
    let mut alice = Alice::in_general_at(3);
    alice.hears_entries([4, 5]);
    alice.loses_the_connection();
    alice.comes_back();
    let (id, after) = alice.join_sent("general");
    assert_eq!(after, Some(at("e1", 5)));
    alice.forgets();
    alice.hears(joined(id, "general", ("e1", 8), 5, true));
    alice.hears_entries([6, 7]);
    assert_eq!(recovered(&alice), (vec![Some(3)], vec![]));
    alice.hears_entries([8, 9]);
    assert_eq!(recovered(&alice), (vec![Some(3)], vec![3]));
    assert_eq!(alice.delivered(), [6, 7, 8, 9]);
}

#[test]
fn a_resume_that_missed_nothing_says_so_at_once() {
    let mut alice = Alice::in_general_at(3);
    alice.loses_the_connection();
    alice.comes_back();
    alice.hears_joined("general", ("e1", 3), 3, true);
    assert_eq!(recovered(&alice), (vec![Some(0)], vec![0]));
}

#[test]
fn a_recovery_that_is_cut_goes_on_where_it_stood() {
    let mut alice = Alice::in_general_at(3);
    alice.loses_the_connection();
    alice.comes_back();
    alice.hears_joined("general", ("e1", 9), 3, true);
    alice.hears_entries([4, 5]);
    alice.loses_the_connection();
    alice.comes_back();
    let (id, after) = alice.join_sent("general");
    assert_eq!(after, Some(at("e1", 5)));
    alice.hears(joined(id, "general", ("e1", 9), 5, true));
    alice.hears_entries(6..=9);
    assert_eq!(recovered(&alice), (vec![Some(6), Some(4)], vec![4]));
    assert_eq!(alice.delivered(), [4, 5, 6, 7, 8, 9]);
}

#[test]
fn what_was_seen_is_dropped() {
    let mut alice = Alice::in_general_at(3);
    alice.hears_entries([4, 4, 3, 5, 4, 1, 5]);
    assert_eq!(alice.delivered(), [4, 5]);
    assert_eq!(alice.session.stats().duplicates, 5);
}

#[test]
fn a_hole_is_asked_for_once_and_filled() {
    let mut alice = Alice::in_general_at(3);
    alice.hears_entries([4, 7, 8, 9]);
    assert_eq!(alice.delivered(), [4]);
    let (id, after) = alice.join_sent("general");
    assert_eq!(after, Some(at("e1", 4)));
    alice.hears_entries([5, 10]);
    assert_eq!(alice.delivered(), [4], "what comes before the reply is dropped");
    assert_eq!(alice.sent(), []);
    alice.hears(joined(id, "general", ("e1", 10), 4, true));
    alice.hears_entries(5..=10);
    assert_eq!(alice.delivered(), [4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(alice.session.stats().holes, 1);
    assert_eq!(reasons(&alice), []);
}

#[test]
fn a_log_that_began_anew_is_a_new_piece() {
    let mut alice = Alice::in_general_at(41);
    alice.loses_the_connection();
    alice.comes_back();
    let (id, _) = alice.join_sent("general");
    alice.hears(resync(ResyncReason::EpochChanged, ("e2", 3), 0));
    alice.hears(joined(id, "general", ("e2", 3), 0, false));
    alice.hears_entries([1, 2, 3]);
    assert_eq!(reasons(&alice), [ResyncReason::EpochChanged], "said once");
    assert_eq!(alice.delivered(), [1, 2, 3]);
    assert_eq!(recovered(&alice), (vec![None], vec![]));
    assert_eq!(alice.session.position(&name("general")), Some(&at("e2", 3)));
}

#[test]
fn a_joined_that_does_not_continue_speaks_for_itself() {
    for (head, after, reason) in [
        (("e2", 3), 0, ResyncReason::EpochChanged),
        (("e1", 90), 80, ResyncReason::Pruned),
        (("e1", 30), 10, ResyncReason::CursorAhead),
    ] {
        let mut alice = Alice::in_general_at(41);
        alice.loses_the_connection();
        alice.comes_back();
        alice.hears_joined("general", head, after, false);
        assert_eq!(reasons(&alice), [reason]);
        alice.hears(resync(reason, head, after));
        assert_eq!(reasons(&alice), [reason], "the resync after it says nothing new");
        alice.hears_entries([after + 1]);
        assert_eq!(alice.delivered(), [after + 1]);
    }
}

#[test]
fn a_resync_in_the_middle_of_a_room_begins_a_new_piece() {
    let mut alice = Alice::in_general_at(3);
    alice.hears(resync(ResyncReason::Pruned, ("e1", 90), 80));
    alice.hears_entries([81, 82]);
    assert_eq!(reasons(&alice), [ResyncReason::Pruned]);
    assert_eq!(alice.delivered(), [81, 82]);
    assert_eq!(alice.sent(), []);
    alice.says("general", "m1");
    alice.said_only("m1");
}

#[test]
fn a_join_without_a_reply_is_repeated_only_while_frames_flow() {
    let mut alice = Alice::new();
    alice.connects();
    alice.joins("general");
    let (id, _) = alice.join_sent("general");
    alice.waits(secs(20));
    assert_eq!(alice.sent(), [], "the link is silent");
    alice.hears(ServerMessage::Ping {});
    alice.sent();
    alice.waits(secs(10));
    assert_eq!(alice.join_sent("general"), (id, None));
    alice.hears(joined(id, "general", ("e1", 2), 0, false));
    alice.hears(joined(id, "general", ("e1", 2), 0, false));
    alice.hears_entries([1, 2, 1, 2]);
    assert_eq!(alice.delivered(), [1, 2]);
    assert_eq!(recovered(&alice).0, [None], "one reply settles both");
}

#[test]
fn a_join_refused_for_the_moment_is_repeated_and_others_are_told() {
    let mut alice = Alice::new();
    alice.connects();
    alice.joins("general");
    let (id, _) = alice.join_sent("general");
    alice.hears(slow_down(id, 3_000));
    alice.waits(ms(2_999));
    assert_eq!(alice.sent(), []);
    alice.waits(ms(1));
    let (id, _) = alice.join_sent("general");
    alice.forgets();
    alice.hears(error(id, ErrorCode::NotFound));
    assert!(matches!(&alice.events[..], [Event::JoinRefused { problem, .. }]
        if problem.code == ErrorCode::NotFound));
    alice.loses_the_connection();
    alice.comes_back();
    alice.waits(secs(20));
    assert_eq!(alice.sent(), [], "not tried again");
}

#[test]
fn a_room_that_was_left_is_forgotten() {
    let mut alice = Alice::in_general_at(3);
    alice.leaves("general");
    assert!(matches!(alice.sent()[..], [ClientMessage::Leave { .. }]));
    assert_eq!(alice.events, [Event::Left { room: name("general") }]);
    alice.hears_entries([4]);
    assert_eq!(alice.delivered(), [0; 0]);
    alice.loses_the_connection();
    alice.comes_back();
    assert_eq!(alice.sent(), []);
}

#[test]
fn replies_to_a_join_from_before_a_leave_open_nothing() {
    let mut alice = Alice::new();
    alice.connects();
    alice.joins("general");
    let (first, _) = alice.join_sent("general");
    alice.leaves("general");
    alice.sent();
    alice.joins("general");
    let (second, _) = alice.join_sent("general");
    alice.hears(joined(first, "general", ("e1", 2), 0, false));
    alice.hears_entries([1, 2]);
    alice.hears(ServerMessage::Left { id: Some(first + 1), room: name("general"), removed: false });
    alice.hears(joined(second, "general", ("e1", 2), 0, false));
    alice.hears_entries([1, 2]);
    assert_eq!(alice.delivered(), [1, 2]);
    assert_eq!(recovered(&alice).0, [None]);
}
