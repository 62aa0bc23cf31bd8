//! Many members of rooms on one thread: it waits for all their sockets at once.

use std::{io::ErrorKind, os::fd::AsRawFd as _, time::Duration};

use anyhow::bail;
use mio::{Events, Interest, Poll, Token, unix::SourceFd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use super::{
    arrival::Arrived,
    dialect::{Dialect, Voice},
    latency::Latency,
    member::Member,
    room::{Room, Tally},
};
use crate::clock;

/// What is read at once: as much as stays in the cache of a core.
const BUFFER_BYTES: usize = 256 * 1024;
/// Sockets that are told of at once.
const EVENTS: usize = 1_024;
/// Whoever is late beyond that has lost something.
pub(super) const DRAIN: Duration = Duration::from_secs(15);
/// How long one waits for what must not come any more.
const AFTER: Duration = Duration::from_millis(100);
/// How long a message may take that shows who is there.
const PROBE: Duration = Duration::from_secs(2);
const PROBES_MAX: u32 = 30;
/// The token of the timer.
const TIMER: Token = Token(usize::MAX);

/// Everybody, and their rooms.
#[derive(Debug)]
pub(super) struct Crowd {
    dialect: Dialect,
    poll: Poll,
    events: Events,
    timer: rustix::fd::OwnedFd,
    buffer: Vec<u8>,
    members: Vec<Member>,
    rooms: Vec<Room>,
    /// The members of each room, by their numbers among all.
    of_room: Vec<Vec<usize>>,
    tally: Tally,
    /// Deliveries that must come of what was said.
    expected: u64,
}

impl Crowd {
    /// Nobody is there yet.
    ///
    /// # Errors
    /// The system has no poll, or no timer.
    pub(super) fn new(dialect: Dialect) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        poll.registry().register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        let chance = fastrand::Rng::with_seed(1);
        Ok(Self {
            dialect,
            poll,
            events: Events::with_capacity(EVENTS),
            timer,
            buffer: vec![0; BUFFER_BYTES],
            members: Vec::new(),
            rooms: Vec::new(),
            of_room: Vec::new(),
            tally: Tally {
                began: clock::now(),
                deliveries: 0,
                latency: Latency::new(),
                now: 0,
                chance,
            },
            expected: 0,
        })
    }

    /// A room, in which so many may speak; its number.
    pub(super) fn opens(&mut self, bytes: usize, authors: usize) -> usize {
        let has_one_order = self.dialect.has_one_order() || authors == 1;
        self.rooms.push(Room::new(self.dialect, bytes, has_one_order));
        self.of_room.push(Vec::new());
        self.rooms.len() - 1
    }

    /// Somebody came into a room.
    ///
    /// # Errors
    /// Their socket cannot be waited for, or what came with them is not understood.
    pub(super) fn admits(
        &mut self,
        arrived: Arrived,
        room: usize,
        voice: Voice,
    ) -> anyhow::Result<()> {
        let nth = self.members.len();
        let author = self.rooms[room].enters(voice);
        let mut member = Member::new(arrived, room, author);
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut member.stream, Token(nth), interest)?;
        self.of_room[room].push(nth);
        self.members.push(member);
        self.reads(nth, false)
    }

    /// Waits until something happened or a time has come, and takes all of it.
    ///
    /// # Errors
    /// A connection ended, or brought what it must not.
    pub(super) fn turns(&mut self, wait: Option<Duration>) -> anyhow::Result<()> {
        match self.poll.poll(&mut self.events, wait) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let Token(nth) = event.token();
            if event.token() == TIMER {
                // Its count is of no interest, and a timer that is set again has none.
                let _ = rustix::io::read(&self.timer, &mut [0_u8; 8]);
                continue;
            }
            if event.is_writable() {
                self.flushes(nth)?;
            }
            if event.is_readable() || event.is_read_closed() {
                self.reads(nth, event.is_read_closed())?;
            }
        }
        self.events = events;
        for nth in 0..self.rooms.len() {
            if self.rooms[nth].has_much() {
                let readers = self.of_room[nth].iter().map(|member| &self.members[*member].reader);
                self.rooms[nth].forgets(readers);
            }
        }
        Ok(())
    }

    /// Wakes [`Self::turns`] after so long.
    pub(super) fn wakes_after(&self, wait: Duration) -> anyhow::Result<()> {
        let nanoseconds = wait.subsec_nanos().max(1).into();
        let it_value = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: nanoseconds };
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        let when = Itimerspec { it_interval, it_value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &when)?;
        Ok(())
    }

    /// Nanoseconds since the beginning.
    pub(super) fn now(&self) -> u64 {
        self.tally.began.elapsed().as_nanos() as u64
    }

    /// Somebody says something; it leaves with [`Self::flushes`].
    pub(super) fn says(&mut self, nth: usize, at: u64) {
        let member = &mut self.members[nth];
        self.rooms[member.room].says(member.author, at, &mut member.waiting);
        member.said += 1;
        self.expected += self.of_room[member.room].len() as u64;
    }

    /// Writes what waits for somebody, as far as the socket takes it.
    pub(super) fn flushes(&mut self, nth: usize) -> anyhow::Result<()> {
        self.members[nth].flushes()
    }

    /// Messages that somebody got.
    pub(super) fn heard(&self, nth: usize) -> u64 {
        self.members[nth].reader.place.messages
    }

    /// A member of a room, by their number among all.
    pub(super) fn member(&self, room: usize, nth: usize) -> usize {
        self.of_room[room][nth]
    }

    /// How many deliveries have not come.
    pub(super) fn missing(&self) -> u64 {
        self.expected.saturating_sub(self.tally.deliveries)
    }

    /// All deliveries that came.
    pub(super) fn deliveries(&self) -> u64 {
        self.tally.deliveries
    }

    /// How long they took since [`Self::forgets_latency`].
    pub(super) fn latency(&self) -> &Latency {
        &self.tally.latency
    }

    /// Begins to measure anew how long they take.
    pub(super) fn forgets_latency(&mut self) {
        self.tally.latency.reset();
    }

    /// Waits until everybody hears whoever speaks in their room. A server may answer a handshake
    /// before it has counted somebody in.
    ///
    /// # Errors
    /// Somebody hears nothing.
    pub(super) fn is_complete(&mut self) -> anyhow::Result<()> {
        for probe in 1..=PROBES_MAX {
            for room in 0..self.rooms.len() {
                let first = self.of_room[room][0];
                self.rooms[room].probes(probe, &mut self.members[first].waiting);
                self.members[first].said += 1;
                self.flushes(first)?;
            }
            let deadline = clock::now() + PROBE;
            while clock::now() < deadline {
                self.turns(Some(Duration::from_millis(10)))?;
                if self.members.iter().all(|member| member.reader.probe == probe) {
                    return Ok(());
                }
            }
        }
        bail!("not everybody hears what is said in their room")
    }

    /// Waits until all that was said has come, and for a moment longer.
    ///
    /// # Errors
    /// Something was lost, or came twice.
    pub(super) fn drains(&mut self) -> anyhow::Result<()> {
        let mut deadline = clock::now() + DRAIN;
        let mut missing = self.missing();
        while missing > 0 || self.unacknowledged() > 0 {
            if clock::now() > deadline {
                bail!(
                    "lost: {missing} of {} deliveries and {} acknowledgements did not come",
                    self.expected,
                    self.unacknowledged()
                );
            }
            self.turns(Some(Duration::from_millis(20)))?;
            if self.missing() < missing {
                missing = self.missing();
                deadline = clock::now() + DRAIN;
            }
        }
        let end = clock::now() + AFTER;
        while clock::now() < end {
            self.turns(Some(Duration::from_millis(20)))?;
        }
        let all_there = self
            .members
            .iter()
            .all(|member| member.reader.place.messages == self.rooms[member.room].messages());
        anyhow::ensure!(all_there, "lost: somebody got less than was said, and somebody more");
        Ok(())
    }

    fn unacknowledged(&self) -> u64 {
        match self.dialect {
            Dialect::Madang => {
                self.members.iter().map(|member| member.said - member.acknowledged).sum()
            }
            Dialect::Plain | Dialect::Socketio | Dialect::Nats => 0,
        }
    }

    fn reads(&mut self, nth: usize, to_the_end: bool) -> anyhow::Result<()> {
        let Self { dialect, buffer, members, rooms, tally, .. } = self;
        let member = &mut members[nth];
        let room = &mut rooms[member.room];
        member.reads(*dialect, room, buffer, tally, to_the_end)
    }
}
