//! One frame's head (RFC 6455 section 5.2).

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// More of a message.
    Continuation,
    /// A message of UTF-8.
    Text,
    /// A message of bytes.
    Binary,
    /// The end of the connection.
    Close,
    /// A sign of life is asked for.
    Ping,
    /// A sign of life.
    Pong,
}

/// Payload of a control frame, in bytes (section 5.5).
pub const CONTROL_BYTES_MAX: usize = 125;

/// A frame's head as a client writes it: always masked (section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) last: bool,
    pub(crate) opcode: Opcode,
    pub(crate) mask: [u8; 4],
    pub(crate) payload_bytes: u64,
    /// Bytes of the head itself.
    pub(crate) bytes: usize,
}

/// What is wrong with a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadFault {
    /// A reserved bit is set, and no extension was agreed on.
    #[error("a reserved bit is set")]
    ReservedBit,
    /// An opcode that the protocol does not know.
    #[error("the opcode is unknown")]
    UnknownOpcode,
    /// A client masks every frame.
    #[error("the frame is not masked")]
    Unmasked,
    /// A control frame comes in one piece of at most 125 bytes.
    #[error("a control frame is fragmented or too long")]
    ControlFrame,
    /// A length is written in as few bytes as it needs, and in at most 63 bits.
    #[error("the length is not written in the shortest form")]
    Length,
}

impl Opcode {
    /// The four bits.
    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Text),
            0x2 => Some(Self::Binary),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xA => Some(Self::Pong),
            _ => None,
        }
    }

    /// Whether a frame of this kind may come between the pieces of a message.
    #[must_use]
    pub fn is_control(self) -> bool {
        match self {
            Self::Close | Self::Ping | Self::Pong => true,
            Self::Continuation | Self::Text | Self::Binary => false,
        }
    }
}

impl Head {
    /// Reads a head from the first bytes of a frame; `None` when too few are there to tell.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, HeadFault> {
        let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(HeadFault::ReservedBit);
        }
        let opcode = Opcode::from_bits(first & 0x0f).ok_or(HeadFault::UnknownOpcode)?;
        let last = first & 0x80 != 0;
        let short = second & 0x7f;
        if opcode.is_control() && (!last || usize::from(short) > CONTROL_BYTES_MAX) {
            return Err(HeadFault::ControlFrame);
        }
        if second & 0x80 == 0 {
            return Err(HeadFault::Unmasked);
        }
        let Some((payload_bytes, length_bytes)) = read_length(short, rest)? else {
            return Ok(None);
        };
        let Some(mask) = rest.get(length_bytes..).and_then(|rest| rest.first_chunk::<4>()) else {
            return Ok(None);
        };
        let bytes = 2 + length_bytes + 4;
        Ok(Some(Self { last, opcode, mask: *mask, payload_bytes, bytes }))
    }
}

/// The payload's length and how many bytes after the second one tell it.
fn read_length(short: u8, rest: &[u8]) -> Result<Option<(u64, usize)>, HeadFault> {
    match short {
        126 => {
            let Some(bytes) = rest.first_chunk::<2>() else { return Ok(None) };
            let length = u64::from(u16::from_be_bytes(*bytes));
            if length < 126 { Err(HeadFault::Length) } else { Ok(Some((length, 2))) }
        }
        127 => {
            let Some(bytes) = rest.first_chunk::<8>() else { return Ok(None) };
            let length = u64::from_be_bytes(*bytes);
            let shortest = length > u64::from(u16::MAX) && length >> 63 == 0;
            if shortest { Ok(Some((length, 8))) } else { Err(HeadFault::Length) }
        }
        length => Ok(Some((u64::from(length), 0))),
    }
}
