//! `/api/rooms`: the rooms that somebody may see, and opening one.

use std::sync::Arc;

use common::{
    FieldFault, Member, Problem, UserId,
    http::{Keep, OpenRoom, RoomInfo, RoomList},
};
use futures_util::Stream;
use http::{HeaderMap, StatusCode};
use rooms::access::{Deed, may};
use warp::Buf;

use super::signed_in;
use crate::{
    App,
    config::KEEP_LAST_MAX,
    origin,
    transport::reply::{self, Response},
};

/// People of a private room.
const MEMBERS_MAX: usize = 100;

/// `GET`: the rooms that the asker may see.
#[expect(clippy::needless_pass_by_value, reason = "warp hands owned values to a handler")]
pub(crate) fn list(app: Arc<App>, headers: HeaderMap) -> Response {
    let list = signed_in(&app, &headers).map(|signed_in| {
        let rooms = app.live.rooms_of(&signed_in.user.id);
        reply::json(StatusCode::OK, &RoomList { rooms })
    });
    reply::from(list)
}

/// `POST`: open a room. Whoever may see it is told.
pub(crate) async fn open(
    app: Arc<App>,
    headers: HeaderMap,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Response {
    let answer = async {
        origin::check_change(&headers, &app.config)?;
        let opener = signed_in(&app, &headers)?.user;
        let OpenRoom { room, keep, members } = reply::read_json(&headers, body).await?;
        let keep = checked_keep(keep, app.config.keep_default)?;
        let of_opener = opener.id.clone();
        let members = members.map(|others| members_with(&app, opener, &others)).transpose()?;
        let info = app.live.open_for(&of_opener, room, keep, members, app.config.rooms_max)?;
        tell(&app, &info);
        Ok(reply::json(StatusCode::CREATED, &info))
    };
    reply::from(answer.await)
}

/// A log in memory cannot keep everything for ever, and says so.
fn checked_keep(keep: Option<Keep>, default: u32) -> Result<Keep, Problem> {
    let refused = |title: &str| Err(Problem::field("/keep", FieldFault::Invalid).title(title));
    match keep.unwrap_or(Keep::Last(default)) {
        Keep::Forever => refused("this server keeps rooms in memory: say {\"last\": n}"),
        Keep::Last(0) => refused("to keep nothing, say \"none\""),
        Keep::Last(last) if last > KEEP_LAST_MAX => refused("at most the last 10,000 are kept"),
        keep @ (Keep::Last(_) | Keep::None) => Ok(keep),
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

fn tell(app: &App, info: &RoomInfo) {
    app.connections.each(|user, mailbox| {
        if may(user, Deed::Read, info.members.as_deref()) {
            mailbox.opened(info.clone());
        }
    });
}
