//! One member of a room: a socket, and what came over it.

use std::io::{ErrorKind, Read as _, Write as _};

use anyhow::{Context as _, bail};
use mio::net::TcpStream;

use super::{
    arrival::Arrived,
    dialect::{self, Dialect, Piece},
    frame,
    room::{Reader, Room, Tally},
};

/// One connection.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) stream: TcpStream,
    pub(super) room: usize,
    /// Their number within the room.
    pub(super) author: usize,
    pub(super) reader: Reader,
    /// Bytes that are no whole frame yet.
    carried: Vec<u8>,
    /// Of a stream within frames: what is no whole message yet.
    within: Vec<u8>,
    /// What the socket has not taken yet.
    pub(super) waiting: Vec<u8>,
    pub(super) acknowledged: u64,
    pub(super) said: u64,
}

impl Member {
    /// Somebody who arrived, in a room and with a number there.
    pub(super) fn new(arrived: Arrived, room: usize, author: usize) -> Self {
        Self {
            stream: TcpStream::from_std(arrived.stream),
            room,
            author,
            reader: Reader::default(),
            carried: arrived.leftover,
            within: Vec::new(),
            waiting: Vec::new(),
            acknowledged: 0,
            said: 0,
        }
    }

    /// Reads what is there, into a buffer that all share.
    ///
    /// # Errors
    /// The connection ended, or brought what it must not.
    pub(super) fn reads(
        &mut self,
        dialect: Dialect,
        room: &mut Room,
        buffer: &mut [u8],
        tally: &mut Tally,
        to_the_end: bool,
    ) -> anyhow::Result<()> {
        loop {
            let held = self.carried.len();
            anyhow::ensure!(held < buffer.len(), "a frame of more than {held} bytes");
            buffer[..held].copy_from_slice(&self.carried);
            let read = match self.stream.read(&mut buffer[held..]) {
                Ok(0) => bail!("the server ended a connection"),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("a connection broke"),
            };
            tally.now = tally.began.elapsed().as_nanos() as u64;
            let bytes = &buffer[..held + read];
            let used = self.takes(dialect, room, bytes, tally)?;
            self.carried.clear();
            self.carried.extend_from_slice(&bytes[used..]);
            // Less than was asked for: the socket is empty, and will be told of again (epoll(7)).
            if held + read < buffer.len() && !to_the_end {
                break;
            }
        }
        self.flushes()
    }

    /// Writes what waits, as far as the socket takes it.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) fn flushes(&mut self) -> anyhow::Result<()> {
        let Self { stream, waiting, .. } = self;
        while !waiting.is_empty() {
            match stream.write(waiting) {
                Ok(bytes) => drop(waiting.drain(..bytes)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("the server does not take a message"),
            }
        }
        Ok(())
    }

    /// Takes whole frames; how many bytes they were.
    fn takes(
        &mut self,
        dialect: Dialect,
        room: &mut Room,
        bytes: &[u8],
        tally: &mut Tally,
    ) -> anyhow::Result<usize> {
        if !dialect.is_a_stream() {
            return self.takes_pieces(dialect, room, bytes, tally);
        }
        let mut within = std::mem::take(&mut self.within);
        let mut used = 0;
        while let Some(frame) = frame::first(&bytes[used..])? {
            used += frame.bytes;
            match frame.opcode {
                frame::TEXT | frame::BINARY => within.extend_from_slice(frame.payload),
                _ => self.answers(&dialect::control(frame)?),
            }
        }
        let taken = self.takes_pieces(dialect, room, &within, tally)?;
        within.drain(..taken);
        self.within = within;
        Ok(used)
    }

    fn takes_pieces(
        &mut self,
        dialect: Dialect,
        room: &mut Room,
        bytes: &[u8],
        tally: &mut Tally,
    ) -> anyhow::Result<usize> {
        let mut used = 0;
        while used < bytes.len() {
            used += room.takes_known(&mut self.reader, &bytes[used..], tally);
            let rest = &bytes[used..];
            let piece = dialect.first(rest)?;
            match piece {
                Piece::Partial => break,
                Piece::Said { bytes, carries } => {
                    room.takes_new(&mut self.reader, &rest[..bytes], carries, tally)?;
                    used += bytes;
                }
                Piece::Acknowledged { bytes }
                | Piece::Passing { bytes }
                | Piece::Asked { bytes, .. } => {
                    self.answers(&piece);
                    used += bytes;
                }
            }
        }
        Ok(used)
    }

    fn answers(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Asked { opcode, answer, .. } => frame::write(*opcode, answer, &mut self.waiting),
            Piece::Acknowledged { .. } => self.acknowledged += 1,
            Piece::Partial | Piece::Said { .. } | Piece::Passing { .. } => {}
        }
    }
}
