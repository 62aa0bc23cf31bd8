//! Frames of RFC 6455 as a client writes and reads them, no more than a measurement needs.

use anyhow::bail;

/// A text frame's opcode.
pub(super) const TEXT: u8 = 0x1;
/// A binary frame's.
pub(super) const BINARY: u8 = 0x2;
/// The server ends the connection.
pub(super) const CLOSE: u8 = 0x8;
/// The server asks for a sign of life.
pub(super) const PING: u8 = 0x9;
/// The answer to that.
pub(super) const PONG: u8 = 0xA;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
/// The bits that only an extension may set; none is asked for.
const RESERVED: u8 = 0x70;

/// One frame with its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) opcode: u8,
    pub(super) payload: &'a [u8],
    /// What it takes on the wire.
    pub(super) bytes: usize,
}

/// The frame at the beginning, if all of it is there.
///
/// # Errors
/// It is masked, in pieces, or uses an extension: no server here has a reason to.
pub(super) fn first(bytes: &[u8]) -> anyhow::Result<Option<Frame<'_>>> {
    let [flags, length, rest @ ..] = bytes else { return Ok(None) };
    if flags & FINAL == 0 || flags & RESERVED != 0 || length & MASKED != 0 {
        bail!("a frame that begins with {flags:#04x} {length:#04x} is not understood");
    }
    let (header, length) = match (*length, rest) {
        (126, [a, b, ..]) => (4, usize::from(u16::from_be_bytes([*a, *b]))),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            let length = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            (10, usize::try_from(length)?)
        }
        (126 | 127, _) => return Ok(None),
        (length, _) => (2, usize::from(length)),
    };
    let Some(payload) = bytes[header..].get(..length) else { return Ok(None) };
    Ok(Some(Frame { opcode: flags & 0x0F, payload, bytes: header + length }))
}

/// Appends a frame. The key is zero: what it does to the payload, nothing, costs no time here and
/// as much as any other key at the server.
pub(super) fn write(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(FINAL | opcode);
    match u16::try_from(payload.len()) {
        Ok(length @ 0..=125) => out.push(MASKED | length as u8),
        Ok(length) => {
            out.push(MASKED | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server would send it: without the mask.
    fn unmasked(payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        write(TEXT, payload, &mut frame);
        let key = frame.len() - payload.len() - 4;
        frame.drain(key..key + 4);
        frame[1] &= !MASKED;
        frame
    }

    #[test]
    fn a_frame_of_any_length_is_read_back_and_a_part_of_it_waits() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let mut wire = unmasked(&payload);
            let bytes = wire.len();
            wire.push(0x81);
            let expected = Frame { opcode: TEXT, payload: &payload, bytes };
            assert_eq!(first(&wire).unwrap(), Some(expected));
            for part in [0, 1, bytes / 2, bytes - 1] {
                assert_eq!(first(&wire[..part]).unwrap(), None, "{part} of {bytes}");
            }
        }
    }

    #[test]
    fn what_no_server_sends_is_refused() {
        for odd in [[0x01, 0x00], [0xC1, 0x00], [0x81, 0x80]] {
            assert!(first(&odd).is_err(), "{odd:?}");
        }
    }
}
