//! Every address on one screen.

use std::{convert::Infallible, error::Error, sync::Arc};

use http::{HeaderMap, HeaderValue, Method, header};
use hyper::{body::Body, upgrade::OnUpgrade};
use tower::Service;
use warp::{Filter, Rejection, filters::BoxedFilter, path, path::FullPath};

use crate::{
    App,
    accept::Peer,
    api, page,
    transport::{
        reply::Response,
        websocket::{
            self,
            upgrade::{self, Handshake},
        },
    },
};

/// All addresses, as hyper asks for them.
pub(crate) fn service<B>(
    app: &Arc<App>,
) -> impl Service<http::Request<B>, Response = Response, Error = Infallible, Future: Send> + Clone + use<B>
where
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Sync + 'static,
{
    warp::service(all(app))
}

/// All addresses. What is refused answers with a problem; nothing falls through to warp's own.
fn all(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let state = warp::any().map({
        let app = Arc::clone(app);
        move || Arc::clone(&app)
    });
    let get_or_head = || {
        warp::get().or(warp::head()).unify().and(state.clone()).and(warp::header::headers_cloned())
    };
    let get = || warp::get().and(state.clone()).and(warp::header::headers_cloned());
    let post = || warp::post().and(state.clone()).and(warp::header::headers_cloned());
    let delete = || warp::delete().and(state.clone()).and(warp::header::headers_cloned());
    let peer = || warp::ext::get::<Peer>();
    let body = || warp::body::stream();
    let query = || warp::query::raw().map(Some).or(warp::any().map(|| None)).unify();

    let ws = path!("ws").map(|| None).and(handshake(app));
    let ws_room = path!("ws" / String).map(Some).and(handshake(app));
    let ticket = path!("ws" / "ticket").and(post()).then(api::ticket::issue);
    let sign_in =
        path!("api" / "session").and(post()).and(peer()).and(body()).then(api::session::sign_in);
    let session = path!("api" / "session").and(get()).map(api::session::show);
    let sign_out = path!("api" / "session").and(delete()).then(api::session::sign_out);
    let rooms = path!("api" / "rooms").and(get()).then(api::rooms::list);
    let open_room = path!("api" / "rooms").and(post()).and(body()).then(api::rooms::open);
    let entries = path!("api" / "rooms" / String / "entries")
        .and(query())
        .and(get())
        .then(api::entries::list);
    let admit = path!("api" / "rooms" / String / "members")
        .and(post())
        .and(body())
        .then(api::members::admit);
    let remove = path!("api" / "rooms" / String / "members" / String)
        .and(delete())
        .then(api::members::remove);
    let search = path!("api" / "search").and(query()).and(get()).then(api::search::find);
    let health = path!("healthz").and(get_or_head()).map(api::health::alive);
    let ready = path!("readyz").and(get_or_head()).map(api::health::ready);

    ticket
        .or(ws.or(ws_room).unify().map(|room, (app, handshake): (Arc<App>, Handshake)| {
            upgrade::answer(Handshake { room, ..handshake }, &app, websocket::serve)
        }))
        .unify()
        .or(sign_in.or(session).unify().or(sign_out).unify())
        .unify()
        .or(rooms.or(open_room).unify().or(entries).unify().or(search).unify())
        .unify()
        .or(admit.or(remove).unify().or(health).unify().or(ready).unify())
        .unify()
        .or(anything_else(state))
        .unify()
        .map(with_safe_headers)
        .boxed()
}

/// What a WebSocket handshake brings, whole or not.
pub fn handshake(
    app: &Arc<App>,
) -> impl Filter<Extract = ((Arc<App>, Handshake),), Error = Rejection> + Clone + use<> {
    let app = Arc::clone(app);
    let query = warp::query::raw().map(Some).or(warp::any().map(|| None)).unify();
    warp::get()
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<Peer>())
        .and(warp::ext::optional::<OnUpgrade>())
        .map(move |query, headers, peer, on_upgrade| {
            let room = None;
            (Arc::clone(&app), Handshake { room, query, headers, peer, on_upgrade })
        })
}

/// The page, for every address that belongs to it; a problem for every other.
fn anything_else(
    state: impl Filter<Extract = (Arc<App>,), Error = Infallible> + Clone + Send + Sync + 'static,
) -> BoxedFilter<(Response,)> {
    warp::method()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .and(state)
        .map(|method: Method, path: FullPath, headers: HeaderMap, app: Arc<App>| {
            page::answer(&app.page, &method, path.as_str(), &headers)
        })
        .boxed()
}

fn with_safe_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
