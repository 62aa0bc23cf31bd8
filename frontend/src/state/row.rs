//! One line of a conversation.

use std::rc::Rc;

use common::{
    Body, Entry, EntryKind, ErrorCode, Member, MessageId, Position, RoomName, UserId, UserName,
    mention::mentions,
};
use session::Content;

use super::text::{is_emoji_only, number};

/// A moment: milliseconds since 1970, and the number of its day where the person is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Milliseconds since 1970.
    pub ms: i64,
    /// Days since 1970 by the local calendar.
    pub day: i32,
}

/// One line that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Somebody said something.
    Said(Rc<Said>),
    /// Something was done to the room.
    Done(Rc<Done>),
    /// People came or went.
    Notice(Rc<Notice>),
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its key among the rows: it stays while the pending message becomes the real one.
    pub key: Rc<str>,
    /// Its place, once the server took it.
    pub at: Option<Position>,
    /// The name its author gave it.
    pub message_id: MessageId,
    /// Who said it; not known before the first welcome.
    pub author: Option<Member>,
    /// When the server took it.
    pub moment: Option<Moment>,
    /// The text.
    pub body: Rc<str>,
    /// Whether this person said it.
    pub mine: bool,
    /// Nothing but a few emoji.
    pub large: bool,
    /// It mentions this person.
    pub calls: bool,
    /// The place of the edit that it shows; 0 for none.
    pub edit: u64,
    /// It was taken back.
    pub deleted: bool,
    /// The signs that were put on it, in their order.
    pub signs: Vec<Sign>,
}

/// A sign that somebody put on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// Its place in the log.
    pub seq: u64,
    /// What it is.
    pub emoji: Rc<str>,
    /// Who put it there.
    pub author: UserId,
}

/// Something that was done to a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its key among the rows.
    pub key: Rc<str>,
    /// Its place.
    pub seq: u64,
    /// When.
    pub moment: Moment,
    /// Who did it.
    pub author: UserName,
    /// Whose membership changed; none where the topic did.
    pub member: Option<UserName>,
    /// The topic, or what became of the membership.
    pub text: Rc<str>,
}

/// People came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number among the room's notices.
    pub number: u32,
    /// Who came.
    pub joined: Vec<UserName>,
    /// Who went.
    pub left: Vec<UserName>,
    /// When, by the page's clock.
    pub moment: Moment,
}

/// A message on its way to the server, or something else that is to stand in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Where it belongs.
    pub room: RoomName,
    /// What it says; of an edit the name is the edit's own.
    pub said: Rc<Said>,
    /// What it is.
    pub content: Content,
    /// How far it is.
    pub sending: Sending,
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// The server has it.
    Sent,
    /// It waits for a connection, or for its turn.
    Queued,
    /// It is on the wire.
    Sending,
    /// The server refused it.
    Failed(ErrorCode),
}

impl Row {
    /// Its place in the log.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        match self {
            Self::Said(said) => said.seq(),
            Self::Done(done) => Some(done.seq),
            Self::Notice(_) => None,
        }
    }

    /// The row of an entry; none where it only changes others, or is of a kind from a newer server.
    #[must_use]
    pub fn entry(
        entry: &Entry,
        at: Position,
        moment: Moment,
        log: u32,
        me: Option<&Member>,
    ) -> Option<Self> {
        let key = || keyed(log, entry.seq);
        Some(match entry.kind {
            EntryKind::Post => {
                let mine = me.is_some_and(|me| me.id == entry.author.id);
                let calls = !mine && me.is_some_and(|me| mentions(&entry.body, &me.name));
                Self::Said(Rc::new(Said {
                    key: if mine { own_key(&entry.message_id) } else { key() },
                    at: Some(at),
                    message_id: entry.message_id.clone(),
                    author: Some(entry.author.clone()),
                    moment: Some(moment),
                    body: entry.body.as_str().into(),
                    mine,
                    large: is_emoji_only(&entry.body),
                    calls,
                    edit: 0,
                    deleted: entry.erased.is_some(),
                    signs: Vec::new(),
                }))
            }
            EntryKind::Topic | EntryKind::Membership => Self::Done(Rc::new(Done {
                key: key(),
                seq: entry.seq,
                moment,
                author: entry.author.name.clone(),
                member: entry.member.as_ref().map(|member| member.name.clone()),
                text: entry.body.as_str().into(),
            })),
            EntryKind::Edit | EntryKind::Delete | EntryKind::Reaction | EntryKind::Unknown => {
                return None;
            }
        })
    }
}

impl Said {
    /// The row of a message that waits.
    #[must_use]
    pub fn pending(message_id: MessageId, text: &str, me: Option<&Member>) -> Self {
        Self {
            key: own_key(&message_id),
            at: None,
            message_id,
            author: me.cloned(),
            moment: None,
            body: text.into(),
            mine: true,
            large: is_emoji_only(text),
            calls: false,
            edit: 0,
            deleted: false,
            signs: Vec::new(),
        }
    }

    /// Its number in the log, once the server took it.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        self.at.as_ref().map(|at| at.seq)
    }

    /// What it says, as it could be said again.
    #[must_use]
    pub fn body(&self) -> Option<Body> {
        Body::new(&self.body).ok()
    }

    /// What it says from here on.
    pub fn say(&mut self, text: &str) {
        self.body = text.into();
        self.large = is_emoji_only(text);
    }
}

/// A key within one life of the log.
pub(super) fn keyed(log: u32, seq: u64) -> Rc<str> {
    [&number(log), ".", &number(seq)].concat().into()
}

fn own_key(message_id: &MessageId) -> Rc<str> {
    ["m", message_id.as_str()].concat().into()
}
