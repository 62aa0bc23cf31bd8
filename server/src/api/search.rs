//! `GET /api/search`: what was said, by its words.

use std::sync::Arc;

use common::{ErrorCode, FieldFault, Problem, RoomName, http::Found};
use http::{HeaderMap, StatusCode};
use rooms::access::{Deed, may};

use super::{named, signed_in};
use crate::{
    App,
    search::{Cursor, Hit, PAGE_HITS, QueryError, Readable, SearchRefusal},
    transport::reply::{self, Response},
};

/// What is asked for, out of the address.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    words: String,
    room: Option<RoomName>,
    before: Option<Cursor>,
}

/// `GET ?q=…`: posts that hold all the words, of the rooms that the asker may read, the newest
/// first; with `room` of that one, with `before` the page behind the one that named it.
pub(crate) async fn find(query: Option<String>, app: Arc<App>, headers: HeaderMap) -> Response {
    let answer = async {
        let asker = Arc::clone(&signed_in(&app, &headers)?.user);
        let Asked { words, room, before } = asked(query.as_deref().unwrap_or_default())?;
        let readable = match &room {
            Some(room) => Readable::Only(app.live.record_for(room, &asker.id)?.room),
            None => {
                let records = app.live.records_for(&asker.id);
                #[cfg(feature = "mutants")]
                let records = if asks_nobody() { app.live.log().store().rooms() } else { records };
                let records = records.into_iter();
                let private = records.filter(|record| record.members.is_some());
                Readable::OpenAnd(private.map(|record| record.room).collect())
            }
        };
        app.live.may_search(&asker.id)?;
        let page = app
            .searching
            .find(move |search| search.find(&words, &readable, room.as_ref(), before, PAGE_HITS));
        let page = page.await?.map_err(|refusal| problem_of(&refusal))?;
        let next = page.next.map(|cursor| cursor.to_string());
        let hits = app.live.log().read_aside(move |store| {
            let current = |hit: &Hit| {
                let record = store.room(&hit.room);
                record.is_some_and(|record| {
                    // Who may read it may have changed while the index was asked.
                    let readable = may(&asker.id, Deed::Read, record.members.as_deref());
                    #[cfg(feature = "mutants")]
                    let readable = readable || asks_nobody();
                    readable && record.head.epoch == hit.position.epoch
                })
            };
            let hits = page.hits.into_iter().filter(current);
            let places: Vec<_> = hits.map(|hit| (hit.room, hit.position.seq)).collect();
            store.posts(&places)
        });
        let found = Found { hits: hits.await?, next };
        Ok(reply::json(StatusCode::OK, &found))
    };
    reply::from(answer.await)
}

pub(crate) fn asked(query: &str) -> Result<Asked, Problem> {
    let mut asked = Asked::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "q" => asked.words = value.into_owned(),
            "room" => asked.room = Some(named(&value)?),
            "before" => {
                let invalid = |_| Problem::field("/before", FieldFault::Invalid);
                asked.before = Some(value.parse().map_err(invalid)?);
            }
            _ => return Err(Problem::field(reply::pointer_to(&name), FieldFault::UnknownField)),
        }
    }
    Ok(asked)
}

/// It was broken on purpose.
#[cfg(feature = "mutants")]
fn asks_nobody() -> bool {
    crate::mutant::is_chosen(crate::mutant::Breakage::SearchDoesNotAsk)
}

fn problem_of(refusal: &SearchRefusal) -> Problem {
    match refusal {
        SearchRefusal::Query(fault) => {
            let fault = match fault {
                QueryError::Empty => FieldFault::Empty,
                QueryError::TooLong => FieldFault::TooLong,
            };
            Problem::field("/q", fault)
        }
        SearchRefusal::Unavailable(error) => {
            tracing::error!(%error, "the search index cannot be read");
            Problem::new(ErrorCode::StoreUnavailable)
        }
    }
}
