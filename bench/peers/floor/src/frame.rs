//! As much of RFC 6455's framing as it takes to turn a client's frame into a server's.
//!
//! Nothing is checked: what is measured is what cannot be left out.

/// The longest header of a server's frame.
const HEADER_BYTES_MAX: usize = 10;

/// What a frame is for, as far as a difference is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Close,
    Ping,
    Other,
}

/// One frame of a client, masked as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind,
    key: [u8; 4],
    masked: &'a [u8],
    /// Header and payload together, in bytes.
    pub(crate) length: usize,
}

impl<'a> Frame<'a> {
    /// The first frame, once all of it is there.
    pub(crate) fn first(bytes: &'a [u8]) -> Option<Self> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let (payload, rest) = match second & 0x7f {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
            }
            short => (usize::from(short), rest),
        };
        let (key, rest) = rest.split_first_chunk()?;
        let masked = rest.get(..payload)?;
        let kind = match first & 0x0f {
            0x1 => Kind::Text,
            0x8 => Kind::Close,
            0x9 => Kind::Ping,
            _ => Kind::Other,
        };
        Some(Self { kind, key: *key, masked, length: bytes.len() - rest.len() + payload })
    }

    /// Appends the server's frame of the same payload; `first` is its first byte.
    pub(crate) fn answer_into(&self, first: u8, out: &mut Vec<u8>) {
        let length = self.masked.len();
        out.reserve(HEADER_BYTES_MAX + length);
        out.push(first);
        match u8::try_from(length) {
            Ok(short) if short < 126 => out.push(short),
            _ => match u16::try_from(length) {
                Ok(length) => {
                    out.push(126);
                    out.extend_from_slice(&length.to_be_bytes());
                }
                Err(_) => {
                    out.push(127);
                    out.extend_from_slice(&(length as u64).to_be_bytes());
                }
            },
        }
        let begin = out.len();
        out.extend_from_slice(self.masked);
        unmask(self.key, &mut out[begin..]);
    }
}

fn unmask(key: [u8; 4], payload: &mut [u8]) {
    let [a, b, c, d] = key;
    let twice = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = payload.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let word = u64::from_ne_bytes((&*chunk).try_into().expect("a chunk has eight bytes"));
        chunk.copy_from_slice(&(word ^ twice).to_ne_bytes());
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let key = [1, 2, 3, 4];
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..126 => frame.push(0x80 | length as u8),
            length @ 126..0x1_0000 => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(key);
        frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        frame
    }

    #[test]
    fn a_masked_text_becomes_a_plain_one_of_any_length() {
        for length in [0, 1, 7, 8, 125, 126, 300, 0xffff, 0x1_0000] {
            let payload: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let bytes = masked(0x81, &payload);
            let frame = Frame::first(&bytes).unwrap();
            assert_eq!((frame.kind, frame.length), (Kind::Text, bytes.len()));
            let mut answer = Vec::new();
            frame.answer_into(0x81, &mut answer);
            assert!(answer.ends_with(&payload), "{length}");
            // The server's header is the client's without its key.
            assert_eq!(answer.len(), bytes.len() - 4);
            assert_eq!(answer[0], 0x81);
            assert_eq!(answer[1] | 0x80, bytes[1]);
        }
    }

    #[test]
    fn a_frame_is_taken_only_when_all_of_it_is_there() {
        let bytes = masked(0x89, &[7; 200]);
        for length in 0..bytes.len() {
            assert_eq!(Frame::first(&bytes[..length]), None);
        }
        assert_eq!(Frame::first(&bytes).unwrap().kind, Kind::Ping);
    }
}
