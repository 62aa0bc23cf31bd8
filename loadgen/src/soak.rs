//! Everything that people do, for a long time: whether the server's memory grows.
//!
//! The same people stay in the same rooms, each of which keeps its last entries, so that there is a
//! state that need not grow. Connections come and go, messages are said, the past is read and
//! searched.

mod citizen;

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, ensure};
use common::{RoomName, http};
use tokio::task::JoinSet;

use crate::{
    clock,
    guest::{Guest, SignedIn},
    process::Process,
    route::Route,
    slope::Slope,
};
use citizen::{Citizen, Deeds, Town};

/// People who share an address.
const PER_ADDRESS: usize = 40;
/// Rooms that one person opens: the server's own burst.
const ROOMS_OF_ONE: usize = 20;
/// Beyond the end, for everybody to have everything.
const SETTLE_MAX: Duration = Duration::from_secs(90);

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// People.
    pub people: usize,
    /// Rooms; each person is in four of them.
    pub rooms: usize,
    /// Entries that each room keeps.
    pub keep: u32,
    /// What all people together do in a second; two thirds of it is saying something.
    pub deeds_per_second: f64,
    /// How long.
    pub lasting: Duration,
    /// Between two looks at the server's memory.
    pub sample_every: Duration,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Soak {
    /// Seconds since the begin, resident bytes, and those of them that no file stands behind.
    pub samples: Vec<(f64, u64, u64)>,
    /// MiB in an hour, over the second half.
    pub resident: Option<Slope>,
    /// The same of what no file stands behind.
    pub anonymous: Option<Slope>,
    /// What people did.
    pub deeds: Deeds,
    /// Seconds of a core that the server used.
    pub server_cpu_seconds: f64,
}

/// Lets people live, and watches the server's memory.
///
/// # Errors
/// Something was lost, doubled or out of order, somebody was turned away, or in the end somebody
/// does not have what the server has.
pub async fn measure(server: SocketAddr, process: u32, load: Load) -> anyhow::Result<Soak> {
    let process = Process(process);
    let rooms = opens_rooms(server, load).await?;
    let town = Town {
        pause: Duration::from_secs_f64(load.people as f64 / load.deeds_per_second),
        end: clock::now() + load.lasting,
        rooms,
    };
    let begun_cpu = process.cpu_seconds()?;
    let mut living = JoinSet::new();
    for nth in 0..load.people {
        let route = Route::of_person(server, nth, PER_ADDRESS);
        let signed_in = Guest::signs_in(route, &format!("citizen {nth}")).await?;
        living.spawn(Citizen::new(signed_in, nth, town.clone()).lives());
    }
    let (begun, mut samples, mut citizens) = (clock::now(), Vec::new(), Vec::new());
    let mut looks = tokio::time::interval(load.sample_every);
    while clock::now() < town.end {
        tokio::select! {
            _ = looks.tick() => {
                let at = (clock::now() - begun).as_secs_f64();
                samples.push((at, process.resident_bytes()?, process.anonymous_bytes()?));
            }
            Some(ended) = living.join_next() => citizens.push(ended??),
        }
    }
    let server_cpu_seconds = process.cpu_seconds()? - begun_cpu;
    while let Some(ended) = living.join_next().await {
        citizens.push(ended??);
    }
    let deeds = settles(citizens).await?;
    let half = &samples[samples.len() / 2..];
    let slope = |of: fn(&(f64, u64, u64)) -> u64| {
        const MIB: f64 = 1024.0 * 1024.0;
        let points = half.iter().map(|sample| (sample.0 / 3_600.0, of(sample) as f64 / MIB));
        Slope::through(&points.collect::<Vec<_>>())
    };
    let (resident, anonymous) = (slope(|sample| sample.1), slope(|sample| sample.2));
    Ok(Soak { samples, resident, anonymous, deeds, server_cpu_seconds })
}

async fn opens_rooms(server: SocketAddr, load: Load) -> anyhow::Result<Vec<RoomName>> {
    let mut rooms = Vec::new();
    let mut opener: Option<SignedIn> = None;
    for nth in 0..load.rooms {
        if nth % ROOMS_OF_ONE == 0 {
            opener = Some(Guest::signs_in(server, "opener").await?);
        }
        // Another run against the same server finds the rooms of the last.
        let room = RoomName::new(format!("soak-{nth}-{}", clock::nanoseconds()))?;
        let opener = opener.as_ref().context("the first of each row has signed in")?;
        opener.opens_keeping(&room, http::Keep::Last(load.keep)).await?;
        rooms.push(room);
    }
    Ok(rooms)
}

/// Nobody says anything more: everybody must come to have what the server has.
async fn settles(citizens: Vec<Citizen>) -> anyhow::Result<Deeds> {
    let somebody = citizens.first().context("there are people")?.signed_in().clone();
    let answer = somebody.route.asks("GET", "/api/rooms", &somebody.cookie, "").await?;
    ensure!(answer.status == 200, "the rooms were answered with {}", answer.head);
    let http::RoomList { rooms } = serde_json::from_str(&answer.body)?;
    let mut settling = JoinSet::new();
    for citizen in citizens {
        let heads = rooms.iter().map(|room| (room.room.clone(), room.position.seq)).collect();
        settling.spawn(tokio::time::timeout(SETTLE_MAX, citizen.settles(heads)));
    }
    let mut all = Deeds::default();
    for settled in settling.join_all().await {
        all += settled.context("somebody does not have what the server has")??;
    }
    Ok(all)
}
