//! `POST /ws/ticket`: the right to open one connection, for whoever is signed in.

use std::sync::Arc;

use common::http::Ticket;
use http::{HeaderMap, StatusCode};

use super::signed_in;
use crate::{
    App,
    accounts::TICKET_LIFE,
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
        if let Some(saved) = app.accounts.to_save(&signed_in.session, clock::wall_ms(), now) {
            // While nothing can be kept, people talk all the same; the next ticket tries again.
            if app.live.log().change(Change::SignIn(saved)).await.is_err() {
                app.accounts.not_saved(&signed_in.session);
            }
        }
        let expires_in = u32::try_from(TICKET_LIFE.as_secs()).unwrap_or(u32::MAX);
        Ok(reply::json(StatusCode::OK, &Ticket { ticket, expires_in }))
    };
    reply::from(answer.await)
}
