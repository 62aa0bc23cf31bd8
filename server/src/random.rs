//! The one place where the server draws random numbers: from the operating system.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{Epoch, MessageId, UserId};

/// 256 bits as 43 letters: what a session or a ticket is known by.
pub(crate) fn secret() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// 80 bits: who somebody is.
pub(crate) fn user_id() -> UserId {
    UserId::new(format!("u{}", hex(&bytes::<10>()))).expect("hex digits are a token")
}

/// 128 bits: a message that the server says for somebody.
pub(crate) fn message_id() -> MessageId {
    MessageId::new(hex(&bytes::<16>())).expect("hex digits are a token")
}

/// 64 bits: where counting begins that is not to begin at the same number after each start.
pub(crate) fn first_number() -> u64 {
    u64::from_le_bytes(bytes::<8>())
}

/// 64 bits: one life of a log.
pub(crate) fn epoch() -> Epoch {
    Epoch::new(hex(&bytes::<8>())).expect("hex digits are a token")
}

/// Between 0 and 1.
pub(crate) fn phase() -> f64 {
    f64::from(u32::from_le_bytes(bytes::<4>())) / f64::from(u32::MAX)
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random numbers");
    bytes
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
