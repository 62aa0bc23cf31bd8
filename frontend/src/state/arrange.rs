//! From a room's rows to what stands one below the other: days, groups, the unread line.

use std::rc::Rc;

use session::{Content, Edge};

use super::{Break, Done, End, Moment, Notice, Room, Row, Said, Sending, Waiting};

/// Messages of one author within this many milliseconds stand as one group.
const GROUP_MS: i64 = 5 * 60 * 1000;

/// One thing in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// How it goes on above.
    Above(End),
    /// How it goes on below.
    Below(End),
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
    /// Something was done to the room.
    Done(Rc<Done>),
    /// People came or went.
    Notice(Rc<Notice>),
    /// What stands above is not continued below.
    Break {
        /// Which piece begins.
        number: u32,
        /// Why.
        why: Break,
        /// What lies between can be had: how far that is, and the page to ask for.
        hole: Option<(End, Edge)>,
    },
}

/// Everything of a room in the order of the screen: what stands, then what waits.
#[must_use]
pub fn arrange(room: &Room, outbox: &[Waiting]) -> Vec<Item> {
    let here: Vec<&Waiting> = outbox.iter().filter(|waiting| waiting.room == room.name).collect();
    let mut list = List { items: Vec::with_capacity(room.rows() + 8), day: None, group: None };
    list.items.extend(room.top().map(Item::Above));
    let mut line = room.line_after;
    let mut above = None;
    for piece in &room.pieces {
        if let Some(why) = piece.breaks {
            let same_log = above == Some(room.log) && piece.log == room.log && piece.first > 0;
            let hole = same_log.then(|| (room.end_above(piece), room.edge_above(piece)));
            list.apart(Item::Break { number: piece.number, why, hole });
        }
        above = Some(piece.log);
        for row in &piece.rows {
            match row {
                Row::Said(said) => {
                    let beyond = |(log, seq): (u32, u64)| {
                        !said.mine && (piece.log, said.seq()) > (log, Some(seq))
                    };
                    if line.is_some_and(beyond) {
                        line = None;
                        list.day(said.moment);
                        list.apart(Item::UnreadLine);
                    }
                    let (said, sending) = with_what_waits(said, &here);
                    list.said(&said, sending);
                }
                Row::Done(done) => {
                    list.day(Some(done.moment));
                    list.apart(Item::Done(done.clone()));
                }
                Row::Notice(notice) => {
                    list.day(Some(notice.moment));
                    list.apart(Item::Notice(notice.clone()));
                }
            }
        }
    }
    list.items.extend(room.bottom().map(Item::Below));
    room.acked.iter().for_each(|said| list.said(said, Sending::Sent));
    let posts = here.iter().filter(|waiting| matches!(waiting.content, Content::Post(_)));
    posts.for_each(|waiting| list.said(&waiting.said, waiting.sending));
    list.items
}

/// A message as it will be: an edit and a deletion are seen before the server has them.
fn with_what_waits(said: &Rc<Said>, here: &[&Waiting]) -> (Rc<Said>, Sending) {
    let of =
        |waiting: &&&Waiting| waiting.content.of().is_some_and(|of| said.at.as_ref() == Some(of));
    let Some(last) = here.iter().rev().find(of) else { return (said.clone(), Sending::Sent) };
    match &last.content {
        Content::Edit { body, .. } => {
            let mut changed = (**said).clone();
            changed.say(body.as_str());
            changed.message_id = last.said.message_id.clone();
            (Rc::new(changed), last.sending)
        }
        Content::Delete { .. } => (said.clone(), last.sending),
        Content::Post(_) | Content::Reaction { .. } | Content::Topic(_) => {
            (said.clone(), Sending::Sent)
        }
    }
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
