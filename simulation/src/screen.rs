//! What a person's page shows, held against what really happened.

mod past;

use std::collections::{BTreeMap, BTreeSet};

use common::{Entry, EntryKind, Epoch, Position, ResyncReason, RoomName, UserId};
use session::{Event, Session};

use crate::{
    judge::{Judge, Verdict, broken},
    report::Report,
};

/// What somebody's proxy writes over a text.
pub(crate) const FORGED: &str = "forged";

/// One room on one person's page.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    pub(crate) epoch: Option<Epoch>,
    /// The last row; `None` where the next one may be any later one.
    pub(crate) at: Option<u64>,
    shown: BTreeSet<(Epoch, u64)>,
    /// Everything that is known of this piece of the log, also what was scrolled to.
    pub(crate) rows: BTreeMap<u64, Entry>,
    broken_off: Option<ResyncReason>,
    recovering: Option<Recovering>,
    /// An entry was shown that somebody's proxy had forged: it has to be noticed.
    forged: bool,
    /// It was noticed, and the room is joined afresh, or goes on as a new piece.
    doubted: bool,
    /// So many pages were made to lack an entry on their way.
    pub(crate) holed_pages: u32,
    /// Up to here the session said that nothing is missing.
    proven: Option<Position>,
    present: BTreeSet<UserId>,
    count: u32,
}

#[derive(Debug)]
struct Recovering {
    count: u64,
    to: u64,
    seen: u64,
}

/// Everything a person's page shows.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) rooms: BTreeMap<RoomName, Screen>,
}

impl Page {
    /// Shows what the session tells, and holds it against what really happened.
    pub(crate) fn see(
        &mut self,
        client: usize,
        event: Event,
        session: &Session,
        (judge, report): (&mut Judge, &mut Report),
    ) -> Verdict {
        let user = judge.user(client);
        match event {
            Event::LinkChanged
            | Event::Welcome { .. }
            | Event::Left { .. }
            | Event::Opened { .. }
            | Event::OutboxChanged { .. } => Ok(()),
            Event::Joined { room, position, recovered, members, count, .. } => {
                let screen = self.screen(&room)?;
                screen.present = members.into_iter().map(|member| member.id).collect();
                screen.count = count;
                screen.joined(&room, &position, recovered, judge)
            }
            Event::Recovered { room, count } => self.screen(&room)?.recovered(count),
            Event::Resynced { room, reason, .. } => {
                let Some(begins) = session.position(&room) else {
                    broken!("{room} breaks off and nothing follows")
                };
                self.screen(&room)?.resynced(&room, reason, &begins.epoch, judge)
            }
            Event::Entry { entry } => self.screen(&entry.room)?.entry(entry, &user, judge),
            Event::Presence { room, joined, left, members, count } => {
                let screen = self.screen(&room)?;
                if let Some(members) = members {
                    screen.present = members.into_iter().map(|member| member.id).collect();
                }
                screen.present.retain(|user| !left.contains(user));
                screen.present.extend(joined.into_iter().map(|member| member.id));
                screen.count = count;
                Ok(())
            }
            Event::JoinRefused { room, .. } | Event::Removed { room }
                if judge.was_a_stranger(&room, &user) =>
            {
                report.removals += 1;
                self.rooms.remove(&room);
                Ok(())
            }
            Event::Removed { room } => broken!("{user} was removed from {room} by nobody"),
            Event::JoinRefused { room, problem } => broken!("{room} was refused: {problem:?}"),
            Event::Acked { room, message_id, position } => {
                judge.acked(client, &room, &message_id, &position)
            }
            Event::Proven { room, position, .. } => {
                report.proofs += 1;
                self.screen(&room)?.proven(&room, position, judge)
            }
            Event::Disproved { room, .. } => {
                report.disproofs += 1;
                self.screen(&room)?.disproved(&room)
            }
            Event::History { room, edge, head, entries, later, .. } => {
                report.scrolled += 1;
                let page = past::Past { edge, head, entries, later };
                self.screen(&room)?.scrolled(&room, page, &user, judge)
            }
            Event::HistoryFailed { room, failure, .. } => {
                report.not_scrolled += 1;
                // It may have been asked for before the room was left.
                self.rooms.get_mut(&room).map_or(Ok(()), |it| it.not_scrolled(&room, failure))
            }
            Event::Marked { room, unread } => {
                report.marks += 1;
                // Another tab may have told of a room that is not open here.
                match self.rooms.get(&room).and_then(|screen| screen.epoch.as_ref()) {
                    Some(epoch) => judge.marked(client, &room, epoch, unread.read),
                    None => Ok(()),
                }
            }
        }
    }

