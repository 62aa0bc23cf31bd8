//! From a client's bytes to its messages.

use std::time::{Duration, Instant};

use crate::frame::{Head, HeadFault, Opcode};

/// What one message may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message, and so of a frame.
    pub message_bytes_max: usize,
    /// Frames that one message may come in; empty ones count.
    pub fragments_max: u32,
    /// From a message's first byte to its last.
    pub message_time_max: Duration,
}

/// Something whole that a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// A sign of life is asked for; the answer carries the same bytes.
    Ping(Vec<u8>),
    /// A sign of life.
    Pong(Vec<u8>),
    /// The client ends the connection, with a code or without.
    Close(Option<u16>),
}

/// Why the connection cannot go on. After it nothing more is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Close code 1002: a frame's head is wrong.
    #[error(transparent)]
    Head(#[from] HeadFault),
    /// Close code 1002: a piece of no message, or a message within another.
    #[error("the pieces of a message are out of order")]
    Fragmentation,
    /// Close code 1002: a close frame whose payload is no code and reason.
    #[error("the close frame is malformed")]
    CloseFrame,
    /// Close code 1007: a text or a close reason that is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// Close code 1008: a message in too many pieces.
    #[error("a message comes in too many pieces")]
    TooManyFragments,
    /// Close code 1009: a message over the limit.
    #[error("a message is too big")]
    TooBig,
}

/// Reads one connection.
#[derive(Debug)]
pub struct Decoder {
    limits: &'static Limits,
    /// None while nothing is under way: most of the time most connections are silent.
    arriving: Option<Box<Arriving>>,
}

/// What arrived and is not whole yet.
#[derive(Debug)]
struct Arriving {
    /// Bytes of a frame that has not arrived whole.
    pending: Vec<u8>,
    /// How many of them were read already.
    read: usize,
    message: Option<Message>,
    /// When its first byte arrived.
    began_at: Instant,
}

/// A message of which pieces arrived.
#[derive(Debug)]
struct Message {
    text: bool,
    bytes: Vec<u8>,
    fragments: u32,
}

impl Decoder {
    /// A connection from which nothing was read.
    #[must_use]
    pub fn new(limits: &'static Limits) -> Self {
        Self { limits, arriving: None }
    }

    /// Takes bytes that arrived. Call [`Self::next`] until there is nothing more.
    pub fn feed(&mut self, bytes: &[u8], now: Instant) {
        if !bytes.is_empty() {
            let arriving = self.arriving.get_or_insert_with(|| Box::new(Arriving::begins(now)));
            arriving.pending.extend_from_slice(bytes);
        }
    }

    /// The next whole thing; `None` until more bytes arrive.
    ///
    /// # Errors
    /// The client broke the protocol or a limit.
    pub fn next(&mut self, now: Instant) -> Result<Option<Incoming>, Violation> {
        let Some(arriving) = &mut self.arriving else { return Ok(None) };
        while let Some((head, payload)) = arriving.next_frame(self.limits)? {
            if let Some(incoming) = arriving.take_frame(head, payload, self.limits)? {
                // A control frame between its pieces gives a message no more time.
                if arriving.message.is_none() {
                    arriving.began_at = now;
                    self.arriving.take_if(|arriving| arriving.pending.is_empty());
                }
                return Ok(Some(incoming));
            }
        }
        Ok(None)
    }

    /// When what began to arrive has to be whole; `None` while nothing is under way.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.arriving.as_ref().map(|arriving| arriving.began_at + self.limits.message_time_max)
    }
}

impl Arriving {
    fn begins(now: Instant) -> Self {
        Self { pending: Vec::new(), read: 0, message: None, began_at: now }
    }

