//! What really happened, and what a person's screen shows of it: the promises are held here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use common::{Epoch, MessageId, Position, ResyncReason, RoomName, UserId, http::Keep};
use rooms::Entry;
use session::{Event, Session};

use crate::plan::Plan;

/// `Err` says which promise is broken.
pub(crate) type Verdict = Result<(), String>;

macro_rules! broken {
    ($($text:tt)*) => { return Err(format!($($text)*)) };
}
pub(crate) use broken;

/// Everything that was ever said, and everything that ever stood in a log.
#[derive(Debug)]
pub(crate) struct Judge {
    logs: BTreeMap<(RoomName, Epoch), Vec<Arc<Entry>>>,
    /// The place of each message in each epoch.
    places: BTreeMap<(MessageId, Epoch), (RoomName, u64)>,
    stands: BTreeSet<MessageId>,
    said: BTreeMap<MessageId, Said>,
    latest: BTreeMap<(RoomName, Epoch, usize), u64>,
    keeps: BTreeMap<RoomName, Keep>,
    page_entries: u64,
}

#[derive(Debug)]
struct Said {
    client: usize,
    /// The order of saying.
    order: u64,
    /// It failed once, and what failed may be overtaken.
    failed: bool,
    acked: bool,
    /// Its author does not want it any more.
    dropped: bool,
}

impl Judge {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            logs: BTreeMap::new(),
            places: BTreeMap::new(),
            stands: BTreeSet::new(),
            said: BTreeMap::new(),
            latest: BTreeMap::new(),
            keeps: plan.rooms.iter().cloned().collect(),
            page_entries: plan.settings.page_entries,
        }
    }

    /// Somebody said something.
    pub(crate) fn said(&mut self, client: usize, message_id: MessageId) {
        let order = self.said.len() as u64;
        let said = Said { client, order, failed: false, acked: false, dropped: false };
        self.said.insert(message_id, said);
    }

    /// The person was told that it failed.
    pub(crate) fn failed(&mut self, message_id: &MessageId) {
        if let Some(said) = self.said.get_mut(message_id) {
            said.failed = true;
        }
    }

    /// The person does not want it any more.
    pub(crate) fn dropped(&mut self, message_id: &MessageId) {
        if let Some(said) = self.said.get_mut(message_id) {
            said.dropped = true;
        }
    }

    /// The log gave it a place.
    pub(crate) fn stands(&mut self, entry: &Arc<Entry>) -> Verdict {
        let Entry { room, epoch, seq, message_id, .. } = &**entry;
        let Some(said) = self.said.get(message_id) else {
            broken!("{message_id} stands in {room} and nobody said it")
        };
        let place = (room.clone(), *seq);
        if let Some(first) = self.places.insert((message_id.clone(), epoch.clone()), place) {
            broken!("{message_id} stands twice in epoch {epoch}: at {first:?} and {room} {seq}");
        }
        // What was taken back after a connection broke may still be on its way on the old one.
        if !said.failed && !said.dropped {
            let author = (room.clone(), epoch.clone(), said.client);
            let latest = self.latest.entry(author).or_default();
            if *latest > said.order {
                broken!("{message_id} stands in {room} {seq} after what its author said later");
            }
            *latest = said.order;
        }
        self.stands.insert(message_id.clone());
        let log = self.logs.entry((room.clone(), epoch.clone())).or_default();
        log.push(Arc::clone(entry));
        if log.len() as u64 != *seq { broken!("{room} has a gap before {seq}") } else { Ok(()) }
    }

    /// In the end everything that was said stands, unless its author took it back.
    pub(crate) fn nothing_is_lost(&self) -> Verdict {
        for (message_id, said) in &self.said {
            if !said.dropped && !self.stands.contains(message_id) {
                broken!("{message_id} of client {} stands nowhere", said.client);
            }
        }
        Ok(())
    }

    fn acked(&mut self, client: usize, room: &RoomName, id: &MessageId, at: &Position) -> Verdict {
        let place = self.places.get(&(id.clone(), at.epoch.clone()));
        if place != Some(&(room.clone(), at.seq)) {
            broken!("{id} was acknowledged at {room} {at:?}; it stands at {place:?}");
        }
        let said = self.said.get_mut(id).filter(|said| said.client == client && !said.acked);
        match said {
            Some(said) => said.acked = true,
            None => broken!("{id} was acknowledged twice, or to a stranger"),
        }
        Ok(())
    }

    fn head(&self, room: &RoomName, epoch: &Epoch) -> u64 {
        self.logs.get(&(room.clone(), epoch.clone())).map_or(0, |log| log.len() as u64)
    }

    /// Before which entry whoever comes fresh begins; `None` where that depends on the tail.
    fn begins_after(&self, room: &RoomName, head: u64) -> Option<u64> {
        match self.keeps[room] {
            Keep::Forever => Some(head.saturating_sub(self.page_entries)),
            Keep::Last(most) => Some(head.saturating_sub(self.page_entries.min(most.into()))),
            Keep::None => None,
        }
    }

    /// Whether what follows this place may be gone from the log.
    fn may_be_pruned(&self, room: &RoomName, epoch: &Epoch, seq: u64) -> bool {
        let head = self.head(room, epoch);
        match self.keeps[room] {
            Keep::Forever => false,
            Keep::Last(most) => seq < head.saturating_sub(most.into()),
            Keep::None => seq < head,
        }
    }
}