    fn screen(&mut self, room: &RoomName) -> Result<&mut Screen, String> {
        self.rooms.get_mut(room).ok_or_else(|| format!("something is told of {room}, long left"))
    }
}

impl Screen {
    fn joined(
        &mut self,
        room: &RoomName,
        head: &Position,
        recovered: Option<u64>,
        judge: &Judge,
    ) -> Verdict {
        let reason = self.broken_off.take();
        let afresh = self.epoch.is_none() || std::mem::take(&mut self.doubted);
        let same_epoch = self.epoch.as_ref() == Some(&head.epoch);
        match (recovered, reason) {
            (Some(count), _) => {
                if !same_epoch {
                    broken!("{room} goes on in another epoch without a word");
                }
                let at = self.at.unwrap_or(head.seq.saturating_sub(count));
                if at + count != head.seq {
                    broken!("{room}: {count} said to be missed between {at} and {}", head.seq);
                }
                self.at = Some(at);
                self.recovering = Some(Recovering { count, to: head.seq, seen: 0 });
            }
            (None, None) if !afresh => {
                broken!("{room} is joined afresh while its rows stand there")
            }
            (None, _) => {
                if afresh {
                    self.shown.clear();
                }
                self.at = judge.begins_after(room, head.seq);
                self.recovering = None;
            }
        }
        self.epoch = Some(head.epoch.clone());
        Ok(())
    }

    fn recovered(&mut self, count: u64) -> Verdict {
        match self.recovering.take() {
            Some(it) if (it.count, it.seen, Some(it.to)) == (count, count, self.at) => Ok(()),
            other => broken!("{count} recovered, at {:?}; in truth {other:?}", self.at),
        }
    }

    fn resynced(
        &mut self,
        room: &RoomName,
        reason: ResyncReason,
        begins: &Epoch,
        judge: &Judge,
    ) -> Verdict {
        let Some(epoch) = &self.epoch else { broken!("{room} breaks off before it began") };
        match (reason, self.at) {
            (ResyncReason::EpochChanged, _) if epoch == begins => {
                broken!("{room} breaks off for another epoch, which is the same")
            }
            (ResyncReason::EpochChanged, _) => {}
            (ResyncReason::Pruned, Some(at)) if !judge.may_be_pruned(room, epoch, at) => {
                broken!("{room} breaks off after {at}, and nothing there was pruned")
            }
            (ResyncReason::Pruned, _) => {}
            (ResyncReason::CursorAhead | ResyncReason::Unknown, at) => {
                broken!("{room} breaks off at {at:?} because of {reason:?}")
            }
        }
        self.epoch = Some(begins.clone());
        self.broken_off = Some(reason);
        self.begin_anew();
        Ok(())
    }

    /// Nothing that stands on the screen is continued.
    fn begin_anew(&mut self) {
        self.at = None;
        self.recovering = None;
        self.forged = false;
        self.proven = None;
        self.rows.clear();
    }

    fn entry(&mut self, entry: Entry, user: &UserId, judge: &Judge) -> Verdict {
        let (room, seq) = (&entry.room, entry.seq);
        let Some(epoch) = self.epoch.clone() else { broken!("{room} {seq} before it is joined") };
        if self.at.is_some_and(|at| at + 1 != seq) {
            broken!("{room} {seq} is shown after {:?}", self.at);
        }
        if !self.shown.insert((epoch, seq)) {
            broken!("{room} {seq} is shown twice");
        }
        self.at = Some(seq);
        (self.broken_off, self.doubted) = (None, false);
        if let Some(recovering) = &mut self.recovering {
            recovering.seen += 1;
        }
        if entry.body == FORGED {
            self.forged = true;
            return Ok(());
        }
        self.learn(entry, user, judge)
    }

