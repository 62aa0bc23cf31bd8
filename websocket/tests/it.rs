//! The protocol as RFC 6455 writes it, at its limits and one over.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use websocket::{
    Decoder, Incoming, Limits, Opcode, Violation, frame::HeadFault, write_close, write_frame,
};

const LIMITS: Limits = Limits {
    message_bytes_max: 1_000,
    fragments_max: 4,
    message_time_max: Duration::from_secs(10),
};

const LAST: u8 = 0x80;

#[expect(clippy::disallowed_methods, reason = "a test's only clock reading; the rest is virtual")]
fn start() -> Instant {
    Instant::now()
}

/// A frame as a client writes it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<Incoming>, Violation> {
    let (mut decoder, now) = (Decoder::new(), start());
    decoder.feed(bytes, &LIMITS, now);
    let mut incoming = Vec::new();
    while let Some(next) = decoder.next(now)? {
        incoming.push(next);
    }
    Ok(incoming)
}

fn check(bytes: &[u8], expected: Result<Incoming, Violation>) {
    assert_eq!(read(bytes), expected.map(|incoming| vec![incoming]));
}

fn text(text: &str) -> Incoming {
    Incoming::Text(text.to_owned())
}

#[test]
fn the_rfcs_own_example_reads_as_hello() {
    // Section 5.7.
    let bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    check(&bytes, Ok(text("Hello")));
    let mut written = Vec::new();
    write_frame(&mut written, Opcode::Text, b"Hello");
    assert_eq!(written, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
}

#[test]
fn a_message_may_come_in_pieces_with_control_frames_between() {
    let bytes = [
        frame(0x01, "안".as_bytes()),
        frame(LAST | 0x9, b"?"),
        frame(0x00, b""),
        frame(LAST, "녕".as_bytes()),
    ];
    assert_eq!(read(&bytes.concat()), Ok(vec![Incoming::Ping(b"?".to_vec()), text("안녕")]));
}

#[test]
fn messages_are_limited_in_bytes_and_pieces() {
    let longest = "a".repeat(1_000);
    check(&frame(LAST | 0x1, longest.as_bytes()), Ok(text(&longest)));
    check(&frame(LAST | 0x1, &[b'a'; 1_001]), Err(Violation::TooBig));
    let pieces = [frame(0x2, &[0; 600]), frame(LAST, &[0; 401])].concat();
    check(&pieces, Err(Violation::TooBig));
    let pieces = |between: usize| {
        [frame(0x2, b""), frame(0x0, b"").repeat(between), frame(LAST, b"")].concat()
    };
    check(&pieces(2), Ok(Incoming::Binary(Vec::new())));
    check(&pieces(3), Err(Violation::TooManyFragments));
}

#[test]
fn a_length_over_the_limit_is_refused_before_its_bytes_arrive() {
    let head = [LAST | 0x2, 0x80 | 127, 0, 0, 0, 0, 0xff, 0, 0, 0, 1, 2, 3, 4];
    check(&head, Err(Violation::TooBig));
}

#[test]
fn broken_frames_are_named() {
    let table = [
        (frame(LAST | 0x41, b""), Violation::Head(HeadFault::ReservedBit)),
        (frame(LAST | 0x3, b""), Violation::Head(HeadFault::UnknownOpcode)),
        (frame(LAST | 0xB, b""), Violation::Head(HeadFault::UnknownOpcode)),
        (vec![LAST | 0x1, 0x00], Violation::Head(HeadFault::Unmasked)),
        (frame(0x9, b""), Violation::Head(HeadFault::ControlFrame)),
        (frame(LAST | 0x9, &[0; 126]), Violation::Head(HeadFault::ControlFrame)),
        (vec![0x81, 0xfe, 0, 125, 0, 0, 0, 0], Violation::Head(HeadFault::Length)),
        (frame(LAST, b""), Violation::Fragmentation),
        ([frame(0x1, b""), frame(LAST | 0x1, b"")].concat(), Violation::Fragmentation),
        (frame(LAST | 0x1, &[0xc3, 0x28]), Violation::Utf8),
        (frame(LAST | 0x8, &[3]), Violation::CloseFrame),
        (frame(LAST | 0x8, &1005u16.to_be_bytes()), Violation::CloseFrame),
        (frame(LAST | 0x8, &2999u16.to_be_bytes()), Violation::CloseFrame),
        (frame(LAST | 0x8, &[0x03, 0xe8, 0xff]), Violation::Utf8),
    ];
    for (bytes, violation) in table {
        check(&bytes, Err(violation));
    }
}

/// Feeds one thing after the other; says with which of them the decoder refused what it heard.
fn refused_with<'a>(reads: impl IntoIterator<Item = &'a [u8]>) -> Option<(usize, Violation)> {
    let (mut decoder, now) = (Decoder::new(), start());
    for (nth, bytes) in reads.into_iter().enumerate() {
        decoder.feed(bytes, &LIMITS, now);
        loop {
            match decoder.next(now) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(violation) => return Some((nth, violation)),
            }
        }
    }
    None
}

