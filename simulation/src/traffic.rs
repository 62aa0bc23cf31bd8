//! What the two shells and the network between them do with each thing that arrives.

use session::{Generation, TicketRefusal};

use crate::{
    client::{Being, Wish},
    happening::Happening,
    judge::{Verdict, broken},
    network::{Forged, Pipe, Wire, is_heartbeat},
    world::World,
};

impl World {
    /// The shell asks the session what to do; now and then only after the next callbacks.
    pub(crate) fn settle(&mut self, number: usize) -> Verdict {
        if self.healthy_from.is_none() && self.random.chance(8) {
            let due = self.now + self.random.ms(0, 20);
            self.plan_at(due, Happening::Settles { client: number });
            return Ok(());
        }
        self.settle_at_once(number)
    }

    pub(crate) fn settle_at_once(&mut self, number: usize) -> Verdict {
        let (now, story) = (self.now, &mut self.story);
        let client = &mut self.clients[number];
        let tell = |line: String| story.tell(now, || line);
        let wishes = client.drain(&mut self.judge, &mut self.report, tell)?;
        for wish in wishes {
            self.fulfil(number, wish)?;
        }
        Ok(())
    }

    fn fulfil(&mut self, client: usize, wish: Wish) -> Verdict {
        match wish {
            Wish::Ticket { generation } => self.fetch_ticket(client, generation),
            Wish::Connect { generation } => {
                self.connect(client, generation);
                Ok(())
            }
            Wish::Send { wire, text } => self.send_up(wire, text),
            Wish::Drop { wire, code } => {
                if code != 1000 && !(3000..=4999).contains(&code) {
                    broken!("p{client} closes with {code}, which no browser allows");
                }
                self.drop_wire(wire);
                Ok(())
            }
            Wish::SignIn => {
                let (due, load) = (self.random.ms(50, 500), self.clients[client].load);
                self.plan_at(self.now + due, Happening::SignsIn { client, load });
                Ok(())
            }
        }
    }

    fn fetch_ticket(&mut self, client: usize, generation: Generation) -> Verdict {
        if self.quiet {
            broken!("p{client} connects in a quiet world");
        }
        let load = self.clients[client].load;
        let offline = self.offline.contains(&client);
        let troubled = self.healthy_from.is_none();
        let ticket = match &mut self.server {
            Some(_) if troubled && self.random.chance(3) => {
                Err(TicketRefusal::RetryAfter { ms: self.random.between(500, 3_000) })
            }
            Some(server) if !offline => {
                let ticket = server.ticket(self.cookies[self.clients[client].browser], self.now);
                ticket.ok_or(TicketRefusal::Unauthenticated)
            }
            Some(_) | None => Err(TicketRefusal::Unreachable),
        };
        let slow = troubled && self.random.chance(10);
        let wait = if slow { self.random.ms(5_000, 20_000) } else { self.random.ms(5, 300) };
        self.plan_at(self.now + wait, Happening::Ticket { client, load, generation, ticket });
        Ok(())
    }

    pub(crate) fn ticket_comes(
        &mut self,
        client: usize,
        load: u64,
        generation: Generation,
        ticket: Result<String, TicketRefusal>,
    ) -> Verdict {
        let it = &mut self.clients[client];
        if it.load != load {
            return Ok(());
        }
        self.story.tell(self.now, || format!("p{client} gets {ticket:?} for {generation:?}"));
        if ticket.is_err() {
            it.attempt.take_if(|attempt| attempt.generation == generation);
        }
        it.session.handle_ticket(generation, ticket, self.now);
        self.settle(client)
    }

    fn connect(&mut self, client: usize, generation: Generation) {
        let load = self.clients[client].load;
        let troubled = self.healthy_from.is_none();
        let slow = troubled && self.random.chance(8);
        let wait = if slow { self.random.ms(3_000, 15_000) } else { self.random.ms(5, 200) };
        self.plan_at(self.now + wait, Happening::Accepts { client, load, generation });
    }

