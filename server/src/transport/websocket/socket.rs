//! One socket: bytes in and out, and how long they take. It holds no buffer while it is idle.

use std::{
    cell::RefCell,
    io,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use common::limits::FRAME_BYTES_MAX;
use tokio::net::TcpStream;
use websocket::{Decoder, Incoming, Limits, Opcode, Violation, write_close, write_frame};

use crate::clock;

/// A message may come in so many frames, within this time.
const LIMITS: Limits = Limits {
    message_bytes_max: FRAME_BYTES_MAX,
    fragments_max: 64,
    message_time_max: Duration::from_secs(10),
};
/// Bytes of one read; the buffer belongs to the thread and not to the connection.
const READ_BYTES_MAX: usize = 16 * 1024;

thread_local! {
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES_MAX]);
}

pub(super) struct Socket {
    stream: TcpStream,
    decoder: Decoder,
    /// Frames that wait to be written, from `written` on.
    out: Vec<u8>,
    written: usize,
    /// When the client last took something, while something waits for it.
    waiting_since: Option<Instant>,
    stall_max: Duration,
    undecoded: bool,
    /// The client broke the protocol: what follows cannot be read as frames and is thrown away.
    broken: bool,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, early: &[u8], stall_max: Duration, now: Instant) -> Self {
        let mut decoder = Decoder::new(LIMITS);
        decoder.feed(early, now);
        Self {
            stream,
            decoder,
            out: Vec::new(),
            written: 0,
            waiting_since: None,
            stall_max,
            undecoded: !early.is_empty(),
            broken: false,
        }
    }

    /// The next thing that arrived whole.
    pub(super) fn next(&mut self, now: Instant) -> Result<Option<Incoming>, Violation> {
        let next = self.decoder.next(now);
        self.undecoded = matches!(next, Ok(Some(_)));
        self.broken |= next.is_err();
        next
    }

    /// Whether asking for the next thing may give one without reading.
    pub(super) fn has_undecoded(&self) -> bool {
        self.undecoded
    }

    pub(super) fn write(&mut self, opcode: Opcode, payload: &[u8]) {
        write_frame(&mut self.out, opcode, payload);
    }

    pub(super) fn write_close(&mut self, code: u16, reason: &str) {
        write_close(&mut self.out, code, reason);
    }

    pub(super) fn unwritten(&self) -> usize {
        self.out.len() - self.written
    }

    /// When the client last took something, while something waits for it.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.waiting_since
    }

    /// Whether the kernel took everything that was handed to it.
    pub(super) fn is_flushed(&self) -> bool {
        self.waiting_since.is_none()
    }

    /// Writes what the kernel takes at once.
    pub(super) fn try_flush(&mut self, now: Instant) {
        while self.written < self.out.len() {
            match self.stream.try_write(&self.out[self.written..]) {
                Ok(bytes) => self.took(bytes, now),
                // A lost connection is noticed by whoever polls.
                Err(_) => break,
            }
        }
        if self.unwritten() > 0 {
            self.waiting_since.get_or_insert(now);
        }
    }

    /// Writes until everything is written; `false` when nothing waited.
    pub(super) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> Poll<io::Result<bool>> {
        if self.unwritten() == 0 {
            return Poll::Ready(Ok(false));
        }
        self.waiting_since.get_or_insert(now);
        while self.unwritten() > 0 {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_write(&self.out[self.written..]) {
                Ok(bytes) => self.took(bytes, now),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(true))
    }

    fn took(&mut self, bytes: usize, now: Instant) {
        self.written += bytes;
        if self.written == self.out.len() {
            self.out = Vec::new();
            self.written = 0;
            self.waiting_since = None;
        } else if bytes > 0 {
            self.waiting_since = Some(now);
        }
    }

    /// Reads what is there; 0 at the end of the stream.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            let read = READ_BUFFER.with_borrow_mut(|buffer| {
                let bytes = self.stream.try_read(buffer)?;
                if !self.broken {
                    self.decoder.feed(&buffer[..bytes], now);
                }
                Ok(bytes)
            });
            match read {
                Err(error) if io::Error::kind(&error) == io::ErrorKind::WouldBlock => {}
                read => {
                    self.undecoded = true;
                    return Poll::Ready(read);
                }
            }
        }
    }

    /// Writes what is left, then waits for the client's close frame or its end of the stream.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = clock::now();
        ready!(self.poll_flush(cx, now))?;
        loop {
            while !self.broken {
                match self.next(now) {
                    Ok(Some(Incoming::Close(_))) => return Poll::Ready(Ok(())),
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => break,
                }
            }
            if ready!(self.poll_read(cx, now))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// When what is arriving has to be whole.
    pub(super) fn message_deadline(&self) -> Option<Instant> {
        self.decoder.deadline()
    }

    /// When the client has to have taken something.
    pub(super) fn stall_deadline(&self) -> Option<Instant> {
        self.waiting_since.map(|since| since + self.stall_max)
    }
}
