//! What was said in a room, as it first arrived at anybody. Whoever comes later is compared with
//! that, which costs much less than reading it anew, and notices every byte that differs.

use std::time::Instant;

use anyhow::bail;

use super::{
    dialect::{Dialect, Piece, Voice},
    latency::Latency,
    stamp::{self, Stamp},
};

/// What everybody has read is forgotten when it has grown to so much.
const FORGET_AT_BYTES: usize = 4 * 1024 * 1024;
/// Whoever lags so far behind makes the measurement fail.
const HELD_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// How far the length of a delivery may be off: where people say things at the same time, none
/// knows with how many digits the place will be written.
const BYTES_OFF_MAX: usize = 2;

/// A room.
#[derive(Debug)]
pub(super) struct Room {
    dialect: Dialect,
    /// Payload of a delivery, in bytes.
    bytes: usize,
    /// All who are in it get its messages in one order.
    has_one_order: bool,
    /// How everybody in it speaks, by their number within the room.
    voices: Vec<Voice>,
    /// How many messages each of them said.
    said_by: Vec<u32>,
    /// How many messages were said, probes included.
    said: u64,
    /// Where each author's next message must be, in the order in which they arrived.
    next_of: Vec<u32>,
    heard: Heard,
}

/// The log, without its beginning.
#[derive(Debug, Default)]
struct Heard {
    bytes: Vec<u8>,
    /// Where the bytes begin, counted from the beginning of the room.
    begins: Place,
    /// Of each message: where it ends, and when it was said.
    messages: Vec<(u64, u64)>,
    /// Bytes that were there when it was last asked what everybody has read.
    asked_at: usize,
}

/// Up to where somebody has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Messages before it.
    pub(super) messages: u64,
    bytes: u64,
}

/// What one member has heard.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) place: Place,
    /// Where there is no one order: the number that comes next of each author.
    next_of: Vec<u32>,
    /// The last message that only showed that they are there.
    pub(super) probe: u32,
}

/// What came of reading.
#[derive(Debug)]
pub(super) struct Tally {
    /// The beginning of time.
    pub(super) began: Instant,
    /// Deliveries, each of them checked.
    pub(super) deliveries: u64,
    pub(super) latency: Latency,
    /// When the bytes at hand were read, in nanoseconds since the beginning.
    pub(super) now: u64,
    pub(super) chance: fastrand::Rng,
}

impl Room {
    /// Nothing was said yet.
    pub(super) fn new(dialect: Dialect, bytes: usize, has_one_order: bool) -> Self {
        Self {
            dialect,
            bytes,
            has_one_order,
            voices: Vec::new(),
            said_by: Vec::new(),
            said: 0,
            next_of: Vec::new(),
            heard: Heard::default(),
        }
    }

    /// Somebody comes; their number within the room.
    pub(super) fn enters(&mut self, voice: Voice) -> usize {
        self.voices.push(voice);
        self.said_by.push(0);
        self.next_of.push(0);
        self.voices.len() - 1
    }

    /// Somebody says something: appends the frame.
    pub(super) fn says(&mut self, author: usize, at: u64, out: &mut Vec<u8>) {
        let number = self.said_by[author];
        self.said_by[author] += 1;
        self.said += 1;
        let author_number = u16::try_from(author).expect("a room has few authors");
        self.voices[author].says(Stamp { author: author_number, number, at }, self.said, out);
    }

    /// The first member says something that shows who is there.
    pub(super) fn probes(&mut self, number: u32, out: &mut Vec<u8>) {
        self.said += 1;
        self.voices[0].says(Stamp { author: stamp::PROBE, number, at: 0 }, self.said, out);
    }

    /// What everybody should have heard, without probes.
    pub(super) fn messages(&self) -> u64 {
        self.said_by.iter().copied().map(u64::from).sum()
    }

