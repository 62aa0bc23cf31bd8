//! One room of this person: its rows, who is there, and how far it was read.

use std::rc::Rc;

use common::{
    Entry, EntryKind, Epoch, ErrorCode, Member, Position, ResyncReason, RoomName, UserId, UserName,
};

use super::row::{Moment, Notice, Row, Said, pieced};

/// Rows that stand in the document for one room.
pub const ROWS_MAX: usize = 300;
/// Milliseconds within which comings and goings become one notice.
const NOTICE_MERGE_MS: i64 = 5 * 60 * 1000;

/// One room of this person.
#[derive(Clone, Debug)]
pub struct Room {
    /// Its name.
    pub name: RoomName,
    /// Whether it is followed.
    pub standing: Standing,
    /// What was said and what happened, oldest first.
    pub rows: Vec<Row>,
    /// My messages that were acknowledged and whose entries have not come yet, by their place.
    pub acked: Vec<Rc<Said>>,
    /// The people present, by name; at most as many as the server lists.
    pub members: Rc<Vec<Member>>,
    /// How many people are present.
    pub count: u32,
    /// How many messages of others are unread.
    pub unread: u64,
    /// The "new messages" line stands before the first entry of others after this place.
    pub line_after: Option<(u32, u64)>,
    /// How many rows no longer stand in the document.
    pub trimmed: u64,
    /// Up to where it was read; what the person's storage keeps.
    pub read: Option<Position>,
    /// How often the person spoke here: each time leads to the end of the list.
    pub spoken: u32,
    /// Which piece of the conversation is being written: each resync begins another.
    pub piece: u32,
    epoch: Option<Epoch>,
    /// The log's end at the last join: what comes up to it is history.
    head: u64,
    last: u64,
    notices: u32,
}

/// Whether a room is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has not been joined yet.
    Joining,
    /// It is followed, or will be again by itself.
    Joined,
    /// The server refused.
    Refused(ErrorCode),
}

impl Room {
    /// A room that is to be joined.
    #[must_use]
    pub fn wanted(name: RoomName, read: Option<Position>) -> Self {
        Self {
            name,
            standing: Standing::Joining,
            rows: Vec::new(),
            acked: Vec::new(),
            members: Rc::default(),
            count: 0,
            unread: 0,
            line_after: None,
            trimmed: 0,
            read,
            spoken: 0,
            piece: 0,
            epoch: None,
            head: 0,
            last: 0,
            notices: 0,
        }
    }

