//! What reads requests, for the targets in `fuzz/`: the same functions under names that can be
//! reached from outside. Nothing is decided here.

use common::{Problem, RoomName};
use http::{HeaderMap, HeaderValue};
use rooms::conversation::Wanted;
use serde::de::DeserializeOwned;

use crate::{
    api::{self, entries, search},
    page,
    transport::{reply, websocket::upgrade},
};

/// The query of a page of the past.
///
/// # Errors
/// It breaks a rule.
pub fn page_query(query: &str) -> Result<Wanted, Problem> {
    entries::wanted(query)
}

/// The query of a search.
///
/// # Errors
/// It breaks a rule.
pub fn search_query(query: &str) -> Result<(), Problem> {
    search::asked(query).map(drop)
}

/// The room in an address of the HTTP interface.
///
/// # Errors
/// It is no room's name.
pub fn room_of_path(segment: &str) -> Result<RoomName, Problem> {
    api::named(segment)
}

/// The room in the address of a handshake.
///
/// # Errors
/// It is no room's name.
pub fn room_of_handshake(segment: &str) -> Result<RoomName, Problem> {
    upgrade::room_in_address(segment)
}

/// The ticket in the address of a handshake.
#[must_use]
pub fn ticket_of_handshake(query: &str) -> Option<String> {
    upgrade::ticket_in_query(query)
}

/// The key of a complete handshake, and the subprotocol that is chosen.
///
/// # Errors
/// None of the offered subprotocols is spoken here.
pub fn handshake(
    headers: &HeaderMap,
) -> Result<(Option<HeaderValue>, Option<&'static str>), Problem> {
    Ok((upgrade::websocket_key(headers), upgrade::choose_subprotocol(headers)?))
}

/// A body as it arrived.
///
/// # Errors
/// It breaks a rule.
pub fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    reply::read(bytes)
}

/// Whether an answer may be compressed.
#[must_use]
pub fn accepts_brotli(value: &str) -> bool {
    page::accepts_brotli(value)
}