    /// Takes what stands at the front of `rest` and was heard before by somebody else; the bytes.
    pub(super) fn takes_known(&self, reader: &mut Reader, rest: &[u8], tally: &mut Tally) -> usize {
        if !self.has_one_order {
            return 0;
        }
        let place = reader.place;
        let ahead = &self.heard.bytes[(place.bytes - self.heard.begins.bytes) as usize..];
        let common = ahead.len().min(rest.len());
        let messages =
            &self.heard.messages[(place.messages - self.heard.begins.messages) as usize..];
        let count = if ahead[..common] == rest[..common] {
            let end = place.bytes + common as u64;
            messages.partition_point(|(ends, _)| *ends <= end)
        } else {
            let same = ahead.iter().zip(rest).take_while(|(a, b)| a == b).count();
            let end = place.bytes + same as u64;
            messages.partition_point(|(ends, _)| *ends <= end)
        };
        let Some(last) = count.checked_sub(1) else { return 0 };
        let (ends, _) = messages[last];
        // One of them stands for all: any with the same likelihood.
        let (_, said_at) = messages[tally.chance.usize(..count)];
        tally.latency.record(tally.now.saturating_sub(said_at), count as u64);
        tally.deliveries += count as u64;
        reader.place = Place { messages: place.messages + count as u64, bytes: ends };
        (ends - place.bytes) as usize
    }

    /// Takes a message that was not recognised.
    ///
    /// # Errors
    /// It must not be there: another message must come first, or it came before.
    pub(super) fn takes_new(
        &mut self,
        reader: &mut Reader,
        piece: &[u8],
        carries: &[u8],
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let stamp = Stamp::of(carries)?;
        if stamp.author == stamp::PROBE {
            reader.probe = reader.probe.max(stamp.number);
            return Ok(());
        }
        let author = usize::from(stamp.author);
        let carried = self.dialect.carried_bytes(piece.len(), carries);
        if carried.abs_diff(self.bytes) > BYTES_OFF_MAX {
            bail!("a delivery carries {carried} bytes, not {}", self.bytes);
        }
        if self.has_one_order {
            if reader.place.messages < self.heard.end().messages {
                bail!(self.misplaced(reader.place, stamp));
            }
            next(&mut self.next_of, stamp)?;
            reader.place = self.heard.push(piece, stamp.at)?;
        } else {
            reader.next_of.resize(self.voices.len(), 0);
            next(&mut reader.next_of, stamp)?;
            reader.place.messages += 1;
        }
        if self.said_by.get(author).is_none_or(|said| *said <= stamp.number) {
            bail!("{stamp:?} was never said");
        }
        tally.latency.record(tally.now.saturating_sub(stamp.at), 1);
        tally.deliveries += 1;
        Ok(())
    }

    /// Forgets what everybody has read.
    pub(super) fn forgets<'a>(&mut self, readers: impl Iterator<Item = &'a Reader>) {
        if let Some(last) = readers.map(|reader| reader.place).min_by_key(|place| place.bytes) {
            self.heard.forgets(last);
        }
    }

    /// Whether it would be worth asking everybody how far they are.
    pub(super) fn has_much(&self) -> bool {
        self.heard.bytes.len() >= self.heard.asked_at + FORGET_AT_BYTES
    }

    /// Why this message must not stand here.
    fn misplaced(&self, place: Place, came: Stamp) -> String {
        let nth = (place.messages - self.heard.begins.messages) as usize;
        let begins =
            nth.checked_sub(1).map_or(self.heard.begins.bytes, |at| self.heard.messages[at].0);
        let range =
            begins - self.heard.begins.bytes..self.heard.messages[nth].0 - self.heard.begins.bytes;
        let expected = &self.heard.bytes[range.start as usize..range.end as usize];
        let expected = match self.dialect.first(expected) {
            Ok(Piece::Said { carries, .. }) => Stamp::of(carries).ok(),
            _ => None,
        };
        match expected {
            Some(expected) if expected.author == came.author && expected.number > came.number => {
                format!("doubled or reordered: {came:?} came where another member got {expected:?}")
            }
            Some(expected) if expected == came => {
                format!("{came:?} came with other bytes than another member got")
            }
            expected => {
                format!("lost or reordered: {came:?} came where another member got {expected:?}")
            }
        }
    }
}

/// Each author's messages come in the order of their numbers, without a gap.
fn next(next_of: &mut [u32], came: Stamp) -> anyhow::Result<()> {
    let Stamp { author, number, .. } = came;
    let Some(next) = next_of.get_mut(usize::from(author)) else {
        bail!("{came:?} is of nobody in the room");
    };
    if number < *next {
        bail!("doubled or reordered: number {number} of author {author} came where {next} is next");
    }
    if number > *next {
        bail!("lost or reordered: number {number} of author {author} came where {next} is next");
    }
    *next += 1;
    Ok(())
}

