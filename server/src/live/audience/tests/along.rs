//! What somebody's own answer takes along, or leaves with.

use super::*;

impl Listener {
    /// Their own task writes an answer, as it does to what they ask.
    fn is_answered(&self, answer: &[u8], audience: &Audience, seat: &Seat, may_wait: bool) {
        let along = |out: &mut Vec<u8>| audience.take_along(seat, out, may_wait);
        self.line().write(answer.to_vec(), along, clock::now());
    }
}

#[tokio::test]
async fn who_writes_anyway_takes_along_what_waits_and_is_not_handed_it_again() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "1"), ("hana", "2")]));
    let mut speaker = Listener::calls().await;
    let seat = speaker.sits(&audience, 0);
    audience.say(&said[0]);
    speaker.is_answered(b"ack", &audience, &seat, false);
    assert_eq!(seat.at(), 1);
    audience.say(&said[1]);
    assert!(flushed(&audience).await.is_empty());

    let heard = [b"ack".to_vec(), frames(&said)].concat();
    assert_eq!(speaker.hears(heard.len()).await, heard);
    drop((seat, audience));
    speaker.hears_no_more().await;
}

#[tokio::test]
async fn an_answer_that_may_wait_leaves_right_before_what_it_answers() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "1"), ("hana", "2")]));
    let mut speaker = Listener::calls().await;
    let seat = speaker.sits(&audience, 0);
    for (entry, ack) in said.iter().zip([b"ack 1", b"ack 2"]) {
        audience.say(entry);
        speaker.is_answered(ack, &audience, &seat, true);
    }
    assert_eq!(speaker.line().kept_bytes(), 10, "nothing has left");
    assert_eq!(speaker.line().waiting_since(), None, "and nobody is waited for");
    assert!(flushed(&audience).await.is_empty());

    let heard = [b"ack 1ack 2".to_vec(), frames(&said)].concat();
    assert_eq!(speaker.hears(heard.len()).await, heard);
    assert_eq!(speaker.line().kept_bytes(), 0);
}

#[tokio::test]
async fn an_answer_does_not_wait_where_no_flush_would_bring_it() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "1")]));
    let (listener, other) = (Listener::calls().await, Listener::calls().await);
    let knows_it = listener.sits(&audience, 1);
    let wants_no_echo = other.sits_without_echo(&audience, 0);
    audience.say(&said[0]);
    for seat in [knows_it, wants_no_echo] {
        assert_eq!(audience.take_along(&seat, &mut b"ack".to_vec(), true), Leaves::Now);
    }
}

#[tokio::test]
async fn what_waits_for_a_flush_leaves_when_its_seat_is_given_up() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "1")]));
    let mut speaker = Listener::calls().await;
    let seat = speaker.sits(&audience, 0);
    audience.say(&said[0]);
    speaker.is_answered(b"ack", &audience, &seat, true);
    audience.stand_up(&seat);
    assert!(flushed(&audience).await.is_empty());

    assert_eq!(speaker.hears(3).await, b"ack");
    drop((seat, audience));
    speaker.hears_no_more().await;
}

#[tokio::test]
async fn what_a_flush_has_in_its_hands_is_not_overtaken() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "1"), ("hana", "2")]));
    let listener = Listener::calls().await;
    let seat = listener.sits(&audience, 0);
    audience.say(&said[0]);
    let in_its_hands = std::mem::take(&mut audience.lock().frames);
    audience.say(&said[1]);
    let mut out = Vec::new();
    audience.take_along(&seat, &mut out, false);
    assert_eq!(out, b"", "the first was not handed over yet");

    assert!(seat.take(&in_its_hands, clock::now()));
    audience.take_along(&seat, &mut out, false);
    assert_eq!(out, frames(&said[1..]));
}

#[tokio::test]
async fn nobody_hears_what_is_new_sooner_for_having_said_it_while_a_flush_writes() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "1")]));
    let mut speaker = Listener::calls().await;
    let seat = speaker.sits(&audience, 0);
    let writing = audience.seats.lock().await;
    audience.say(&said[0]);
    speaker.is_answered(b"ack", &audience, &seat, false);
    assert_eq!(speaker.hears(3).await, b"ack");
    assert_eq!(seat.at(), 0);

    drop(writing);
    assert!(flushed(&audience).await.is_empty());
    let heard = frames(&said);
    assert_eq!(speaker.hears(heard.len()).await, heard);
}

#[tokio::test]
async fn an_answer_that_may_wait_leaves_with_the_next_flush_also_while_one_writes() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "1")]));
    let mut speaker = Listener::calls().await;
    let seat = speaker.sits(&audience, 0);
    let writing = audience.seats.lock().await;
    audience.say(&said[0]);
    speaker.is_answered(b"ack", &audience, &seat, true);
    assert_eq!(speaker.line().kept_bytes(), 3, "nothing has left");

    drop(writing);
    assert!(flushed(&audience).await.is_empty());
    let heard = [b"ack".to_vec(), frames(&said)].concat();
    assert_eq!(speaker.hears(heard.len()).await, heard);
}

#[tokio::test]
async fn who_stood_up_or_wants_no_echo_takes_nothing_along() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "1")]));
    let (one, other) = (Listener::calls().await, Listener::named("hana", None).await);
    let stood_up = one.sits(&audience, 0);
    let wants_no_echo = other.sits_without_echo(&audience, 0);
    audience.say(&said[0]);
    audience.stand_up(&stood_up);
    let mut out = Vec::new();
    audience.take_along(&stood_up, &mut out, true);
    audience.take_along(&wants_no_echo, &mut out, true);
    assert_eq!(out, b"");
}
