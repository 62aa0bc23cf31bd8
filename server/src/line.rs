//! The writing half of a connection: whole frames, one behind the other.
//!
//! Two write to it: the connection's own task, and the room whose entries go to many connections
//! as the same bytes. Neither waits for the socket here; what it does not take is kept, and the
//! task sees to it. While the socket is waited for, rooms hand over nothing.

use std::{
    io::{self, IoSlice},
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Instant,
};

use rustix::net::SendFlags;
use tokio::net::TcpStream;

/// So much of a connection's own, in bytes, may wait for what is offered next: some answers. More
/// is a packet of its own anyway.
const WAITS_BYTES_MAX: usize = 4 * 1024;

/// When a connection's own frames leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// At once.
    Now,
    /// With what is offered next, which is on its way: one packet instead of two.
    WithNext,
}

/// What became of frames that were offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// The socket took all of them.
    Taken,
    /// So many bytes of them are handed over, up to the end of a frame. Whoever is at the other
    /// end has to be waited for.
    Partly(usize),
}

/// A socket, and what it has not taken yet.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    /// None while nothing is kept: most of the time a socket takes everything.
    kept: Mutex<Option<Box<Kept>>>,
}

/// Frames that the socket has not taken, from `written` on.
#[derive(Debug)]
struct Kept {
    frames: Vec<u8>,
    written: usize,
    /// When the client last took something, while something waits for it. Frames that wait for
    /// nobody leave with the next.
    waiting_since: Option<Instant>,
}

impl Leaves {
    /// When both leave in one packet.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        if self == Self::Now { other } else { self }
    }
}

