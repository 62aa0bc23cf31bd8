use common::http::Keep;
use rooms::MemoryLog;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    clock,
    contact::tests::contact_of,
    line::Line,
    log::sqlite::tests::{new_room, post},
};

/// Those who do not take all that waits.
async fn flushed(audience: &Audience) -> Vec<Arc<Seat>> {
    audience.flush(&mut Turn::begins(), 1).await
}

/// Somebody with a socket, who sits or does not.
struct Listener {
    contact: Arc<Contact>,
    far: TcpStream,
}

impl Listener {
    async fn calls() -> Self {
        Self::named("somebody", None).await
    }

    /// Somebody whose socket takes about so many bytes before they read.
    async fn who_takes_at_once(bytes: u32) -> Self {
        Self::named("somebody", Some(bytes)).await
    }

    async fn named(name: &str, bytes: Option<u32>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        if let Some(bytes) = bytes {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        let far = socket.connect(listener.local_addr().unwrap()).await.unwrap();
        let (near, _) = listener.accept().await.unwrap();
        if let Some(bytes) = bytes {
            socket2::SockRef::from(&near).set_send_buffer_size(bytes as usize).unwrap();
        }
        near.writable().await.unwrap();
        Self { contact: contact_of(name, near), far }
    }

    fn line(&self) -> &Line {
        self.contact.line()
    }

    fn sits(&self, audience: &Audience, at: u64) -> Arc<Seat> {
        self.sits_down(true, audience, at)
    }

    fn sits_without_echo(&self, audience: &Audience, at: u64) -> Arc<Seat> {
        self.sits_down(false, audience, at)
    }

    fn sits_down(&self, echo: bool, audience: &Audience, at: u64) -> Arc<Seat> {
        let seat = Seat::new(Arc::clone(&self.contact), echo, at);
        audience.sit(&seat);
        seat
    }

    /// Writes what is kept, as the connection's task does.
    fn flushes(&self) -> tokio::task::JoinHandle<std::io::Result<bool>> {
        let contact = Arc::clone(&self.contact);
        let flush = std::future::poll_fn(move |cx| contact.line().poll_flush(cx, clock::now()));
        tokio::spawn(flush)
    }

    /// The next so many bytes that arrive.
    async fn hears(&mut self, bytes: usize) -> Vec<u8> {
        let mut heard = vec![0; bytes];
        self.far.read_exact(&mut heard).await.unwrap();
        heard
    }

    /// Nothing more arrives before the line ends.
    async fn hears_no_more(mut self) {
        drop(self.contact);
        let mut rest = Vec::new();
        self.far.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"", "something arrived that should not");
    }
}

/// A log in which people said these, one after the other.
fn entries(said: &[(&str, &str)]) -> Vec<Arc<Entry>> {
    let mut log = MemoryLog::new();
    log.open(new_room("general", Keep::None)).unwrap();
    let mut entries = Vec::new();
    for (n, (author, body)) in said.iter().enumerate() {
        let appended = log.append(post(author, &format!("m{n}"), body), clock::wall());
        let Ok(rooms::Appended::New(entry)) = appended else { panic!("{appended:?}") };
        entries.push(entry);
    }
    entries
}

fn frames(entries: &[Arc<Entry>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        write_frame(&mut bytes, Opcode::Text, entry.json());
    }
    bytes
}

/// So many long lines, by one person.
fn long_lines(count: usize) -> Vec<Arc<Entry>> {
    let line = "가".repeat(1_000);
    entries(&vec![("hana", line.as_str()); count])
}

#[tokio::test]
async fn everybody_who_sits_is_handed_the_same_frames_and_one_flush_is_due() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "안녕"), ("duri", "hello")]));
    let (mut one, mut other) = (Listener::calls().await, Listener::calls().await);
    one.sits(&audience, 0);
    other.sits(&audience, 0);

    assert!(audience.say(&said[0]));
    assert!(!audience.say(&said[1]), "one flush takes all that waits");
    assert!(flushed(&audience).await.is_empty());

    let frames = frames(&said);
    assert_eq!(one.hears(frames.len()).await, frames);
    assert_eq!(other.hears(frames.len()).await, frames);
}

#[tokio::test]
async fn nothing_waits_where_nobody_sits() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "안녕")]));
    assert!(!audience.say(&said[0]));
    let late = Listener::calls().await;
    late.sits(&audience, 1);
    flushed(&audience).await;
    audience.stand_up(&late.sits(&audience, 1));
    flushed(&audience).await;
    drop(audience);
    late.hears_no_more().await;
}

#[tokio::test]
async fn whoever_sits_down_later_is_handed_what_they_have_not_read() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "1"), ("hana", "2")]));
    let (first, mut later) = (Listener::calls().await, Listener::calls().await);
    first.sits(&audience, 0);
    audience.say(&said[0]);
    let seat = later.sits(&audience, 1);
    audience.say(&said[1]);
    flushed(&audience).await;

    let new = frames(&said[1..]);
    assert_eq!(later.hears(new.len()).await, new);
    assert_eq!(seat.at(), 2);
}

