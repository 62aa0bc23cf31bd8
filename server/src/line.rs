//! The writing half of a connection: whole frames, one behind the other.
//!
//! Two write to it: the connection's own task, and the room whose entries go to many connections
//! as the same bytes. Neither waits for the socket here; what it does not take is kept, and the
//! task sees to it. While anything is kept, rooms hand over nothing.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Instant,
};

use rustix::net::SendFlags;
use tokio::net::TcpStream;

/// A socket, and what it has not taken yet.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    kept: Mutex<Kept>,
}

/// Frames that the socket has not taken, from `written` on.
#[derive(Debug, Default)]
struct Kept {
    frames: Vec<u8>,
    written: usize,
    /// When the client last took something, while something waits for it.
    waiting_since: Option<Instant>,
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

    /// Hands over frames that many get, as far as the socket takes them at once, and then to the
    /// end of the frame it stopped in. Answers how many bytes that is: up to the end of a frame,
    /// which `end_of_frame` finds for a number of bytes. Nothing is handed over while something is
    /// kept, nor when `may` says so: it is asked while nobody else can write.
    pub fn offer(
        &self,
        frames: &[u8],
        may: impl FnOnce() -> bool,
        end_of_frame: impl FnOnce(usize) -> usize,
        now: Instant,
    ) -> usize {
        let mut kept = self.lock();
        if kept.waiting_since.is_some() || !may() {
            return 0;
        }
        let taken = self.try_write(frames);
        if taken == 0 || taken == frames.len() {
            return taken;
        }
        let end = end_of_frame(taken);
        if end > taken {
            kept.frames.extend_from_slice(&frames[taken..end]);
            kept.waiting_since = Some(now);
        }
        end
    }

    /// Does something while nobody writes.
    pub fn between_frames(&self, what: impl FnOnce()) {
        let _kept = self.lock();
        what();
    }

    /// Writes what the socket takes at once of these frames and keeps the rest; `frames` is empty
    /// afterwards. `along` may put more behind them, while nobody else can write; it is not asked
    /// where something is kept.
    pub fn write(&self, frames: &mut Vec<u8>, along: impl FnOnce(&mut Vec<u8>), now: Instant) {
        if frames.is_empty() {
            return;
        }
        let mut kept = self.lock();
        if kept.waiting_since.is_none() {
            along(frames);
        }
        if kept.frames.is_empty() {
            kept.frames = std::mem::take(frames);
        } else {
            kept.let_go_of_what_was_written();
            kept.frames.extend_from_slice(frames);
            *frames = Vec::new();
        }
        kept.waiting_since.get_or_insert(now);
        // A lost connection is noticed by whoever polls.
        let _ = kept.write_to(&self.stream, now);
    }

    /// Writes until everything is written; `false` when nothing was kept.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn poll_flush(&self, cx: &mut Context<'_>, now: Instant) -> Poll<io::Result<bool>> {
        let mut kept = self.lock();
        if kept.waiting_since.is_none() {
            return Poll::Ready(Ok(false));
        }
        while kept.waiting_since.is_some() {
            ready!(self.stream.poll_write_ready(cx))?;
            kept.write_to(&self.stream, now)?;
        }
        Poll::Ready(Ok(true))
    }

    /// When the client last took something, while something waits for it.
    #[must_use]
    pub fn waiting_since(&self) -> Option<Instant> {
        self.lock().waiting_since
    }

    /// Bytes that the socket has not taken.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        let kept = self.lock();
        kept.frames.len() - kept.written
    }

    /// How many bytes the socket takes at once. Nearly always it takes all, and then the runtime's
    /// record of it, which lies elsewhere in memory, is not looked at; where it takes none that
    /// record has to learn of it.
    fn try_write(&self, frames: &[u8]) -> usize {
        rustix::net::send(&self.stream, frames, SendFlags::empty())
            // A lost connection is noticed by its task.
            .unwrap_or_else(|_| self.stream.try_write(frames).unwrap_or(0))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
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

    /// Writes what the socket takes at once.
    fn write_to(&mut self, stream: &TcpStream, now: Instant) -> io::Result<()> {
        while self.waiting_since.is_some() {
            match stream.try_write(&self.frames[self.written..]) {
                Ok(bytes) => self.took(bytes, now),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn took(&mut self, bytes: usize, now: Instant) {
        self.written += bytes;
        if self.written == self.frames.len() {
            *self = Self::default();
        } else if bytes > 0 {
            self.waiting_since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt as _, net::TcpListener};

    use super::*;
    use crate::clock;

    #[tokio::test]
    async fn what_was_read_is_not_kept_while_more_comes_than_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (near, _) = listener.accept().await.unwrap();
        let line = Line::new(near);
        let mut frames = vec![0; 16 << 20];
        line.write(&mut frames, |_| (), clock::now());
        let kept_at_first = line.kept_bytes();
        assert!(kept_at_first > 0, "a socket takes so much at once");

        let (mut read, mut bytes) = (vec![0; 1 << 20], 0);
        while bytes < 4 << 20 {
            tokio::select! {
                read = far.read(&mut read) => bytes += read.unwrap(),
                writable = line.stream().writable() => {
                    writable.unwrap();
                    line.write(&mut vec![0; 1 << 10], |_| (), clock::now());
                }
            }
        }
        let unwritten = line.kept_bytes();
        assert!(0 < unwritten && unwritten < kept_at_first, "{unwritten} of {kept_at_first}");
        line.write(&mut vec![0; 1 << 10], |_| (), clock::now());
        let kept = line.lock();
        assert!(kept.frames.len() <= unwritten + (1 << 10), "{} are kept", kept.frames.len());
    }
}
