//! One line of a conversation.

use std::rc::Rc;

use common::{Body, Entry, ErrorCode, Member, MessageId, ResyncReason, RoomName, UserName};

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
    /// People came or went.
    Notice(Rc<Notice>),
    /// What stands above is not continued below.
    Resync {
        /// Which of the room's pieces begins here.
        piece: u32,
        /// Why.
        reason: ResyncReason,
    },
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its key among the rows: it stays while the pending message becomes the real one.
    pub key: Rc<str>,
    /// Its place, once the server took it.
    pub seq: Option<u64>,
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

/// A message on its way to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Where it belongs.
    pub room: RoomName,
    /// What it says.
    pub said: Rc<Said>,
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

impl Said {
    /// An entry's row.
    #[must_use]
    pub fn entry(entry: &Entry, moment: Moment, mine: bool, piece: u32) -> Self {
        let key = if mine { own_key(&entry.message_id) } else { pieced(piece, &number(entry.seq)) };
        Self {
            key: key.into(),
            seq: Some(entry.seq),
            message_id: entry.message_id.clone(),
            author: Some(entry.author.clone()),
            moment: Some(moment),
            body: entry.body.as_str().into(),
            mine,
            large: is_emoji_only(&entry.body),
        }
    }

    /// The row of a message that waits.
    #[must_use]
    pub fn pending(message_id: MessageId, body: &Body, me: Option<&Member>) -> Self {
        Self {
            key: own_key(&message_id).into(),
            seq: None,
            message_id,
            author: me.cloned(),
            moment: None,
            body: body.as_str().into(),
            mine: true,
            large: is_emoji_only(body.as_str()),
        }
    }
}

/// A key within one piece of the conversation.
pub(super) fn pieced(piece: u32, key: &str) -> String {
    [&number(piece), ".", key].concat()
}

fn own_key(message_id: &MessageId) -> String {
    ["m", message_id.as_str()].concat()
}
