//! What a client says: it is read and written back the same, or refused within bounds.

#![no_main]

use common::{ErrorCode, Problem, codec::write, decode_client, encode};
use libfuzzer_sys::fuzz_target;

/// A key of 64 characters, each of at most four bytes or escaped, behind a slash.
const POINTER_BYTES_MAX: usize = 1 + 64 * 4;

fuzz_target!(|text: &str| {
    match decode_client(text) {
        Ok(message) => {
            let written = encode(&message);
            assert_eq!(decode_client(&written).as_ref(), Ok(&message));
            assert_eq!(write::client_message(&message), written);
        }
        Err(error) => {
            assert!(error.pointer.len() <= POINTER_BYTES_MAX);
            assert!(matches!(error.code, ErrorCode::BadRequest | ErrorCode::Validation));
            let problem = Problem::from(&error);
            let written = encode(&problem);
            assert_eq!(serde_json::from_str::<Problem>(&written).ok(), Some(problem));
        }
    }
});
