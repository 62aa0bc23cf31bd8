//! One socket: bytes in and out, and how long they take. It holds no buffer while it is idle.

use std::{
    cell::RefCell,
    io,
    net::Shutdown,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use rustix::net::RecvFlags;
use tokio::{io::Interest, net::TcpStream};
use websocket::{Decoder, Incoming, Limits, Opcode, Violation, write_close, write_frame};

use crate::{
    clock,
    contact::Contact,
    line::{Leaves, Line},
};

/// Bytes of one read; the buffer belongs to the thread and not to the connection.
const READ_BYTES_MAX: usize = 16 * 1024;
/// Bytes behind which no pong waits: more than a turn writes.
const BEFORE_PONG_BYTES_MAX: usize = 256 * 1024;

thread_local! {
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES_MAX]);
}

/// One WebSocket connection.
#[derive(Debug)]
pub struct Socket {
    contact: Arc<Contact>,
    decoder: Decoder,
    undecoded: bool,
    /// The client broke the protocol: what follows cannot be read as frames and is thrown away.
    broken: bool,
    /// Nothing more is written: the client has been told with the last byte.
    shut: bool,
}

/// What a socket was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// So many bytes arrived.
    Arrived(usize),
    /// Everything that waited was written.
    Flushed,
    /// There is nobody at the other end.
    Lost,
}

impl Socket {
    /// A connection that was upgraded; `early` came right behind the handshake.
    #[must_use]
    pub fn new(stream: TcpStream, early: &[u8], limits: &'static Limits, now: Instant) -> Self {
        let mut decoder = Decoder::new();
        decoder.feed(early, limits, now);
        Self {
            contact: Arc::new(Contact::new(stream)),
            decoder,
            undecoded: !early.is_empty(),
            broken: false,
            shut: false,
        }
    }

    /// The next thing that arrived whole.
    ///
    /// # Errors
    /// The client broke the protocol: nothing more can be read.
    pub fn next(&mut self, now: Instant) -> Result<Option<Incoming>, Violation> {
        let next = self.decoder.next(now);
        self.undecoded = matches!(next, Ok(Some(_)));
        self.broken |= next.is_err();
        next
    }

    /// Whether asking for the next thing may give one without reading.
    #[must_use]
    pub fn has_undecoded(&self) -> bool {
        self.undecoded
    }

    /// The connection as others reach it, once it is somebody's.
    pub(super) fn contact(&self) -> &Arc<Contact> {
        &self.contact
    }

    fn line(&self) -> &Line {
        self.contact.line()
    }

    /// Answers a ping. Whoever goes on with pings and does not read is given no more pongs: not
    /// every ping has to have its own (RFC 6455 section 5.5.3).
    pub fn pong(&self, payload: &[u8], now: Instant) {
        if self.line().kept_bytes() > BEFORE_PONG_BYTES_MAX {
            return;
        }
        let mut pong = Vec::new();
        write_frame(&mut pong, Opcode::Pong, payload);
        self.write(pong, |_| Leaves::Now, now);
    }

    /// Writes a close frame behind what waits.
    pub fn close(&self, code: u16, reason: &str, now: Instant) {
        let mut close = Vec::new();
        write_close(&mut close, code, reason);
        self.write(close, |_| Leaves::Now, now);
    }

    /// Writes whole frames behind what waits, as far as the kernel takes them at once. `along` may
    /// put more behind them, see [`Line::write`].
    pub fn write(&self, frames: Vec<u8>, along: impl FnOnce(&mut Vec<u8>) -> Leaves, now: Instant) {
        self.line().write(frames, along, now);
    }