    /// The next frame, unmasked. Its length is checked before its payload is waited for.
    fn next_frame(&mut self, limits: &Limits) -> Result<Option<(Head, Vec<u8>)>, Violation> {
        let unread = &mut self.pending[self.read..];
        let Some(head) = Head::read(unread)? else {
            self.release();
            return Ok(None);
        };
        self.check_size(&head, limits)?;
        let payload_bytes = usize::try_from(head.payload_bytes).map_err(|_| Violation::TooBig)?;
        let frame_bytes = head.bytes + payload_bytes;
        // Mostly a frame comes alone, and what it came in is handed on.
        let alone = self.pending.len() == frame_bytes;
        let unread = &mut self.pending[self.read..];
        let Some(payload) = unread.get_mut(head.bytes..frame_bytes) else {
            self.release();
            return Ok(None);
        };
        unmask(payload, head.mask);
        if alone {
            let mut payload = std::mem::take(&mut self.pending);
            payload.drain(..head.bytes);
            return Ok(Some((head, payload)));
        }
        let payload = payload.to_vec();
        self.read += frame_bytes;
        if self.read == self.pending.len() {
            self.release();
        }
        Ok(Some((head, payload)))
    }

    fn check_size(&self, head: &Head, limits: &Limits) -> Result<(), Violation> {
        if head.opcode.is_control() {
            return Ok(());
        }
        let so_far = self.message.as_ref().map_or(0, |message| message.bytes.len()) as u64;
        let too_big = so_far + head.payload_bytes > limits.message_bytes_max as u64;
        if too_big { Err(Violation::TooBig) } else { Ok(()) }
    }

    /// Gives back the memory of what was read.
    fn release(&mut self) {
        if self.read == self.pending.len() {
            self.pending = Vec::new();
        } else {
            self.pending.drain(..self.read);
        }
        self.read = 0;
    }

    fn take_frame(
        &mut self,
        head: Head,
        payload: Vec<u8>,
        limits: &Limits,
    ) -> Result<Option<Incoming>, Violation> {
        match head.opcode {
            Opcode::Ping => Ok(Some(Incoming::Ping(payload))),
            Opcode::Pong => Ok(Some(Incoming::Pong(payload))),
            Opcode::Close => close_code(&payload).map(|code| Some(Incoming::Close(code))),
            Opcode::Text | Opcode::Binary => {
                if self.message.is_some() {
                    return Err(Violation::Fragmentation);
                }
                let text = head.opcode == Opcode::Text;
                self.add_fragment(Message { text, bytes: payload, fragments: 1 }, head.last, limits)
            }
            Opcode::Continuation => {
                let mut message = self.message.take().ok_or(Violation::Fragmentation)?;
                message.bytes.extend_from_slice(&payload);
                message.fragments += 1;
                self.add_fragment(message, head.last, limits)
            }
        }
    }

    fn add_fragment(
        &mut self,
        message: Message,
        last: bool,
        limits: &Limits,
    ) -> Result<Option<Incoming>, Violation> {
        if message.fragments > limits.fragments_max {
            return Err(Violation::TooManyFragments);
        }
        if !last {
            self.message = Some(message);
            return Ok(None);
        }
        if !message.text {
            return Ok(Some(Incoming::Binary(message.bytes)));
        }
        let text = String::from_utf8(message.bytes).map_err(|_| Violation::Utf8)?;
        Ok(Some(Incoming::Text(text)))
    }
}

impl Violation {
    /// The close code that says so (section 7.4.1).
    #[must_use]
    pub fn close_code(self) -> u16 {
        match self {
            Self::Head(_) | Self::Fragmentation | Self::CloseFrame => 1002,
            Self::Utf8 => 1007,
            Self::TooManyFragments => 1008,
            Self::TooBig => 1009,
        }
    }
}

/// Section 5.3: each byte with the byte of the mask at its place.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let (chunks, rest) = payload.as_chunks_mut::<4>();
    for chunk in chunks {
        *chunk = (u32::from_ne_bytes(*chunk) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// Section 5.5.1: nothing, or a code that may be sent (section 7.4) and a reason in UTF-8.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Violation> {
    if payload.is_empty() {
        return Ok(None);
    }
    let (code, reason) = payload.split_first_chunk::<2>().ok_or(Violation::CloseFrame)?;
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::CloseFrame);
    }
    std::str::from_utf8(reason).map_err(|_| Violation::Utf8)?;
    Ok(Some(code))
}
