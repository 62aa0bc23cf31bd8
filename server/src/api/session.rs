//! `/api/session`: who somebody is in this window.

use std::sync::Arc;

use common::{
    CloseCode, Member,
    http::{SessionInfo, SignIn},
};
use futures_util::Stream;
use http::{HeaderMap, StatusCode, header};
use warp::Buf;

use super::{signed_in, slot};
use crate::{
    App,
    accept::Peer,
    accounts, clock, origin,
    transport::reply::{self, Response},
};

/// `POST`: a guest names themselves. A session that this window had before ends.
pub(crate) async fn sign_in(
    app: Arc<App>,
    headers: HeaderMap,
    peer: Peer,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Response {
    let answer = async {
        origin::check_change(&headers, &app.config)?;
        let slot = slot(&headers)?;
        let SignIn { name } = reply::read_json(&headers, body).await?;
        app.connections.may_open(peer.address, clock::now())?;
        let (secret, user) = app.accounts.sign_in_guest(name, clock::now())?;
        end_session(&app, &headers);
        let mut response = reply::json(StatusCode::CREATED, &SessionInfo { user, guest: true });
        let cookie = slot.set(&secret, app.config.secure_cookies);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        Ok(response)
    };
    reply::from(answer.await)
}

/// `GET`: who am I?
#[expect(clippy::needless_pass_by_value, reason = "warp hands owned values to a handler")]
pub(crate) fn show(app: Arc<App>, headers: HeaderMap) -> Response {
    let info = signed_in(&app, &headers);
    reply::from(info.map(|signed_in| {
        reply::json(
            StatusCode::OK,
            &SessionInfo { user: Member::clone(&signed_in.user), guest: true },
        )
    }))
}

/// `DELETE`: sign out. The session's connections are closed. It is over at once; the answer says
/// whether it is also after a restart.
pub(crate) async fn sign_out(app: Arc<App>, headers: HeaderMap) -> Response {
    let answer = async {
        origin::check_change(&headers, &app.config)?;
        let slot = slot(&headers)?;
        end_session(&app, &headers);
        accounts::forget(&app).await?;
        let mut response = reply::empty(StatusCode::NO_CONTENT);
        let cookie = slot.clear(app.config.secure_cookies);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        Ok(response)
    };
    reply::from(answer.await)
}

fn end_session(app: &App, headers: &HeaderMap) {
    if let Ok(before) = signed_in(app, headers) {
        app.accounts.sign_out(&before.session);
        #[cfg(feature = "mutants")]
        if crate::mutant::is_chosen(crate::mutant::Breakage::SignOutNotTold) {
            return;
        }
        app.connections.close_session(&before.session, CloseCode::SessionRevoked);
    }
}