    /// An entry is known from here on: it is true, and this person may know it.
    fn learn(&mut self, entry: Entry, user: &UserId, judge: &Judge) -> Verdict {
        let (room, seq) = (&entry.room, entry.seq);
        let Some(epoch) = &self.epoch else { broken!("{room} {seq} of no epoch") };
        let log = judge.log(room, epoch);
        let Some(stands) = log.and_then(|log| log.at(seq)) else {
            broken!("{room} {seq} is shown as {entry:?} and stands nowhere")
        };
        let erased = log.is_some_and(|log| log.erased.contains(&seq));
        let whole = !self.is_deleted(stands) && entry == stands.on_the_wire();
        let without_text = erased && entry == stands.erase().on_the_wire();
        if !whole && !without_text {
            broken!("{room} {seq} is shown as {entry:?}; in truth {stands:?}");
        }
        if !judge.may_see(room, epoch, user, seq) {
            broken!("{user} sees {room} {seq}, and was sent away before");
        }
        if let (EntryKind::Delete, Some(of)) = (entry.kind, entry.of) {
            for row in self.rows.values_mut() {
                if row.seq == of || (row.kind == EntryKind::Edit && row.of == Some(of)) {
                    row.body.clear();
                }
            }
        }
        self.rows.insert(seq, entry);
        Ok(())
    }

    /// Whether this screen was told that the entry is deleted: from then on its text is nowhere.
    fn is_deleted(&self, stands: &rooms::Entry) -> bool {
        let mut rows = self.rows.values();
        rows.any(|row| {
            row.kind == EntryKind::Delete && row.of.is_some_and(|of| stands.goes_with(of))
        })
    }

    fn proven(&mut self, room: &RoomName, position: Position, judge: &Judge) -> Verdict {
        if self.forged {
            broken!("{room} is proven up to {position:?}, and something in it is forged");
        }
        if self.epoch.as_ref() != Some(&position.epoch)
            || position.seq > judge.head(room, &position.epoch)
        {
            broken!("{room} is proven up to {position:?}, at {:?} {:?}", self.epoch, self.at);
        }
        self.proven = Some(position);
        Ok(())
    }

    fn disproved(&mut self, room: &RoomName) -> Verdict {
        if !self.forged {
            broken!("{room} is disproved, and nothing in it is forged");
        }
        let at = self.at;
        self.begin_anew();
        (self.at, self.doubted) = (at, true);
        Ok(())
    }

    /// In the end the screen shows the log up to its head, proven, and everybody who is there.
    pub(crate) fn is_whole(
        &self,
        room: &RoomName,
        head: &Position,
        present: &BTreeSet<UserId>,
        judge: &Judge,
    ) -> Verdict {
        if self.epoch.as_ref() != Some(&head.epoch) || self.at.is_some_and(|at| at != head.seq) {
            broken!("{room} ends at {:?} {:?}, the log at {head:?}", self.epoch, self.at);
        }
        if self.recovering.is_some() {
            broken!("{room} never said that everything was recovered");
        }
        // Disproved for the second time on one connection, it takes the server's word for the past.
        if self.forged || (self.proven.as_ref() != Some(head) && !self.doubted) {
            let (forged, proven) = (self.forged, &self.proven);
            broken!("{room} ends at {head:?}, proven up to {proven:?}, forged: {forged}");
        }
        if self.present != *present || self.count as usize != present.len() {
            let (shown, count) = (&self.present, self.count);
            broken!("{room} shows {shown:?} ({count}) as present, in truth {present:?}");
        }
        self.reads_like_the_log(room, head, judge)
    }
}
