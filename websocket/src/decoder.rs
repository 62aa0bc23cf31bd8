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
#[derive(Debug, Default)]
pub struct Decoder {
    /// None while nothing is under way: most of the time most connections are silent.
    arriving: Option<Box<Arriving>>,
}

/// What arrived and is not whole yet.
#[derive(Debug)]
struct Arriving {
    limits: &'static Limits,
    /// Bytes that arrived, as they came.
    pending: Vec<u8>,
    /// How many of them were read already.
    read: usize,
    message: Option<Message>,
    /// When its first byte arrived.
    began_at: Instant,
}

/// A message of which some arrived.
#[derive(Debug)]
struct Message {
    text: bool,
    bytes: Vec<u8>,
    /// Up to here a text is UTF-8; behind it there is at most the beginning of a character.
    checked: usize,
    pieces: u32,
    /// Of the piece under way: whether it is the last, its mask from the next byte on, and how many
    /// bytes are still to come.
    last: bool,
    mask: [u8; 4],
    missing: u64,
}

impl Decoder {
    /// A connection from which nothing was read.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes that arrived. The limits of a connection are always the same: those of a message
    /// that is arriving are the ones that it began with. Call [`Self::next`] until there is nothing
    /// more.
    pub fn feed(&mut self, bytes: &[u8], limits: &'static Limits, now: Instant) {
        if !bytes.is_empty() {
            let begins = || Box::new(Arriving::begins(limits, now));
            self.arriving.get_or_insert_with(begins).pending.extend_from_slice(bytes);
        }
    }

    /// The next whole thing; `None` until more bytes arrive.
    ///
    /// # Errors
    /// The client broke the protocol or a limit. A text is refused at its first byte that cannot be
    /// UTF-8, before the rest of it arrives (section 8.1).
    pub fn next(&mut self, now: Instant) -> Result<Option<Incoming>, Violation> {
        let Some(arriving) = &mut self.arriving else { return Ok(None) };
        let incoming = arriving.next()?;
        if incoming.is_none() || arriving.unread().is_empty() {
            arriving.release();
        }
        // A control frame between its pieces gives a message no more time.
        if incoming.is_some() && arriving.message.is_none() {
            arriving.began_at = now;
            self.arriving.take_if(|arriving| arriving.pending.is_empty());
        }
        Ok(incoming)
    }

    /// When what began to arrive has to be whole; `None` while nothing is under way.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.arriving.as_ref().map(|it| it.began_at + it.limits.message_time_max)
    }
}

impl Arriving {
    fn begins(limits: &'static Limits, now: Instant) -> Self {
        Self { limits, pending: Vec::new(), read: 0, message: None, began_at: now }
    }

    fn unread(&self) -> &[u8] {
        &self.pending[self.read..]
    }

    fn next(&mut self) -> Result<Option<Incoming>, Violation> {
        loop {
            if let Some(message) = &mut self.message {
                self.read += message.take(&self.pending[self.read..])?;
                if message.missing > 0 {
                    return Ok(None);
                }
            }
            if let Some(message) = self.message.take_if(|message| message.last) {
                return whole(message.text, message.bytes);
            }
            let Some(head) = Head::read(self.unread())? else { return Ok(None) };
            match head.opcode {
                Opcode::Ping => return Ok(self.take_whole(&head).map(Incoming::Ping)),
                Opcode::Pong => return Ok(self.take_whole(&head).map(Incoming::Pong)),
                Opcode::Close => {
                    let code = self.take_whole(&head).map(|payload| close_code(&payload));
                    return Ok(code.transpose()?.map(Incoming::Close));
                }
                Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                    self.check_piece(&head)?;
                    // Nearly every message arrives at once, and there is nothing to remember of it.
                    if head.last
                        && self.message.is_none()
                        && let Some(payload) = self.take_whole(&head)
                    {
                        return whole(head.opcode == Opcode::Text, payload);
                    }
                    self.begin_piece(&head);
                }
            }
        }
    }

    /// The payload of a frame, unmasked, once all of it is there. Inlined, as [`whole`] is: passing
    /// a whole message through two more functions takes a tenth of the time that reading it takes.
    #[inline(always)]
    fn take_whole(&mut self, head: &Head) -> Option<Vec<u8>> {
        let end = head.bytes + usize::try_from(head.payload_bytes).ok()?;
        // Mostly a frame comes alone, and what it came in is handed on.
        let comes_alone = self.read == 0 && self.pending.len() == end;
        let payload = self.pending[self.read..].get_mut(head.bytes..end)?;
        unmask(payload, head.mask);
        if comes_alone {
            let mut payload = std::mem::take(&mut self.pending);
            payload.drain(..head.bytes);
            return Some(payload);
        }
        let payload = payload.to_vec();
        self.read += end;
        Some(payload)
    }

    /// Whether a piece of a message may come here. Its length is checked before its payload is
    /// waited for.
    fn check_piece(&self, head: &Head) -> Result<(), Violation> {
        let continues = head.opcode == Opcode::Continuation;
        if continues != self.message.is_some() {
            return Err(Violation::Fragmentation);
        }
        let before = self.message.as_ref().map(|message| (message.bytes.len(), message.pieces));
        let (bytes, pieces) = before.unwrap_or_default();
        if bytes as u64 + head.payload_bytes > self.limits.message_bytes_max as u64 {
            return Err(Violation::TooBig);
        }
        if pieces >= self.limits.fragments_max {
            return Err(Violation::TooManyFragments);
        }
        Ok(())
    }

    fn begin_piece(&mut self, head: &Head) {
        let is_text = head.opcode == Opcode::Text;
        let message = self.message.get_or_insert_with(|| Message::begins(is_text));
        message.pieces += 1;
        message.last = head.last;
        message.mask = head.mask;
        message.missing = head.payload_bytes;
        self.read += head.bytes;
    }

    /// Gives back the memory of what was read.
    fn release(&mut self) {
        if self.unread().is_empty() {
            self.pending = Vec::new();
        } else {
            self.pending.drain(..self.read);
        }
        self.read = 0;
    }
}

impl Message {
    fn begins(text: bool) -> Self {
        let (bytes, mask) = (Vec::new(), [0; 4]);
        Self { text, bytes, checked: 0, pieces: 0, last: false, mask, missing: 0 }
    }

    /// Takes what arrived of the piece under way; says how many bytes that are.
    fn take(&mut self, arrived: &[u8]) -> Result<usize, Violation> {
        let missing = usize::try_from(self.missing).unwrap_or(usize::MAX);
        let taken = &arrived[..missing.min(arrived.len())];
        let from = self.bytes.len();
        self.bytes.extend_from_slice(taken);
        unmask(&mut self.bytes[from..], self.mask);
        self.mask.rotate_left(taken.len() % 4);
        self.missing -= taken.len() as u64;
        if self.text {
            self.check()?;
        }
        Ok(taken.len())
    }

    /// Whether what arrived can be the beginning of a text. It goes on where the last character
    /// began that was not whole.
    fn check(&mut self) -> Result<(), Violation> {
        match std::str::from_utf8(&self.bytes[self.checked..]) {
            Ok(_) => self.checked = self.bytes.len(),
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(Violation::Utf8),
        }
        Ok(())
    }
}

/// A message of which nothing is missing.
#[inline(always)]
fn whole(text: bool, bytes: Vec<u8>) -> Result<Option<Incoming>, Violation> {
    if !text {
        return Ok(Some(Incoming::Binary(bytes)));
    }
    let text = String::from_utf8(bytes).map_err(|_| Violation::Utf8)?;
    Ok(Some(Incoming::Text(text)))
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