impl Line {
    /// The line to whoever is at the other end.
    #[must_use]
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, kept: Mutex::default() }
    }

    /// The socket, to be read from.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Hands over frames that many get, behind what was to leave with them, as far as the socket
    /// takes them at once, and then to the end of the frame it stopped in, which `end_of_frame`
    /// finds for a number of bytes. Nothing is handed over while the socket is waited for, nor where
    /// `may` says no: it is asked while nobody else can write.
    pub fn offer(
        &self,
        frames: &[u8],
        may: impl FnOnce() -> bool,
        end_of_frame: impl FnOnce(usize) -> usize,
        now: Instant,
    ) -> Offered {
        let mut kept = self.lock();
        if kept.as_ref().is_some_and(|kept| kept.waiting_since.is_some()) || !may() {
            return Offered::Partly(0);
        }
        let taken = match &mut *kept {
            None => self.try_write(frames),
            Some(own) => {
                let taken = self.try_write_both(&own.frames, frames);
                if taken < own.frames.len() {
                    own.written = taken;
                    own.waiting_since = Some(now);
                    return Offered::Partly(0);
                }
                taken - kept.take().map_or(0, |own| own.frames.len())
            }
        };
        if taken == frames.len() {
            return Offered::Taken;
        }
        if taken == 0 {
            return Offered::Partly(0);
        }
        let end = end_of_frame(taken);
        if end > taken {
            let frames = frames[taken..end].to_vec();
            *kept = Some(Box::new(Kept { frames, written: 0, waiting_since: Some(now) }));
        }
        Offered::Partly(end)
    }

    /// Does something while nobody writes, after which nothing may be offered any more: what was to
    /// leave with that leaves now.
    pub fn between_frames(&self, what: impl FnOnce(), now: Instant) {
        let mut kept = self.lock();
        what();
        leave(&mut kept, &self.stream, now);
    }

    /// Writes what the socket takes at once of these frames and keeps the rest. `along` may put
    /// more behind them, while nobody else can write, and says when all of it leaves; it is not
    /// asked where the socket is waited for.
    pub fn write(
        &self,
        mut frames: Vec<u8>,
        along: impl FnOnce(&mut Vec<u8>) -> Leaves,
        now: Instant,
    ) {
        if frames.is_empty() {
            return;
        }
        let mut kept = self.lock();
        let is_waited_for = kept.as_ref().is_some_and(|kept| kept.waiting_since.is_some());
        let leaves = if is_waited_for { Leaves::Now } else { along(&mut frames) };
        let Some(before) = &mut *kept else {
            *kept = self.what_is_left_of(frames, leaves, now);
            return;
        };
        before.let_go_of_what_was_written();
        before.frames.extend_from_slice(&frames);
        if leaves == Leaves::Now || before.frames.len() > WAITS_BYTES_MAX {
            leave(&mut kept, &self.stream, now);
        }
    }

    /// Writes frames that stand behind nothing; answers what is to be kept of them.
    fn what_is_left_of(
        &self,
        mut frames: Vec<u8>,
        leaves: Leaves,
        now: Instant,
    ) -> Option<Box<Kept>> {
        let at_once = leaves == Leaves::Now || frames.len() > WAITS_BYTES_MAX;
        let waiting_since = at_once.then_some(now);
        if at_once {
            let taken = self.try_write(&frames);
            if taken == frames.len() {
                return None;
            }
            // As much memory as that takes, and not what the frames grew to while they were written.
            frames.drain(..taken);
            frames.shrink_to_fit();
        }
        Some(Box::new(Kept { frames, written: 0, waiting_since }))
    }

    /// Writes until all is written that the socket is waited for with; `false` when it is not.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn poll_flush(&self, cx: &mut Context<'_>, now: Instant) -> Poll<io::Result<bool>> {
        let mut kept = self.lock();
        if kept.as_ref().is_none_or(|kept| kept.waiting_since.is_none()) {
            return Poll::Ready(Ok(false));
        }
        while kept.is_some() {
            ready!(self.stream.poll_write_ready(cx))?;
            write_to(&mut kept, &self.stream, now)?;
        }
        Poll::Ready(Ok(true))
    }

    /// When the client last took something, while something waits for it.
    #[must_use]
    pub fn waiting_since(&self) -> Option<Instant> {
        self.lock().as_ref().and_then(|kept| kept.waiting_since)
    }

    /// Bytes that the socket has not taken.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        self.lock().as_ref().map_or(0, |kept| kept.frames.len() - kept.written)
    }

    /// How many bytes the socket takes at once. Nearly always it takes all, and then the runtime's
    /// record of it, which lies elsewhere in memory, is not looked at; where it takes none that
    /// record has to learn of it.
    fn try_write(&self, frames: &[u8]) -> usize {
        rustix::net::send(&self.stream, frames, SendFlags::empty())
            // A lost connection is noticed by its task.
            .unwrap_or_else(|_| self.stream.try_write(frames).unwrap_or(0))
    }

    /// The same with two pieces, one behind the other.
    fn try_write_both(&self, first: &[u8], then: &[u8]) -> usize {
        let pieces = [IoSlice::new(first), IoSlice::new(then)];
        rustix::io::writev(&self.stream, &pieces)
            .unwrap_or_else(|_| self.stream.try_write_vectored(&pieces).unwrap_or(0))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<Kept>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Whoever reads a little now and then, and never all of it, would have everything kept that
    /// they ever read.
    fn let_go_of_what_was_written(&mut self) {
        self.frames.drain(..self.written);
        self.written = 0;
    }
}

/// Writes what the socket takes at once of what is kept, and waits for it with the rest.
fn leave(kept: &mut Option<Box<Kept>>, stream: &TcpStream, now: Instant) {
    let Some(own) = kept else { return };
    own.waiting_since.get_or_insert(now);
    // A lost connection is noticed by whoever polls.
    let _ = write_to(kept, stream, now);
}