    pub(crate) fn accepts(&mut self, client: usize, load: u64, generation: Generation) {
        let it = &mut self.clients[client];
        let attempt = it.attempt.as_mut().filter(|it| it.generation == generation);
        let Some(attempt) = attempt.filter(|_| it.load == load) else { return };
        let reachable = self.server.as_mut().filter(|_| !self.offline.contains(&client));
        let Some(server) = reachable else {
            // Refused at once, or silence.
            if self.random.chance(70) {
                let due = self.now + self.random.ms(1, 3_000);
                self.plan_at(due, Happening::OpenFails { client, load, generation });
            }
            return;
        };
        self.wires_made += 1;
        let number = self.wires_made;
        attempt.wire = Some(number);
        server.accept(number, self.random.fraction(), self.now);
        let pipe = || Pipe::new(self.plan.latency_ms, self.now);
        let (up, mut down) = (pipe(), pipe());
        let due = down.arrival(&mut self.random, self.now);
        let wire = Wire { client, load, generation, up, down, forgotten: false };
        self.wires.insert(number, wire);
        self.story.tell(self.now, || format!("wire {number} of p{client}, {generation:?}"));
        self.plan_at(due, Happening::Opens { wire: number });
    }

    pub(crate) fn opens(&mut self, number: u64) -> Verdict {
        let Some(wire) = self.wires.get(&number).filter(|wire| !wire.down.stalled) else {
            return Ok(());
        };
        let (client, generation) = (wire.client, wire.generation);
        let it = &mut self.clients[client];
        if it.load != wire.load {
            return Ok(());
        }
        if let Some(attempt) = it.attempt.as_mut().filter(|it| it.generation == generation) {
            attempt.open = true;
        }
        it.session.handle_open(generation, self.now);
        self.settle(client)
    }

    pub(crate) fn open_fails(
        &mut self,
        client: usize,
        load: u64,
        generation: Generation,
    ) -> Verdict {
        let it = &mut self.clients[client];
        if it.load != load {
            return Ok(());
        }
        it.attempt.take_if(|attempt| attempt.generation == generation);
        it.session.handle_closed(generation, 1006, self.now);
        self.settle(client)
    }

    fn send_up(&mut self, number: u64, text: String) -> Verdict {
        if self.quiet && !is_heartbeat(&text) {
            broken!("{text} is sent in a quiet world");
        }
        let Some(wire) = self.wires.get_mut(&number).filter(|wire| !wire.up.stalled) else {
            return Ok(());
        };
        let due = wire.up.arrival(&mut self.random, self.now);
        self.plan_at(due, Happening::Up { wire: number, text });
        Ok(())
    }

    pub(crate) fn up(&mut self, number: u64, text: String) {
        let wire = self.wires.get_mut(&number).filter(|wire| !wire.up.stalled);
        let arrives = wire.is_some_and(|wire| !wire.up.leaks(&text));
        self.story.tell(self.now, || format!("  up {number} {text} (arrives: {arrives})"));
        if let (true, Some(server)) = (arrives, &mut self.server) {
            server.hear(number, text, self.now);
        }
    }

    pub(crate) fn down(&mut self, number: u64, text: &str) -> Verdict {
        let Some(wire) = self.wires.get_mut(&number).filter(|wire| !wire.down.stalled) else {
            return Ok(());
        };
        if self.quiet && !is_heartbeat(text) {
            broken!("{text} is heard in a quiet world");
        }
        if let Some(server) = self.server.as_mut().filter(|_| !wire.forgotten) {
            server.taken(number);
        }
        let (client, load, generation) = (wire.client, wire.load, wire.generation);
        let it = &mut self.clients[client];
        if wire.down.leaks(text) || it.load != load {
            self.story.tell(self.now, || format!("  down {number} {text} is lost"));
            return Ok(());
        }
        let forged = wire.down.forges(text);
        let text = match &forged {
            None => text,
            Some(Forged::Post(forged)) => forged,
            Some(Forged::Page(room, forged)) => {
                if let Some(screen) = it.page.rooms.get_mut(room) {
                    screen.holed_pages += 1;
                }
                forged
            }
        };
        if forged.is_some() {
            self.story.tell(self.now, || format!("  down {number} is forged: {text}"));
        }
        for _ in 0..=u32::from(wire.down.repeats(text)) {
            it.session.handle_text(generation, text, self.now);
        }
        self.settle(client)
    }

