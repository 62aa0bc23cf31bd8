//! Those who keep up with a room: what is new goes to all of them at once, as the same bytes.
//!
//! A follower who has read to the head, and whose socket took all of it, sits down. From there on
//! the room is their cursor: they stand where the last flush ended. Whoever's socket does not take
//! everything stands up with a cursor of their own and reads like everybody who is behind.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Instant,
};

use common::UserId;
use rooms::Entry;
use tokio::task::coop::unconstrained;
use websocket::{Opcode, write_frame};

use super::turn::Turn;
use crate::{
    clock,
    contact::Contact,
    line::{Leaves, Offered},
};

/// Frames that wait for a flush, in bytes; whoever would be owed more reads it by their cursor.
/// About what a socket takes at once.
const WAITING_BYTES_MAX: usize = 256 * 1024;
/// So many are worth a task of their own: 6 ms where each is a packet of 3 µs, beside 0.1 ms until
/// another thread is awake.
const PART_SEATS_MIN: usize = if cfg!(test) { 2 } else { 2_048 };
/// The place of who sits nowhere.
const NOWHERE: u32 = u32::MAX;

/// Somebody who keeps up.
#[derive(Debug)]
pub(super) struct Seat {
    contact: Arc<Contact>,
    /// Whether the follower's own entries are handed over as well.
    echo: bool,
    /// Everything up to here was handed to the line.
    at: AtomicU64,
    /// Nothing is handed to the line any more once this is false. It changes between frames only.
    open: AtomicBool,
    /// Where it stands among the seats.
    place: AtomicU32,
}

/// Somebody's seat in a room's audience, for the connection it is of.
#[derive(Debug)]
pub struct Seated {
    audience: Arc<Audience>,
    seat: Arc<Seat>,
    /// What goes to this one alone may leave with what waits for all.
    may_wait: bool,
}

/// The seats of one room, and what waits for them.
#[derive(Debug, Default)]
pub(super) struct Audience {
    /// Held for a moment only.
    waiting: Mutex<Waiting>,
    /// Held while frames are written: the flusher waits for it, everybody else only tries. Whoever
    /// tries in vain holds `waiting`, and so knows that a flush is writing.
    seats: tokio::sync::Mutex<Vec<Arc<Seat>>>,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: Frames,
    coming: Vec<Arc<Seat>>,
    leaving: Vec<Arc<Seat>>,
    /// Those who sit or are about to.
    count: usize,
    /// A flush is on its way.
    flush_is_due: bool,
}

/// Entries as frames, one behind the other.
#[derive(Debug, Default)]
struct Frames {
    bytes: Vec<u8>,
    /// Each entry, and where its frame ends.
    ends: Vec<(Arc<Entry>, usize)>,
    /// More was said than may wait: everybody stands up.
    overflowed: bool,
}

impl Seat {
    /// A seat for a connection that was handed everything up to `at`.
    pub(super) fn new(contact: Arc<Contact>, echo: bool, at: u64) -> Arc<Self> {
        Arc::new(Self {
            contact,
            echo,
            at: AtomicU64::new(at),
            open: AtomicBool::new(true),
            place: AtomicU32::new(NOWHERE),
        })
    }

    /// Whose it is.
    pub(super) fn contact(&self) -> &Arc<Contact> {
        &self.contact
    }

    /// Whose entries are left out.
    fn without(&self) -> Option<&UserId> {
        (!self.echo).then(|| self.contact.user())
    }

    /// Everything up to here was handed to the line.
    pub(super) fn at(&self) -> u64 {
        self.at.load(Ordering::Acquire)
    }

    /// Whether what is new is handed to the line.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Hands what waits to the line; says whether all of it went.
    fn take(&self, frames: &Frames, now: Instant) -> bool {
        let at = self.at();
        let from = frames.end_of(at);
        let all = &frames.bytes[from..];
        if all.is_empty() {
            return !frames.overflowed;
        }
        let offered = if frames.has_some_by(self.without()) {
            Offered::Partly(0)
        } else {
            let end_of_frame = |bytes| frames.end_of_frame(from + bytes) - from;
            self.contact.line().offer(all, || self.is_open(), end_of_frame, now)
        };
        let handed = match offered {
            Offered::Taken => all.len(),
            Offered::Partly(handed) => handed,
        };
        if let Some(last) = frames.last_before(from + handed) {
            self.at.store(last.max(at), Ordering::Release);
        }
        offered == Offered::Taken && !frames.overflowed
    }