#[test]
fn a_text_is_refused_at_the_first_byte_that_cannot_be_utf8() {
    // The suite's cases 6.4: the greatest code point, and one that is none.
    let bad = [0xce, 0xba, 0xf4, 0x90, 0x80, 0x80, b'e'];
    let mut whole = frame(LAST | 0x1, &bad);
    let head = whole.len() - bad.len();
    assert_eq!(refused_with(whole.chunks(1)), Some((head + 3, Violation::Utf8)));
    whole.truncate(head + 4);
    check(&whole, Err(Violation::Utf8));

    let pieces = [frame(0x1, &bad[..3]), frame(LAST | 0x9, b"?"), frame(0x0, &bad[3..4])];
    let reads = pieces.iter().map(Vec::as_slice);
    assert_eq!(refused_with(reads), Some((2, Violation::Utf8)));
    let ends_too_early = frame(LAST | 0x1, &bad[..3]);
    check(&ends_too_early, Err(Violation::Utf8));
    check(&frame(LAST | 0x2, &bad), Ok(Incoming::Binary(bad.to_vec())));
}

#[test]
fn what_is_wrong_with_a_piece_is_said_before_its_bytes_arrive() {
    let head = |first: u8, bytes: u8| vec![first, 0x80 | bytes, 1, 2, 3, 4];
    check(&head(LAST, 9), Err(Violation::Fragmentation));
    let within = [frame(0x1, b"a"), head(0x1, 9)].concat();
    check(&within, Err(Violation::Fragmentation));
    let too_many = [frame(0x1, b""), frame(0x0, b"").repeat(3), head(0x0, 9)].concat();
    check(&too_many, Err(Violation::TooManyFragments));
}

#[test]
fn a_close_may_carry_a_code_or_none() {
    check(&frame(LAST | 0x8, b""), Ok(Incoming::Close(None)));
    check(&frame(LAST | 0x8, &[0x03, 0xe9, b'b', b'y', b'e']), Ok(Incoming::Close(Some(1001))));
    let mut written = Vec::new();
    write_close(&mut written, 1001, &"가".repeat(100));
    assert!(written.len() <= 127);
    assert!(std::str::from_utf8(&written[4..]).is_ok());
}

#[test]
fn what_is_not_whole_in_time_has_a_deadline() {
    let (mut decoder, now) = (Decoder::new(), start());
    assert_eq!(decoder.deadline(), None);
    let whole = frame(LAST | 0x1, b"Hello");
    decoder.feed(&whole[..4], &LIMITS, now);
    assert_eq!(decoder.next(now), Ok(None));
    decoder.feed(&whole[4..6], &LIMITS, now + Duration::from_secs(3));
    assert_eq!(decoder.next(now + Duration::from_secs(3)), Ok(None));
    assert_eq!(decoder.deadline(), Some(now + Duration::from_secs(10)));
    decoder.feed(&whole[6..], &LIMITS, now + Duration::from_secs(4));
    assert_eq!(decoder.next(now + Duration::from_secs(4)), Ok(Some(text("Hello"))));
    assert_eq!(decoder.deadline(), None);
}

