//! Connections that are opened, upgraded and closed, one after the other at each of many places.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::SocketAddr,
    time::Duration,
};

use anyhow::{Context as _, bail};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

use super::{
    Target,
    arrival::{self, Wire},
    cost::{Cost, Meter},
    dialect::Dialect,
    frame,
};
use crate::{clock, route::Route};

/// Connections from one address. A port rests for a minute after each (RFC 9293 section 3.6.1).
const PER_ADDRESS: usize = 500;
/// Far from the addresses of people who stay.
const PEOPLE_FROM: usize = 2_000_000;
/// Tickets that one session may have at a time.
const TICKETS_EACH: usize = 10;
/// Tickets live for 30 s: so many seconds of handshakes are prepared at a time.
const PIECE: Duration = Duration::from_secs(4);
/// Our own server lets in 2,000 a second, whoever they are, unless it is told otherwise.
const MADANG_PER_SECOND: f64 = 1_900.0;
/// A handshake that takes longer fails the measurement.
const PATIENCE: Duration = Duration::from_secs(10);
/// Close, normally, masked with zero: RFC 6455 section 5.5.1.
const CLOSE: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8];

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Connections at the same time.
    pub connections: usize,
    /// How long, without the time in which tickets are fetched.
    pub lasting: Duration,
    /// No more than that in a second.
    pub per_second_max: Option<f64>,
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub struct Handshakes {
    /// Connections that were upgraded and closed.
    pub handshakes: u64,
    /// What they cost.
    pub cost: Cost,
    /// What a ticket costs the server beside that, in microseconds, where there are any.
    pub server_us_per_ticket: Option<f64>,
}

/// Measures it.
///
/// # Errors
/// The server refused or ended a connection before it was upgraded.
pub async fn measure(target: &Target, load: Load) -> anyhow::Result<Handshakes> {
    match target.dialect {
        Dialect::Madang => with_tickets(target, load).await,
        Dialect::Plain => run_for(target, load, "/lean").await,
        Dialect::Socketio => run_for(target, load, "/socket.io/?EIO=4&transport=websocket").await,
        Dialect::Nats => run_for(target, load, "/").await,
    }
}

async fn run_for(target: &Target, load: Load, path: &'static str) -> anyhow::Result<Handshakes> {
    let paths = std::iter::repeat_with(|| path.to_owned());
    let (handshakes, cost) = run(target, load, 0, paths).await?;
    Ok(Handshakes { handshakes, cost, server_us_per_ticket: None })
}

/// Fetches tickets and uses them, in turns.
async fn with_tickets(target: &Target, load: Load) -> anyhow::Result<Handshakes> {
    let per_second = load.per_second_max.unwrap_or(MADANG_PER_SECOND);
    let mut whole = Cost { seconds: 0.0, server_cpu_seconds: None, own_cpu: 0.0 };
    let (mut handshakes, mut tickets, mut tickets_cpu) = (0, 0, None);
    while whole.seconds < load.lasting.as_secs_f64() * 0.99 {
        let left = load.lasting.as_secs_f64() - whole.seconds;
        let lasting = PIECE.min(Duration::from_secs_f64(left.max(0.01)));
        let wanted = (per_second * lasting.as_secs_f64()).ceil() as usize;
        let (paths, cpu) = fetch(target, wanted, tickets).await?;
        tickets += paths.len();
        tickets_cpu = add(tickets_cpu, cpu);
        let piece = Load { lasting, per_second_max: Some(per_second), ..load };
        let (more, cost) = run(target, piece, handshakes, paths.into_iter()).await?;
        handshakes += more;
        let busy = whole.own_cpu * whole.seconds + cost.own_cpu * cost.seconds;
        whole.seconds += cost.seconds;
        whole.own_cpu = busy / whole.seconds;
        whole.server_cpu_seconds = add(whole.server_cpu_seconds, cost.server_cpu_seconds);
    }
    let server_us_per_ticket = tickets_cpu.map(|cpu| cpu * 1e6 / tickets.max(1) as f64);
    Ok(Handshakes { handshakes, cost: whole, server_us_per_ticket })
}

fn add(sum: Option<f64>, more: Option<f64>) -> Option<f64> {
    more.map(|more| sum.unwrap_or_default() + more)
}

/// Addresses with a fresh ticket each, and what the tickets cost the server.
async fn fetch(
    target: &Target,
    wanted: usize,
    before: usize,
) -> anyhow::Result<(Vec<String>, Option<f64>)> {
    let mut people = Vec::new();
    for nth in 0..wanted.div_ceil(TICKETS_EACH) {
        let nth = PEOPLE_FROM + before / TICKETS_EACH + nth;
        let mut wire = Wire::connects(&Route::of_person(target.server, nth, 20)).await?;
        let signed_in = wire.signs_in(nth).await?;
        let (cookie, _) = signed_in.context("the server is too busy to let people sign in")?;
        people.push((wire, cookie));
    }
    let meter = Meter::begins(&target.processes)?;
    let mut paths = Vec::with_capacity(wanted);
    for (mut wire, cookie) in people {
        for _ in 0..TICKETS_EACH.min(wanted - paths.len()) {
            let ticket = wire.gets_ticket(&cookie).await?.context("the server is too busy")?;
            paths.push(format!("/ws?ticket={ticket}"));
        }
    }
    Ok((paths, meter.ends()?.server_cpu_seconds))
}

