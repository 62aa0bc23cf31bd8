//! Which part of a room's log stands in the document: at most so many rows, at the live end or
//! anywhere before it, with every hole in sight.

use std::rc::Rc;

use common::{Entry, EntryKind, Epoch, Member, Position, ResyncReason};
use session::Edge;

use super::{
    piece::{Break, Change, Piece},
    room::{Proof, Room, Standing},
    row::{Moment, Row, Said, keyed},
};

/// Rows that stand in the document for one room.
pub const ROWS_MAX: usize = 300;
/// Changes that are remembered for pages that are older.
const CHANGES_MAX: usize = 64;
/// Entries before the first unread one that are shown with it.
const CONTEXT: u64 = 12;

/// How an end of a piece goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// There is more, and it can be asked for.
    More,
    /// It was asked for.
    Loading,
    /// It could not be had.
    Failed,
    /// There is nothing before it: the log begins here.
    Beginning,
    /// What was before it is no longer kept.
    Pruned,
}

/// A page of the past.
#[derive(Debug)]
pub struct Page {
    /// Which one.
    pub edge: Edge,
    /// Where the log ended then.
    pub head: Position,
    /// Entries up to this one are no longer kept.
    pub floor: u64,
    /// In their order and without a gap.
    pub entries: Vec<Entry>,
    /// What changes them.
    pub later: Vec<Entry>,
}

impl Room {
    pub(super) fn joined(
        &mut self,
        position: &Position,
        recovered: Option<u64>,
        (members, count): (Vec<Member>, u32),
        floor: u64,
    ) {
        self.standing = Standing::Joined;
        self.set_members(members);
        self.count = count;
        if recovered.is_none() && self.epoch.as_ref() != Some(&position.epoch) {
            self.begin(position.epoch.clone());
        }
        self.head = position.seq;
        self.floor = floor;
    }

    /// Another log is written from here on: what was read of an older one says nothing about it.
    fn begin(&mut self, epoch: Epoch) {
        self.log += 1;
        self.epoch = Some(epoch);
        (self.last, self.topic_seq, self.floor) = (0, 0, 0);
        (self.read, self.asked) = (None, None);
        self.changes.clear();
        self.take_told();
    }

    pub(super) fn resynced(&mut self, reason: ResyncReason, after: &Position) {
        let goes_on = self.epoch.as_ref() == Some(&after.epoch) && self.last <= after.seq;
        if !goes_on {
            self.begin(after.epoch.clone());
        }
        self.break_off(Break::Resync(reason), after.seq);
        // A join that was answered so tells the head right after; else what comes is live.
        self.head = 0;
    }

    pub(super) fn disproved(&mut self) {
        let Some(epoch) = self.epoch.clone() else { return };
        let (read, last) = (self.read, self.last);
        self.begin(epoch);
        self.break_off(Break::Disproved, last);
        (self.read, self.proof) = (read, Proof::Disproved);
        // Where the server begins anew, its next entry says.
        if let Some(piece) = self.pieces.last_mut() {
            piece.first = 0;
        }
    }

    fn break_off(&mut self, breaks: Break, after: u64) {
        // What was acknowledged stands; whether the log still has it, its next page shows.
        let acked = std::mem::take(&mut self.acked);
        if let Some(piece) = self.pieces.last_mut() {
            piece.rows.extend(acked.into_iter().map(Row::Said));
        }
        self.pieces.pop_if(|piece| piece.rows.is_empty());
        let breaks = (!self.pieces.is_empty()).then_some(breaks);
        let number = self.number();
        self.pieces.push(Piece::after(number, self.log, after, breaks));
        self.last = after;
    }

