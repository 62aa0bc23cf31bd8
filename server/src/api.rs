//! The HTTP addresses that programs and the page ask: one file per resource.

pub mod health;
pub mod rooms;
pub mod session;
pub mod ticket;

use common::{ErrorCode, Problem};
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
fn signed_in(app: &App, headers: &HeaderMap) -> Result<SignedIn, Problem> {
    let secret = slot(headers)?.secret(headers, app.config.secure_cookies);
    let signed_in = secret.and_then(|secret| app.accounts.signed_in(&secret, clock::now()));
    signed_in.ok_or_else(|| Problem::new(ErrorCode::Unauthenticated))
}