/// Writes what the socket takes at once of what is kept.
fn write_to(kept: &mut Option<Box<Kept>>, stream: &TcpStream, now: Instant) -> io::Result<()> {
    while let Some(own) = kept {
        match stream.try_write(&own.frames[own.written..]) {
            Ok(bytes) => {
                own.written += bytes;
                if bytes > 0 {
                    own.waiting_since = Some(now);
                }
                kept.take_if(|own| own.written == own.frames.len());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use tokio::{io::AsyncReadExt as _, net::TcpListener};

    use super::*;
    use crate::clock;

    /// The near and the far end of a connection.
    pub(crate) async fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (near, _) = listener.accept().await.unwrap();
        (near, far)
    }

    #[tokio::test]
    async fn who_takes_a_part_of_the_last_frame_has_to_be_waited_for() {
        let (near, mut far) = connected().await;
        let line = Line::new(near);
        let frame = vec![7; 16 << 20];
        line.write(b"own".to_vec(), |_| Leaves::WithNext, clock::now());
        let offered = line.offer(&frame, || true, |_| frame.len(), clock::now());
        assert_eq!(offered, Offered::Partly(frame.len()), "all of it is handed over");
        assert!(line.waiting_since().is_some(), "but not taken");

        let mut all = vec![0; 3 + frame.len()];
        let (read, flushed) = tokio::join!(
            far.read_exact(&mut all),
            std::future::poll_fn(|cx| line.poll_flush(cx, clock::now())),
        );
        assert_eq!((read.unwrap(), flushed.unwrap()), (3 + frame.len(), true));
        assert_eq!((&all[..3], &all[3..]), (b"own".as_slice(), frame.as_slice()));
    }

    #[tokio::test]
    async fn what_is_not_taken_is_kept_in_no_more_memory_than_it_has_bytes() {
        let (near, _far) = connected().await;
        let line = Line::new(near);
        let mut frames = Vec::with_capacity(64 << 20);
        frames.resize(32 << 20, 0);
        line.write(frames, |_| Leaves::Now, clock::now());
        let memory = line.lock().as_ref().map_or(0, |kept| kept.frames.capacity());
        assert!(0 < memory && memory == line.kept_bytes(), "{memory}");
    }

    #[tokio::test]
    async fn what_was_to_leave_with_the_next_is_waited_for_where_the_socket_is_full() {
        let (near, mut far) = connected().await;
        let line = Line::new(near);
        let mut filled = 0;
        while let Ok(bytes) = line.stream().try_write(&[1; 1 << 20]) {
            filled += bytes;
        }
        line.write(vec![2; 100], |_| Leaves::WithNext, clock::now());
        let offered = line.offer(&[3; 100], || true, |_| 100, clock::now());
        assert_eq!((offered, line.kept_bytes()), (Offered::Partly(0), 100));

        let mut all = vec![0; filled + 100];
        let (read, flushed) = tokio::join!(
            far.read_exact(&mut all),
            std::future::poll_fn(|cx| line.poll_flush(cx, clock::now())),
        );
        assert_eq!((read.unwrap(), flushed.unwrap()), (filled + 100, true));
        assert!(all[filled..].iter().all(|byte| *byte == 2));
    }

    #[tokio::test]
    async fn what_was_to_leave_with_the_next_leaves_where_there_is_no_next_or_it_is_much() {
        let (near, mut far) = connected().await;
        let line = Line::new(near);
        line.write(b"ack".to_vec(), |_| Leaves::WithNext, clock::now());
        assert_eq!(line.kept_bytes(), 3);
        line.between_frames(|| (), clock::now());
        let much = vec![b'x'; WAITS_BYTES_MAX + 1];
        line.write(much, |_| Leaves::WithNext, clock::now());
        assert_eq!(line.kept_bytes(), 0);

        let mut all = vec![0; 3 + WAITS_BYTES_MAX + 1];
        far.read_exact(&mut all).await.unwrap();
        assert_eq!(&all[..4], b"ackx");
    }

    #[test]
    fn all_of_it_may_wait_where_a_part_of_it_may() {
        use Leaves::{Now, WithNext};
        for (one, other, both) in
            [(Now, Now, Now), (Now, WithNext, WithNext), (WithNext, Now, WithNext)]
        {
            assert_eq!(one.with(other), both);
        }
    }

    #[tokio::test]
    async fn what_was_read_is_not_kept_while_more_comes_than_is_read() {
        let (near, mut far) = connected().await;
        let line = Line::new(near);
        line.write(vec![0; 16 << 20], |_| Leaves::Now, clock::now());
        let kept_at_first = line.kept_bytes();
        assert!(kept_at_first > 0, "a socket takes so much at once");

        let (mut read, mut bytes) = (vec![0; 1 << 20], 0);
        while bytes < 4 << 20 {
            tokio::select! {
                read = far.read(&mut read) => bytes += read.unwrap(),
                writable = line.stream().writable() => {
                    writable.unwrap();
                    line.write(vec![0; 1 << 10], |_| Leaves::Now, clock::now());
                }
            }
        }
        let unwritten = line.kept_bytes();
        assert!(0 < unwritten && unwritten < kept_at_first, "{unwritten} of {kept_at_first}");
        line.write(vec![0; 1 << 10], |_| Leaves::Now, clock::now());
        let frames = line.lock().as_ref().map_or(0, |kept| kept.frames.len());
        assert!(frames <= unwritten + (1 << 10), "{frames} are kept");
    }
}