    /// Whether what comes next belongs below what stands.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.pieces.last().is_none_or(|piece| piece.log < self.log || piece.last >= self.last)
    }

    /// The rows at the live end.
    pub(super) fn open_rows(&mut self) -> &mut Vec<Row> {
        if self.pieces.last().is_none_or(|piece| piece.log != self.log) {
            let (number, last) = (self.number(), self.last);
            self.pieces.push(Piece::after(number, self.log, last, None));
        }
        &mut self.pieces.last_mut().expect("one was pushed if there was none").rows
    }

    /// Takes an entry. Says whether it is news, as opposed to history.
    pub(super) fn enter(
        &mut self,
        entry: &Entry,
        moment: Moment,
        me: Option<&Member>,
        attended: bool,
    ) -> bool {
        let live = entry.seq > self.head;
        let full = self.away && self.rows() >= ROWS_MAX;
        let attached = self.is_attached();
        let before = std::mem::replace(&mut self.last, entry.seq);
        self.topic_of(entry);
        let Some(row) = self.row(entry, moment, me) else {
            if attached {
                self.cover(before, entry.seq);
            }
            if let Some(change) = Change::entry(entry) {
                self.change(&change);
                if self.changes.len() == CHANGES_MAX {
                    self.changes.remove(0);
                }
                self.changes.push(change);
            }
            return false;
        };
        let news = live && matches!(&row, Row::Said(said) if !said.mine);
        if let Row::Said(said) = &row {
            if news {
                self.count_unread(said, attended, before);
            }
            self.acked.retain(|acked| !said.mine || acked.message_id != said.message_id);
        }
        if attached && !full {
            self.cover(before, entry.seq);
            self.open_rows().push(row);
            self.trim_top();
        }
        news
    }

    /// The live end reaches so far.
    fn cover(&mut self, before: u64, seq: u64) {
        self.open_rows();
        if let Some(piece) = self.pieces.last_mut() {
            // The first entry after a join says where the piece begins.
            if piece.first == 0 || (before == 0 && piece.rows.is_empty()) {
                piece.first = seq;
            }
            piece.last = seq;
        }
    }

    fn row(&self, entry: &Entry, moment: Moment, me: Option<&Member>) -> Option<Row> {
        let at = Position { epoch: self.epoch.clone()?, seq: entry.seq };
        let mut row = Row::entry(entry, at, moment, self.log, me)?;
        if let Row::Said(said) = &mut row
            && said.mine
            && self.said().any(|other| other.key == said.key)
        {
            Rc::make_mut(said).key = keyed(self.log, entry.seq);
        }
        Some(row)
    }

    fn topic_of(&mut self, entry: &Entry) {
        if entry.kind == EntryKind::Topic && entry.seq >= self.topic_seq {
            (self.topic, self.topic_seq) = (entry.body.as_str().into(), entry.seq);
        }
    }

    fn count_unread(&mut self, said: &Said, attended: bool, before: u64) {
        if said.seq() <= self.read {
            return;
        }
        if self.unread == 0 && !attended && self.line_after.is_none() && self.read.is_some() {
            self.line_after = Some((self.log, before));
        }
        self.unread += 1;
        self.mentions += u32::from(said.calls);
    }

    pub(super) fn change(&mut self, change: &Change) {
        let log = self.log;
        self.pieces.iter_mut().filter(|piece| piece.log == log).for_each(|it| it.change(change));
    }

    /// A page of the past was asked for.
    pub(super) fn asks(&mut self, edge: Edge) {
        if edge == Edge::Newest {
            self.sought = None;
        }
        self.asked = Some((edge, false));
    }

    pub(super) fn page_failed(&mut self, edge: &Edge) {
        if let Some((_, failed)) = self.asked.as_mut().filter(|(asked, _)| asked == edge) {
            *failed = true;
        }
    }

    /// Takes a page: beside the piece that it goes on from, or in place of everything.
    pub(super) fn take_page(&mut self, page: &Page, moments: &[Moment], me: Option<&Member>) {
        self.asked.take_if(|(asked, _)| *asked == page.edge);
        if self.epoch.as_ref() != Some(&page.head.epoch) {
            return;
        }
        self.floor = page.floor;
        let rows: Vec<Row> = page
            .entries
            .iter()
            .zip(moments)
            .filter_map(|(entry, moment)| self.row(entry, *moment, me))
            .collect();
        let ends = page.entries.first().zip(page.entries.last());
        if let Some((first, last)) = ends.map(|(first, last)| (first.seq, last.seq)) {
            self.place(&page.edge, first, last, rows);
        }
        let told = page.entries.iter().chain(&page.later).filter_map(Change::entry);
        let since = self.changes.iter().filter(|change| change.seq > page.head.seq).cloned();
        for change in told.chain(since).collect::<Vec<_>>() {
            self.change(&change);
        }
    }

    fn place(&mut self, edge: &Edge, first: u64, last: u64, rows: Vec<Row>) {
        let log = self.log;
        let find = |is_it: &dyn Fn(&Piece) -> bool| {
            self.pieces.iter().position(|piece| piece.log == log && is_it(piece))
        };
        let (above, below) = match edge {
            Edge::Before(at) => (find(&|piece| piece.first == at.seq), None),
            Edge::After(at) => (None, find(&|piece| piece.last == at.seq)),
            Edge::Newest => (None, None),
        };
        if let Some(nth) = above {
            self.pieces[nth].prepend(first, rows);
            self.close_hole(nth);
            self.trim_bottom();
        } else if let Some(nth) = below.filter(|nth| first == self.pieces[*nth].last + 1) {
            self.pieces[nth].append(last, rows);
            self.trim_top();
        } else {
            let breaks = below.map(|_| Break::Resync(ResyncReason::Pruned));
            if breaks.is_none() {
                self.pieces.clear();
            }
            let number = self.number();
            let piece = Piece::after(number, log, first - 1, breaks);
            self.pieces.push(Piece { last, rows, ..piece });
            self.trim_top();
        }
    }

    /// Joins a piece with the one above, if nothing is missing between them.
    fn close_hole(&mut self, nth: usize) {
        let Some(above) = nth.checked_sub(1) else { return };
        let joins = self.pieces[above].log == self.log
            && self.pieces[nth].first <= self.pieces[above].last + 1;
        if joins {
            let Piece { last, rows, .. } = self.pieces.remove(nth);
            self.pieces[above].append(last, rows);
        }
    }

    /// How many rows stand.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.pieces.iter().map(|piece| piece.rows.len()).sum()
    }

    pub(super) fn trim_top(&mut self) {
        while let Some(surplus) = self.rows().checked_sub(ROWS_MAX).filter(|it| *it > 0) {
            let first = &mut self.pieces[0];
            if first.rows.len() <= surplus {
                self.pieces.remove(0);
            } else {
                first.trim_top(surplus);
            }
        }
    }

    fn trim_bottom(&mut self) {
        while let Some(surplus) = self.rows().checked_sub(ROWS_MAX).filter(|it| *it > 0) {
            let Some(last) = self.pieces.last_mut() else { return };
            if last.rows.len() <= surplus {
                self.pieces.pop();
            } else {
                last.trim_bottom(surplus);
            }
        }
    }

    /// How the rows go on above the first; none where they belong to a log that is gone.
    #[must_use]
    pub fn top(&self) -> Option<End> {
        let first = self.pieces.first().filter(|piece| piece.log == self.log && piece.first > 0)?;
        Some(self.end_above(first))
    }

    /// How a piece goes on above.
    #[must_use]
    pub fn end_above(&self, piece: &Piece) -> End {
        match piece.first <= self.floor + 1 {
            true if self.floor == 0 => End::Beginning,
            true => End::Pruned,
            false => self.end(&self.edge_above(piece)),
        }
    }

    /// How the rows go on below the last; none at the live end.
    #[must_use]
    pub fn bottom(&self) -> Option<End> {
        self.edge_below().map(|edge| self.end(&edge))
    }

    fn end(&self, edge: &Edge) -> End {
        match &self.asked {
            Some((asked, failed)) if asked == edge => {
                if *failed {
                    End::Failed
                } else {
                    End::Loading
                }
            }
            Some(_) | None => End::More,
        }
    }

    /// The page before a piece.
    #[must_use]
    pub fn edge_above(&self, piece: &Piece) -> Edge {
        self.position(piece.first).map_or(Edge::Newest, Edge::Before)
    }

    /// The page above the first row; none where there is no more.
    #[must_use]
    pub fn edge_top(&self) -> Option<Edge> {
        self.top().filter(|end| *end == End::More)?;
        self.pieces.first().map(|first| self.edge_above(first))
    }

    /// The page below the last row; none at the live end.
    #[must_use]
    pub fn edge_below(&self) -> Option<Edge> {
        let last = self.pieces.last().filter(|_| !self.is_attached())?;
        self.position(last.last).map(Edge::After)
    }

    /// The page around the first unread message, where it is not among the rows.
    #[must_use]
    pub fn edge_unread(&self) -> Option<Edge> {
        let read = self.line_after.filter(|(log, _)| *log == self.log && self.unread > 0)?.1;
        let first = self.pieces.first().filter(|first| first.log == self.log)?;
        let missing = first.first > read.max(self.floor) + 1 && self.asked.is_none();
        let from = read.saturating_sub(CONTEXT).max(self.floor);
        self.position(from).filter(|_| missing).map(Edge::After)
    }

    pub(super) fn position(&self, seq: u64) -> Option<Position> {
        Some(Position { epoch: self.epoch.clone()?, seq })
    }
}
