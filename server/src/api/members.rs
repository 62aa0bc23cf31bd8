//! `/api/rooms/{room}/members`: who belongs to a private room.

use std::sync::Arc;

use common::{ErrorCode, FieldFault, Member, Problem, RoomName, UserId, http::Admit};
use futures_util::Stream;
use http::{HeaderMap, StatusCode};
use rooms::MembershipChange;
use warp::Buf;

use super::{named, rooms::tell, signed_in};
use crate::{
    App, origin,
    transport::reply::{self, Response},
};

/// `POST`: let somebody in. They are told of the room as if it had been opened.
pub(crate) async fn admit(
    room: String,
    app: Arc<App>,
    headers: HeaderMap,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Response {
    let answer = async {
        origin::check_change(&headers, &app.config)?;
        let author = Member::clone(&signed_in(&app, &headers)?.user);
        let room: RoomName = named(&room)?;
        let Admit { member } = reply::read_json(&headers, body).await?;
        let unknown = || Problem::field("/member", FieldFault::Invalid);
        let member = app.accounts.member(&member).ok_or_else(unknown)?;
        let (id, change) = (member.id.clone(), MembershipChange::Joined);
        let record = app.live.change_membership(&room, author, change, member).await?;
        let info = app.live.info(record, None);
        tell(&app, &info, |user| *user == id);
        Ok(reply::json(StatusCode::CREATED, &info))
    };
    reply::from(answer.await)
}

/// `DELETE …/{id}`: go for good, or send somebody away. Their connections follow the room no
/// longer; nothing that is said from then on reaches them.
pub(crate) async fn remove(
    room: String,
    member: String,
    app: Arc<App>,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        origin::check_change(&headers, &app.config)?;
        let author = Member::clone(&signed_in(&app, &headers)?.user);
        let room: RoomName = named(&room)?;
        let id = UserId::new(member).map_err(|_| Problem::new(ErrorCode::NotFound))?;
        let record = app.live.record_for(&room, &author.id)?;
        let members = record.members.ok_or_else(|| Problem::new(ErrorCode::Forbidden))?;
        let member = members.iter().find(|member| member.id == id).cloned();
        let absent = || Problem::new(ErrorCode::Conflict).title("it is so already");
        let member = member.ok_or_else(absent)?;
        let change =
            if member.id == author.id { MembershipChange::Left } else { MembershipChange::Kicked };
        app.live.change_membership(&room, author, change, member).await?;
        Ok(reply::empty(StatusCode::NO_CONTENT))
    };
    reply::from(answer.await)
}