    /// The server's close frame, which stalls with everything else.
    pub(crate) fn close_frame(&mut self, number: u64, code: u16) -> Verdict {
        if self.wires.get(&number).is_some_and(|wire| wire.down.stalled) {
            return Ok(());
        }
        self.down_closed(number, code)
    }

    pub(crate) fn down_closed(&mut self, number: u64, code: u16) -> Verdict {
        let Some(wire) = self.wires.get_mut(&number) else { return Ok(()) };
        wire.forgotten = true;
        let (client, generation) = (wire.client, wire.generation);
        let it = &mut self.clients[client];
        if it.load != wire.load {
            return Ok(());
        }
        self.story.tell(self.now, || format!("wire {number} of p{client} is closed, {code}"));
        it.attempt.take_if(|attempt| attempt.generation == generation);
        it.session.handle_closed(generation, code, self.now);
        self.settle(client)
    }

    /// The page's end lets go. What is still on its way there may come late all the same.
    pub(crate) fn drop_wire(&mut self, number: Option<u64>) {
        let Some(number) = number else { return };
        let Some(wire) = self.wires.get_mut(&number) else { return };
        wire.forgotten = true;
        let told = !wire.up.stalled;
        let due = wire.up.arrival(&mut self.random, self.now);
        if told {
            self.plan_at(due, Happening::UpCloseFrame { wire: number });
        }
        if self.random.chance(50) {
            let due = self.now + self.random.ms(0, 20_000);
            let code = self.random.pick(&[1006, 1006, 1000, 4006]);
            self.plan_at(due, Happening::DownClosed { wire: number, code });
        }
    }

    pub(crate) fn up_close_frame(&mut self, number: u64) {
        let arrives = self.wires.get(&number).is_some_and(|wire| !wire.up.stalled);
        if let (true, Some(server)) = (arrives, &mut self.server) {
            server.lose(number, self.now);
        }
    }

    pub(crate) fn signs_in(&mut self, client: usize, load: u64) {
        let offline = self.offline.contains(&client);
        let done = match &mut self.server {
            Some(server) if !offline => {
                // Another tab of the same browser may have signed in a moment ago.
                let browser = self.clients[client].browser;
                let known = self.cookies[browser].filter(|it| server.user(Some(*it)).is_some());
                let cookie = known.unwrap_or_else(|| server.sign_in(browser));
                self.cookies[browser] = Some(cookie);
                true
            }
            Some(_) | None => false,
        };
        let due = self.now + self.random.ms(5, 1_000);
        self.plan_at(due, Happening::SignedIn { client, load, done });
    }

    pub(crate) fn signed_in(&mut self, client: usize, load: u64, done: bool) -> Verdict {
        let it = &mut self.clients[client];
        if it.load != load {
            return Ok(());
        }
        if !done {
            let due = self.now + self.random.ms(500, 2_000);
            self.plan_at(due, Happening::SignsIn { client, load });
            return Ok(());
        }
        it.signing_in = false;
        it.session.connect(self.now);
        self.settle(client)
    }

    pub(crate) fn wakes(&mut self, client: usize) -> Verdict {
        if self.clients[client].state != Being::Asleep {
            return Ok(());
        }
        self.story.tell(self.now, || format!("p{client} wakes"));
        self.clients[client].state = Being::Awake;
        let wake_first = self.random.chance(50);
        if wake_first {
            self.clients[client].session.handle_wake(self.now);
        }
        for happening in self.backlog.remove(&client).unwrap_or_default() {
            self.happens(happening)?;
        }
        if !wake_first {
            self.clients[client].session.handle_wake(self.now);
        }
        self.settle(client)
    }

    pub(crate) fn comes_online(&mut self, client: usize) -> Verdict {
        self.offline.remove(&client);
        if self.clients[client].state == Being::Awake && self.random.chance(50) {
            self.clients[client].session.handle_online(self.now);
        }
        self.settle(client)
    }
}
