//! What every message carries: who said it, as their how-manieth, and when. It stands at the end of
//! the text and has one length, so that a reader finds it without reading the rest.

use anyhow::Context as _;

/// Length of a stamp in a text: 4 hexadecimal digits for the author, 8 for the number, 16 for the
/// time.
pub(super) const BYTES: usize = 28;
/// The author of messages that only show who is in the room yet.
pub(super) const PROBE: u16 = u16::MAX;

/// Who, which, when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The author's number within the room.
    pub(super) author: u16,
    /// How many that author had said before.
    pub(super) number: u32,
    /// Nanoseconds since the measurement began.
    pub(super) at: u64,
}

impl Stamp {
    /// Appends it, with as much before it as makes a text of so many bytes.
    pub(super) fn fills(self, text_bytes: usize, out: &mut Vec<u8>) {
        out.resize(out.len() + text_bytes.saturating_sub(BYTES), b'x');
        let Self { author, number, at } = self;
        let value = u128::from(author) << 96 | u128::from(number) << 64 | u128::from(at);
        let digit = |nth: usize| b"0123456789abcdef"[(value >> (4 * nth)) as usize & 0xF];
        out.extend((0..BYTES).rev().map(digit));
    }

    /// Reads the stamp at the end of a text.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn of(text: &[u8]) -> anyhow::Result<Self> {
        let shown = || format!("no stamp in {:?}", String::from_utf8_lossy(text));
        let digits = text.last_chunk::<BYTES>().with_context(shown)?;
        let mut value = 0_u128;
        for digit in digits {
            let digit = char::from(*digit).to_digit(16).with_context(shown)?;
            value = value << 4 | u128::from(digit);
        }
        // Each cast keeps the bits that the field has.
        Ok(Self { author: (value >> 96) as u16, number: (value >> 64) as u32, at: value as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_back_from_a_text_of_the_length_that_was_asked_for() {
        let stamp = Stamp { author: 0xBEEF, number: 0x1234_5678, at: 0x0FED_CBA9_8765_4321 };
        for length in [BYTES, 29, 64, 1_000] {
            let mut text = b"before".to_vec();
            stamp.fills(length, &mut text);
            assert_eq!(text.len(), 6 + length);
            assert_eq!(Stamp::of(&text).unwrap(), stamp);
        }
        assert!(Stamp::of(b"too short").is_err());
        assert!(Stamp::of(&[b'x'; 64]).is_err());
    }
}