#[test]
fn control_frames_between_its_pieces_give_a_message_no_more_time() {
    let (mut decoder, now) = (Decoder::new(), start());
    decoder.feed(&frame(0x1, b"a"), &LIMITS, now);
    assert_eq!(decoder.next(now), Ok(None));
    let later = now + Duration::from_secs(6);
    decoder.feed(&frame(LAST | 0xA, b""), &LIMITS, later);
    assert_eq!(decoder.next(later), Ok(Some(Incoming::Pong(Vec::new()))));
    assert_eq!(decoder.deadline(), Some(now + Duration::from_secs(10)));
}

/// Bytes of which many are UTF-8, and many nearly.
fn nearly_utf8() -> impl Strategy<Value = Vec<u8>> {
    let character = any::<char>().prop_map(|character| character.to_string().into_bytes());
    let piece = prop_oneof![
        8 => character,
        4 => Just(b"a".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..3),
        1 => Just(vec![0xed, 0xa0]),
        1 => Just(vec![0xf0, 0x9f, 0x98]),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// How many bytes it takes until what was begun cannot become UTF-8.
fn hopeless_after(bytes: &[u8]) -> Option<usize> {
    let is_hopeless = |count: &usize| {
        let begun = std::str::from_utf8(&bytes[..*count]);
        begun.is_err_and(|error| error.error_len().is_some())
    };
    (1..=bytes.len()).find(is_hopeless)
}

proptest! {
    /// However it is cut into frames and reads, what std refuses is refused, with the read that
    /// brings the first byte that cannot be right.
    #[test]
    fn what_is_no_utf8_is_refused_with_its_first_wrong_byte(
        said in nearly_utf8(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        read in 1..30usize,
    ) {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(said.len() + 1)).collect();
        ends.sort_unstable();
        ends.push(said.len());
        let (mut bytes, mut arrives_with, mut from) = (Vec::new(), Vec::new(), 0);
        for (nth, end) in (1..).zip(ends.iter().copied()) {
            let last = if nth == ends.len() { LAST } else { 0 };
            bytes.extend(frame(last | u8::from(nth == 1), &said[from..end]));
            let payload = bytes.len() - (end - from);
            arrives_with.extend((payload..bytes.len()).map(|at| at / read));
            from = end;
        }
        let refused_at = hopeless_after(&said)
            .map(|count| arrives_with[count - 1])
            .or_else(|| std::str::from_utf8(&said).is_err().then(|| (bytes.len() - 1) / read));
        let expected = refused_at.map(|nth| (nth, Violation::Utf8));
        prop_assert_eq!(refused_with(bytes.chunks(read)), expected);
        if let Ok(said) = String::from_utf8(said) {
            check(&bytes, Ok(text(&said)));
        }
    }

    #[test]
    fn nothing_makes_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }

    /// However the bytes are cut, the same messages come out.
    #[test]
    fn the_cuts_of_the_network_make_no_difference(
        texts in prop::collection::vec("\\PC{0,60}", 1..6),
        cut in 1..40usize,
    ) {
        let bytes: Vec<u8> = texts.iter().flat_map(|text| frame(LAST | 0x1, text.as_bytes())).collect();
        let (mut decoder, now) = (Decoder::new(), start());
        let mut heard = Vec::new();
        for piece in bytes.chunks(cut) {
            decoder.feed(piece, &LIMITS, now);
            while let Some(incoming) = decoder.next(now).unwrap() {
                heard.push(incoming);
            }
        }
        let said: Vec<_> = texts.iter().map(|said| text(said)).collect();
        prop_assert_eq!(heard, said);
        prop_assert_eq!(decoder.deadline(), None);
    }
}
