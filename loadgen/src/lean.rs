//! Load of which one core makes ten million deliveries a second: raw frames, one thread, and all
//! sockets waited for at once. It speaks to other servers as well, so that one measurement is made
//! of all of them.
//!
//! Whoever is in a room must get every message once and, of each author, in order. A run in which
//! that does not hold fails and has no figure.
//!
//! Read in this order: `frame` and `stamp` (what goes over the wire), [`dialect`] (how each
//! server is spoken to), `arrival` (how one gets into a room), `room` (what must come, and what
//! did), `member` and `crowd` (everybody's sockets), `bystanders` (rooms that are only there),
//! [`cost`] (what server and load used), then what is measured: [`fan_out`], [`rooms`], [`echo`],
//! [`idle`], [`handshakes`].

mod frame;

mod stamp;

pub mod dialect;

mod arrival;

mod latency;

mod room;

mod member;

mod crowd;

mod bystanders;

pub mod cost;

pub mod fan_out;

pub mod rooms;

pub mod echo;

pub mod idle;

pub mod handshakes;

use std::{net::SocketAddr, time::Duration};

use common::{
    RoomName,
    http::{self, Keep},
};
use tokio::sync::mpsc;

use self::{
    arrival::{Arrivals, Arrived},
    crowd::Crowd,
    dialect::{Dialect, Voice},
};
use crate::{clock, guest::Guest, route::Route};

/// Rooms that one person may open; others are opened by the next.
const ROOMS_EACH: usize = 20;
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
    let arrivals = arrival::comes(target.clone(), of_member.collect());
    let dialect = target.dialect;
    let running = tokio::task::spawn_blocking(move || {
        let mut crowd = Crowd::new(dialect)?;
        for _ in &names {
            crowd.opens(shape.bytes, shape.authors);
        }
        admits(&mut crowd, arrivals, shape.rooms * shape.members, |crowd, nth, arrived| {
            let room = nth / shape.members;
            let voice = Voice::new(dialect, &names[room], arrived.user.as_ref(), shape.bytes)?;
            crowd.admits(arrived, room, voice)
        })?;
        crowd.is_complete()?;
        measure(&mut crowd)
    });
    running.await?
}

/// Waits until so many have come. Those who are there are cared for.
fn admits(
    crowd: &mut Crowd,
    mut arrivals: Arrivals,
    mut coming: usize,
    admit: impl Fn(&mut Crowd, usize, Arrived) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    while coming > 0 {
        match arrivals.try_recv() {
            Ok(arrived) => {
                let (nth, arrived) = arrived?;
                admit(crowd, nth, arrived)?;
                coming -= 1;
            }
            Err(mpsc::error::TryRecvError::Empty) => crowd.turns(Some(ARRIVALS_EVERY))?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

impl Target {
    /// Opens rooms that are not there yet, where rooms have to be opened.
    ///
    /// # Errors
    /// The server refused.
    pub async fn opens_missing(&self, rooms: &[String]) -> anyhow::Result<()> {
        if self.dialect != Dialect::Madang {
            return Ok(());
        }
        let person =
            Guest::signs_in(Route::of_person(self.server, OPENERS_FROM, 1), "opener").await?;
        let listed = person.route.asks("GET", "/api/rooms", &person.cookie, "").await?;
        let http::RoomList { rooms: there } = serde_json::from_str(&listed.body)?;
        for room in rooms.iter().filter(|room| !there.iter().any(|one| one.room.as_str() == *room))
        {
            person.opens_keeping(&RoomName::new(room)?, self.keep).await?;
        }
        Ok(())
    }

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
