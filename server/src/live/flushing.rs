//! Who hands out what is new: one task for each worker, over the rooms that have something.
//!
//! A room belongs to one task, which spawns more for a large one (`Audience::flush`). It is
//! flushed in the turn after something came, with all that came until then. There is no
//! timer: when it is quiet what is said goes out at once. When it is not, what can be read is read
//! first, for as long at most as handing out took the last time: the busier it is, the more goes
//! out in one packet. Where many rooms wait, some are handed out and then others read, in turns
//! (docs/decisions/0015), and an acknowledgement leaves with what it acknowledges
//! (docs/decisions/0012).

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use common::RoomName;
use tokio::{sync::Notify, task::coop::unconstrained};

use super::{Live, running::Running, turn::Turn};
use crate::clock;

/// After so long nothing more is read first, beside what is being read.
const GATHER_MAX: Duration = Duration::from_millis(20);
/// One part in so many of what was read before is little: it is not worth waiting for more.
const LITTLE: u64 = 4;
/// So many rooms are handed out in one go: 4 ms, with ten followers each.
const ROOMS_AT_ONCE: usize = 64;
/// With so many rooms to be handed out an answer waits for that: 1 ms, with ten followers each.
const BUSY_ROOMS: usize = 16;

/// Rooms that have something for those who keep up, by the task that sees to them.
#[derive(Debug)]
pub(super) struct Flushing {
    lanes: Vec<Lane>,
    /// How much was said, in all rooms.
    said: AtomicU64,
}

#[derive(Debug)]
struct Lane<R = Arc<Running>> {
    /// The one that has waited longest first.
    rooms: Mutex<VecDeque<R>>,
    wake: Notify,
}

impl Flushing {
    /// As many lanes as this process may use cores.
    pub(super) fn new() -> Self {
        let lanes = std::thread::available_parallelism().map_or(1, usize::from);
        Self { lanes: (0..lanes).map(|_| Lane::default()).collect(), said: AtomicU64::new(0) }
    }

    /// Whether so many rooms wait to be handed out, where this one is, that what goes to one alone
    /// may as well go with it.
    pub(super) fn is_busy(&self, room: &RoomName) -> bool {
        self.lane(room).lock().len() >= BUSY_ROOMS
    }

    /// Something was said in a room; `is_due` where that room says that it has to be flushed.
    pub(super) fn said(&self, room: Arc<Running>, is_due: bool) {
        self.said.fetch_add(1, Ordering::Relaxed);
        if is_due {
            let lane = self.lane(room.name());
            lane.lock().push_back(room);
            lane.wake.notify_one();
        }
    }

    fn lane(&self, room: &RoomName) -> &Lane {
        &self.lanes[lane_of(room, self.lanes.len())]
    }

    /// Lets others read as long as that brings much beside what it has brought, until this moment.
    async fn gather(&self, until: Instant) {
        let begun = self.said.load(Ordering::Relaxed);
        let mut had = 0;
        loop {
            tokio::task::yield_now().await;
            let has = self.said.load(Ordering::Relaxed) - begun;
            let brought = has - had;
            if brought <= had / LITTLE || clock::now() >= until {
                return;
            }
            had = has;
        }
    }
}

/// One room is always the same lane's, so that its flushes follow each other.
fn lane_of(room: &RoomName, lanes: usize) -> usize {
    let add = |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte));
    room.as_str().bytes().fold(0, add) % lanes
}

/// Hands out what is new, for ever. It ends when one of its tasks does: the rooms of that one would
/// be silent, and nobody would know.
pub async fn hand_out(live: Arc<Live>) {
    let mut handing_out = tokio::task::JoinSet::new();
    for lane in 0..live.flushing.lanes.len() {
        // It gives way by the clock (`Turn`). tokio's budget would count the locks of rooms, and end
        // a turn after 64 of them.
        handing_out.spawn(unconstrained(see_to(Arc::clone(&live), lane)));
    }
    if let Some(Err(error)) = handing_out.join_next().await {
        tracing::error!(error = %error, "a task that hands out what is new ended");
    }
}

async fn see_to(live: Arc<Live>, lane: usize) {
    let flushing = &live.flushing;
    let (lane, cores) = (&flushing.lanes[lane], flushing.lanes.len());
    let mut handing_out_took = Duration::ZERO;
    loop {
        lane.wake.notified().await;
        let woken = clock::now();
        flushing.gather(woken + handing_out_took.min(GATHER_MAX)).await;
        let mut begun = clock::now();
        let mut turn = Turn::after(woken, begun);
        loop {
            let rooms = lane.take_some();
            for room in &rooms {
                room.flush(&mut turn, cores).await;
            }
            handing_out_took = clock::now() - begun;
            if rooms.len() < ROOMS_AT_ONCE {
                break;
            }
            tokio::task::yield_now().await;
            begun = clock::now();
        }
    }
}

impl<R> Default for Lane<R> {
    fn default() -> Self {
        Self { rooms: Mutex::default(), wake: Notify::new() }
    }
}

impl<R> Lane<R> {
    /// Those rooms that have waited longest.
    fn take_some(&self) -> Vec<R> {
        let mut rooms = self.lock();
        let some = rooms.len().min(ROOMS_AT_ONCE);
        rooms.drain(..some).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<R>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says so much in each turn.
    fn talk(flushing: &Arc<Flushing>, in_turns: &'static [u64]) {
        let flushing = Arc::clone(flushing);
        tokio::spawn(async move {
            for said in in_turns {
                flushing.said.fetch_add(*said, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
    }

    #[tokio::test]
    async fn one_gathers_as_long_as_much_more_is_said() {
        let flushing = Arc::new(Flushing::new());
        talk(&flushing, &[5, 5, 5, 1, 100]);
        flushing.gather(clock::now() + Duration::from_secs(3_600)).await;
        assert_eq!(flushing.said.load(Ordering::Relaxed), 16, "one beside fifteen is little");
    }

    #[tokio::test]
    async fn one_gathers_no_longer_than_until_then() {
        let flushing = Arc::new(Flushing::new());
        talk(&flushing, &[5, 5, 5]);
        flushing.gather(clock::now()).await;
        assert_eq!(flushing.said.load(Ordering::Relaxed), 5);
    }

    #[test]
    fn rooms_are_handed_out_some_at_a_time_and_each_when_it_is_its_turn() {
        let lane = Lane::default();
        lane.lock().extend(0..ROOMS_AT_ONCE + 2);
        assert!(lane.take_some().into_iter().eq(0..ROOMS_AT_ONCE));
        lane.lock().push_back(0);
        assert_eq!(lane.take_some(), [ROOMS_AT_ONCE, ROOMS_AT_ONCE + 1, 0]);
        assert!(lane.take_some().is_empty());
    }

    #[test]
    fn a_room_has_one_lane_and_many_rooms_have_all() {
        let name = |n: u32| RoomName::new(format!("room-{n}")).expect("it is a name");
        let lanes: std::collections::BTreeSet<usize> =
            (0..100).map(|n| lane_of(&name(n), 3)).collect();
        assert_eq!(lanes, [0, 1, 2].into());
        assert_eq!(lane_of(&name(7), 3), lane_of(&name(7), 3));
    }
}
