//! How the servers that are measured are spoken to, once a connection stands in its room.

use anyhow::{Context as _, bail};
use common::{Entry, EntryKind, MessageId, RoomName, ServerMessage, Timestamp};

use super::{
    frame::{self, Frame},
    stamp::{self, Stamp},
};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Ours: docs/protocol.md.
    Madang,
    /// Every text goes as it is to everybody who connected to the same path, the sender included.
    Plain,
    /// Socket.IO 4 over its WebSocket transport: `join`, `say` and `said`.
    Socketio,
    /// The text protocol of NATS in binary frames; a room is a subject.
    Nats,
}

/// What stands at the beginning of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Not all of it has come.
    Partial,
    /// A message of the room. What it carries ends with a stamp.
    Said { bytes: usize, carries: &'a [u8] },
    /// The server took a message.
    Acknowledged { bytes: usize },
    /// A question that is answered with this frame.
    Asked { bytes: usize, opcode: u8, answer: &'a [u8] },
    /// Anything else.
    Passing { bytes: usize },
}

/// Who says something, and how long it gets.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    dialect: Dialect,
    /// What stands before the text.
    before: Vec<u8>,
    /// Bytes of the text; with the place of the message 1 where its place is told.
    text_bytes: usize,
    room: String,
}

/// Length of a name that a message gets: as long as a UUID.
const MESSAGE_ID_BYTES: usize = 36;
/// With so many digits more than one a place in a room may be written.
const PLACE_DIGITS: usize = 9;

impl Dialect {
    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Madang => "madang",
            Self::Plain => "plain",
            Self::Socketio => "socketio",
            Self::Nats => "nats",
        }
    }

    /// Whether all who are in a room get its messages in one order, whoever said them.
    pub(super) fn has_one_order(self) -> bool {
        match self {
            Self::Madang => true,
            Self::Plain | Self::Socketio | Self::Nats => false,
        }
    }

    /// Whether frames are an envelope only, within which messages begin and end as they like.
    pub(super) fn is_a_stream(self) -> bool {
        match self {
            Self::Nats => true,
            Self::Madang | Self::Plain | Self::Socketio => false,
        }
    }

    /// What stands first in the stream: of bytes on the wire, or for NATS of what frames hold.
    pub(super) fn first(self, bytes: &[u8]) -> anyhow::Result<Piece<'_>> {
        if self.is_a_stream() {
            return nats(bytes);
        }
        let Some(frame) = frame::first(bytes)? else { return Ok(Piece::Partial) };
        let Frame { opcode, payload, bytes } = frame;
        if opcode != frame::TEXT {
            return control(frame);
        }
        Ok(match self {
            Self::Madang if payload.starts_with(br#"{"type":"entry","#) => {
                let carries = payload.strip_suffix(br#""}"#).context("an entry with no text")?;
                Piece::Said { bytes, carries }
            }
            Self::Madang if payload.starts_with(br#"{"type":"ack","#) => {
                Piece::Acknowledged { bytes }
            }
            Self::Madang if payload.starts_with(br#"{"type":"ping""#) => {
                Piece::Asked { bytes, opcode: frame::TEXT, answer: br#"{"type":"pong"}"# }
            }
            Self::Madang if payload.starts_with(br#"{"type":"error""#) => {
                bail!("the server refused: {}", String::from_utf8_lossy(payload))
            }
            Self::Madang if payload.starts_with(br#"{"type":"resync""#) => {
                let told = String::from_utf8_lossy(payload);
                bail!("somebody cannot go on from where they were: {told}")
            }
            Self::Socketio if payload == b"2" => {
                Piece::Asked { bytes, opcode: frame::TEXT, answer: b"3" }
            }
            Self::Socketio if payload.starts_with(br#"42["said","#) => {
                let carries = payload.strip_suffix(br#""]"#).context("an event with no text")?;
                Piece::Said { bytes, carries }
            }
            Self::Plain => Piece::Said { bytes, carries: payload },
            Self::Madang | Self::Socketio | Self::Nats => Piece::Passing { bytes },
        })
    }

    /// What a delivery carries beside its text.
    pub(super) fn carried_bytes(self, piece_bytes: usize, carries: &[u8]) -> usize {
        match self {
            Self::Madang | Self::Socketio => carries.len() + 2,
            Self::Plain => carries.len(),
            // The whole of it stands in a frame.
            Self::Nats => piece_bytes,
        }
    }
}

/// A frame that belongs to the protocol of the connection.
pub(super) fn control(frame: Frame<'_>) -> anyhow::Result<Piece<'_>> {
    let Frame { opcode, payload, bytes } = frame;
    match opcode {
        frame::PING => Ok(Piece::Asked { bytes, opcode: frame::PONG, answer: payload }),
        frame::PONG => Ok(Piece::Passing { bytes }),
        frame::CLOSE => {
            let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default());
            bail!("the server closed a connection: {code:?} {reason}")
        }
        _ => bail!("a frame with the opcode {opcode:#x}"),
    }
}

fn nats(stream: &[u8]) -> anyhow::Result<Piece<'_>> {
    let Some(line) = stream.iter().position(|byte| *byte == b'\n') else {
        return Ok(Piece::Partial);
    };
    let (line, bytes) = (&stream[..=line], line + 1);
    if line.starts_with(b"MSG ") {
        let length = line.trim_ascii_end().rsplit(|byte| *byte == b' ').next();
        let length = length.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let length: usize = length.context("a MSG with no length")?;
        let Some(carries) = stream[bytes..].get(..length) else { return Ok(Piece::Partial) };
        let bytes = bytes + length + 2;
        return Ok(if stream.len() < bytes {
            Piece::Partial
        } else {
            Piece::Said { bytes, carries }
        });
    }
    if line.starts_with(b"PING") {
        return Ok(Piece::Asked { bytes, opcode: frame::BINARY, answer: b"PONG\r\n" });
    }
    if line.starts_with(b"-ERR") {
        bail!("the server refused: {}", String::from_utf8_lossy(line));
    }
    Ok(Piece::Passing { bytes })
}

