//! What a seed decides before anything happens: how many there are, and how hard their life is.

use std::time::Duration;

use common::{Epoch, Member, RoomName, UserId, UserName, http::Keep};
use rooms::{NewRoom, Settings, rate::Rate};

use crate::random::Random;

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) clients: usize,
    /// So many of them are second tabs of somebody.
    pub(crate) tabs: usize,
    /// The last of them is private.
    pub(crate) rooms: Vec<NewRoom>,
    pub(crate) settings: Settings,
    /// Faults are made this long.
    pub(crate) chaos: Duration,
    /// Milliseconds between two faults, at the most.
    pub(crate) fault_every_ms: u64,
    /// Milliseconds between two deeds of one person, at the most.
    pub(crate) deed_every_ms: u64,
    /// Milliseconds of latency in one direction, at the least and at the most.
    pub(crate) latency_ms: (u64, u64),
    /// Frames that one connection's buffers take before the server has to wait.
    pub(crate) window: usize,
    /// Backups are made, and put in the place of what is kept.
    pub(crate) restores: bool,
}

impl Plan {
    pub(crate) fn new(random: &mut Random) -> Self {
        let clients = 2 + random.below(7);
        let tabs = random.pick(&[0, 0, 1]);
        let rooms = rooms(random, clients - tabs);
        let slowly = Rate { per_second: 400.0, burst: 1_500.0 };
        let settings = Settings {
            page_entries: random.between(2, 20),
            read_entries_max: random.below(12) + 1,
            read_bytes_max: random.pick(&[1, 2_000, 128 * 1024]),
            tail_entries_max: random.below(20) + 2,
            tail_bytes_max: random.pick(&[3_000, 1024 * 1024]),
            // Where tabs share it, the half-open connections of one must not cost the other its own.
            connections_per_user_max: if tabs > 0 { 20 } else { random.below(3) + 2 },
            inbound_bytes: random.pick(&[Settings::default().inbound_bytes, slowly]),
            ..Settings::default()
        };
        let slowest = random.pick(&[5, 60, 400]);
        Self {
            clients,
            tabs,
            rooms,
            settings,
            chaos: random.ms(60_000, 150_000),
            fault_every_ms: random.pick(&[4_000, 12_000, 40_000]),
            deed_every_ms: random.pick(&[2_000, 6_000, 15_000]),
            latency_ms: (slowest / 5, slowest),
            window: random.below(30) + 4,
            restores: random.chance(25),
        }
    }

    /// How many people there are: tabs of one browser are one person.
    pub(crate) fn people(&self) -> usize {
        self.clients - self.tabs
    }
}

fn rooms(random: &mut Random, people: usize) -> Vec<NewRoom> {
    let keeps = [Keep::Forever, Keep::Forever, Keep::Last(8), Keep::Last(30), Keep::None];
    let names = ["general", "마당", "tech"];
    let count = 1 + random.below(names.len());
    let epoch = || Epoch::new("first").expect("a token");
    let room = |name| RoomName::new(name).expect("a good name");
    let mut rooms: Vec<NewRoom> = Vec::new();
    for (n, name) in names.into_iter().take(count).enumerate() {
        let keep = if n == 0 { Keep::Forever } else { random.pick(&keeps) };
        rooms.push(NewRoom { room: room(name), epoch: epoch(), keep, members: None });
    }
    let members = (0..people.min(1 + random.below(3))).map(person).collect();
    let keep = Keep::Forever;
    rooms.push(NewRoom { room: room("비밀"), epoch: epoch(), keep, members: Some(members) });
    rooms
}

/// The person in front of this browser.
pub(crate) fn person(browser: usize) -> Member {
    let name = format!("b{browser}");
    Member { id: UserId::new(&name).expect("a token"), name: UserName::new(&name).expect("a name") }
}
