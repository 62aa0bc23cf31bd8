//! What a store of logs can do. Whoever implements it answers for durability; whoever calls it does
//! so from threads that may wait.

use std::{fmt, ops::RangeInclusive, sync::Arc};

use common::{Digest, Member, MessageId, Position, RoomName, Timestamp, UserId, http::Unread};
use rooms::{AppendRefusal, Appended, Draft, Entry, NewRoom, OpenRefusal, RoomRecord};

use crate::accounts::Hashed;

/// Where the logs, the read markers and the sessions are kept.
pub trait Store: fmt::Debug + Send + Sync {
    /// Makes all changes in one transaction, in their order, and answers each. What is answered
    /// is durable when this returns. A change that is refused changes nothing and leaves the
    /// others as they are.
    ///
    /// # Errors
    /// Nothing of it was kept, or nobody knows: none of it may be acknowledged.
    fn commit(&self, changes: &[Change], at: &Timestamp) -> Result<Vec<Outcome>, Fault>;

    /// All rooms, in the order of their names, as of the last commit. Does not wait.
    fn rooms(&self) -> Vec<RoomRecord>;

    /// One room, as of the last commit. Does not wait.
    fn room(&self, room: &RoomName) -> Option<RoomRecord>;

    /// How many rooms there are. Does not wait.
    fn room_count(&self) -> usize;

    /// Entries after `after`, at most `most`, oldest first, and none behind the one with which they
    /// weigh `bytes_max` or more; none where they are no longer kept.
    ///
    /// # Errors
    /// The store cannot be read.
    fn read_after(
        &self,
        room: &RoomName,
        after: u64,
        most: usize,
        bytes_max: usize,
    ) -> Result<Vec<Arc<Entry>>, Fault>;

    /// The last `most` entries before `before`, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn read_before(
        &self,
        room: &RoomName,
        before: u64,
        most: usize,
    ) -> Result<Vec<Arc<Entry>>, Fault>;

    /// Of the entries behind these places, those that change what stands there: the last edit of
    /// each post and the reactions that were not taken back; at most `most`, edits before
    /// reactions; in their order.
    ///
    /// # Errors
    /// The store cannot be read.
    fn later(
        &self,
        room: &RoomName,
        places: RangeInclusive<u64>,
        most: usize,
    ) -> Result<Vec<Arc<Entry>>, Fault>;

    /// The posts at these places as they stand after their last edit: entries of the posts with
    /// the text of the edit. What was deleted or is no longer kept is left out.
    ///
    /// # Errors
    /// The store cannot be read.
    fn posts(&self, places: &[(RoomName, u64)]) -> Result<Vec<common::Entry>, Fault>;

    /// The digest of a log at this place; `None` where it is no longer kept.
    ///
    /// # Errors
    /// The store cannot be read.
    fn digest_at(&self, room: &RoomName, seq: u64) -> Result<Option<Digest>, Fault>;

    /// How far this reader has read, and how much is behind that; `None` who never read here.
    ///
    /// # Errors
    /// The store cannot be read.
    fn unread(&self, room: &RoomName, reader: &Member) -> Result<Option<Unread>, Fault>;

    /// Where a message of this author stands.
    ///
    /// # Errors
    /// The store cannot be read.
    fn find(
        &self,
        author: &UserId,
        message_id: &MessageId,
    ) -> Result<Option<(RoomName, Position)>, Fault>;

    /// Everybody who is signed in.
    ///
    /// # Errors
    /// The store cannot be read.
    fn sessions(&self) -> Result<Vec<SavedSession>, Fault>;

    /// Frees memory that is held for what comes next, if nothing was read or written since this was
    /// asked for the last time.
    fn release_memory_if_idle(&self);
}

/// Something to be kept.
#[derive(Clone, Debug)]
pub enum Change {
    /// Add to a room's log.
    Append(Draft),
    /// Open a room.
    Open(NewRoom),
    /// Somebody read a room up to this entry. It never goes back.
    Mark {
        /// Who.
        reader: UserId,
        /// Which room.
        room: RoomName,
        /// How far.
        seq: u64,
    },
    /// Somebody signed in, or their session was used again.
    SignIn(SavedSession),
    /// A session is over.
    SignOut(Hashed),
}

/// What became of a change.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Of an append.
    Appended(Result<Appended, AppendRefusal>),
    /// Of opening a room.
    Opened(Result<RoomRecord, OpenRefusal>),
    /// Of anything else: it is so.
    Done,
}

/// A session as it is kept: whoever reads it cannot act for its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSession {
    /// The digest of the secret in its cookie.
    pub session: Hashed,
    /// Whose it is.
    pub user: Member,
    /// When it began, in milliseconds since 1970.
    pub begun_ms: u64,
    /// When it was used last, in milliseconds since 1970.
    pub used_ms: u64,
}

/// Why the store cannot do its work at the moment. It may later, without a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no room left.
    #[error("there is no room left where the logs are kept")]
    Full,
    /// It cannot be read or written; the cause was logged where it was seen.
    #[error("the logs cannot be read or written")]
    Unavailable,
}