impl Voice {
    /// Somebody in a room whose messages reach the others as so many bytes.
    ///
    /// # Errors
    /// They are too few for what a message carries in any case.
    pub(super) fn new(
        dialect: Dialect,
        room: &str,
        author: Option<&common::Member>,
        bytes: usize,
    ) -> anyhow::Result<Self> {
        let mut least = stamp::BYTES;
        let (before, overhead) = match dialect {
            Dialect::Madang => {
                let author = author.context("nobody is signed in")?;
                let entry = entry_without_text(&RoomName::new(room)?, author)?;
                least += PLACE_DIGITS;
                (Vec::new(), common::encode(&ServerMessage::Entry(entry)).len())
            }
            Dialect::Plain => (Vec::new(), 0),
            Dialect::Socketio => (br#"42["say",""#.to_vec(), r#"42["said",""]"#.len()),
            Dialect::Nats => {
                let fits =
                    |text: usize| format!("MSG {room} 1 {text}\r\n").len() + text + 2 <= bytes;
                let text = (0..bytes).rev().find(|text| fits(*text)).unwrap_or_default();
                (Vec::new(), bytes - text)
            }
        };
        let text_bytes = bytes.saturating_sub(overhead);
        if text_bytes < least {
            let least = overhead + least;
            bail!("{bytes} bytes are too few: a message of this server has at least {least}");
        }
        Ok(Self { dialect, before, text_bytes, room: room.to_owned() })
    }

    /// Somebody who never says anything.
    pub(super) fn silent(dialect: Dialect) -> Self {
        Self { dialect, before: Vec::new(), text_bytes: stamp::BYTES, room: String::new() }
    }

    /// Appends a frame that says something. `place` is where it will stand in the room, from 1.
    pub(super) fn says(&self, stamp: Stamp, place: u64, out: &mut Vec<u8>) {
        let Self { dialect, before, text_bytes, room } = self;
        let mut payload = Vec::with_capacity(text_bytes + 2 * MESSAGE_ID_BYTES + room.len() + 64);
        payload.extend_from_slice(before);
        match dialect {
            Dialect::Madang => {
                let Stamp { author, number, .. } = stamp;
                let head = format!(
                    r#"{{"type":"say","id":{number},"room":"{room}","message_id":"{author:08}{number:028}","body":""#
                );
                payload.extend_from_slice(head.as_bytes());
                // The room writes the place with more digits as it grows.
                let digits = place.max(1).ilog10() as usize;
                stamp.fills(text_bytes.saturating_sub(digits), &mut payload);
                payload.extend_from_slice(br#""}"#);
            }
            Dialect::Plain => stamp.fills(*text_bytes, &mut payload),
            Dialect::Socketio => {
                stamp.fills(*text_bytes, &mut payload);
                payload.extend_from_slice(br#""]"#);
            }
            Dialect::Nats => {
                payload.extend_from_slice(format!("PUB {room} {text_bytes}\r\n").as_bytes());
                stamp.fills(*text_bytes, &mut payload);
                payload.extend_from_slice(b"\r\n");
            }
        }
        let opcode = if dialect.is_a_stream() { frame::BINARY } else { frame::TEXT };
        frame::write(opcode, &payload, out);
    }
}

fn entry_without_text(room: &RoomName, author: &common::Member) -> anyhow::Result<Entry> {
    Ok(Entry {
        room: room.clone(),
        seq: 1,
        at: Timestamp::new("1970-01-01T00:00:00.000Z")?,
        author: author.clone(),
        message_id: MessageId::new("0".repeat(MESSAGE_ID_BYTES))?,
        kind: EntryKind::Post,
        of: None,
        member: None,
        body: String::new(),
        erased: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_nats_is_read_when_all_of_it_is_there() {
        let stream = b"+OK\r\nMSG room 1 5\r\nhello\r\nPING\r\n";
        let nats = Dialect::Nats;
        assert_eq!(nats.first(stream).unwrap(), Piece::Passing { bytes: 5 });
        let whole = Piece::Said { bytes: 21, carries: b"hello" };
        assert_eq!(nats.first(&stream[5..]).unwrap(), whole);
        for part in 0..21 {
            assert_eq!(nats.first(&stream[5..5 + part]).unwrap(), Piece::Partial, "{part}");
        }
        assert!(matches!(nats.first(&stream[26..]).unwrap(), Piece::Asked { bytes: 6, .. }));
        assert!(nats.first(b"-ERR 'no'\r\n").is_err());
    }

    #[test]
    fn a_message_of_ours_is_known_by_its_beginning() {
        let check = |text: &str, expected: Option<Piece<'_>>| {
            let mut wire = vec![0x81, text.len() as u8];
            wire.extend_from_slice(text.as_bytes());
            assert_eq!(Dialect::Madang.first(&wire).ok(), expected, "{text}");
        };
        let entry = r#"{"type":"entry","body":"x"}"#;
        let carries = entry.strip_suffix(r#""}"#).unwrap().as_bytes();
        check(entry, Some(Piece::Said { bytes: 29, carries }));
        check(r#"{"type":"ack","id":1}"#, Some(Piece::Acknowledged { bytes: 23 }));
        check(r#"{"type":"head"}"#, Some(Piece::Passing { bytes: 17 }));
        check(r#"{"type":"error"}"#, None);
        check(r#"{"type":"resync"}"#, None);
        let (opcode, answer) = (frame::TEXT, r#"{"type":"pong"}"#.as_bytes());
        check(r#"{"type":"ping"}"#, Some(Piece::Asked { bytes: 17, opcode, answer }));
    }

    #[test]
    fn a_delivery_carries_as_much_as_was_asked_for_whatever_the_dialect() {
        let stamp = Stamp { author: 1, number: 2, at: 3 };
        for bytes in [64, 127, 128, 256] {
            for dialect in [Dialect::Plain, Dialect::Socketio, Dialect::Nats] {
                let voice = Voice::new(dialect, "room", None, bytes).unwrap();
                let mut wire = Vec::new();
                voice.says(stamp, 1, &mut wire);
                let said = wire.len() - if wire[1] & 0x7F == 126 { 8 } else { 6 };
                let text = voice.text_bytes;
                let (sent, delivered) = match dialect {
                    Dialect::Madang | Dialect::Plain => (text, text),
                    Dialect::Socketio => (text + 12, text + 13),
                    Dialect::Nats => {
                        let head = |verb: &str| format!("{verb}{text}\r\n").len();
                        (head("PUB room ") + text + 2, head("MSG room 1 ") + text + 2)
                    }
                };
                assert_eq!((said, delivered), (sent, bytes), "{dialect:?}");
            }
        }
        assert!(Voice::new(Dialect::Plain, "room", None, 27).is_err());
        assert!(Voice::new(Dialect::Socketio, "room", None, 40).is_err());
        assert!(Voice::new(Dialect::Nats, "room", None, 40).is_err());
    }
}