impl Heard {
    fn end(&self) -> Place {
        let messages = self.begins.messages + self.messages.len() as u64;
        Place { messages, bytes: self.begins.bytes + self.bytes.len() as u64 }
    }

    fn push(&mut self, piece: &[u8], said_at: u64) -> anyhow::Result<Place> {
        if self.bytes.len() > HELD_BYTES_MAX {
            bail!("somebody lags behind by more than {HELD_BYTES_MAX} bytes");
        }
        self.bytes.extend_from_slice(piece);
        self.messages.push((self.begins.bytes + self.bytes.len() as u64, said_at));
        Ok(self.end())
    }

    fn forgets(&mut self, before: Place) {
        self.bytes.drain(..(before.bytes - self.begins.bytes) as usize);
        self.messages.drain(..(before.messages - self.begins.messages) as usize);
        self.begins = before;
        self.asked_at = self.bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: usize = 64;
    const FRAME_BYTES: usize = BYTES + 2;

    /// A room of one author and what it says to everybody, so many messages.
    fn room_that_said(messages: u64) -> (Room, Vec<u8>) {
        let mut room = Room::new(Dialect::Plain, BYTES, true);
        room.enters(Voice::new(Dialect::Plain, "room", None, BYTES).unwrap());
        let mut wire = Vec::new();
        for at in 0..messages {
            let mut frame = Vec::new();
            room.says(0, at, &mut frame);
            wire.extend_from_slice(&[0x81, BYTES as u8]);
            wire.extend_from_slice(&frame[6..]);
        }
        (room, wire)
    }

    fn tally() -> Tally {
        let (began, chance) = (crate::clock::now(), fastrand::Rng::with_seed(1));
        Tally { began, deliveries: 0, latency: Latency::new(), now: 0, chance }
    }

    /// Reads whole frames; how many bytes.
    fn reads(
        room: &mut Room,
        reader: &mut Reader,
        bytes: &[u8],
        tally: &mut Tally,
    ) -> anyhow::Result<usize> {
        let mut used = 0;
        loop {
            used += room.takes_known(reader, &bytes[used..], tally);
            let rest = &bytes[used..];
            let Piece::Said { bytes, carries } = Dialect::Plain.first(rest)? else {
                return Ok(used);
            };
            room.takes_new(reader, &rest[..bytes], carries, tally)?;
            used += bytes;
        }
    }

    #[test]
    fn whoever_reads_in_pieces_of_any_length_hears_every_message_once() {
        let (mut room, wire) = room_that_said(50);
        let mut tally = tally();
        let mut readers: Vec<_> = (0..4).map(|_| (Reader::default(), 0)).collect();
        while readers.iter().any(|(_, at)| *at < wire.len()) {
            let piece = tally.chance.usize(1..4 * FRAME_BYTES);
            let nth = tally.chance.usize(..readers.len());
            let (reader, at) = &mut readers[nth];
            let end = wire.len().min(*at + piece);
            *at += reads(&mut room, reader, &wire[*at..end], &mut tally).unwrap();
            room.forgets(readers.iter().map(|(reader, _)| reader));
        }
        assert_eq!(tally.deliveries, 4 * 50);
        assert!(readers.iter().all(|(reader, _)| reader.place.messages == 50));
        assert!(room.heard.bytes.is_empty() && room.heard.messages.is_empty());
    }

    #[test]
    fn what_must_not_come_is_named() {
        let frame =
            |nth: usize, wire: &[u8]| wire[nth * FRAME_BYTES..(nth + 1) * FRAME_BYTES].to_vec();
        for (order, expected) in [
            ([0, 2, 1], "lost or reordered"),
            ([0, 0, 1], "doubled or reordered"),
            ([0, 1, 1], "doubled or reordered"),
        ] {
            // The first who hears it, and somebody whom another has gone ahead of.
            for is_behind in [false, true] {
                let (mut room, wire) = room_that_said(3);
                let mut tally = tally();
                if is_behind {
                    reads(&mut room, &mut Reader::default(), &wire, &mut tally).unwrap();
                }
                let came = order.map(|nth| frame(nth, &wire)).concat();
                let found = reads(&mut room, &mut Reader::default(), &came, &mut tally);
                let found = found.unwrap_err().to_string();
                assert!(found.contains(expected), "{order:?}: {found}");
            }
        }
    }
}
