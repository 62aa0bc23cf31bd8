//! One socket: bytes in and out, and how long they take. It holds no buffer while it is idle.

use std::{
    cell::RefCell,
    io,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use common::limits::FRAME_BYTES_MAX;
use tokio::net::TcpStream;
use websocket::{Decoder, Incoming, Limits, Opcode, Violation, write_close, write_frame};

use crate::{clock, line::Line};

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
    line: Arc<Line>,
    decoder: Decoder,
    /// Frames that the line was not given yet.
    fresh: Vec<u8>,
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
            line: Arc::new(Line::new(stream)),
            decoder,
            fresh: Vec::new(),
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

    /// The writing half, for rooms that hand the same frames to many.
    pub(super) fn line(&self) -> &Arc<Line> {
        &self.line
    }

    pub(super) fn write(&mut self, opcode: Opcode, payload: &[u8]) {
        write_frame(&mut self.fresh, opcode, payload);
    }

    pub(super) fn write_close(&mut self, code: u16, reason: &str) {
        write_close(&mut self.fresh, code, reason);
    }

    /// Bytes that wait for the next flush.
    pub(super) fn fresh_bytes(&self) -> usize {
        self.fresh.len()
    }

    /// When the client last took something, while something waits for it.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.line.waiting_since()
    }

    /// Whether the kernel took everything that was handed to it.
    pub(super) fn is_flushed(&self) -> bool {
        self.line.waiting_since().is_none()
    }

    /// Writes what the kernel takes at once.
    pub(super) fn try_flush(&mut self, now: Instant) {
        self.line.write(&mut self.fresh, now);
    }

    /// Writes until everything is written; `false` when nothing waited.
    pub(super) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> Poll<io::Result<bool>> {
        let fresh = !self.fresh.is_empty();
        self.try_flush(now);
        self.line.poll_flush(cx, now).map_ok(|kept| kept || fresh)
    }

    /// Reads what is there; 0 at the end of the stream.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.line.stream().poll_read_ready(cx))?;
            let read = READ_BUFFER.with_borrow_mut(|buffer| {
                let bytes = self.line.stream().try_read(buffer)?;
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
        self.line.waiting_since().map(|since| since + self.stall_max)
    }
}
