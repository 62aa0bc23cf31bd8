//! The request that begins a WebSocket connection, and its answer (RFC 6455, section 4).

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

/// What every server appends to the client's key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A request to open a WebSocket connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Upgrade<'a> {
    /// The path, which is the room's name.
    pub(crate) room: &'a str,
    pub(crate) answer: String,
    /// The request's head, in bytes.
    pub(crate) length: usize,
}

/// Why there is no upgrade.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// The head has not come whole.
    Rest,
    /// This is no request for a WebSocket connection.
    Sense,
}

/// Reads a request's head.
///
/// # Errors
///
/// Says what is missing.
pub(crate) fn read(bytes: &[u8]) -> Result<Upgrade<'_>, Lack> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or(Lack::Rest)?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| Lack::Sense)?;
    let mut lines = head.split("\r\n");
    let room = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or(Lack::Sense)?;
    let key = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .map(|(_, key)| key.trim())
        .ok_or(Lack::Sense)?;
    let accept = STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    Ok(Upgrade { room, answer, length: end + 4 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_answered_as_it_says() {
        let request = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\n\
                       sec-webSocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nrest";
        let upgrade = read(request.as_bytes()).unwrap();
        assert_eq!(upgrade.room, "/chat");
        assert!(upgrade.answer.contains("Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert_eq!(upgrade.length, request.len() - 4);
        assert_eq!(read(&request.as_bytes()[..40]), Err(Lack::Rest));
        assert_eq!(read(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Err(Lack::Sense));
    }
}
