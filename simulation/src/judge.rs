//! What really happened: everything that was ever said, everything that ever stood in a log, and
//! who belonged where. The promises are held here and on each page's `screen`.

mod rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use common::{EntryKind, Epoch, MessageId, Position, RoomName, UserId, http::Keep};
use rooms::{Content, Entry, MembershipChange};

use crate::plan::{Plan, person};

/// `Err` says which promise is broken.
pub(crate) type Verdict = Result<(), String>;

macro_rules! broken {
    ($($text:tt)*) => { return Err(format!($($text)*)) };
}
pub(crate) use broken;

/// Everything that was ever said, and everything that ever stood in a log.
#[derive(Debug)]
pub(crate) struct Judge {
    logs: BTreeMap<(RoomName, Epoch), Log>,
    /// The place of each message in each epoch.
    places: BTreeMap<(MessageId, Epoch), (RoomName, u64)>,
    stands: BTreeSet<MessageId>,
    said: BTreeMap<MessageId, Said>,
    latest: BTreeMap<(RoomName, Epoch, usize), u64>,
    keeps: BTreeMap<RoomName, Keep>,
    /// The epoch in which each room that is kept goes on.
    epochs: BTreeMap<RoomName, Epoch>,
    /// A backup was put back.
    restored: bool,
    /// Who belonged to the private rooms when they began.
    founders: BTreeMap<RoomName, Belonged>,
    /// Of the logs of private rooms, for everybody who ever belonged.
    belonged: BTreeMap<(RoomName, Epoch), Belonged>,
    /// How far each client was told that its person has read.
    marks: BTreeMap<(usize, RoomName, Epoch), u64>,
    page_entries: u64,
    people: usize,
}

/// From which entry on somebody belonged to a room, or did not.
type Belonged = BTreeMap<UserId, Vec<(u64, bool)>>;

/// A log as it was given its places, with the text of what was deleted since.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Arc<Entry>>,
    /// The places whose text was erased.
    pub(crate) erased: BTreeSet<u64>,
    /// Those of them that the running room erased too.
    erased_for_readers: BTreeSet<u64>,
}

#[derive(Debug)]
struct Said {
    /// Who said it; nobody's outbox holds a change of membership.
    client: Option<usize>,
    room: RoomName,
    content: Content,
    /// The order of saying.
    order: u64,
    /// It failed once, and what failed may be overtaken.
    failed: bool,
    acked: bool,
    /// Its author's page showed it.
    heard: bool,
    /// Its author does not want it any more.
    dropped: bool,
}

impl Judge {
    pub(crate) fn new(plan: &Plan) -> Self {
        let founders = plan.rooms.iter().filter_map(|room| {
            let members = room.members.as_ref()?.iter();
            let since_ever = members.map(|member| (member.id.clone(), vec![(0, true)]));
            Some((room.room.clone(), since_ever.collect()))
        });
        let founders: BTreeMap<RoomName, Belonged> = founders.collect();
        let kept = plan.rooms.iter().filter(|room| room.keep != Keep::None);
        let epochs: BTreeMap<_, _> =
            kept.map(|room| (room.room.clone(), room.epoch.clone())).collect();
        let belonged = founders
            .iter()
            .map(|(room, belonged)| ((room.clone(), epochs[room].clone()), belonged.clone()));
        Self {
            restored: false,
            logs: BTreeMap::new(),
            places: BTreeMap::new(),
            stands: BTreeSet::new(),
            said: BTreeMap::new(),
            latest: BTreeMap::new(),
            keeps: plan.rooms.iter().map(|room| (room.room.clone(), room.keep)).collect(),
            belonged: belonged.collect(),
            epochs,
            founders,
            marks: BTreeMap::new(),
            page_entries: plan.settings.page_entries,
            people: plan.people(),
        }
    }

    /// The person in front of a client.
    pub(crate) fn user(&self, client: usize) -> UserId {
        person(client % self.people).id
    }

