//! Who is there: grace, coalescing, changes that were missed, large rooms.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use common::{Member, UserId, limits::MEMBERS_LISTED_MAX};
use proptest::prelude::*;
use rooms::{News, Presence, Settings};

use super::{at, member, user_id};

fn somebody(name: &str) -> Arc<Member> {
    Arc::new(member(name))
}

fn nobody() -> Presence {
    Presence::new(&Settings::default())
}

/// So many people, `u000` and so on, who are told already.
fn present(people: usize) -> Presence {
    let mut presence = nobody();
    for n in 0..people {
        presence.join(&somebody(&format!("u{n:03}")), at(0));
    }
    publish(&mut presence, 0);
    presence
}

/// Lets the coalescing time pass.
fn publish(presence: &mut Presence, ms: u64) {
    assert!(!presence.handle_timeout(at(ms + 199)), "nothing is told before 200 ms have passed");
    assert!(presence.handle_timeout(at(ms + 200)));
}

#[test]
fn comings_within_a_moment_are_told_together() {
    let mut presence = nobody();
    presence.join(&somebody("hana"), at(0));
    presence.join(&somebody("duri"), at(150));
    assert_eq!(presence.poll_timeout(), Some(at(200)));
    publish(&mut presence, 0);
    let News::Change { joined, left, count } = presence.news_since(0) else { panic!() };
    assert_eq!(joined, [member("duri"), member("hana")]);
    assert_eq!((left.len(), count), (0, 2));
    assert_eq!(presence.news_since(presence.version()), News::None);
    assert_eq!(presence.poll_timeout(), None);
}

#[test]
fn where_there_are_many_more_is_told_at_once() {
    let mut presence = nobody();
    for n in 0..10_000 {
        presence.join(&somebody(&format!("guest{n}")), at(0));
    }
    publish(&mut presence, 0);
    presence.join(&somebody("hana"), at(1_000));
    assert_eq!(presence.poll_timeout(), Some(at(2_000) + Duration::from_micros(100)));
    assert!(!presence.handle_timeout(at(2_000)));
    assert!(presence.handle_timeout(at(2_001)));
}

#[test]
fn a_person_with_two_tabs_is_one_person() {
    let mut presence = nobody();
    presence.join(&somebody("hana"), at(0));
    publish(&mut presence, 0);
    presence.join(&somebody("hana"), at(1_000));
    presence.leave(&user_id("hana"), at(2_000));
    assert_eq!((presence.count(), presence.poll_timeout()), (1, None));
    presence.leave(&user_id("hana"), at(3_000));
    publish(&mut presence, 3_000);
    let left = vec![user_id("hana")];
    assert_eq!(presence.news_since(1), News::Change { joined: vec![], left, count: 0 });
}

#[test]
fn a_reload_is_no_coming_and_going() {
    let mut presence = nobody();
    presence.join(&somebody("hana"), at(0));
    publish(&mut presence, 0);
    presence.lose(&user_id("hana"), at(1_000));
    assert!(!presence.handle_timeout(at(5_999)), "five seconds to come back");
    presence.join(&somebody("hana"), at(5_999));
    assert!(!presence.handle_timeout(at(60_000)));
    assert_eq!((presence.version(), presence.count()), (1, 1));
}

#[test]
fn whoever_does_not_come_back_has_left() {
    let mut presence = nobody();
    presence.join(&somebody("hana"), at(0));
    publish(&mut presence, 0);
    presence.lose(&user_id("hana"), at(1_000));
    assert_eq!(presence.poll_timeout(), Some(at(6_000)));
    assert!(!presence.handle_timeout(at(6_000)));
    publish(&mut presence, 6_000);
    assert_eq!(presence.count(), 0);
    assert_eq!(presence.poll_timeout(), None, "nothing is remembered of the dead");
    presence.lose(&user_id("hana"), at(7_000));
    presence.leave(&user_id("hana"), at(7_000));
    assert_eq!(presence.poll_timeout(), None);
}

#[test]
fn sixteen_missed_changes_are_told_as_changes_and_seventeen_as_the_state() {
    let mut presence = nobody();
    for n in 0..17_u64 {
        presence.join(&somebody(&format!("u{n}")), at(n * 1_000));
        publish(&mut presence, n * 1_000);
    }
    let News::Change { joined, count, .. } = presence.news_since(1) else { panic!() };
    assert_eq!((joined.len(), count), (16, 17));
    let News::State { members, count } = presence.news_since(0) else { panic!() };
    assert_eq!((members.len(), count), (17, 17));
    let from_another_life = presence.news_since(99);
    assert!(matches!(from_another_life, News::State { .. }));
}

#[test]
fn in_a_large_room_only_the_count_is_told_and_all_of_them_once_they_are_few() {
    let mut presence = present(MEMBERS_LISTED_MAX);
    let News::Change { joined, .. } = presence.news_since(0) else { panic!() };
    assert_eq!(joined.len(), MEMBERS_LISTED_MAX);
    presence.join(&somebody("x"), at(1_000));
    publish(&mut presence, 1_000);
    let count = MEMBERS_LISTED_MAX as u32 + 1;
    let only_the_count = News::Change { joined: vec![], left: vec![], count };
    assert_eq!(presence.news_since(1), only_the_count);
    assert_eq!(presence.members().len(), MEMBERS_LISTED_MAX);
    presence.leave(&user_id("u000"), at(2_000));
    publish(&mut presence, 2_000);
    let News::State { members, .. } = presence.news_since(2) else { panic!("x was never named") };
    assert!(members.contains(&member("x")));
}

