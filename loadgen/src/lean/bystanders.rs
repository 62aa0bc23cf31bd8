//! Rooms in which nobody speaks, and those who follow them: they are there, and that is all.

use std::iter;

use anyhow::{anyhow, ensure};
use common::{RoomName, ServerMessage, limits::ROOMS_PER_CONNECTION_MAX};
use tokio::task::JoinSet;

use super::{Target, dialect::Dialect};
use crate::{guest::Guest, route::Route};

/// Rooms that one of them follows: many, so that what is measured is what rooms cost, and not what
/// connections do.
const FOLLOWED_EACH: usize = 100;
const _: () = assert!(FOLLOWED_EACH <= ROOMS_PER_CONNECTION_MAX);
/// Far from everybody else: the address of the first of them.
const FROM: usize = 2_000_000;

/// Everybody who follows a silent room.
#[derive(Debug)]
pub(super) struct Bystanders(JoinSet<anyhow::Error>);

impl Bystanders {
    /// Opens so many rooms, each followed by so many.
    ///
    /// # Errors
    /// The server refused, or is one with which nobody can be in many rooms.
    pub(super) async fn come(
        target: &Target,
        rooms: usize,
        members: usize,
    ) -> anyhow::Result<Self> {
        let mut standing = JoinSet::new();
        if rooms == 0 {
            return Ok(Self(standing));
        }
        let is_ours = target.dialect == Dialect::Madang;
        ensure!(is_ours, "a connection to this server is in one room only");
        let names = target.names(rooms).await?;
        let names = names.into_iter().map(RoomName::new).collect::<Result<Vec<_>, _>>()?;
        let followed = names.chunks(FOLLOWED_EACH).flat_map(|some| iter::repeat_n(some, members));
        let mut coming = JoinSet::new();
        for (nth, some) in followed.enumerate() {
            let (route, some) = (Route::of_person(target.server, FROM + nth, 1), some.to_vec());
            coming.spawn(async move { Guest::enters(route, &format!("b{nth}"), &some).await });
        }
        while let Some(came) = coming.join_next().await {
            standing.spawn(stands(came??));
        }
        Ok(Self(standing))
    }

    /// Lets all go.
    ///
    /// # Errors
    /// One of them lost the connection, or heard something.
    pub(super) fn leave(mut self) -> anyhow::Result<()> {
        match self.0.try_join_next() {
            Some(ended) => Err(ended?),
            None => Ok(()),
        }
    }
}

/// Stays until something happens that must not.
async fn stands(mut guest: Guest) -> anyhow::Error {
    match guest.hears(|message| matches!(message, ServerMessage::Entry(_))).await {
        Ok(entry) => anyhow!("a silent room is not silent: {entry:?}"),
        Err(ended) => ended,
    }
}
