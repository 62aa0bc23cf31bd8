//! `GET /api/rooms/{room}/entries`: a page of a room's past, for programs that do not follow it.

use std::sync::Arc;

use common::{
    Digest, Entry, Epoch, FieldFault, Position, Problem,
    limits::{HISTORY_ENTRIES_MAX, PAGE_ENTRIES},
};
use http::{HeaderMap, StatusCode};
use rooms::conversation::{Edge, Page, Wanted};
use serde::Serialize;

use super::{named, signed_in};
use crate::{
    App,
    transport::reply::{self, Response},
};

/// The answer: what the frame `history` carries.
#[derive(Debug, Serialize)]
struct Entries {
    position: Position,
    floor: u64,
    entries: Vec<Entry>,
    base: Digest,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    later: Vec<Entry>,
}

/// `GET`: the entries before `before` or after `after`, each as `epoch:seq`; or the last.
pub(crate) async fn list(
    room: String,
    query: Option<String>,
    app: Arc<App>,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let reader = Arc::clone(&signed_in(&app, &headers)?.user);
        let wanted = wanted(query.as_deref().unwrap_or_default())?;
        app.live.may_read_page(&reader.id)?;
        let page = app.live.page(&named(&room)?, &reader.id, wanted).await?;
        let Page { head: position, floor, entries, base, later } = page;
        Ok(reply::json(StatusCode::OK, &Entries { position, floor, entries, base, later }))
    };
    reply::from(answer.await)
}

/// What is asked for, out of the address.
pub(crate) fn wanted(query: &str) -> Result<Wanted, Problem> {
    let (mut edge, mut most) = (Edge::Head, PAGE_ENTRIES as usize);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let invalid = |fault| Problem::field(reply::pointer_to(&name), fault);
        match (&*name, &edge) {
            ("before", Edge::Head) => edge = Edge::Before(position(&value).map_err(invalid)?),
            ("after", Edge::Head) => edge = Edge::After(position(&value).map_err(invalid)?),
            ("before" | "after", _) => {
                return Err(invalid(FieldFault::Invalid).title("before or after, not both"));
            }
            ("limit", _) => {
                let limit = value.parse().ok().filter(|n| (1..=HISTORY_ENTRIES_MAX).contains(n));
                most = limit.ok_or_else(|| invalid(FieldFault::Invalid))? as usize;
            }
            _ => return Err(invalid(FieldFault::UnknownField)),
        }
    }
    Ok(Wanted { edge, most })
}

fn position(text: &str) -> Result<Position, FieldFault> {
    let (epoch, seq) = text.split_once(':').ok_or(FieldFault::Invalid)?;
    let epoch = Epoch::new(epoch)?;
    Ok(Position { epoch, seq: seq.parse().map_err(|_| FieldFault::Invalid)? })
}