    /// When the client last took something, while something waits for it.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.line().waiting_since()
    }

    /// Whether the kernel took everything that was handed to it.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.line().waiting_since().is_none()
    }

    /// Writes what waits; reads, where that is wanted. The limits are those that it began with: it
    /// does not hold them.
    pub fn poll(
        &mut self,
        wants_input: bool,
        limits: &'static Limits,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> Poll<Happened> {
        match self.line().poll_flush(cx, now) {
            Poll::Ready(Ok(true)) => return Poll::Ready(Happened::Flushed),
            Poll::Ready(Err(_)) => return Poll::Ready(Happened::Lost),
            Poll::Ready(Ok(false)) | Poll::Pending => {}
        }
        if !wants_input {
            return Poll::Pending;
        }
        match self.poll_read(limits, cx, now) {
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(Happened::Lost),
            Poll::Ready(Ok(bytes)) => Poll::Ready(Happened::Arrived(bytes)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Reads what is there; 0 at the end of the stream.
    fn poll_read(
        &mut self,
        limits: &'static Limits,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.line().stream().poll_read_ready(cx))?;
            let read = READ_BUFFER.with_borrow_mut(|buffer| {
                let bytes = read_at_once(self.line().stream(), buffer)?;
                if !self.broken {
                    self.decoder.feed(&buffer[..bytes], limits, now);
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
    /// Whose frames cannot be read any more sees the end of ours at once (RFC 6455 section 7.1.7).
    ///
    /// # Errors
    /// The connection is lost.
    pub fn poll_close(
        &mut self,
        limits: &'static Limits,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let now = clock::now();
        ready!(self.line().poll_flush(cx, now))?;
        if self.broken && !std::mem::replace(&mut self.shut, true) {
            socket2::SockRef::from(self.line().stream()).shutdown(Shutdown::Write)?;
        }
        loop {
            while !self.broken {
                match self.next(now) {
                    Ok(Some(Incoming::Close(_))) => return Poll::Ready(Ok(())),
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => break,
                }
            }
            if ready!(self.poll_read(limits, cx, now))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// The end, for both sides, whoever still holds the contact.
    pub(super) fn hang_up(&self) {
        let _ = socket2::SockRef::from(self.line().stream()).shutdown(Shutdown::Both);
    }

    /// When what is arriving has to be whole.
    pub(super) fn message_deadline(&self) -> Option<Instant> {
        self.decoder.deadline()
    }

    /// When the client has to have taken something, who may take nothing for so long.
    pub(super) fn stall_deadline(&self, stall_max: Duration) -> Option<Instant> {
        self.line().waiting_since().map(|since| since + stall_max)
    }
}

/// What a read takes at once. Whoever gives less than was asked for has no more, and is told of
/// again (epoll(7)): the runtime learns that here, and not from a second read that takes nothing.
fn read_at_once(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = None;
    let tried = stream.try_io(Interest::READABLE, || {
        let asked = buffer.len();
        let (_, bytes) = rustix::net::recv(stream, &mut *buffer, RecvFlags::empty())?;
        read = Some(bytes);
        let took_all = (1..asked).contains(&bytes);
        if took_all { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    read.map_or_else(|| tried.map(|()| 0), Ok)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::line::tests::connected;

    const LIMITS: Limits = Limits {
        message_bytes_max: 100,
        fragments_max: 2,
        message_time_max: Duration::from_secs(10),
    };

    #[tokio::test]
    async fn pings_of_somebody_who_does_not_read_cost_no_more_and_more() {
        let (near, _far) = connected().await;
        socket2::SockRef::from(&near).set_send_buffer_size(64 * 1024).unwrap();
        let socket = Socket::new(near, b"", &LIMITS, clock::now());
        for _ in 0..200_000 {
            socket.pong(&[0; 125], clock::now());
        }
        let kept = socket.line().kept_bytes();
        assert!(0 < kept && kept < 2 * BEFORE_PONG_BYTES_MAX, "{kept} are kept");
    }

    #[tokio::test]
    async fn what_comes_after_a_read_that_took_all_is_told_of() {
        let (near, mut far) = connected().await;
        let mut socket = Socket::new(near, b"", &LIMITS, clock::now());
        for bytes in [1, 7, READ_BYTES_MAX, READ_BYTES_MAX + 1] {
            far.write_all(&vec![0x8a; bytes]).await.unwrap();
            socket.broken = true;
            let mut read = 0;
            while read < bytes {
                let happened = poll_fn(|cx| socket.poll(true, &LIMITS, cx, clock::now())).await;
                let Happened::Arrived(more) = happened else { panic!("{happened:?}") };
                read += more;
            }
            assert_eq!(read, bytes);
        }
        // Also the end, where it comes with the last bytes.
        far.write_all(b"bye").await.unwrap();
        drop(far);
        socket.line().stream().readable().await.unwrap();
        for happened in [Happened::Arrived(3), Happened::Lost] {
            assert_eq!(poll_fn(|cx| socket.poll(true, &LIMITS, cx, clock::now())).await, happened);
        }
    }

    #[tokio::test]
    async fn whose_connection_has_ended_sees_the_end_although_an_answer_still_holds_it() {
        let (near, mut far) = connected().await;
        let socket = Socket::new(near, b"", &LIMITS, clock::now());
        let _holds_it = Arc::clone(socket.contact());
        socket.hang_up();
        drop(socket);

        let end = tokio::time::timeout(Duration::from_secs(10), far.read_u8()).await;
        assert_eq!(end.expect("it is seen").unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn whose_frames_cannot_be_read_sees_the_close_frame_and_the_end_at_once() {
        let (near, mut far) = connected().await;
        let mut socket = Socket::new(near, b"\x81\x01x", &LIMITS, clock::now());
        let violation = socket.next(clock::now()).unwrap_err();
        socket.close(violation.close_code(), "", clock::now());

        let closed = poll_fn(|cx| socket.poll_close(&LIMITS, cx));
        let (close, lets_go) = tokio::join!(closed, async {
            // Closed by nobody else: the client still could write.
            let mut told = Vec::new();
            far.read_to_end(&mut told).await.unwrap();
            far.write_all(b"whatever").await.unwrap();
            drop(far);
            told
        });
        close.unwrap();
        assert_eq!(lets_go, [0x88, 2, 0x03, 0xea]);
    }
}
