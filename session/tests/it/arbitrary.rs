//! Anything may happen in any order.

use std::collections::BTreeMap;

use common::{Digest, ErrorCode, Position, ResyncReason, ServerMessage, encode, http::Unread};
use proptest::prelude::*;
use session::{Action, Content, Edge, Event, Generation, LinkState, TicketRefusal};

use crate::alice::{
    Alice, ack, at, bobs_entry, digest, entry, error, head, id, joined, ms, name, post, resync,
    secs, slow_down, welcome,
};

const ROOMS: [&str; 2] = ["general", "tech"];

#[derive(Clone, Debug)]
enum Input {
    Connect,
    ReconnectNow,
    LeaveServer,
    Join(usize),
    Leave(usize),
    Say(usize, u8),
    Retry(u8),
    Discard(u8),
    Ticket(u64, Option<u64>),
    Open(u64),
    Text(u64, String),
    Closed(u64, u16),
    History(usize, &'static str, Option<u64>),
    Mark(usize, &'static str, u64),
    Wake,
    Online,
    Pass(u64),
    /// Ticket, socket and welcome, if an attempt is under way or waited for.
    GetIn,
}

fn server_text() -> impl Strategy<Value = String> {
    let room = prop::sample::select(&ROOMS[..]);
    let epoch = epoch();
    let request = 0_u64..12;
    let seq = prop_oneof![9 => 0_u64..8, 1 => Just(u64::MAX)];
    let text = |message| encode(&message);
    prop_oneof![
        1 => Just(text(welcome())),
        6 => (request.clone(), room.clone(), epoch.clone(), seq.clone(), seq.clone(), any::<bool>())
            .prop_map(move |(id, room, epoch, head, after, recovered)| {
                text(joined(id, room, (epoch, head), after, recovered))
            }),
        12 => (room.clone(), seq.clone(), prop::sample::select(&["alice", "bob"][..]), 0_u8..6)
            .prop_map(move |(room, seq, who, n)| text(entry(room, seq, who, &format!("m{n}")))),
        12 => (room.clone(), 1_u64..8).prop_map(move |(room, seq)| {
            let mut entry = bobs_entry(seq);
            entry.room = name(room);
            text(ServerMessage::Entry(entry))
        }),
        2 => (epoch.clone(), seq.clone(), seq.clone()).prop_map(move |(epoch, head, after)| {
            text(resync(ResyncReason::Pruned, (epoch, head), after))
        }),
        2 => (epoch.clone(), seq.clone()).prop_map(move |(epoch, seq)| text(head(epoch, seq))),
        3 => (request.clone(), epoch, seq, 1_u64..9, 0_u64..9, any::<bool>()).prop_map(
            move |(id, epoch, head, from, to, gap)| {
                let entries = (from..=to).filter(|seq| !gap || *seq != 4).map(bobs_entry).collect();
                let (room, position, floor) = (name("general"), at(epoch, head), from / 4);
                let (base, later) = (digest(epoch, from - 1), vec![bobs_entry(7)]);
                text(ServerMessage::History { id, room, position, floor, entries, base, later })
            }
        ),
        1 => (prop::option::of(request.clone()), room.clone(), 0_u64..9).prop_map(
            move |(id, room, read)| {
                let unread = Unread { read, posts: 1, mentions: 0 };
                text(ServerMessage::Marked { id, room: name(room), unread })
            }
        ),
        1 => room.clone().prop_map(move |room| {
            text(ServerMessage::Left { id: None, room: name(room), removed: true })
        }),
        2 => (request.clone(), room, 0_u8..6)
            .prop_map(move |(id, room, n)| text(ack(id, room, &format!("m{n}"), 4))),
        1 => request.clone().prop_map(move |id| text(error(id, ErrorCode::Forbidden))),
        1 => (request, prop_oneof![0_u64..3_000, Just(u64::MAX)])
            .prop_map(move |(id, wait)| text(slow_down(id, wait))),
        1 => ".{0,40}",
        1 => Just(r#"{"type":"ping"}"#.to_owned()),
        1 => Just(r#"{"type":"from_the_future","x":[1]}"#.to_owned()),
    ]
}

fn epoch() -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(&["e1", "e2"][..])
}

fn input() -> impl Strategy<Value = Input> {
    // How many generations back it belongs to: mostly none.
    let age = || prop_oneof![9 => Just(0_u64), 1 => 1_u64..3];
    let code = prop_oneof![
        Just(1006_u16),
        prop::sample::select(&[1000_u16, 1009, 1012, 4001, 4102, 4002, 4200][..]),
        any::<u16>()
    ];
    prop_oneof![
        1 => Just(Input::Connect),
        1 => Just(Input::ReconnectNow),
        1 => prop_oneof![9 => Just(Input::Wake), 1 => Just(Input::LeaveServer)],
        2 => (0..ROOMS.len()).prop_map(Input::Join),
        1 => (0..ROOMS.len()).prop_map(Input::Leave),
        4 => (0..ROOMS.len(), 0_u8..6).prop_map(|(room, n)| Input::Say(room, n)),
        1 => (0_u8..6).prop_map(Input::Retry),
        1 => (0_u8..6).prop_map(Input::Discard),
        1 => (age(), prop::option::of(any::<u64>())).prop_map(|(age, wait)| Input::Ticket(age, wait)),
        1 => age().prop_map(Input::Open),
        20 => (age(), server_text()).prop_map(|(age, text)| Input::Text(age, text)),
        1 => (age(), code).prop_map(|(age, code)| Input::Closed(age, code)),
        2 => (0..ROOMS.len(), epoch(), prop::option::of(0_u64..9))
            .prop_map(|(room, epoch, seq)| Input::History(room, epoch, seq)),
        2 => (0..ROOMS.len(), epoch(), 0_u64..9)
            .prop_map(|(room, epoch, seq)| Input::Mark(room, epoch, seq)),
        1 => Just(Input::Online),
        4 => prop_oneof![0_u64..3_000, 0_u64..100_000].prop_map(Input::Pass),
        5 => Just(Input::GetIn),
    ]
}

/// What must hold, whatever happens.
struct Watch {
    alice: Alice,
    generations: Vec<Generation>,
    /// The last entry of each room's piece; absent before the first.
    pieces: BTreeMap<String, Option<u64>>,
    /// The attempt or connection that the shell holds.
    held: Option<Generation>,
}

impl Watch {
    fn new(seed: u64) -> Self {
        let pieces = BTreeMap::new();
        Self { alice: Alice::with_seed(seed), generations: Vec::new(), pieces, held: None }
    }

    fn generation(&self, age: u64) -> Option<Generation> {
        let back = usize::try_from(age).unwrap();
        self.generations.iter().rev().nth(back).copied()
    }

    fn apply(&mut self, input: Input) {
        let (session, now) = (&mut self.alice.session, self.alice.now);
        match input {
            Input::Connect => session.connect(now),
            Input::ReconnectNow => session.reconnect_now(now),
            Input::LeaveServer => {
                session.leave_server(now);
                self.pieces.clear();
            }
            Input::Join(room) => session.join(name(ROOMS[room]), now),
            Input::Leave(room) => {
                session.leave(&name(ROOMS[room]), now);
                self.pieces.remove(ROOMS[room]);
            }
            Input::Say(room, n) => {
                let said = format!("m{n}");
                let content = Content::Post(common::Body::new(&said).unwrap());
                session.write(name(ROOMS[room]), id(&said), content, now).unwrap();
            }
            Input::Retry(n) => session.retry(&id(&format!("m{n}")), now),
            Input::Discard(n) => session.discard(&id(&format!("m{n}"))),
            Input::History(room, epoch, seq) => {
                let edge = match seq {
                    None => Edge::Newest,
                    Some(seq) if seq % 2 == 0 => Edge::Before(at(epoch, seq)),
                    Some(seq) => Edge::After(at(epoch, seq)),
                };
                session.history(&name(ROOMS[room]), edge, now);
            }
            Input::Mark(room, epoch, seq) => session.mark(&name(ROOMS[room]), at(epoch, seq), now),
            Input::Wake => session.handle_wake(now),
            Input::Online => session.handle_online(now),
            Input::Pass(duration) => self.alice.now += ms(duration),
            Input::GetIn => self.get_in(),
            Input::Ticket(age, wait) => {
                let ticket = match wait {
                    None => Ok("ticket".to_owned()),
                    Some(ms) => Err(TicketRefusal::RetryAfter { ms }),
                };
                let Some(generation) = self.generation(age) else { return };
                self.alice.session.handle_ticket(generation, ticket, now);
                self.held = self.held.filter(|_| self.is_live());
            }
            Input::Open(age) => {
                let Some(generation) = self.generation(age) else { return };
                self.alice.session.handle_open(generation, now);
            }
            Input::Text(age, text) => {
                let Some(generation) = self.generation(age) else { return };
                self.alice.session.handle_text(generation, &text, now);
            }
            Input::Closed(age, code) => {
                let Some(generation) = self.generation(age) else { return };
                self.held = self.held.filter(|held| *held != generation);
                self.alice.session.handle_closed(generation, code, now);
            }
        }
    }

    fn get_in(&mut self) {
        if let LinkState::Waiting { until, .. } = *self.alice.session.link() {
            self.alice.now = self.alice.now.max(until);
            self.alice.session.handle_timeout(self.alice.now);
            self.drain();
        }
        let (now, Some(generation)) = (self.alice.now, self.generation(0)) else { return };
        self.alice.session.handle_ticket(generation, Ok("ticket".to_owned()), now);
        self.alice.session.handle_open(generation, now);
        self.alice.session.handle_text(generation, &encode(&welcome()), now);
    }

    /// Does every timeout that is due: they must come to an end.
    fn settle(&mut self) {
        self.drain();
        for _ in 0..8 {
            let now = self.alice.now;
            if self.alice.session.poll_timeout().is_none_or(|due| due > now) {
                return;
            }
            self.alice.session.handle_timeout(now);
            self.drain();
        }
        panic!("it wants to be called without end");
    }

    fn drain(&mut self) {
        while let Some(action) = self.alice.session.poll_action() {
            match action {
                Action::FetchTicket { generation } => {
                    assert!(self.generations.last() < Some(&generation));
                    assert_eq!(self.held, None, "two attempts at once");
                    self.held = Some(generation);
                    self.generations.push(generation);
                }
                Action::Disconnect { generation, .. } => {
                    assert_eq!(self.held.take(), Some(generation));
                }
                Action::Connect { generation, .. } | Action::Send { generation, .. } => {
                    assert_eq!(self.held, Some(generation), "an action for a link that is over");
                }
            }
        }
        assert_eq!(self.held.is_some(), self.is_live());
        while let Some(event) = self.alice.session.poll_event() {
            self.check(event);
        }
        self.check_outbox();
    }

    fn is_live(&self) -> bool {
        matches!(self.alice.session.link(), LinkState::Connecting { .. } | LinkState::Open)
    }

    fn check(&mut self, event: Event) {
        match event {
            Event::Resynced { room, .. }
            | Event::Disproved { room, .. }
            | Event::Removed { room }
            | Event::JoinRefused { room, .. } => {
                self.pieces.remove(room.as_str());
            }
            Event::Entry { entry } => {
                let last = self.pieces.entry(entry.room.to_string()).or_default();
                assert!(last.is_none_or(|last| entry.seq == last + 1), "{last:?} then {entry:?}");
                *last = Some(entry.seq);
            }
            Event::History { entries, .. } => {
                assert!(entries.windows(2).all(|pair| pair[1].seq == pair[0].seq + 1));
            }
            Event::LinkChanged
            | Event::Welcome { .. }
            | Event::Joined { .. }
            | Event::Recovered { .. }
            | Event::Proven { .. }
            | Event::HistoryFailed { .. }
            | Event::Marked { .. }
            | Event::Presence { .. }
            | Event::Left { .. }
            | Event::Opened { .. }
            | Event::OutboxChanged { .. }
            | Event::Acked { .. } => {}
        }
    }

    /// In each room at most one message is on the wire.
    fn check_outbox(&self) {
        for room in ROOMS {
            let sending = self.alice.session.outbox().filter(|it| {
                it.room.as_str() == room && it.state == session::PendingState::Sending
            });
            assert!(sending.count() <= 1);
        }
    }
}

/// Of a log in which Alice said this: the digest at each place.
fn digests(log: &[String]) -> Vec<Digest> {
    let mut digests = vec![digest("e1", 0)];
    for (seq, said) in (1..).zip(log) {
        let entry = post("general", seq, "alice", said);
        digests.push(entry.digest_after(digests[digests.len() - 1]));
    }
    digests
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn whatever_happens_entries_come_in_order_and_timeouts_come_to_an_end(
        seed: u64,
        inputs in prop::collection::vec(input(), 0..150),
    ) {
        let mut watch = Watch::new(seed);
        watch.apply(Input::Connect);
        watch.apply(Input::Join(0));
        watch.settle();
        for input in inputs {
            watch.apply(input);
            watch.settle();
        }
    }

    /// A server that takes what it hears, answers late or never, and is lost and found again.
    #[test]
    fn every_message_arrives_once_and_in_order_however_often_the_link_breaks(
        seed: u64,
        fates in prop::collection::vec(0_u8..6, 1..60),
    ) {
        let mut alice = Alice::with_seed(seed);
        alice.starts();
        alice.joins("general");
        for n in 0..8 {
            alice.says("general", &format!("m{n}"));
        }
        let mut log: Vec<String> = Vec::new();
        let mut heard = 0;
        for fate in fates.into_iter().chain([0; 40]) {
            if !matches!(alice.session.link(), LinkState::Open) {
                alice.comes_back();
            }
            let mut refuses = fate == 1;
            for message in alice.sent() {
                match message {
                    common::ClientMessage::Join { id, after, .. } => {
                        let from = after.map_or(0, |after: Position| after.seq);
                        let head = u64::try_from(log.len()).unwrap();
                        let mut reply = joined(id.unwrap(), "general", ("e1", head), from, true);
                        if let ServerMessage::Joined { digest, base, .. } = &mut reply {
                            let whole = digests(&log);
                            *digest = whole[log.len()];
                            *base = whole.get(usize::try_from(from).unwrap()).copied();
                        }
                        alice.hears(reply);
                        heard = usize::try_from(from).unwrap();
                    }
                    // Refused, and to be sent again later.
                    common::ClientMessage::Say { id, .. } if refuses => {
                        refuses = false;
                        alice.hears(slow_down(id, 700));
                    }
                    // Lost on its way there.
                    common::ClientMessage::Say { .. } if fate == 2 => {}
                    common::ClientMessage::Say { id, message_id, .. } => {
                        let said = message_id.to_string();
                        if !log.contains(&said) {
                            log.push(said.clone());
                        }
                        // With 3 the ack is lost.
                        if fate != 3 {
                            alice.hears(ack(id, "general", &said, 1));
                        }
                    }
                    _ => {}
                }
            }
            if fate == 4 {
                alice.loses_the_connection();
                continue;
            }
            while heard < log.len() && fate != 5 {
                let (said, seq) = (log[heard].clone(), u64::try_from(heard).unwrap() + 1);
                alice.hears(entry("general", seq, "alice", &said));
                heard += 1;
            }
            alice.waits(secs(5));
        }
        let all: Vec<String> = (0..8).map(|n| format!("m{n}")).collect();
        prop_assert_eq!(log, all);
        prop_assert_eq!(alice.outbox(), []);
        prop_assert_eq!(alice.session.stats().disproofs, 0);
        prop_assert_eq!(alice.delivered(), (1..=8).collect::<Vec<_>>());
        prop_assert_eq!(alice.session.position(&name("general")), Some(&at("e1", 8)));
    }
}
