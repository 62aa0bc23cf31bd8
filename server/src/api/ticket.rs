//! `POST /ws/ticket`: the right to open one connection, for whoever is signed in.

use std::sync::Arc;

use common::{Problem, http::Ticket};
use http::{HeaderMap, StatusCode};

use super::signed_in;
use crate::{
    App,
    accounts::TICKET_LIFE,
    clock, origin,
    transport::reply::{self, Response},
};

/// Gives out a ticket.
#[expect(clippy::needless_pass_by_value, reason = "warp hands owned values to a handler")]
pub(crate) fn issue(app: Arc<App>, headers: HeaderMap) -> Response {
    let answer = || -> Result<Response, Problem> {
        origin::check_change(&headers, &app.config)?;
        let signed_in = signed_in(&app, &headers)?;
        let ticket = app.accounts.issue_ticket(&signed_in.session, clock::now())?;
        let expires_in = u32::try_from(TICKET_LIFE.as_secs()).unwrap_or(u32::MAX);
        Ok(reply::json(StatusCode::OK, &Ticket { ticket, expires_in }))
    };
    reply::from(answer())
}
