//! Which rooms there are and who belongs to them: opening them, finding those that somebody may
//! see, letting people in and sending them away.

use common::{
    ErrorCode, Member, Problem, RoomName, UserId,
    http::{Keep, RoomInfo, Unread},
    limits::MEMBERS_MAX,
};
use rooms::{
    Content, Draft, MembershipChange, MemoryLog, NewRoom, RoomRecord,
    access::{Deed, may},
    people::NoRoom,
};

use super::Live;
#[cfg(feature = "mutants")]
use crate::mutant;
use crate::{
    clock,
    log::{Change, Outcome},
    random,
};

impl Live {
    /// Opens a room.
    ///
    /// # Errors
    /// There is one of this name, or it cannot be kept.
    pub async fn open(&self, new: NewRoom) -> Result<RoomInfo, Problem> {
        match self.log.change(Change::Open(new)).await? {
            Outcome::Opened(Ok(record)) => {
                open_fleeting(&mut self.fleeting(), &record);
                Ok(self.info(record, None))
            }
            Outcome::Opened(Err(refusal)) => Err(refusal.into()),
            Outcome::Appended(_) | Outcome::Done => Err(Problem::new(ErrorCode::Internal)),
        }
    }

    /// Somebody opens a room, within the limits of one person and of the server.
    ///
    /// # Errors
    /// There is one of this name, a limit is reached, or it cannot be kept.
    pub async fn open_for(
        &self,
        opener: &UserId,
        new: NewRoom,
        rooms_max: usize,
    ) -> Result<RoomInfo, Problem> {
        let too_many = |title: &str| Problem::new(ErrorCode::LimitReached).title(title);
        if self.log.store().room_count() >= rooms_max {
            return Err(too_many("there are too many rooms"));
        }
        let may_open = self.people().may_open(opener, &self.settings, clock::now());
        may_open.map_err(|refusal| match refusal {
            NoRoom::TooMany => too_many("one person may open no more rooms"),
            NoRoom::TooFast(wait) => Problem::rate_limited(wait),
        })?;
        let opened = self.open(new).await;
        if opened.is_err() {
            self.people().not_opened(opener);
        }
        opened
    }

    /// What is known of a room that this person may read.
    ///
    /// # Errors
    /// There is no such room for this person.
    pub fn record_for(&self, room: &RoomName, user: &UserId) -> Result<RoomRecord, Problem> {
        let record = self.fleeting().room(room).cloned().or_else(|| self.log.store().room(room));
        record
            .filter(|record| may(user, Deed::Read, record.members.as_deref()))
            .ok_or_else(|| Problem::new(ErrorCode::NotFound))
    }

    /// Whether what is said in this room is kept; so is what is said in none.
    #[must_use]
    pub fn keeps(&self, room: &RoomName) -> bool {
        self.fleeting().room(room).is_none()
    }

    /// The rooms that this person may see, in the order of their names.
    #[must_use]
    pub fn records_for(&self, user: &UserId) -> Vec<RoomRecord> {
        #[cfg(feature = "mutants")]
        if mutant::is_chosen(mutant::Breakage::ListDoesNotAsk) {
            return self.log.store().rooms();
        }
        let visible = |record: &RoomRecord| may(user, Deed::Read, record.members.as_deref());
        self.log.store().rooms().into_iter().filter(visible).collect()
    }

    /// Changes who belongs to a private room, and waits until it is durable.
    ///
    /// # Errors
    /// There is no such room for this person, they may not, or it cannot be kept.
    pub async fn change_membership(
        &self,
        room: &RoomName,
        author: Member,
        change: MembershipChange,
        member: Member,
    ) -> Result<RoomRecord, Problem> {
        let user = author.id.clone();
        let record = self.record_for(room, &user)?;
        if record.keep == Keep::None {
            let problem = Problem::new(ErrorCode::Conflict);
            return Err(problem.title("who belongs to a room that keeps nothing does not change"));
        }
        let full = record.members.is_some_and(|members| members.len() > MEMBERS_MAX);
        if full && change == MembershipChange::Joined {
            let problem = Problem::new(ErrorCode::LimitReached);
            return Err(problem.title("no more people may belong to one room"));
        }
        // It is an entry like what is said, and costs as much.
        self.may_say(&user, room).map_err(Problem::rate_limited)?;
        let content = Content::Membership { change, member };
        let draft = Draft { room: room.clone(), author, message_id: random::message_id(), content };
        match self.log.change(Change::Append(draft)).await? {
            Outcome::Appended(Ok(_)) => {}
            Outcome::Appended(Err(refusal)) => return Err(refusal.into()),
            Outcome::Opened(_) | Outcome::Done => return Err(Problem::new(ErrorCode::Internal)),
        }
        self.log.store().room(room).ok_or_else(|| Problem::new(ErrorCode::NotFound))
    }

    /// A room as it is listed; with what the asker has not read of it.
    #[must_use]
    pub fn info(&self, record: RoomRecord, unread: Option<Unread>) -> RoomInfo {
        let running = self.lock().get(&record.room).cloned();
        let count = running.map_or(0, |running| running.lock().room.presence.count());
        let fleeting = self.fleeting().room(&record.room).map(|record| record.head.clone());
        let RoomRecord { room, head, keep, members, topic, .. } = record;
        let topic = topic.map(|topic| topic.as_str().to_owned());
        let position = fleeting.unwrap_or(head);
        let members = members.map(|members| members.to_vec());
        RoomInfo { room, position, keep, count, members, topic, unread }
    }
}

/// Of a room that keeps nothing, the log is in memory, and begins anew with the process.
pub(super) fn open_fleeting(fleeting: &mut MemoryLog, record: &RoomRecord) {
    if record.keep == Keep::None {
        let (room, epoch) = (record.room.clone(), record.head.epoch.clone());
        let members = record.members.as_deref().map(<[_]>::to_vec);
        let new = NewRoom { room, epoch, keep: record.keep, members };
        // The store let it be opened once; a second time finds it there.
        let _ = fleeting.open(new);
    }
}
