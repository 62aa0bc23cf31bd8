//! `/api/rooms`: the rooms that somebody may see, and opening one.

use std::sync::Arc;

use common::{
    FieldFault, Member, Problem, RoomName, UserId,
    http::{Keep, OpenRoom, RoomInfo, RoomList},
    limits::MEMBERS_MAX,
};
use futures_util::Stream;
use http::{HeaderMap, StatusCode};
use rooms::{
    NewRoom,
    access::{Deed, may},
};
use warp::Buf;

use super::signed_in;
use crate::{
    App,
    log::Store,
    origin, random,
    transport::reply::{self, Response},
};

/// `GET`: the rooms that the asker may see, and what they have not read of them.
pub(crate) async fn list(app: Arc<App>, headers: HeaderMap) -> Response {
    let answer = async {
        let reader = Arc::clone(&signed_in(&app, &headers)?.user);
        app.live.may_read_page(&reader.id)?;
        let records = app.live.records_for(&reader.id);
        let names: Vec<RoomName> = records.iter().map(|record| record.room.clone()).collect();
        let count = move |store: &dyn Store| {
            names.iter().map(|room| store.unread(room, &reader)).collect::<Result<Vec<_>, _>>()
        };
        // The list is worth having without the counts.
        let unread = app.live.log().read_aside(count).await.unwrap_or_default();
        let unread = unread.into_iter().chain(std::iter::repeat(None));
        let rooms =
            records.into_iter().zip(unread).map(|(record, unread)| app.live.info(record, unread));
        Ok(reply::json(StatusCode::OK, &RoomList { rooms: rooms.collect() }))
    };
    reply::from(answer.await)
}

/// `POST`: open a room. Whoever may see it is told.
pub(crate) async fn open(
    app: Arc<App>,
    headers: HeaderMap,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Response {
    let answer = async {
        origin::check_change(&headers, &app.config)?;
        let opener = Member::clone(&signed_in(&app, &headers)?.user);
        let OpenRoom { room, keep, members } = reply::read_json(&headers, body).await?;
        let keep = checked_keep(keep.unwrap_or(app.config.keep_default()))?;
        let of_opener = opener.id.clone();
        let members = members.map(|others| members_with(&app, opener, &others)).transpose()?;
        let new = NewRoom { room, epoch: random::epoch(), keep, members };
        let info = app.live.open_for(&of_opener, new, app.config.rooms_max).await?;
        tell(&app, &info, |_| true);
        Ok(reply::json(StatusCode::CREATED, &info))
    };
    reply::from(answer.await)
}

fn checked_keep(keep: Keep) -> Result<Keep, Problem> {
    let refused = |title: &str| Err(Problem::field("/keep", FieldFault::Invalid).title(title));
    match keep {
        Keep::Last(0) => refused("to keep nothing, say \"none\""),
        keep @ (Keep::Forever | Keep::Last(_) | Keep::None) => Ok(keep),
    }
}

/// The members of a private room: those who are named and whoever opens it.
fn members_with(app: &App, opener: Member, others: &[UserId]) -> Result<Vec<Member>, Problem> {
    if others.len() > MEMBERS_MAX {
        return Err(Problem::field("/members", FieldFault::TooLong));
    }
    let mut members = vec![opener];
    for (nth, id) in others.iter().enumerate() {
        let unknown = || Problem::field(format!("/members/{nth}"), FieldFault::Invalid);
        let member = app.accounts.member(id).ok_or_else(unknown)?;
        if !members.contains(&member) {
            members.push(member);
        }
    }
    Ok(members)
}

/// Tells of a room those of whoever may see it that are to know.
pub(super) fn tell(app: &App, info: &RoomInfo, is_to_know: impl Fn(&UserId) -> bool) {
    app.connections.each(|contact| {
        let user = contact.user();
        if is_to_know(user) && may(user, Deed::Read, info.members.as_deref()) {
            contact.mailbox().opened(info.clone());
        }
    });
}
