//! How much one person may do over all their connections, and that they are forgotten.

use std::{num::NonZeroU64, time::Duration};

use rooms::{
    ConnectionNumber, People, Settings,
    rate::{Bucket, Rate},
};

use super::{at, room_name, user_id};

fn connection(n: u64) -> ConnectionNumber {
    ConnectionNumber(NonZeroU64::MIN.saturating_add(n))
}

/// Says in turn until refused; how many were taken, and the wait.
fn says(people: &mut People, room: &str, ms: u64) -> (usize, Duration) {
    let settings = Settings::default();
    for taken in 0..1_000 {
        let asked = people.may_say(&user_id("6"), &room_name(room), &settings, at(ms));
        if let Err(wait) = asked {
            return (taken, wait);
        }
    }
    panic!("nothing was refused");
}

#[test]
fn twenty_connections_are_a_persons_own_and_the_next_sends_the_oldest_away() {
    let (mut people, settings) = (People::default(), Settings::default());
    let hana = user_id("hana");
    for n in 0..20 {
        assert_eq!(people.connect(&hana, connection(n), &settings), None);
    }
    assert_eq!(people.connect(&hana, connection(20), &settings), Some(connection(0)));
    assert_eq!(people.connect(&user_id("duri"), connection(21), &settings), None);
    people.disconnect(&hana, connection(7));
    assert_eq!(people.connect(&hana, connection(22), &settings), None);
    assert_eq!(people.connect(&hana, connection(23), &settings), Some(connection(1)));
}

#[test]
fn twenty_at_once_in_a_room_then_five_a_second() {
    let mut people = People::default();
    assert_eq!(says(&mut people, "general", 0), (20, Duration::from_millis(200)));
    assert_eq!(says(&mut people, "general", 199).0, 0);
    assert_eq!(says(&mut people, "general", 200).0, 1);
    assert_eq!(says(&mut people, "general", 1_200).0, 5);
}

#[test]
fn twenty_at_once_over_all_rooms_then_ten_a_second() {
    let mut people = People::default();
    for n in 0..20 {
        let room = room_name(&format!("room-{n}"));
        people.may_say(&user_id("3"), &room, &Settings::default(), at(0)).ok();
    }
    for n in 0..20 {
        let room = room_name(&format!("room-{n}"));
        people.may_say(&user_id("6"), &room, &Settings::default(), at(0)).unwrap();
    }
    assert_eq!(says(&mut people, "one-more", 0), (0, Duration::from_millis(100)));
    assert_eq!(says(&mut people, "one-more", 100).0, 1);
    assert_eq!(says(&mut people, "one-more", 1_100).0, 10);
}

#[test]
fn a_refusal_costs_nothing_and_its_wait_is_enough() {
    let mut people = People::default();
    for n in 0..20 {
        let room = room_name(&format!("room-{n}"));
        people.may_say(&user_id("6"), &room, &Settings::default(), at(0)).unwrap();
    }
    // Refused a hundred times for what was said elsewhere, this room is as good as new.
    for _ in 0..100 {
        assert_eq!(says(&mut people, "quiet", 0).0, 0);
    }
    assert_eq!(says(&mut people, "quiet", 2_000).0, 20);
    let (_, wait) = says(&mut people, "quiet", 2_000);
    assert_eq!(says(&mut people, "quiet", 2_000 + wait.as_millis() as u64).0, 1);
}

#[test]
fn whoever_is_gone_and_owes_nothing_is_forgotten() {
    let (mut people, settings) = (People::default(), Settings::default());
    people.connect(&user_id("6"), connection(0), &settings);
    says(&mut people, "general", 0);
    people.handle_timeout(at(60_000));
    assert_eq!(people.count(), 1, "somebody connected is remembered");
    says(&mut people, "general", 60_000);
    people.disconnect(&user_id("6"), connection(0));
    people.handle_timeout(at(63_999));
    assert_eq!(people.count(), 1, "a flood is not forgotten by leaving");
    people.handle_timeout(at(64_000));
    assert_eq!(people.count(), 0);
}

#[test]
fn a_whole_burst_may_be_taken_at_once_whatever_the_rate() {
    for per_second in [0.7, 3.0, 7.0, 11.0, 13.0, 2_000.0] {
        let (mut bucket, rate) = (Bucket::full(at(0)), Rate { per_second, burst: 14.0 });
        for taken in 0..14 {
            assert_eq!(bucket.take(1.0, &rate, at(0)), Ok(()), "{taken} of {per_second}");
        }
        assert!(bucket.take(1.0, &rate, at(0)).is_err(), "{per_second}");
    }
}
