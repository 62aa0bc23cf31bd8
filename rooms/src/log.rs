//! The rules that every log of rooms obeys, whatever keeps it: what may be added, what a room is
//! afterwards, and why something was refused. [`MemoryLog`] keeps one in memory.

mod memory;

use std::sync::Arc;

use common::{
    Digest, EntryKind, Epoch, ErrorCode, FieldFault, Member, Position, Problem, RoomName, Topic,
    http::Keep,
};

pub use self::memory::MemoryLog;
use crate::{
    Content, Draft, Entry,
    access::{Deed, may},
    entry::MembershipChange,
};

/// What is known of a room without reading its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRecord {
    /// Its name.
    pub room: RoomName,
    /// The life of its log, and the number of its last entry.
    pub head: Position,
    /// The digest of its log at the head.
    pub digest: Digest,
    /// Entries up to and including this one are no longer kept.
    pub floor: u64,
    /// The digest of its log at the floor.
    pub floor_digest: Digest,
    /// How much of it is kept.
    pub keep: Keep,
    /// Of a private room: who may see it. Shared: a record is copied for every question about it.
    pub members: Option<Arc<[Member]>>,
    /// What it is about, if anybody has said so.
    pub topic: Option<Topic>,
}

/// A room that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRoom {
    /// Its name.
    pub room: RoomName,
    /// The life of its log.
    pub epoch: Epoch,
    /// How much of it is kept.
    pub keep: Keep,
    /// Of a private room: who may see it. The first of them opens it.
    pub members: Option<Vec<Member>>,
}

/// What became of a draft.
#[derive(Clone, Debug)]
pub enum Appended {
    /// It has its place in the log.
    New(Arc<Entry>),
    /// Its author said it before: there is where it stands.
    Repeated(Position),
}

/// Why a draft did not become an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendRefusal {
    /// There is no such room, or not for the author.
    #[error("there is no room {0}")]
    NoSuchRoom(RoomName),
    /// Its author used the message id before, for something else.
    #[error("the message id was used before, at {0:?}")]
    Conflict(Position),
    /// What it is about does not stand in the log.
    #[error("there is no entry {0}")]
    NoSuchEntry(u64),
    /// What it is about is nothing that this can be done to.
    #[error("entry {0} is of another kind")]
    WrongKind(u64),
    /// The author may not do this.
    #[error("the author may not do this")]
    Forbidden,
    /// What it is about was deleted before.
    #[error("entry {0} was deleted")]
    Deleted(u64),
    /// It would change nothing.
    #[error("it is so already")]
    Already,
}

/// Why a room cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenRefusal {
    /// There is one of this name.
    #[error("the room exists")]
    Exists,
}

/// Whether the draft may be added to this room, when `target` is the entry that it is about: the
/// rules that every log obeys. Whether it was said before is asked first.
///
/// # Errors
/// Says which rule it breaks.
pub fn check(
    draft: &Draft,
    room: &RoomRecord,
    target: Option<&Entry>,
) -> Result<(), AppendRefusal> {
    let members = room.members.as_deref();
    let user = &draft.author.id;
    if !may(user, Deed::Read, members) {
        return Err(AppendRefusal::NoSuchRoom(draft.room.clone()));
    }
    let allowed = |deed| may(user, deed, members).then_some(()).ok_or(AppendRefusal::Forbidden);
    match &draft.content {
        Content::Post(_) | Content::Topic(_) => allowed(Deed::Say),
        Content::Reaction { of, .. } => {
            let post = standing(*of, target, &[EntryKind::Post])?;
            allowed(Deed::Say)?;
            not_deleted(post)
        }
        Content::Edit { of, .. } => {
            let post = standing(*of, target, &[EntryKind::Post])?;
            allowed(Deed::Edit { author: &post.author.id })?;
            not_deleted(post)
        }
        Content::Delete { of } => {
            let entry = standing(*of, target, &[EntryKind::Post, EntryKind::Reaction])?;
            allowed(Deed::Delete { author: &entry.author.id })?;
            not_deleted(entry)
        }
        Content::Membership { change, member } => {
            let belongs = members.is_some_and(|all| all.iter().any(|one| one.id == member.id));
            match change {
                MembershipChange::Joined => allowed(Deed::Admit)?,
                MembershipChange::Left | MembershipChange::Kicked => {
                    allowed(Deed::Remove { member: &member.id })?;
                }
            }
            let belonged = matches!(change, MembershipChange::Left | MembershipChange::Kicked);
            if belongs == belonged { Ok(()) } else { Err(AppendRefusal::Already) }
        }
    }
}