/// One room on one person's page.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    epoch: Option<Epoch>,
    /// The last row; `None` where the next one may be any later one.
    at: Option<u64>,
    shown: BTreeSet<(Epoch, u64)>,
    broken_off: Option<ResyncReason>,
    recovering: Option<Recovering>,
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
        judge: &mut Judge,
    ) -> Verdict {
        match event {
            Event::LinkChanged
            | Event::Welcome { .. }
            | Event::Left { .. }
            | Event::Opened { .. }
            | Event::OutboxChanged { .. } => Ok(()),
            Event::Joined { room, position, recovered, members, count } => {
                let screen = self.screen(&room)?;
                screen.present = members.into_iter().map(|member| member.id).collect();
                screen.count = count;
                screen.joined(&room, &position, recovered, judge)
            }
            Event::Recovered { room, count } => self.screen(&room)?.recovered(count),
            Event::Resynced { room, reason } => {
                let Some(begins) = session.position(&room) else {
                    broken!("{room} breaks off and nothing follows")
                };
                self.screen(&room)?.resynced(&room, reason, &begins.epoch, judge)
            }
            Event::Entry { entry } => self.screen(&entry.room)?.entry(&entry, judge),
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
            Event::JoinRefused { room, problem } => broken!("{room} was refused: {problem:?}"),
            Event::Acked { room, message_id, position } => {
                judge.acked(client, &room, &message_id, &position)
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
            (None, None) if self.epoch.is_some() => {
                broken!("{room} is joined afresh while its rows stand there")
            }
            (None, _) => {
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
        self.at = None;
        self.recovering = None;
        Ok(())
    }

    fn entry(&mut self, entry: &common::Entry, judge: &Judge) -> Verdict {
        let (room, seq) = (&entry.room, entry.seq);
        let Some(epoch) = self.epoch.clone() else { broken!("{room} {seq} before it is joined") };
        if self.at.is_some_and(|at| at + 1 != seq) {
            broken!("{room} {seq} is shown after {:?}", self.at);
        }
        if !self.shown.insert((epoch.clone(), seq)) {
            broken!("{room} {seq} is shown twice");
        }
        let log = judge.logs.get(&(room.clone(), epoch));
        let stands = log.and_then(|log| log.get(usize::try_from(seq).ok()?.checked_sub(1)?));
        if stands.is_none_or(|stands| stands.frame() != common::ServerMessage::Entry(entry.clone()))
        {
            broken!("{room} {seq} is shown as {}; in truth {stands:?}", entry.message_id);
        }
        self.at = Some(seq);
        self.broken_off = None;
        if let Some(recovering) = &mut self.recovering {
            recovering.seen += 1;
        }
        Ok(())
    }

    /// In the end the screen shows the log up to its head, and everybody who is there.
    pub(crate) fn is_whole(
        &self,
        room: &RoomName,
        head: &Position,
        present: &BTreeSet<UserId>,
    ) -> Verdict {
        if self.epoch.as_ref() != Some(&head.epoch) || self.at.is_some_and(|at| at != head.seq) {
            broken!("{room} ends at {:?} {:?}, the log at {head:?}", self.epoch, self.at);
        }
        if self.recovering.is_some() {
            broken!("{room} never said that everything was recovered");
        }
        if self.present != *present || self.count as usize != present.len() {
            let (shown, count) = (&self.present, self.count);
            broken!("{room} shows {shown:?} ({count}) as present, in truth {present:?}");
        }
        Ok(())
    }
}
