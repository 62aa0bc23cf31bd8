//! Many who follow a room while others talk, on two threads: nothing is lost, doubled, reordered,
//! or heard by somebody who is not there.

use serde_json::json;

use crate::stage::{Guest, House, Witness};

const FLAGS: [&str; 8] = [
    "--says-per-second",
    "100000",
    "--opens-per-address-per-second",
    "1000",
    "--heartbeat-interval-ms",
    "100",
    "--heartbeat-timeout-ms",
    "9000",
];
const END: &str = "끝";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_hears_each_word_once_while_others_come_and_go_and_are_sent_away() {
    let house = House::opens_with(&FLAGS).await;
    let owner = house.guest("하나").await;
    let mut guests = Vec::new();
    for n in 0..20 {
        guests.push(house.guest(&format!("손님{n}")).await);
    }
    owner.opens_private_room("duo", &guests.iter().collect::<Vec<_>>()).await;
    let mut witnesses = Vec::new();
    for guest in &guests {
        witnesses.push(guest.witnesses("duo", true).await);
    }
    let (mut listening, mut talking) = (Vec::new(), Vec::new());
    for (n, witness) in witnesses.into_iter().enumerate() {
        match n {
            0..3 => talking.push(tokio::spawn(talks(witness))),
            3..7 => listening.push(tokio::spawn(stays(witness))),
            7..13 => listening.push(tokio::spawn(comes_and_goes(witness, n))),
            _ => listening.push(tokio::spawn(is_sent_away(witness))),
        }
    }
    // Without echo, so as to be no place among those who are handed everything.
    let mut of_owner = owner.witnesses("duo", false).await;
    for _ in 0..4 {
        for guest in &guests[13..] {
            sends_away(&owner, guest).await;
            of_owner.says(5, "다시").await;
            let admit = json!({ "member": guest.id });
            let back = owner.asks("POST", "/api/rooms/duo/members", Some(&admit)).await;
            assert_eq!(back.status, 201, "{}", back.body);
        }
    }
    for one in talking {
        listening.push(tokio::spawn(stays(one.await.unwrap())));
    }
    of_owner.says(1, END).await;
    let mut heads = 0;
    for one in listening {
        let witness = one.await.unwrap();
        heads += witness.heads;
        witness.goes().await;
    }
    assert!(heads > 0, "heads were told");
    house.closes().await;
}

async fn talks(mut witness: Witness) -> Witness {
    for nth in 0..40 {
        witness.says(1 + nth % 24, &"가나다".repeat(1 + nth)).await;
    }
    witness
}

async fn stays(mut witness: Witness) -> Witness {
    while !witness.hears_some(100, END).await {}
    witness
}

async fn comes_and_goes(mut witness: Witness, nth: usize) -> Witness {
    for stay in 0..100 {
        if witness.hears_some(1 + (stay * nth) % 37, END).await {
            return witness;
        }
        // Some follow anew without having left.
        if stay % 3 > 0 {
            witness.leaves().await;
        }
        assert!(witness.joins().await);
    }
    stays(witness).await
}

async fn is_sent_away(mut witness: Witness) -> Witness {
    while !witness.hears_some(1, END).await {
        if witness.is_away() {
            witness.comes_back().await;
        }
    }
    witness
}

async fn sends_away(owner: &Guest, guest: &Guest) {
    let path = format!("/api/rooms/duo/members/{}", guest.id);
    assert_eq!(owner.asks("DELETE", &path, None).await.status, 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_what_was_said_however_slowly_they_read() {
    let house = House::opens_with(&FLAGS).await;
    all_hear_all(house, "general").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_where_nothing_is_kept() {
    let house = House::opens_with(&FLAGS).await;
    let fleeting = json!({ "room": "fleeting", "keep": "none" });
    let owner = house.guest("주인").await;
    assert_eq!(owner.asks("POST", "/api/rooms", Some(&fleeting)).await.status, 201);
    all_hear_all(house, "fleeting").await;
}

async fn all_hear_all(house: House, room: &str) {
    let mut witnesses = Vec::new();
    for n in 0..12 {
        witnesses.push(house.guest(&format!("손님{n}")).await.witnesses(room, true).await);
    }
    for n in 0..4 {
        let slow = house.guest(&format!("느린이{n}")).await;
        witnesses.push(slow.witnesses_slowly(&house, room).await);
    }
    let mut quiet = house.guest("메아리없이").await.witnesses(room, false).await;
    let mut speaker = house.guest("하나").await.witnesses(room, true).await;
    let long = "가".repeat(4_000);
    for burst in 0..150 {
        quiet.says(burst % 3, "한 마디").await;
        // From time to time more than a socket takes at once, and more than waits for anybody.
        let (words, body) =
            if burst % 25 == 24 { (40, long.as_str()) } else { (1 + burst % 5, "말") };
        let last = speaker.says(words, body).await;
        for witness in witnesses.iter_mut().chain([&mut quiet, &mut speaker]) {
            witness.hears_up_to(last).await;
        }
    }
    for witness in witnesses {
        witness.goes().await;
    }
    house.closes().await;
}