fn standing<'a>(
    of: u64,
    target: Option<&'a Entry>,
    kinds: &[EntryKind],
) -> Result<&'a Entry, AppendRefusal> {
    let entry = target.ok_or(AppendRefusal::NoSuchEntry(of))?;
    if !kinds.contains(&entry.kind) {
        return Err(AppendRefusal::WrongKind(of));
    }
    Ok(entry)
}

fn not_deleted(entry: &Entry) -> Result<(), AppendRefusal> {
    if entry.erased.is_some() { Err(AppendRefusal::Deleted(entry.seq)) } else { Ok(()) }
}

/// The members of a private room after this entry.
pub fn change_members(members: &mut Option<Arc<[Member]>>, entry: &Entry) {
    if let (Some(members), Some(member)) = (members, &entry.member) {
        let others = members.iter().filter(|one| one.id != member.id);
        let joined = MembershipChange::belongs(&entry.body).then_some(member);
        *members = others.chain(joined).cloned().collect();
    }
}

impl Appended {
    /// Where it stands.
    #[must_use]
    pub fn position(self) -> Position {
        match self {
            Self::New(entry) => entry.position(),
            Self::Repeated(position) => position,
        }
    }
}

/// What an author is told whose draft did not become an entry.
impl From<AppendRefusal> for Problem {
    fn from(refusal: AppendRefusal) -> Self {
        let titled = |code, title: &str| Self::new(code).title(title);
        match refusal {
            AppendRefusal::NoSuchRoom(_) => Self::new(ErrorCode::NotFound),
            AppendRefusal::NoSuchEntry(_) => titled(ErrorCode::NotFound, "there is no such entry"),
            AppendRefusal::WrongKind(_) => {
                let problem = Self::field("/of", FieldFault::Invalid);
                problem.title("this cannot be done to an entry of this kind")
            }
            AppendRefusal::Forbidden => Self::new(ErrorCode::Forbidden),
            AppendRefusal::Deleted(_) => titled(ErrorCode::Conflict, "it was deleted"),
            AppendRefusal::Already => titled(ErrorCode::Conflict, "it is so already"),
            AppendRefusal::Conflict(position) => {
                let title = "the message id was used for something else";
                Self { position: Some(position), ..titled(ErrorCode::Conflict, title) }
            }
        }
    }
}

/// What somebody is told whose room could not be opened.
impl From<OpenRefusal> for Problem {
    fn from(refusal: OpenRefusal) -> Self {
        match refusal {
            OpenRefusal::Exists => Self::new(ErrorCode::Conflict).title("the room exists"),
        }
    }
}

impl RoomRecord {
    /// What is known of a room that was opened just then.
    #[must_use]
    pub fn new(new: NewRoom) -> Self {
        let NewRoom { room, epoch, keep, members } = new;
        let digest = Digest::start(&epoch);
        Self {
            room,
            head: Position { epoch, seq: 0 },
            digest,
            floor: 0,
            floor_digest: digest,
            keep,
            members: members.map(Arc::from),
            topic: None,
        }
    }

    /// The entry was added to its log: head, digest, members and topic follow.
    pub fn advance(&mut self, entry: &Entry) {
        self.head.seq = entry.seq;
        self.digest = entry.digest;
        if entry.kind == EntryKind::Topic {
            self.topic = Topic::new(&entry.body).ok().filter(|topic| !topic.as_str().is_empty());
        }
        change_members(&mut self.members, entry);
    }

    /// How many of the last entries are kept.
    #[must_use]
    pub fn keeps(&self) -> u64 {
        match self.keep {
            Keep::Forever => u64::MAX,
            Keep::Last(most) => u64::from(most),
            Keep::None => 0,
        }
    }
}