#[test]
fn whoever_knew_a_room_before_it_was_large_is_told_everybody_once_it_is_small() {
    let mut presence = present(MEMBERS_LISTED_MAX);
    presence.join(&somebody("x"), at(1_000));
    publish(&mut presence, 1_000);
    presence.leave(&user_id("u000"), at(2_000));
    publish(&mut presence, 2_000);
    presence.leave(&user_id("u001"), at(3_000));
    publish(&mut presence, 3_000);
    assert_eq!(presence.version(), 4);
    for known in [0, 1, 2] {
        let News::State { members, count } = presence.news_since(known) else {
            panic!("whoever knows version {known} was not told of everybody")
        };
        assert_eq!(
            (members.len(), count as usize),
            (MEMBERS_LISTED_MAX - 1, MEMBERS_LISTED_MAX - 1)
        );
    }
    let left = vec![user_id("u001")];
    let count = MEMBERS_LISTED_MAX as u32 - 1;
    assert_eq!(presence.news_since(3), News::Change { joined: vec![], left, count });
}

#[test]
fn a_room_that_was_large_between_two_changes_is_told_whole() {
    let mut presence = present(MEMBERS_LISTED_MAX);
    presence.join(&somebody("x"), at(1_000));
    let while_it_is_large = presence.news_since(0);
    assert!(matches!(while_it_is_large, News::Change { joined, .. } if joined.is_empty()));
    presence.leave(&user_id("x"), at(1_100));
    publish(&mut presence, 1_000);
    assert!(matches!(presence.news_since(1), News::State { .. }));
}

#[test]
fn whoever_missed_too_much_of_a_large_room_is_told_whom_it_names() {
    let mut presence = present(MEMBERS_LISTED_MAX + 1);
    for n in 1..18 {
        presence.join(&somebody(&format!("x{n}")), at(n * 1_000));
        publish(&mut presence, n * 1_000);
    }
    assert!(matches!(presence.news_since(2), News::Change { .. }), "sixteen were missed");
    for known in [1, 99] {
        let News::State { members, .. } = presence.news_since(known) else { panic!("{known}") };
        assert_eq!(members.len(), MEMBERS_LISTED_MAX);
    }
}

#[test]
fn whoever_was_listed_between_two_changes_learns_who_came_back_and_who_left() {
    let mut presence = nobody();
    presence.join(&somebody("hana"), at(0));
    publish(&mut presence, 0);
    presence.leave(&user_id("hana"), at(1_000));
    presence.join(&somebody("nami"), at(1_010));
    // A newcomer reads the list here: hana is not in it, nami is.
    let mut known: BTreeSet<UserId> = presence.members().into_iter().map(|m| m.id).collect();
    presence.join(&somebody("hana"), at(1_020));
    presence.leave(&user_id("nami"), at(1_030));
    publish(&mut presence, 1_000);
    apply(&mut known, presence.news_since(1));
    assert_eq!(known, BTreeSet::from([user_id("hana")]));
}

fn apply(known: &mut BTreeSet<UserId>, news: News) {
    match news {
        News::None => {}
        News::Change { joined, left, .. } => {
            known.retain(|id| !left.contains(id));
            known.extend(joined.into_iter().map(|member| member.id));
        }
        News::State { members, .. } => *known = members.into_iter().map(|m| m.id).collect(),
    }
}

proptest! {
    #[test]
    fn whenever_somebody_begins_to_look_they_end_up_knowing_everybody(
        deeds in proptest::collection::vec((0..4_u8, 0..5_u8, 0..400_u64), 1..80),
        looks_after in 0..80_usize,
    ) {
        let (mut presence, mut ms) = (nobody(), 0);
        let mut reader: Option<(BTreeSet<UserId>, u32)> = None;
        let mut connected = [0_u32; 5];
        for (n, (deed, who, pause)) in deeds.into_iter().enumerate() {
            ms += pause;
            let (name, tabs) = (format!("u{who}"), &mut connected[usize::from(who)]);
            match deed {
                0 | 1 => { presence.join(&somebody(&name), at(ms)); *tabs += 1; }
                2 if *tabs > 0 => { presence.lose(&user_id(&name), at(ms)); *tabs -= 1; }
                3 if *tabs > 0 => { presence.leave(&user_id(&name), at(ms)); *tabs -= 1; }
                _ => {}
            }
            if n == looks_after {
                let listed = presence.members().into_iter().map(|m| m.id).collect();
                reader = Some((listed, presence.version()));
            }
            // Every second change is slept through, so that two are told as one.
            if presence.handle_timeout(at(ms)) && n % 2 == 0 && let Some((known, version)) = &mut reader {
                apply(known, presence.news_since(*version));
                *version = presence.version();
            }
        }
        presence.handle_timeout(at(ms + 5_000));
        presence.handle_timeout(at(ms + 5_200));
        let here = (0..5).filter(|who| connected[*who] > 0).map(|who| user_id(format!("u{who}")));
        if let Some((known, version)) = &mut reader {
            apply(known, presence.news_since(*version));
            prop_assert_eq!(&*known, &here.collect::<BTreeSet<_>>());
        }
        prop_assert_eq!(presence.poll_timeout(), None);
    }
}
