//! A room that is large enough to be handed over in parts: two, in tests, of at least two.

use std::sync::mpsc;

use tokio::task::JoinHandle;

use super::*;

fn being_flushed(audience: &Arc<Audience>) -> JoinHandle<Vec<Arc<Seat>>> {
    let audience = Arc::clone(audience);
    tokio::spawn(async move { audience.flush(&mut Turn::begins(), 2).await })
}

/// Nobody writes to the line until what is answered is dropped.
fn held(listener: &Listener) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (held, is_held) = mpsc::channel();
    let contact = Arc::clone(&listener.contact);
    let hold = move || {
        held.send(()).unwrap();
        let _ = released.recv();
    };
    std::thread::spawn(move || contact.line().between_frames(hold, clock::now()));
    is_held.recv().unwrap();
    release
}

/// Five who sit: three in the first part.
async fn five_who_sit(audience: &Audience) -> (Vec<Listener>, Vec<Arc<Seat>>) {
    let (mut listeners, mut seats) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let listener = Listener::calls().await;
        seats.push(listener.sits(audience, 0));
        listeners.push(listener);
    }
    (listeners, seats)
}

#[test]
fn a_room_is_split_where_each_part_is_worth_it_and_as_far_as_there_are_cores() {
    let one = PART_SEATS_MIN;
    for (seats, cores, parts) in
        [(0, 2, 0), (2 * one - 1, 2, 1), (2 * one, 2, 2), (9 * one, 2, 2), (3 * one, 8, 3)]
    {
        assert_eq!(parts_of(seats, cores), parts, "{seats} on {cores}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_part_of_a_room_waits_for_another() {
    let (audience, said) = (Arc::new(Audience::default()), entries(&[("hana", "1")]));
    let (mut listeners, _seats) = five_who_sit(&audience).await;
    let frames = frames(&said);
    for nth in [0, 3] {
        let release = held(&listeners[nth]);
        audience.say(&said[0]);
        let flush = being_flushed(&audience);
        let others = if nth == 0 { 3..5 } else { 0..3 };
        for listener in &mut listeners[others] {
            assert_eq!(listener.hears(frames.len()).await, frames);
        }
        assert!(audience.seats.try_lock().is_err(), "one part is under way");
        drop(release);
        assert!(flush.await.unwrap().is_empty());
        let rest = if nth == 0 { 0..3 } else { 3..5 };
        for listener in &mut listeners[rest] {
            assert_eq!(listener.hears(frames.len()).await, frames);
        }
        for seat in audience.seats.lock().await.iter() {
            seat.at.store(0, Ordering::Relaxed);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_split_room_hands_everybody_all_of_it_once_while_people_come_and_go() {
    let audience = Arc::new(Audience::default());
    let said = entries(&[("hana", "1"), ("duri", "2"), ("hana", "3")]);
    let (mut listeners, seats) = five_who_sit(&audience).await;
    // The second is behind, because their socket took not all of something else.
    let slow = Listener::who_takes_at_once(8 * 1024).await;
    slow.line().write(frames(&long_lines(60)), |_| Leaves::Now, clock::now());
    audience.stand_up(&seats[1]);
    let behind = slow.sits(&audience, 0);
    let (came, mut later) = (frames(&said[..2]), Listener::calls().await);

    let release = held(&listeners[0]);
    audience.say(&said[0]);
    audience.say(&said[1]);
    let flush = being_flushed(&audience);
    assert_eq!(listeners[3].hears(came.len()).await, came);
    let later_seat = later.sits(&audience, 2);
    audience.stand_up(&seats[3]);
    assert!(audience.say(&said[2]), "what is said meanwhile is another flush's");
    drop(release);
    let stood_up = flush.await.unwrap();
    assert!(stood_up.len() == 1 && Arc::ptr_eq(&stood_up[0], &behind));
    assert!(being_flushed(&audience).await.unwrap().is_empty());

    let sitting = [&seats[0], &seats[2], &seats[4], &later_seat];
    let gone = [&seats[1], &seats[3], &behind];
    assert_eq!(audience.lock().count, sitting.len());
    assert!(gone.iter().all(|seat| !seat.is_open() && place(seat) == NOWHERE));
    for (nth, seat) in (0..).zip(audience.seats.lock().await.iter()) {
        assert_eq!(place(seat), nth);
    }
    for seat in sitting {
        assert_eq!(seat.at(), 3);
        audience.stand_up(seat);
    }
    assert_eq!(audience.lock().count, 0);
    assert!(audience.seats.lock().await.is_empty());
    let all = frames(&said);
    for (nth, heard) in [(0, &all[..]), (2, &all), (4, &all), (1, b""), (3, b"")] {
        assert_eq!(listeners[nth].hears(heard.len()).await, heard, "{nth}");
    }
    let last = frames(&said[2..]);
    assert_eq!(later.hears(last.len()).await, last);
    drop((seats, later_seat, behind, stood_up, audience));
    for listener in listeners.into_iter().chain([later]) {
        listener.hears_no_more().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_panics_where_one_of_its_parts_does() {
    let (audience, said) = (Arc::new(Audience::default()), entries(&[("hana", "1")]));
    let (_listeners, seats) = five_who_sit(&audience).await;
    for worst in [0, 4] {
        seats[worst].at.store(1, Ordering::Relaxed);
        // Whoever has the entry begins behind its end, and there are no such bytes.
        audience.lock().frames.ends = vec![(Arc::clone(&said[0]), 10)];
        let ended = being_flushed(&audience).await;
        assert!(ended.is_err_and(|error| error.is_panic()), "{worst}");
        *audience.seats.lock().await = seats.clone();
        seats[worst].at.store(0, Ordering::Relaxed);
    }
}