    /// Whether the server refused to let it be joined.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.standing, Standing::Refused(_))
    }

    pub(super) fn wanted_again(&mut self) {
        if self.is_refused() {
            self.standing = Standing::Joining;
        }
    }

    pub(super) fn joined(
        &mut self,
        position: &Position,
        recovered: Option<u64>,
        members: Vec<Member>,
        count: u32,
    ) {
        self.standing = Standing::Joined;
        self.set_members(members);
        self.count = count;
        if recovered.is_none() && self.epoch.as_ref() != Some(&position.epoch) {
            self.begin(position.epoch.clone());
        }
        self.epoch = Some(position.epoch.clone());
        self.head = position.seq;
    }

    /// Another log: what was read of the older one says nothing about it.
    fn begin(&mut self, epoch: Epoch) {
        self.read = self.read.take().filter(|read| read.epoch == epoch);
        self.epoch = Some(epoch);
        self.last = 0;
    }

    pub(super) fn resynced(&mut self, reason: ResyncReason) {
        // What was acknowledged stands; whether the log still has it, its next page shows.
        let acked = std::mem::take(&mut self.acked);
        self.rows.extend(acked.into_iter().map(Row::Said));
        if let Some(Row::Resync { .. }) = self.rows.last() {
            return;
        }
        self.piece += 1;
        self.last = 0;
        // A join that was answered so tells the head right after; else what comes is live.
        self.head = 0;
        if !self.rows.is_empty() {
            self.rows.push(Row::Resync { piece: self.piece, reason });
        }
    }

    /// Takes an entry. Says whether it is news, as opposed to history.
    pub(super) fn enter(
        &mut self,
        entry: &Entry,
        moment: Moment,
        mine: bool,
        attended: bool,
    ) -> bool {
        let first = self.last == 0;
        let live = entry.seq > self.head;
        let before = std::mem::replace(&mut self.last, entry.seq);
        self.count_unread(entry, mine, attended && live, first, before);
        match entry.kind {
            EntryKind::Post => {}
            // Its place counts; what it means only a newer page knows.
            EntryKind::Unknown => return false,
        }
        let mut said = Said::entry(entry, moment, mine, self.piece);
        if mine {
            self.acked.retain(|acked| acked.message_id != entry.message_id);
            let taken = |row: &Row| matches!(row, Row::Said(other) if other.key == said.key);
            if self.rows.iter().any(taken) {
                said.key = pieced(self.piece, &said.key).into();
            }
        }
        self.rows.push(Row::Said(Rc::new(said)));
        self.trim();
        live
    }

    fn count_unread(
        &mut self,
        entry: &Entry,
        mine: bool,
        attended: bool,
        first: bool,
        before: u64,
    ) {
        let read = self.read_seq();
        if entry.seq <= read {
            return;
        }
        // Between what was read and the page that came there may be more.
        let skipped = if first && read > 0 { entry.seq - 1 - read.min(entry.seq - 1) } else { 0 };
        if mine {
            self.unread += skipped;
            return;
        }
        if self.unread == 0 && !attended && self.line_after.is_none() && self.read.is_some() {
            self.line_after = Some((self.piece, if first { read } else { before }));
        }
        self.unread += 1 + skipped;
    }

    /// The last place that was read in the log that is being written; 0 for nothing.
    fn read_seq(&self) -> u64 {
        match (&self.read, &self.epoch) {
            (Some(read), Some(epoch)) if read.epoch == *epoch => read.seq,
            _ => 0,
        }
    }

    pub(super) fn read_to_end(&mut self) {
        self.unread = 0;
        if let Some(epoch) = &self.epoch {
            let seq = self.last.max(self.read_seq());
            self.read = Some(Position { epoch: epoch.clone(), seq });
        }
    }

    /// The person looks elsewhere: a line above what was read has done its work.
    pub(super) fn turn_away(&mut self) {
        if self.unread == 0 {
            self.line_after = None;
        }
    }

    /// The person wrote: everything above has been seen.
    pub(super) fn spoke(&mut self) {
        self.read_to_end();
        self.line_after = None;
        self.spoken += 1;
    }

    /// A message of mine was taken; it stands here until its entry comes.
    pub(super) fn acked(&mut self, said: &Said, position: &Position, moment: Moment) {
        let key = |row: &Row| matches!(row, Row::Said(other) if other.key == said.key);
        if self.epoch.as_ref() != Some(&position.epoch) || self.rows.iter().any(key) {
            return;
        }
        let said = Said { seq: Some(position.seq), moment: Some(moment), ..said.clone() };
        let at = self.acked.partition_point(|other| other.seq < said.seq);
        self.acked.insert(at, Rc::new(said));
    }

    pub(super) fn presence(
        &mut self,
        joined: &[Member],
        left: &[UserId],
        members: Option<Vec<Member>>,
        me: Option<&UserId>,
        moment: Moment,
    ) {
        let known = |id: &UserId| self.members.iter().find(|member| member.id == *id);
        let came: Vec<UserName> = joined
            .iter()
            .filter(|member| Some(&member.id) != me && known(&member.id).is_none())
            .map(|member| member.name.clone())
            .collect();
        let went: Vec<UserName> = left
            .iter()
            .filter(|id| Some(*id) != me)
            .filter_map(known)
            .map(|member| member.name.clone())
            .collect();
        let present = members.unwrap_or_else(|| {
            let stays = |member: &&Member| {
                !left.contains(&member.id) && joined.iter().all(|other| other.id != member.id)
            };
            self.members.iter().filter(stays).cloned().chain(joined.iter().cloned()).collect()
        });
        self.set_members(present);
        self.notice(came, went, moment);
    }

    fn set_members(&mut self, members: Vec<Member>) {
        // By name. They are few and nearly in order; a general sort would be a heavy thing to load.
        let mut ordered: Vec<Member> = Vec::with_capacity(members.len());
        for member in members {
            let place = (&member.name, &member.id);
            let at = ordered.partition_point(|other| (&other.name, &other.id) < place);
            ordered.insert(at, member);
        }
        self.members = Rc::new(ordered);
    }

    /// Comings and goings one after another become one line; who came and went again is no news.
    fn notice(&mut self, came: Vec<UserName>, went: Vec<UserName>, moment: Moment) {
        if came.is_empty() && went.is_empty() {
            return;
        }
        let mut notice = match self.rows.last() {
            Some(Row::Notice(last)) if moment.ms - last.moment.ms < NOTICE_MERGE_MS => {
                let last = (**last).clone();
                self.rows.pop();
                last
            }
            Some(Row::Said(_) | Row::Notice(_) | Row::Resync { .. }) | None => {
                self.notices += 1;
                let (joined, left) = (Vec::new(), Vec::new());
                Notice { number: self.notices, joined, left, moment }
            }
        };
        for name in went {
            move_name(name, &mut notice.joined, &mut notice.left);
        }
        for name in came {
            move_name(name, &mut notice.left, &mut notice.joined);
        }
        self.rows.push(Row::Notice(Rc::new(notice)));
        self.trim();
    }

    fn trim(&mut self) {
        if self.rows.len() > ROWS_MAX {
            let surplus = self.rows.len() - ROWS_MAX;
            self.rows.drain(..surplus);
            self.trimmed += surplus as u64;
        }
    }
}

fn move_name(name: UserName, from: &mut Vec<UserName>, to: &mut Vec<UserName>) {
    from.retain(|other| *other != name);
    if !to.contains(&name) {
        to.push(name);
    }
}
