//! The HTTP addresses that programs and the page ask: one file per resource.

pub mod entries;
pub mod health;
pub mod members;
pub mod rooms;
pub mod search;
pub mod session;
pub mod ticket;

use std::sync::Arc;

use common::{ErrorCode, Problem, RoomName};
use http::HeaderMap;

use crate::{
    App,
    accounts::{SignedIn, cookie::Slot},
    clock,
};

/// The slot that a request speaks for.
fn slot(headers: &HeaderMap) -> Result<Slot, Problem> {
    Slot::of(headers).ok_or_else(|| {
        Problem::new(ErrorCode::BadRequest).title("the header madang-slot is 0 to 7")
    })
}

/// Who sends a request.
fn signed_in(app: &App, headers: &HeaderMap) -> Result<Arc<SignedIn>, Problem> {
    let secret = slot(headers)?.secret(headers, app.config.secure_cookies);
    let signed_in = secret.and_then(|secret| app.accounts.signed_in(&secret, clock::now()));
    signed_in.ok_or_else(|| Problem::new(ErrorCode::Unauthenticated))
}

/// The room in an address. What is no name is no room.
pub(crate) fn named(room: &str) -> Result<RoomName, Problem> {
    let room = percent_encoding::percent_decode_str(room).decode_utf8_lossy();
    RoomName::new(room).map_err(|_| Problem::new(ErrorCode::NotFound))
}