#[tokio::test]
async fn whoever_stood_up_is_handed_nothing_more() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "1"), ("hana", "2")]));
    let (mut stays, leaves) = (Listener::calls().await, Listener::calls().await);
    stays.sits(&audience, 0);
    let seat = leaves.sits(&audience, 0);
    audience.say(&said[0]);
    audience.stand_up(&seat);
    audience.say(&said[1]);
    assert!(flushed(&audience).await.is_empty());

    let frames = frames(&said);
    assert_eq!(stays.hears(frames.len()).await, frames);
    drop(seat);
    leaves.hears_no_more().await;
}

#[tokio::test]
async fn who_stands_up_while_frames_are_written_leaves_no_seat_behind() {
    let audience = Audience::default();
    let (stays, leaves) = (Listener::calls().await, Listener::calls().await);
    stays.sits(&audience, 0);
    let seat = leaves.sits(&audience, 0);
    let writing = audience.seats.lock().await;
    audience.stand_up(&seat);
    let coming = stays.sits(&audience, 0);
    drop(writing);
    assert_eq!(audience.lock().count, 3, "who leaves is still to be taken out");
    flushed(&audience).await;

    assert_eq!(audience.lock().count, 2);
    let places: Vec<u32> = audience.seats.lock().await.iter().map(place).collect();
    assert_eq!(places, [0, 1]);
    assert_eq!(place(&seat), NOWHERE);
    assert_eq!(place(&coming), 1);
}

#[tokio::test]
async fn whose_socket_takes_no_more_is_behind_at_the_end_of_a_frame() {
    let (audience, said) = (Audience::default(), long_lines(60));
    let mut slow = Listener::who_takes_at_once(8 * 1024).await;
    let seat = slow.sits(&audience, 0);
    for entry in &said {
        audience.say(entry);
    }
    let behind = flushed(&audience).await;

    assert!(behind.iter().any(|one| Arc::ptr_eq(one, &seat)));
    assert!(!seat.is_open());
    let at = usize::try_from(seat.at()).unwrap();
    assert!(0 < at && at < said.len(), "it took {at} of {}", said.len());
    // What the socket did not take of the last frame is kept and comes.
    let flushed = slow.flushes();
    let handed = frames(&said[..at]);
    assert_eq!(slow.hears(handed.len()).await, handed);
    flushed.await.unwrap().unwrap();
    assert_eq!(slow.line().kept_bytes(), 0);
    drop((seat, behind));
    slow.hears_no_more().await;
}

#[tokio::test]
async fn nothing_is_handed_over_while_something_is_kept() {
    let (audience, said) = (Audience::default(), entries(&[("hana", "1")]));
    let mut slow = Listener::who_takes_at_once(8 * 1024).await;
    let seat = slow.sits(&audience, 0);
    let before = frames(&long_lines(60));
    slow.line().write(before.clone(), |_| Leaves::Now, clock::now());
    assert!(slow.line().kept_bytes() > 0);
    audience.say(&said[0]);

    assert_eq!(flushed(&audience).await.len(), 1);
    assert_eq!(seat.at(), 0);
    let flushed = slow.flushes();
    assert_eq!(slow.hears(before.len()).await, before);
    flushed.await.unwrap().unwrap();
}

#[tokio::test]
async fn who_wants_no_echo_reads_what_holds_their_own() {
    let (audience, said) = (Audience::default(), entries(&[("duri", "1"), ("hana", "2")]));
    let mut listener = Listener::named("hana", None).await;
    let seat = listener.sits_without_echo(&audience, 0);
    audience.say(&said[0]);
    assert!(flushed(&audience).await.is_empty());
    audience.say(&said[1]);
    assert_eq!(flushed(&audience).await.len(), 1);

    assert_eq!(seat.at(), 1);
    let heard = frames(&said[..1]);
    assert_eq!(listener.hears(heard.len()).await, heard);
}

#[tokio::test]
async fn whoever_is_waited_for_sits_no_longer_also_where_all_was_handed_over() {
    // Of one frame a socket takes a part where it takes no more than that at once.
    let longest = "가".repeat(common::limits::BODY_CHARS_MAX);
    let said = entries(&[("hana", longest.as_str()); 60]);
    let audience = Audience::default();
    let slow = Listener::who_takes_at_once(8 * 1024).await;
    let seat = slow.sits(&audience, 0);
    for (nth, entry) in said.iter().enumerate() {
        audience.say(entry);
        let behind = flushed(&audience).await;
        let is_waited_for = slow.line().waiting_since().is_some();
        assert!(!is_waited_for || !behind.is_empty(), "nobody would write the rest of {nth}");
        if !behind.is_empty() {
            return assert!(!seat.is_open());
        }
    }
    panic!("a socket takes so much at once");
}

#[tokio::test]
async fn more_than_may_wait_makes_everybody_read() {
    let (audience, said) = (Audience::default(), long_lines(120));
    let listener = Listener::calls().await;
    let seat = listener.sits(&audience, 0);
    for entry in &said {
        audience.say(entry);
    }
    assert!(audience.lock().frames.bytes.len() <= WAITING_BYTES_MAX);

    assert_eq!(flushed(&audience).await.len(), 1);
    assert!(seat.at() < 120);
}

fn place(seat: &Arc<Seat>) -> u32 {
    seat.place.load(Ordering::Relaxed)
}

mod along;
mod parts;
