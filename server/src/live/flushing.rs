//! Who hands out what is new: one task for each worker, over the rooms that have something.
//!
//! A room is flushed in the turn after something came, with all that came until then: alone when
//! it is quiet, in large pieces when it is not. There is no timer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::RoomName;
use tokio::sync::Notify;

use super::{Live, running::Running};
use crate::clock;

/// Rooms that have something for those who keep up, by the task that sees to them.
#[derive(Debug)]
pub(super) struct Flushing(Vec<Lane>);

#[derive(Debug, Default)]
struct Lane {
    rooms: Mutex<Vec<Arc<Running>>>,
    wake: Notify,
}

impl Flushing {
    /// As many lanes as this process may use cores.
    pub(super) fn new() -> Self {
        let lanes = std::thread::available_parallelism().map_or(1, usize::from);
        Self((0..lanes).map(|_| Lane::default()).collect())
    }

    /// A room has something. Once for each flush: it says so itself.
    pub(super) fn is_due(&self, room: Arc<Running>) {
        let lane = &self.0[lane_of(room.name(), self.0.len())];
        lane.lock().push(room);
        lane.wake.notify_one();
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
    for lane in 0..live.flushing.0.len() {
        handing_out.spawn(see_to(Arc::clone(&live), lane));
    }
    if let Some(Err(error)) = handing_out.join_next().await {
        tracing::error!(error = %error, "a task that hands out what is new ended");
    }
}

async fn see_to(live: Arc<Live>, lane: usize) {
    let lane = &live.flushing.0[lane];
    loop {
        lane.wake.notified().await;
        // Whatever can be read is read first: what it brings goes out with the rest.
        tokio::task::yield_now().await;
        let rooms = std::mem::take(&mut *lane.lock());
        for room in rooms {
            room.flush(clock::now).await;
            tokio::task::coop::consume_budget().await;
        }
    }
}

impl Lane {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Running>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
