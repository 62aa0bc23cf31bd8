//! Scrolling back: pages of the past, and what the posts on a screen say in the end.

use common::{Entry, EntryKind, ErrorCode, Position, RoomName, UserId};
use session::{Edge, PageFailure};

use super::Screen;
use crate::judge::{Judge, Verdict, broken};

/// A page that came.
pub(super) struct Past {
    pub(super) edge: Edge,
    pub(super) head: Position,
    pub(super) entries: Vec<Entry>,
    pub(super) later: Vec<Entry>,
}

impl Screen {
    /// A page came: it has no gap, ends where it was asked to, and all of it is true.
    pub(super) fn scrolled(
        &mut self,
        room: &RoomName,
        page: Past,
        user: &UserId,
        judge: &Judge,
    ) -> Verdict {
        let Past { edge, head, entries, later } = page;
        if self.epoch.as_ref() != Some(&head.epoch) {
            broken!("a page of {room} is of {:?}, the screen of {:?}", head.epoch, self.epoch);
        }
        let seqs: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
        if seqs.windows(2).any(|pair| pair[0] + 1 != pair[1]) {
            broken!("a page of {room} has a gap: {seqs:?}");
        }
        let meets = match (&edge, seqs.first(), seqs.last()) {
            // What was appended since the session stood there comes by itself.
            (Edge::Newest, ..) | (_, None, _) | (_, _, None) => true,
            (Edge::Before(position), _, Some(last)) => last + 1 == position.seq,
            (Edge::After(position), Some(first), _) => {
                *first == position.seq + 1 || judge.may_be_pruned(room, &head.epoch, position.seq)
            }
        };
        if !meets {
            broken!("a page of {room} for {edge:?} is {seqs:?}");
        }
        for entry in entries.into_iter().chain(later) {
            self.learn(entry, user, judge)?;
        }
        Ok(())
    }

    pub(super) fn not_scrolled(&mut self, room: &RoomName, failure: PageFailure) -> Verdict {
        match failure {
            PageFailure::NoAnswer => Ok(()),
            // Of another epoch, or pruned since; or the room was left or lost meanwhile.
            PageFailure::Refused(problem)
                if matches!(
                    problem.code,
                    ErrorCode::CursorExpired | ErrorCode::NotFound | ErrorCode::Forbidden
                ) =>
            {
                Ok(())
            }
            PageFailure::Refused(problem) => broken!("a page of {room} was refused: {problem:?}"),
            PageFailure::Disproved if self.holed_pages > 0 || self.forged => {
                self.holed_pages = self.holed_pages.saturating_sub(1);
                Ok(())
            }
            // The room is asked for anew, and nothing is known that a page could be held against.
            PageFailure::Disproved if self.doubted => Ok(()),
            PageFailure::Disproved => broken!("a page of {room} is disproved, and was true"),
        }
    }

    /// Every post that is known says what it says in the log, after its last edit, or is deleted.
    pub(super) fn reads_like_the_log(
        &self,
        room: &RoomName,
        head: &Position,
        judge: &Judge,
    ) -> Verdict {
        let Some(log) = judge.log(room, &head.epoch) else { return Ok(()) };
        for row in self.rows.values().filter(|row| row.kind == EntryKind::Post) {
            let edits = self.rows.values().filter(|it| it.kind == EntryKind::Edit);
            let last = edits.rev().find(|it| it.of == Some(row.seq));
            let body = last.map_or(row.body.as_str(), |edit| edit.body.as_str());
            let deleted = row.erased.is_some() || row.body.is_empty();
            let shown = (!deleted).then_some(body);
            let stands = log.at(row.seq).and_then(|post| log.text(post, head.seq));
            if shown != stands {
                broken!("{room} {} reads {shown:?}, and in the log {stands:?}", row.seq);
            }
        }
        Ok(())
    }
}