async fn run(
    target: &Target,
    load: Load,
    done: u64,
    paths: impl Iterator<Item = String> + Send + 'static,
) -> anyhow::Result<(u64, Cost)> {
    let target = target.clone();
    let running = tokio::task::spawn_blocking(move || {
        let poll = Poll::new()?;
        let meter = Meter::begins(&target.processes)?;
        let mut places =
            Places { target: &target, poll, places: Vec::new(), opened: done as usize };
        let count = places.run(load, paths)?;
        Ok((count, meter.ends()?))
    });
    running.await?
}

/// Where a connection is opened again and again.
struct Places<'a> {
    target: &'a Target,
    poll: Poll,
    places: Vec<Option<Opening>>,
    opened: usize,
}

/// A connection that waits for its answer.
struct Opening {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Places<'_> {
    fn run(&mut self, load: Load, mut paths: impl Iterator<Item = String>) -> anyhow::Result<u64> {
        let Load { connections, lasting, per_second_max } = load;
        self.places.resize_with(connections, || None);
        let mut events = Events::with_capacity(1_024);
        let begin = clock::now();
        let (mut count, mut begun, mut last) = (0, 0_u64, begin);
        let mut free: Vec<usize> = (0..connections).collect();
        loop {
            let passed = begin.elapsed();
            let allowed =
                per_second_max.map_or(u64::MAX, |most| (passed.as_secs_f64() * most) as u64 + 1);
            while passed < lasting && begun < allowed && !free.is_empty() {
                let Some(path) = paths.next() else { break };
                let place = free.pop().expect("one is free");
                self.opens(place, &path)?;
                begun += 1;
            }
            if free.len() == connections && (passed >= lasting || begun < allowed) {
                return Ok(count);
            }
            self.poll.poll(&mut events, Some(Duration::from_millis(1)))?;
            for event in &events {
                let Token(place) = event.token();
                if self.is_upgraded(place)? {
                    free.push(place);
                    (count, last) = (count + 1, clock::now());
                }
            }
            anyhow::ensure!(last.elapsed() < PATIENCE, "no handshake was answered in time");
        }
    }

    fn opens(&mut self, place: usize, path: &str) -> anyhow::Result<()> {
        let server = self.target.server;
        self.opened += 1;
        let route = Route::of_person(server, self.opened, PER_ADDRESS);
        let from = route.from.filter(|_| server.ip().is_loopback() && server.is_ipv4());
        let family = if server.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        if let Some(from) = from {
            bind(&socket, &SocketAddr::new(from, 0))?;
        }
        connect(&socket, &server)?;
        let mut stream = std::net::TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.write_all(arrival::upgrade(path, &server.to_string()).as_bytes())?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        self.poll.registry().register(&mut stream, Token(place), Interest::READABLE)?;
        self.places[place] = Some(Opening { stream, answer: Vec::new() });
        Ok(())
    }

    /// Whether the connection has become a WebSocket; then it is closed.
    fn is_upgraded(&mut self, place: usize) -> anyhow::Result<bool> {
        // An event of a connection that was closed since belongs to nobody.
        let Some(opening) = &mut self.places[place] else { return Ok(false) };
        let mut buffer = [0; 4_096];
        loop {
            match opening.stream.read(&mut buffer) {
                Ok(0) => bail!("refused: {}", String::from_utf8_lossy(&opening.answer)),
                Ok(read) => opening.answer.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
            if opening.is_whole(self.target.dialect)? {
                let mut opening = self.places[place].take().expect("it was just looked at");
                opening.stream.write_all(&CLOSE)?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Opening {
    /// Whether all has come that a handshake is answered with; ours then says who one is.
    fn is_whole(&self, dialect: Dialect) -> anyhow::Result<bool> {
        const END: &[u8] = b"\r\n\r\n";
        let Some(head) = self.answer.windows(END.len()).position(|part| part == END) else {
            return Ok(false);
        };
        let (head, rest) = self.answer.split_at(head + END.len());
        if !head.starts_with(b"HTTP/1.1 101") {
            bail!("refused: {}", String::from_utf8_lossy(head));
        }
        match dialect {
            Dialect::Madang => {
                let Some(frame) = frame::first(rest)? else { return Ok(false) };
                let is_welcome = frame.payload.starts_with(br#"{"type":"welcome""#);
                anyhow::ensure!(
                    is_welcome,
                    "no welcome: {}",
                    String::from_utf8_lossy(frame.payload)
                );
                Ok(true)
            }
            Dialect::Plain | Dialect::Socketio | Dialect::Nats => Ok(true),
        }
    }
}