    /// Somebody said something.
    pub(crate) fn said(
        &mut self,
        client: Option<usize>,
        message_id: MessageId,
        room: RoomName,
        content: Content,
    ) {
        let (order, dropped) = (self.said.len() as u64, client.is_none());
        let said = Said {
            client,
            room,
            content,
            order,
            failed: false,
            acked: false,
            heard: false,
            dropped,
        };
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
        let (kind, of, member, body) = said.content.parts();
        let author = said.client.map(|client| self.user(client));
        let as_said = (&entry.room, entry.kind, entry.of, entry.member.as_ref(), &*entry.body)
            == (&said.room, kind, of, member, body);
        if !as_said || author.is_some_and(|author| author != entry.author.id) {
            broken!("{said:?} stands in {room} as {entry:?}");
        }
        let place = (room.clone(), *seq);
        if let Some(first) = self.places.insert((message_id.clone(), epoch.clone()), place) {
            broken!("{message_id} stands twice in epoch {epoch}: at {first:?} and {room} {seq}");
        }
        // What was taken back after a connection broke may still be on its way on the old one.
        if let (Some(client), false, false) = (said.client, said.failed, said.dropped) {
            let latest = self.latest.entry((room.clone(), epoch.clone(), client)).or_default();
            if *latest > said.order {
                broken!("{message_id} stands in {room} {seq} after what its author said later");
            }
            *latest = said.order;
        }
        self.obeys_the_rules(entry)?;
        self.stands.insert(message_id.clone());
        let log = self.logs.entry((room.clone(), epoch.clone())).or_default();
        log.entries.push(Arc::clone(entry));
        if log.entries.len() as u64 != *seq {
            broken!("{room} has a gap before {seq}");
        }
        if let (EntryKind::Delete, Some(of)) = (entry.kind, entry.of) {
            let gone = log.entries.iter().filter(|it| it.goes_with(of)).map(|it| it.seq);
            log.erased.extend(gone.collect::<Vec<_>>());
        }
        if let (EntryKind::Membership, Some(member)) = (entry.kind, &entry.member) {
            let belongs = MembershipChange::belongs(&entry.body);
            let of_room = self.belonged.entry((room.clone(), epoch.clone())).or_default();
            of_room.entry(member.id.clone()).or_default().push((*seq, belongs));
        }
        Ok(())
    }

    /// A running room has it: from here on nobody is read what it erases.
    pub(crate) fn delivered(&mut self, entry: &Entry) {
        if let (EntryKind::Delete, Some(of)) = (entry.kind, entry.of)
            && let Some(log) = self.logs.get_mut(&(entry.room.clone(), entry.epoch.clone()))
        {
            let gone = log.entries.iter().filter(|it| it.goes_with(of)).map(|it| it.seq);
            log.erased_for_readers.extend(gone);
        }
    }

    /// Whether an entry may be read for a connection at this moment.
    pub(crate) fn may_be_read(&self, entry: &Entry) -> Verdict {
        let log = self.log(&entry.room, &entry.epoch);
        let erased = log.is_some_and(|log| log.erased_for_readers.contains(&entry.seq));
        if erased && entry.erased.is_none() {
            broken!("{} {} is read out after it was deleted", entry.room, entry.seq);
        }
        Ok(())
    }

    /// A process found these entries on its disk: everything that stood, as it stood, and perhaps
    /// something that nobody was told of. Answers how many these are.
    pub(crate) fn recovered(&mut self, entries: &[Arc<Entry>]) -> Result<u64, String> {
        let mut found: BTreeMap<(RoomName, Epoch), u64> = BTreeMap::new();
        let mut new = 0;
        for entry in entries {
            let log = (entry.room.clone(), entry.epoch.clone());
            let count = found.entry(log.clone()).or_default();
            *count += 1;
            if let Some(stood) = self.logs.get(&log).and_then(|log| log.at(entry.seq)) {
                if (stood.digest, &stood.message_id) != (entry.digest, &entry.message_id) {
                    broken!("{} {} stood there as {stood:?}, and is {entry:?}", log.0, entry.seq);
                }
            } else {
                new += 1;
                self.stands(entry)?;
            }
        }
        for ((room, epoch), log) in &self.logs {
            let count = found.get(&(room.clone(), epoch.clone())).copied().unwrap_or_default();
            let goes_on = self.epochs.get(room) == Some(epoch);
            if goes_on && count != log.entries.len() as u64 {
                broken!("{room} had {} entries, and after the start {count}", log.entries.len());
            }
        }
        self.forget_readers();
        Ok(new)
    }

    /// A backup is put in the place of what was kept: what stood there is gone, and what stands
    /// there from here on is another log.
    pub(crate) fn restored(&mut self, epoch: &Epoch) {
        self.restored = true;
        for (room, goes_on) in &mut self.epochs {
            goes_on.clone_from(epoch);
            if let Some(founders) = self.founders.get(room) {
                self.belonged.insert((room.clone(), epoch.clone()), founders.clone());
            }
        }
    }