    /// Nothing is handed to the line from here on, and nothing waits there to leave with it.
    fn close(&self) {
        let line = self.contact.line();
        line.between_frames(|| self.open.store(false, Ordering::Release), clock::now());
    }
}

impl Seated {
    pub(super) fn new(audience: Arc<Audience>, seat: Arc<Seat>, may_wait: bool) -> Self {
        Self { audience, seat, may_wait }
    }

    /// Takes along what waits for the seat, or lets `out` leave with the flush that brings it, or
    /// leaves that to the flush, where one is writing. To be called while nobody else can write to
    /// its line, and to be written before anybody can.
    pub fn take_along(&self, out: &mut Vec<u8>) -> Leaves {
        self.audience.take_along(&self.seat, out, self.may_wait)
    }
}

impl Audience {
    /// Sits down. What waits already is handed over as far as it is new to this seat.
    pub(super) fn sit(&self, seat: &Arc<Seat>) {
        let mut waiting = self.lock();
        waiting.count += 1;
        match self.seats.try_lock() {
            Ok(mut seats) => put(&mut seats, Arc::clone(seat)),
            Err(_) => waiting.coming.push(Arc::clone(seat)),
        }
    }

    /// Stands up: after this nothing is handed to the line.
    pub(super) fn stand_up(&self, seat: &Arc<Seat>) {
        seat.close();
        let mut waiting = self.lock();
        if let Some(at) = waiting.coming.iter().position(|coming| Arc::ptr_eq(coming, seat)) {
            waiting.coming.swap_remove(at);
            waiting.count -= 1;
            return;
        }
        match self.seats.try_lock() {
            Ok(mut seats) => waiting.count -= usize::from(take_out(&mut seats, seat)),
            Err(_) => waiting.leaving.push(Arc::clone(seat)),
        }
    }

    /// An entry is to go to everybody who sits; says whether a flush has to be made for it.
    pub(super) fn say(&self, entry: &Arc<Entry>) -> bool {
        let mut waiting = self.lock();
        if waiting.count == 0 {
            return false;
        }
        waiting.frames.push(entry);
        !std::mem::replace(&mut waiting.flush_is_due, true)
    }

    /// See [`Seated::take_along`].
    fn take_along(&self, seat: &Seat, out: &mut Vec<u8>, may_wait: bool) -> Leaves {
        let waiting = self.lock();
        let frames = &waiting.frames;
        let at = seat.at();
        // What a flush under way has in its hands comes first.
        let next = frames.ends.first().is_some_and(|(first, _)| first.seq <= at + 1);
        if !next || !seat.is_open() || frames.has_some_by(seat.without()) {
            return Leaves::Now;
        }
        let new = &frames.bytes[frames.end_of(at)..];
        if may_wait && seat.echo && !new.is_empty() {
            return Leaves::WithNext;
        }
        // While a flush writes, what is new comes with the next. Who is answered with everything
        // they said goes on saying more, beyond what the others can be handed. Tried, never waited
        // for: the flush waits for this seat's line and for `waiting`, which are held here.
        if self.seats.try_lock().is_err() {
            return Leaves::Now;
        }
        out.extend_from_slice(new);
        if let Some((last, _)) = frames.ends.last() {
            seat.at.store(last.seq.max(at), Ordering::Release);
        }
        Leaves::Now
    }

