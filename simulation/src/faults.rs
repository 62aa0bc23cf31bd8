//! The trouble: what is done to people, to the network between them, and to the server.

use std::time::Duration;

use crate::{client::Being, happening::Happening, judge::Verdict, server::Fault, world::World};

impl World {
    /// Something goes wrong.
    pub(crate) fn fault(&mut self) -> Verdict {
        if self.plan.restores
            && self.random.chance(15)
            && let Some(server) = &mut self.server
        {
            self.story.tell(self.now, || "a backup is made".to_owned());
            server.backs_up();
        }
        let number = self.random.below(self.clients.len());
        let choice = self.random.between(0, 99);
        match choice {
            0..20 => self.cut(number)?,
            20..38 => self.stall(number),
            38..48 => self.lags(number),
            48..55 => self.goes_offline(number),
            55..65 => self.sleeps(number),
            65..72 => self.stops_server(),
            72..77 => self.reloads(number)?,
            77..89 => self.leaks(number),
            89..94 => self.hears_late(number)?,
            _ => self.troubles_store(),
        }
        Ok(())
    }

    pub(crate) fn wires_of(&self, number: usize) -> Vec<u64> {
        let its = self.wires.iter().filter(|(_, it)| it.client == number && !it.forgotten);
        its.map(|(wire, _)| *wire).collect()
    }

    fn cut(&mut self, number: usize) -> Verdict {
        let who_learns = self.random.between(0, 3);
        for wire in self.wires_of(number) {
            self.story.tell(self.now, || format!("wire {wire} is cut ({who_learns})"));
            if who_learns != 1 {
                let due = self.now + self.random.ms(0, 50);
                self.plan_at(due, Happening::DownClosed { wire, code: 1006 });
            }
            if who_learns != 2 {
                let due = self.now + self.random.ms(0, 50);
                self.plan_at(due, Happening::UpClosed { wire });
            }
            self.stall_wire(wire, true, true);
        }
        Ok(())
    }

    pub(crate) fn stall_wire(&mut self, wire: u64, up: bool, down: bool) {
        if let Some(wire) = self.wires.get_mut(&wire) {
            wire.up.stalled |= up;
            wire.down.stalled |= down;
        }
    }

    fn stall(&mut self, number: usize) {
        let (up, down) =
            self.random.pick(&[(true, true), (true, true), (true, false), (false, true)]);
        for wire in self.wires_of(number) {
            self.story.tell(self.now, || format!("wire {wire} stalls, up {up}, down {down}"));
            self.stall_wire(wire, up, down);
        }
    }

    fn lags(&mut self, number: usize) {
        let lag = self.random.ms(1_000, 25_000);
        let (up, down) = self.random.pick(&[(true, true), (true, false), (false, true)]);
        for number in self.wires_of(number) {
            self.story
                .tell(self.now, || format!("wire {number} lags {lag:?}, up {up}, down {down}"));
            let Some(wire) = self.wires.get_mut(&number) else { continue };
            if up {
                wire.up.lag(lag, self.now);
            }
            if down {
                wire.down.lag(lag, self.now);
            }
        }
    }

    fn goes_offline(&mut self, number: usize) {
        let until = self.now + self.random.ms(500, 50_000);
        self.story.tell(self.now, || format!("p{number} is offline"));
        self.offline.insert(number);
        for wire in self.wires_of(number) {
            self.stall_wire(wire, true, true);
        }
        self.plan_at(until, Happening::Online { client: number });
    }

    /// Either the page alone is frozen, and the machine takes what comes, or the machine is off.
    fn sleeps(&mut self, number: usize) {
        if self.clients[number].state != Being::Awake {
            return;
        }
        let (until, off) = (self.now + self.random.ms(500, 150_000), self.random.chance(50));
        self.story.tell(self.now, || format!("p{number} sleeps, off {off}"));
        self.clients[number].state = Being::Asleep;
        if off {
            for wire in self.wires_of(number) {
                self.stall_wire(wire, true, true);
            }
        }
        self.plan_at(until, Happening::Wakes { client: number });
    }

    fn stops_server(&mut self) {
        let life = self.lives;
        let Some(server) = &mut self.server else { return };
        if self.random.chance(40) {
            self.dies_committing = true;
            self.slow_store |= self.random.chance(30);
            return;
        }
        let grace = if self.random.chance(50) {
            server.drain();
            self.random.ms(0, 200)
        } else {
            Duration::ZERO
        };
        self.story.tell(self.now, || format!("the server stops after {grace:?}"));
        self.plan_at(self.now + grace, Happening::ServerStops { life });
    }

    fn reloads(&mut self, number: usize) -> Verdict {
        if self.clients[number].state != Being::Awake {
            return Ok(());
        }
        self.story.tell(self.now, || format!("p{number} loads the page again"));
        let seed = self.random.next();
        let wire = self.clients[number].reload(seed, self.now);
        self.drop_wire(wire);
        self.settle(number)
    }

    /// Somebody's proxy loses, repeats or forges one frame.
    fn leaks(&mut self, number: usize) {
        let choice = self.random.between(0, 5);
        for number in self.wires_of(number) {
            self.story.tell(self.now, || format!("wire {number} leaks, {choice}"));
            let Some(wire) = self.wires.get_mut(&number) else { continue };
            match choice {
                0..2 => wire.up.leaks = true,
                2..4 => wire.down.leaks = true,
                4 => wire.down.repeats = true,
                _ => wire.down.forges_post = true,
            }
        }
    }

    /// The shell calls back for a connection that is long gone.
    fn hears_late(&mut self, number: usize) -> Verdict {
        let client = &mut self.clients[number];
        let living = client.attempt.as_ref().map(|attempt| attempt.generation);
        let earlier: Vec<_> =
            client.earlier.iter().copied().filter(|it| Some(*it) != living).collect();
        if earlier.is_empty() || client.state != Being::Awake {
            return Ok(());
        }
        let generation = self.random.pick(&earlier);
        let choice = self.random.between(0, 3);
        self.story.tell(self.now, || format!("p{number} hears late of {generation:?}, {choice}"));
        match choice {
            0 => client.session.handle_closed(generation, 1006, self.now),
            1 => client.session.handle_closed(generation, 1000, self.now),
            2 => client.session.handle_open(generation, self.now),
            _ => client.session.handle_ticket(generation, Ok("stale".to_owned()), self.now),
        }
        self.settle(number)
    }

    fn troubles_store(&mut self) {
        if self.random.chance(50) {
            self.slow_store = true;
        } else if let Some(server) = &mut self.server {
            server.fault = Some(self.random.pick(&[Fault::Full, Fault::NotSynced]));
        }
    }
}
