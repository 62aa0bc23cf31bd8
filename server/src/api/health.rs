//! `GET /healthz`: the process lives. `GET /readyz`: it takes new connections.

use std::sync::Arc;

use common::{ErrorCode, Problem};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use crate::{
    App,
    transport::reply::{self, Response},
};

/// Always well, as long as it can answer.
pub(crate) fn alive(_: Arc<App>, _: HeaderMap) -> Response {
    reply::json(StatusCode::OK, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// Not ready while the server stops.
#[expect(clippy::needless_pass_by_value, reason = "warp hands owned values to a handler")]
pub(crate) fn ready(app: Arc<App>, _: HeaderMap) -> Response {
    if app.stopping.is_cancelled() {
        return reply::problem(&Problem::new(ErrorCode::Draining).retry_after_ms(1_000));
    }
    reply::json(StatusCode::OK, &json!({ "status": "ok", "connections": app.connections.count() }))
}
