//! From a room's rows to what stands one below the other: days, groups, the unread line.

use std::rc::Rc;

use super::{Moment, Notice, Room, Row, Said, Sending, Waiting};
use common::ResyncReason;

/// Messages of one author within this many milliseconds stand as one group.
const GROUP_MS: i64 = 5 * 60 * 1000;

/// One thing in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Older ones are further up and not in the document.
    FurtherUp,
    /// Another day begins, at this moment.
    Day(Moment),
    /// From here on nothing was read.
    UnreadLine,
    /// A message. One that `leads` shows its author and time.
    Said {
        /// What was said.
        said: Rc<Said>,
        /// How far it is.
        sending: Sending,
        /// Whether it is the first of its group.
        leads: bool,
    },
    /// People came or went.
    Notice(Rc<Notice>),
    /// What stands above is not continued below.
    Resync {
        /// Which piece begins.
        piece: u32,
        /// Why.
        reason: ResyncReason,
    },
}

/// Everything of a room in the order of the screen: what stands, then what waits.
#[must_use]
pub fn arrange(room: &Room, outbox: &[Waiting]) -> Vec<Item> {
    let mut list = List { items: Vec::with_capacity(room.rows.len() + 8), day: None, group: None };
    if room.trimmed > 0 {
        list.items.push(Item::FurtherUp);
    }
    let mut line = room.line_after;
    let mut piece = room.piece - resyncs(room);
    for row in &room.rows {
        match row {
            Row::Said(said) => {
                if line.is_some_and(|line| {
                    !said.mine && (Some(piece), said.seq) > (Some(line.0), Some(line.1))
                }) {
                    line = None;
                    list.day(said.moment);
                    list.apart(Item::UnreadLine);
                }
                list.said(said, Sending::Sent);
            }
            Row::Notice(notice) => {
                list.day(Some(notice.moment));
                list.apart(Item::Notice(notice.clone()));
            }
            Row::Resync { piece: begins, reason } => {
                piece = *begins;
                list.apart(Item::Resync { piece, reason: *reason });
            }
        }
    }
    room.acked.iter().for_each(|said| list.said(said, Sending::Sent));
    let here = outbox.iter().filter(|waiting| waiting.room == room.name);
    here.for_each(|waiting| list.said(&waiting.said, waiting.sending));
    list.items
}

/// How many of the room's pieces begin within the rows that stand.
fn resyncs(room: &Room) -> u32 {
    let within = room.rows.iter().filter(|row| matches!(row, Row::Resync { .. })).count();
    u32::try_from(within).unwrap_or(0).min(room.piece)
}

struct List {
    items: Vec<Item>,
    day: Option<i32>,
    /// Who speaks, and since when; a pending message has no time yet.
    group: Option<(bool, Option<common::UserId>, Option<i64>)>,
}

impl List {
    fn apart(&mut self, item: Item) {
        self.items.push(item);
        self.group = None;
    }

    fn day(&mut self, moment: Option<Moment>) {
        let Some(moment) = moment else { return };
        if self.day.is_none_or(|day| day < moment.day) {
            self.day = Some(moment.day);
            self.apart(Item::Day(moment));
        }
    }

    fn said(&mut self, said: &Rc<Said>, sending: Sending) {
        self.day(said.moment);
        let author = said.author.as_ref().map(|author| author.id.clone());
        let ms = said.moment.map(|moment| moment.ms);
        let follows = self.group.as_ref().is_some_and(|(mine, speaker, since)| {
            let near = match (since, ms) {
                (Some(since), Some(ms)) => ms - since < GROUP_MS,
                (Some(_) | None, Some(_) | None) => true,
            };
            near && (*speaker == author || (*mine && said.mine))
        });
        if !follows {
            self.group = Some((said.mine, author, ms));
        }
        self.items.push(Item::Said { said: said.clone(), sending, leads: !follows });
    }
}