    /// A room that is loaded holds what its log holds.
    fn forget_readers(&mut self) {
        for log in self.logs.values_mut() {
            log.erased_for_readers.clone_from(&log.erased);
        }
    }

    /// In the end everything that was said stands, unless its author took it back. What a backup
    /// undid was known to stand by its author, who was told that the log began anew.
    pub(crate) fn nothing_is_lost(&self) -> Verdict {
        for (message_id, said) in self.said.iter().filter(|(_, said)| !said.dropped) {
            let place = |epoch: &Epoch| self.places.get(&(message_id.clone(), epoch.clone()));
            let goes_on = self.epochs.get(&said.room);
            let stands = goes_on.map_or(self.stands.contains(message_id), |it| place(it).is_some());
            let known = (said.acked || said.heard) && self.stands.contains(message_id);
            let undone = self.restored && known;
            if !stands && !undone {
                broken!("{message_id} of client {:?} stands nowhere", said.client);
            }
        }
        Ok(())
    }

    /// A client's page shows an entry.
    pub(crate) fn heard(&mut self, client: usize, message_id: &MessageId) {
        if let Some(said) = self.said.get_mut(message_id) {
            said.heard |= said.client == Some(client);
        }
    }

    pub(crate) fn acked(
        &mut self,
        client: usize,
        room: &RoomName,
        id: &MessageId,
        at: &Position,
    ) -> Verdict {
        let place = self.places.get(&(id.clone(), at.epoch.clone()));
        if place != Some(&(room.clone(), at.seq)) {
            broken!("{id} was acknowledged at {room} {at:?}; it stands at {place:?}");
        }
        let said = self.said.get_mut(id).filter(|it| it.client == Some(client) && !it.acked);
        match said {
            Some(said) => said.acked = true,
            None => broken!("{id} was acknowledged twice, or to a stranger"),
        }
        Ok(())
    }

    /// Somebody was told how far they have read: never less than before, also over reloads and
    /// restarts, and nothing that does not stand there.
    pub(crate) fn marked(
        &mut self,
        client: usize,
        room: &RoomName,
        epoch: &Epoch,
        read: u64,
    ) -> Verdict {
        let head = self.head(room, epoch);
        let known = self.marks.entry((client, room.clone(), epoch.clone())).or_default();
        if read < *known || read > head {
            broken!("{room} was read up to {known}, then up to {read}, and ends at {head}");
        }
        *known = read;
        Ok(())
    }

    pub(crate) fn log(&self, room: &RoomName, epoch: &Epoch) -> Option<&Log> {
        self.logs.get(&(room.clone(), epoch.clone()))
    }

    pub(crate) fn head(&self, room: &RoomName, epoch: &Epoch) -> u64 {
        self.log(room, epoch).map_or(0, |log| log.entries.len() as u64)
    }

    /// Before which entry whoever comes fresh begins; `None` where that depends on the tail.
    pub(crate) fn begins_after(&self, room: &RoomName, head: u64) -> Option<u64> {
        match self.keeps[room] {
            Keep::Forever => Some(head.saturating_sub(self.page_entries)),
            Keep::Last(most) => Some(head.saturating_sub(self.page_entries.min(most.into()))),
            Keep::None => None,
        }
    }

    /// Whether what follows this place may be gone from the log.
    pub(crate) fn may_be_pruned(&self, room: &RoomName, epoch: &Epoch, seq: u64) -> bool {
        let head = self.head(room, epoch);
        match self.keeps[room] {
            Keep::Forever => false,
            Keep::Last(most) => seq < head.saturating_sub(most.into()),
            Keep::None => seq < head,
        }
    }
}

impl Log {
    pub(crate) fn at(&self, seq: u64) -> Option<&Arc<Entry>> {
        self.entries.get(usize::try_from(seq.checked_sub(1)?).ok()?)
    }

    /// The text of a post after its last edit up to `seq`; `None` when it was deleted.
    pub(crate) fn text(&self, post: &Entry, seq: u64) -> Option<&str> {
        if self.erased.contains(&post.seq) {
            return None;
        }
        let until = self.entries.iter().take_while(|entry| entry.seq <= seq);
        let edits = until.filter(|it| it.kind == EntryKind::Edit && it.of == Some(post.seq));
        edits.last().or(self.at(post.seq)).map(|entry| entry.body.as_str())
    }
}
