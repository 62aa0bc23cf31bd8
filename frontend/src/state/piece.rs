//! A piece of a room's log that stands on the screen without a hole, and where it goes on.

use std::rc::Rc;

use common::{Entry, EntryKind, ResyncReason, UserId};
use session::Content;

use super::row::{Row, Said, Sign};

/// Rows without a hole between them.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its number among the room's pieces, for its key.
    pub number: u32,
    /// Which life of the log it belongs to: places of two lives are never compared.
    pub log: u32,
    /// Why it does not go on from the piece above; none at the top.
    pub breaks: Option<Break>,
    /// The first place that it covers; 0 before anything came.
    pub first: u64,
    /// The last place that it covers: one less than the first where it covers nothing.
    pub last: u64,
    /// What is seen of it, oldest first.
    pub rows: Vec<Row>,
}

/// Why one piece does not go on from the one above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The server could not go on from there.
    Resync(ResyncReason),
    /// What stands above is not what the server's log says.
    Disproved,
}

/// Something that changes what stands in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its own place.
    pub seq: u64,
    /// The place of what it changes.
    of: u64,
    author: UserId,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Edit(Rc<str>),
    Delete,
    Sign(Rc<str>),
}

impl Change {
    /// What an entry changes; none where it stands for itself, or was erased.
    #[must_use]
    pub fn entry(entry: &Entry) -> Option<Self> {
        let text = || -> Rc<str> { entry.body.as_str().into() };
        let what = match entry.kind {
            EntryKind::Edit => What::Edit(text()),
            EntryKind::Delete => What::Delete,
            EntryKind::Reaction => What::Sign(text()),
            EntryKind::Post | EntryKind::Membership | EntryKind::Topic | EntryKind::Unknown => {
                return None;
            }
        };
        let change = Self { seq: entry.seq, of: entry.of?, author: entry.author.id.clone(), what };
        entry.erased.is_none().then_some(change)
    }

    /// What something of mine changes, once it stands at `seq`.
    #[must_use]
    pub fn mine(content: &Content, seq: u64, author: UserId) -> Option<Self> {
        let what = match content {
            Content::Edit { body, .. } => What::Edit(body.as_str().into()),
            Content::Delete { .. } => What::Delete,
            Content::Reaction { emoji, .. } => What::Sign(emoji.as_str().into()),
            Content::Post(_) | Content::Topic(_) => return None,
        };
        Some(Self { seq, of: content.of()?.seq, author, what })
    }

    /// Changes a message if it is meant. To do so again changes nothing.
    fn apply(&self, said: &mut Rc<Said>) {
        let unsigns = self.what == What::Delete && said.signs.iter().any(|it| it.seq == self.of);
        if unsigns {
            return Rc::make_mut(said).signs.retain(|sign| sign.seq != self.of);
        }
        if said.seq() != Some(self.of) || said.deleted {
            return;
        }
        match &self.what {
            What::Edit(text) if said.edit < self.seq => {
                let said = Rc::make_mut(said);
                said.edit = self.seq;
                said.say(text);
            }
            What::Edit(_) => {}
            What::Delete => {
                let said = Rc::make_mut(said);
                said.deleted = true;
                said.say("");
                said.signs.clear();
            }
            What::Sign(emoji) => {
                let at = said.signs.partition_point(|sign| sign.seq < self.seq);
                if said.signs.get(at).is_none_or(|sign| sign.seq != self.seq) {
                    let (seq, emoji, author) = (self.seq, emoji.clone(), self.author.clone());
                    Rc::make_mut(said).signs.insert(at, Sign { seq, emoji, author });
                }
            }
        }
    }
}

impl Piece {
    /// A piece that begins after this place.
    #[must_use]
    pub fn after(number: u32, log: u32, seq: u64, breaks: Option<Break>) -> Self {
        Self { number, log, breaks, first: seq + 1, last: seq, rows: Vec::new() }
    }

    /// Puts a page before what stands.
    pub(super) fn prepend(&mut self, first: u64, mut rows: Vec<Row>) {
        rows.append(&mut self.rows);
        self.rows = rows;
        self.first = first;
    }

    /// Puts a page, or another piece that overlaps or touches, behind what stands.
    pub(super) fn append(&mut self, last: u64, rows: Vec<Row>) {
        let held = self.last;
        self.rows.extend(rows.into_iter().filter(|row| row.seq().is_none_or(|seq| seq > held)));
        self.last = last;
    }

    /// Takes so many rows away at the top.
    pub(super) fn trim_top(&mut self, surplus: usize) {
        self.rows.drain(..surplus);
        self.first = self.rows.iter().find_map(Row::seq).unwrap_or(self.last + 1);
    }

    /// Takes so many rows away at the bottom.
    pub(super) fn trim_bottom(&mut self, surplus: usize) {
        let gone = self.rows.split_off(self.rows.len() - surplus);
        if let Some(seq) = gone.iter().find_map(Row::seq) {
            self.last = seq - 1;
        }
    }

    pub(super) fn change(&mut self, change: &Change) {
        for row in &mut self.rows {
            match row {
                Row::Said(said) => change.apply(said),
                Row::Done(_) | Row::Notice(_) => {}
            }
        }
    }
}