    /// Hands what waits to everybody who sits, on as many of the `cores` as it is worth. Answers
    /// those who did not take all of it: they sit here no longer.
    pub(super) async fn flush(&self, turn: &mut Turn, cores: usize) -> Vec<Arc<Seat>> {
        let mut seats = self.seats.lock().await;
        let frames = {
            let mut waiting = self.lock();
            waiting.flush_is_due = false;
            waiting.coming.drain(..).for_each(|seat| put(&mut seats, seat));
            std::mem::take(&mut waiting.frames)
        };
        let parts = parts_of(seats.len(), cores);
        let behind = if parts > 1 {
            let behind = hand_over_in_parts(&mut seats, frames, parts).await;
            *turn = Turn::begins();
            behind
        } else {
            hand_over(&seats, &frames, turn).await
        };
        let mut waiting = self.lock();
        for seat in behind.iter().chain(&std::mem::take(&mut waiting.leaving)) {
            waiting.count -= usize::from(take_out(&mut seats, seat));
        }
        // Whoever leaves from here on finds the seats free, once `waiting` is.
        drop(seats);
        behind
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many tasks hand over to so many.
fn parts_of(seats: usize, cores: usize) -> usize {
    (seats / PART_SEATS_MIN).min(cores)
}

/// Hands the frames to these, one after the other. Answers those who did not take all of it: they
/// are handed nothing more.
async fn hand_over(seats: &[Arc<Seat>], frames: &Frames, turn: &mut Turn) -> Vec<Arc<Seat>> {
    let mut behind = Vec::new();
    for seat in seats {
        if !seat.take(frames, turn.now()) {
            seat.open.store(false, Ordering::Release);
            behind.push(Arc::clone(seat));
        }
        turn.served().await;
    }
    behind
}

/// The same with tasks that have a part of the seats each. All of them are spawned, and none of the
/// parts is one's own: what is spawned last is what this thread does next, and what was spawned
/// before may be taken by a thread that has nothing to do. The other way round the last part would
/// wait for one's own, since no other thread may take it.
async fn hand_over_in_parts(
    seats: &mut Vec<Arc<Seat>>,
    frames: Frames,
    parts: usize,
) -> Vec<Arc<Seat>> {
    let part_seats = seats.len().div_ceil(parts);
    let all = Arc::new((std::mem::take(seats), frames));
    let handing_over: Vec<_> = (0..parts)
        .map(|part| {
            let all = Arc::clone(&all);
            // By the clock, as whoever waits for it: see `hand_out`.
            tokio::spawn(unconstrained(async move {
                let (seats, frames) = &*all;
                let part = seats.chunks(part_seats).nth(part).unwrap_or_default();
                hand_over(part, frames, &mut Turn::begins()).await
            }))
        })
        .collect();
    let mut behind = Vec::new();
    for part in handing_over {
        // Where one panics, so does this: nobody goes on without a part of the seats.
        behind.extend(part.await.expect("a part ends by itself"));
    }
    *seats = Arc::into_inner(all).expect("whoever ended let go of the seats").0;
    behind
}

fn put(seats: &mut Vec<Arc<Seat>>, seat: Arc<Seat>) {
    let place = u32::try_from(seats.len()).expect("a process has no such number of sockets");
    seat.place.store(place, Ordering::Relaxed);
    seats.push(seat);
}

/// Whether it was there.
fn take_out(seats: &mut Vec<Arc<Seat>>, seat: &Seat) -> bool {
    let place = seat.place.swap(NOWHERE, Ordering::Relaxed);
    if place == NOWHERE {
        return false;
    }
    seats.swap_remove(place as usize);
    if let Some(moved) = seats.get(place as usize) {
        moved.place.store(place, Ordering::Relaxed);
    }
    true
}

impl Frames {
    fn push(&mut self, entry: &Arc<Entry>) {
        if self.overflowed || self.bytes.len() + entry.json().len() > WAITING_BYTES_MAX {
            self.overflowed = true;
            return;
        }
        write_frame(&mut self.bytes, Opcode::Text, entry.json());
        self.ends.push((Arc::clone(entry), self.bytes.len()));
    }

    /// Where the frames end that somebody has who has everything up to `seq`.
    fn end_of(&self, seq: u64) -> usize {
        let had = self.ends.partition_point(|(entry, _)| entry.seq <= seq);
        had.checked_sub(1).map_or(0, |last| self.ends[last].1)
    }

    /// The end of the frame that the byte before `bytes` lies in.
    fn end_of_frame(&self, bytes: usize) -> usize {
        let whole = self.ends.partition_point(|(_, end)| *end < bytes);
        self.ends.get(whole).map_or(self.bytes.len(), |(_, end)| *end)
    }

    /// The place of the last entry whose frame ends at or before `bytes`.
    fn last_before(&self, bytes: usize) -> Option<u64> {
        let whole = self.ends.partition_point(|(_, end)| *end <= bytes);
        self.ends[..whole].last().map(|(entry, _)| entry.seq)
    }

    fn has_some_by(&self, author: Option<&UserId>) -> bool {
        author.is_some_and(|author| self.ends.iter().any(|(entry, _)| entry.author.id == *author))
    }
}

#[cfg(test)]
mod tests;
