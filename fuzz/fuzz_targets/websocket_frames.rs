//! Bytes of a connection: what is read does not depend on how they were cut on their way.

#![no_main]

use std::time::{Duration, Instant};

use fuzz::Input;
use libfuzzer_sys::fuzz_target;
use websocket::{Decoder, Incoming, Limits, Violation};

const LIMITS: Limits = Limits {
    message_bytes_max: 1_000,
    fragments_max: 4,
    message_time_max: Duration::from_secs(10),
};

type Outcome = (Vec<Incoming>, Option<Violation>);

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>, now: Instant) -> Outcome {
    let (mut decoder, mut incoming) = (Decoder::new(), Vec::new());
    for piece in pieces {
        decoder.feed(piece, &LIMITS, now);
        loop {
            match decoder.next(now) {
                Ok(Some(next)) => incoming.push(next),
                Ok(None) => break,
                Err(violation) => return (incoming, Some(violation)),
            }
        }
    }
    (incoming, None)
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let cuts: Vec<usize> = (0..input.byte() % 16).map(|_| usize::from(input.byte())).collect();
    let stream = input.0;
    let now = Instant::now();
    let whole = read(std::iter::once(stream), now);
    let mut rest = Input(stream);
    let pieces: Vec<&[u8]> = cuts.iter().map(|cut| rest.take(*cut)).collect();
    assert_eq!(read(pieces.into_iter().chain([rest.0]), now), whole);
    assert_eq!(read(stream.chunks(1), now), whole);
    for incoming in &whole.0 {
        match incoming {
            Incoming::Text(text) => assert!(text.len() <= LIMITS.message_bytes_max),
            Incoming::Binary(bytes) => assert!(bytes.len() <= LIMITS.message_bytes_max),
            Incoming::Ping(bytes) | Incoming::Pong(bytes) => assert!(bytes.len() <= 125),
            Incoming::Close(_) => {}
        }
    }
    if let Some(violation) = whole.1 {
        assert!(matches!(violation.close_code(), 1002 | 1007 | 1008 | 1009));
    }
});
