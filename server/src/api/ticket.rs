//! `POST /ws/ticket`: the right to open one connection, for whoever is signed in.

use std::sync::Arc;

use common::{Problem, http::Ticket};
use http::{HeaderMap, StatusCode};

use super::signed_in;
use crate::{
    App,
    accounts::{Hashed, TICKET_LIFE},
    clock,
    log::Change,
    origin,
    transport::reply::{self, Response},
};

/// Gives out a ticket.
pub(crate) async fn issue(app: Arc<App>, headers: HeaderMap) -> Response {
    let answer = async {
        origin::check_change(&headers, &app.config)?;
        let signed_in = signed_in(&app, &headers)?;
        let now = clock::now();
        let ticket = app.accounts.issue_ticket(&signed_in.session, now)?;
        // While nothing can be kept, people come in and read all the same.
        let _ = save_session(&app, &signed_in.session).await;
        let expires_in = u32::try_from(TICKET_LIFE.as_secs()).unwrap_or(u32::MAX);
        Ok(reply::json(StatusCode::OK, &Ticket { ticket, expires_in }))
    };
    reply::from(answer.await)
}

/// Sees to it that a session outlives the process, when it is time for that.
///
/// # Errors
/// The store could not take it.
pub(crate) async fn save_session(app: &App, session: &Hashed) -> Result<(), Problem> {
    let saved = app.accounts.to_save(session, clock::wall_ms(), clock::now());
    if let Some(saved) = saved {
        app.live.log().change(Change::SignIn(saved.clone())).await?;
        app.accounts.saved(&saved);
    }
    Ok(())
}
