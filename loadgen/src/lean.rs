//! Load of which one core makes ten million deliveries a second: raw frames, one thread, and all
//! sockets waited for at once. It speaks to other servers as well, so that one measurement is made
//! of all of them.
//!
//! Whoever is in a room must get every message once and, of each author, in order. A run in which
//! that does not hold fails and has no figure.
//!
//! Read in this order: [`frame`] and [`stamp`] (what goes over the wire), [`dialect`] (how each
//! server is spoken to), [`arrival`] (how one gets into a room), [`room`] (what must come, and what
//! did), [`crowd`] (everybody's sockets), [`cost`] (what server and load used), then what is
//! measured: [`fan_out`].

mod frame;

mod stamp;

pub mod dialect;

mod arrival;

mod latency;

mod room;

mod crowd;

pub mod cost;

pub mod fan_out;

use std::{net::SocketAddr, time::Duration};

use common::{RoomName, http::Keep};
use tokio::sync::mpsc;

use self::{
    crowd::Crowd,
    dialect::{Dialect, Voice},
};
use crate::{clock, guest::Guest, route::Route};

/// Rooms that one person may open; others are opened by the next.
const ROOMS_EACH: usize = 100;
/// Far from everybody else: the address of people who only open rooms.
const OPENERS_FROM: usize = 4_000_000;
/// How often those who arrive are looked for.
const ARRIVALS_EVERY: Duration = Duration::from_millis(2);

/// What is measured.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub server: SocketAddr,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// Its processes.
    pub processes: Vec<u32>,
    /// How much its rooms keep, where it knows that.
    pub keep: Keep,
}

/// Rooms of which each has so many members.
#[derive(Clone, Copy, Debug)]
struct Shape {
    rooms: usize,
    members: usize,
    /// Who of each room speaks.
    authors: usize,
    /// What a delivery carries, in bytes.
    bytes: usize,
}

/// Lets everybody come into rooms that nobody was in before, and then measures on a thread of its
/// own.
async fn measured<T: Send + 'static>(
    target: &Target,
    shape: Shape,
    measure: impl FnOnce(&mut Crowd) -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let names = target.names(shape.rooms).await?;
    in_rooms(target, shape, names, measure).await
}

/// The same in rooms that are there.
async fn in_rooms<T: Send + 'static>(
    target: &Target,
    shape: Shape,
    names: Vec<String>,
    measure: impl FnOnce(&mut Crowd) -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let of_member =
        names.iter().flat_map(|name| std::iter::repeat_n(vec![name.clone()], shape.members));
    let (sender, mut arrivals) = mpsc::unbounded_channel();
    tokio::spawn(arrival::everybody(target.clone(), of_member.collect(), sender));
    let dialect = target.dialect;
    let running = tokio::task::spawn_blocking(move || {
        let mut crowd = Crowd::new(dialect)?;
        for _ in &names {
            crowd.opens(shape.bytes, shape.authors);
        }
        let mut coming = shape.rooms * shape.members;
        while coming > 0 {
            match arrivals.try_recv() {
                Ok(arrived) => {
                    let (nth, arrived) = arrived?;
                    let room = nth / shape.members;
                    let voice =
                        Voice::new(dialect, &names[room], arrived.user.as_ref(), shape.bytes)?;
                    crowd.admits(arrived, room, voice)?;
                    coming -= 1;
                }
                Err(mpsc::error::TryRecvError::Empty) => crowd.turns(Some(ARRIVALS_EVERY))?,
                Err(error) => return Err(error.into()),
            }
        }
        crowd.is_complete()?;
        measure(&mut crowd)
    });
    running.await?
}

impl Target {
    /// Names of rooms that no run had before; opened, where rooms have to be.
    async fn names(&self, rooms: usize) -> anyhow::Result<Vec<String>> {
        // Short: our own server tells the name with every entry.
        let run = clock::nanoseconds() & 0xFF_FFFF_FFFF;
        let names: Vec<_> = (0..rooms).map(|nth| format!("l{run:010x}-{nth:03}")).collect();
        match self.dialect {
            Dialect::Madang => {
                for (nth, some) in names.chunks(ROOMS_EACH).enumerate() {
                    let route = Route::of_person(self.server, OPENERS_FROM + nth, 1);
                    let person = Guest::signs_in(route, "opener").await?;
                    for name in some {
                        person.opens_keeping(&RoomName::new(name)?, self.keep).await?;
                    }
                }
            }
            Dialect::Plain | Dialect::Socketio | Dialect::Nats => {}
        }
        Ok(names)
    }
}
