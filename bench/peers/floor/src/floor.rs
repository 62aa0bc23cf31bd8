//! The loop: read, append, write.

use std::{
    collections::HashMap,
    io::{self, ErrorKind, Read, Write},
    mem,
    net::SocketAddr,
};

use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};

use crate::{
    frame::{Frame, Kind},
    upgrade::{self, Lack},
};

/// The member `n` has the token `n`.
const LISTENER: Token = Token(usize::MAX);

/// How many sockets a turn may hear of.
const EVENTS_MAX: usize = 1024;

/// What one read may bring, in bytes.
const READ_BYTES_MAX: usize = 64 * 1024;

/// How frames are written to the followers of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    /// Each frame by itself.
    PerFollower,
    /// Together with all others that came in the same turn.
    Coalesced,
}

pub(crate) struct Floor {
    poll: Poll,
    listener: TcpListener,
    members: Vec<Option<Member>>,
    free: Vec<u32>,
    rooms: Vec<Room>,
    names: HashMap<String, u32>,
    /// Rooms in which something waits.
    dirty: Vec<u32>,
    gone: Vec<u32>,
    buffer: Vec<u8>,
    writes: Writes,
}

struct Member {
    stream: TcpStream,
    /// The room, and where it stands there; nothing before the upgrade.
    seat: Option<(u32, u32)>,
    /// The beginning of what has not come whole.
    partial: Vec<u8>,
    /// What the socket did not take.
    unsent: Vec<u8>,
}

#[derive(Default)]
struct Room {
    members: Vec<u32>,
    waiting: Vec<u8>,
}

impl Floor {
    pub(crate) fn bind(address: SocketAddr, writes: Writes) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(address)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            members: Vec::new(),
            free: Vec::new(),
            rooms: Vec::new(),
            names: HashMap::new(),
            dirty: Vec::new(),
            gone: Vec::new(),
            buffer: vec![0; READ_BYTES_MAX],
            writes,
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub(crate) fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                if event.token() == LISTENER {
                    self.accept()?;
                    continue;
                }
                let number = event.token().0 as u32;
                if event.is_writable() {
                    self.write_unsent(number);
                }
                if event.is_readable() {
                    self.read(number, event.is_read_closed());
                }
            }
            for room in mem::take(&mut self.dirty) {
                self.write_waiting(room);
            }
            for number in mem::take(&mut self.gone) {
                self.leave(number);
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let number = self.free.pop().unwrap_or_else(|| {
                self.members.push(None);
                (self.members.len() - 1) as u32
            });
            let token = Token(number as usize);
            self.poll.registry().register(&mut stream, token, Interest::READABLE)?;
            let member = Member { stream, seat: None, partial: Vec::new(), unsent: Vec::new() };
            self.members[token.0] = Some(member);
        }
    }

    fn read(&mut self, number: u32, is_closed: bool) {
        let mut buffer = mem::take(&mut self.buffer);
        while let Some(member) = &mut self.members[number as usize] {
            match member.stream.read(&mut buffer) {
                Ok(0) => self.gone.push(number),
                Ok(length) => {
                    self.take(number, &buffer[..length]);
                    // epoll tells of what comes later; a short read has emptied the socket.
                    if length == buffer.len() || is_closed {
                        continue;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.gone.push(number),
            }
            break;
        }
        self.buffer = buffer;
    }

    /// Takes what came from a member, after what came before and was not whole.
    fn take(&mut self, number: u32, came: &[u8]) {
        let Some(member) = &mut self.members[number as usize] else { return };
        let mut joined = mem::take(&mut member.partial);
        let bytes = if joined.is_empty() {
            came
        } else {
            joined.extend_from_slice(came);
            &joined
        };
        let mut at = 0;
        if member.seat.is_none() {
            match upgrade::read(bytes) {
                Ok(upgrade) => {
                    at = upgrade.length;
                    self.send(number, upgrade.answer.as_bytes());
                    self.join(number, upgrade.room);
                }
                Err(Lack::Rest) => {}
                Err(Lack::Sense) => return self.gone.push(number),
            }
        }
        if let Some((room, _)) = self.members[number as usize].as_ref().and_then(|it| it.seat) {
            while let Some(frame) = Frame::first(&bytes[at..]) {
                at += frame.length;
                self.obey(&frame, number, room);
            }
        }
        if let Some(member) = &mut self.members[number as usize] {
            member.partial = bytes[at..].to_vec();
        }
    }

    fn obey(&mut self, frame: &Frame<'_>, number: u32, room: u32) {
        match frame.kind {
            Kind::Text => {
                let waiting = &mut self.rooms[room as usize].waiting;
                let was_clean = waiting.is_empty();
                frame.answer_into(0x81, waiting);
                match self.writes {
                    Writes::PerFollower => self.write_waiting(room),
                    Writes::Coalesced if was_clean => self.dirty.push(room),
                    Writes::Coalesced => {}
                }
            }
            Kind::Ping => {
                let mut pong = Vec::new();
                frame.answer_into(0x8a, &mut pong);
                self.send(number, &pong);
            }
            Kind::Close => {
                self.send(number, &[0x88, 0]);
                self.gone.push(number);
            }
            Kind::Other => {}
        }
    }

    /// Writes what waits in a room to everybody in it.
    fn write_waiting(&mut self, number: u32) {
        let room = &mut self.rooms[number as usize];
        let members = mem::take(&mut room.members);
        let mut waiting = mem::take(&mut room.waiting);
        for &member in &members {
            self.send(member, &waiting);
        }
        waiting.clear();
        self.rooms[number as usize] = Room { members, waiting };
    }

    fn send(&mut self, number: u32, bytes: &[u8]) {
        let Some(member) = &mut self.members[number as usize] else { return };
        if !member.unsent.is_empty() {
            return member.unsent.extend_from_slice(bytes);
        }
        let written = match member.stream.write(bytes) {
            Ok(written) if written == bytes.len() => return,
            Ok(written) => written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => return self.gone.push(number),
        };
        member.unsent.extend_from_slice(&bytes[written..]);
        let both = Interest::READABLE | Interest::WRITABLE;
        let token = Token(number as usize);
        if self.poll.registry().reregister(&mut member.stream, token, both).is_err() {
            self.gone.push(number);
        }
    }

    fn write_unsent(&mut self, number: u32) {
        let Some(member) = &mut self.members[number as usize] else { return };
        while !member.unsent.is_empty() {
            match member.stream.write(&member.unsent) {
                Ok(written) => drop(member.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.gone.push(number),
            }
        }
        member.unsent = Vec::new();
    }

    fn join(&mut self, number: u32, name: &str) {
        let next = self.rooms.len() as u32;
        let room = match self.names.get(name) {
            Some(&room) => room,
            None => {
                self.rooms.push(Room::default());
                self.names.insert(name.to_owned(), next);
                next
            }
        };
        let members = &mut self.rooms[room as usize].members;
        let place = members.len() as u32;
        members.push(number);
        if let Some(member) = &mut self.members[number as usize] {
            member.seat = Some((room, place));
        }
    }

    fn leave(&mut self, number: u32) {
        let Some(member) = self.members[number as usize].take() else { return };
        self.free.push(number);
        let Some((room, place)) = member.seat else { return };
        let members = &mut self.rooms[room as usize].members;
        members.swap_remove(place as usize);
        let moved = members.get(place as usize).copied();
        if let Some(moved) = moved.and_then(|moved| self.members[moved as usize].as_mut()) {
            moved.seat = Some((room, place));
        }
    }
}
