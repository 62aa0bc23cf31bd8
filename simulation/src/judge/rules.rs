//! The rules of a log once more, derived from what stands in it and not from `rooms`: who may
//! change what, and who may read a private room.

use common::{EntryKind, Epoch, RoomName, UserId};
use rooms::Entry;

use super::{Judge, Verdict, broken};

impl Judge {
    /// Whether an entry may stand behind those that stand there.
    pub(super) fn obeys_the_rules(&self, entry: &Entry) -> Verdict {
        let Entry { room, seq, author, .. } = entry;
        if !self.belongs_after(room, &entry.epoch, &author.id, seq - 1) {
            broken!("{room} {seq} is by {}, who does not belong there", author.id);
        }
        let log = self.log(room, &entry.epoch);
        let target = entry.of.and_then(|of| log?.at(of));
        let erased = entry.of.is_some_and(|of| log.is_some_and(|log| log.erased.contains(&of)));
        let own = target.is_some_and(|target| target.author.id == author.id);
        let kind = target.map(|target| target.kind);
        let fine = match entry.kind {
            EntryKind::Post | EntryKind::Topic => entry.of.is_none(),
            EntryKind::Edit => own && !erased && kind == Some(EntryKind::Post),
            EntryKind::Delete => {
                own && !erased && matches!(kind, Some(EntryKind::Post | EntryKind::Reaction))
            }
            EntryKind::Reaction => {
                let same = |it: &&std::sync::Arc<Entry>| {
                    it.kind == EntryKind::Reaction && it.of == entry.of && it.body == entry.body
                };
                let standing = log.map_or(0, |log| {
                    let by_author = log.entries.iter().filter(|it| it.author.id == author.id);
                    by_author.filter(same).filter(|it| !log.erased.contains(&it.seq)).count()
                });
                // A reaction to what is no longer kept counts as the first.
                kind == Some(EntryKind::Post)
                    && (standing == 0 || self.may_be_pruned(room, &entry.epoch, *seq - 1))
            }
            EntryKind::Membership => self.founders.contains_key(room) && entry.member.is_some(),
            EntryKind::Unknown => false,
        };
        if fine { Ok(()) } else { Err(format!("{entry:?} may not stand in {room}: {target:?}")) }
    }

    /// Whether somebody belongs to a room after this entry: to open rooms everybody does.
    pub(crate) fn belongs_after(
        &self,
        room: &RoomName,
        epoch: &Epoch,
        user: &UserId,
        seq: u64,
    ) -> bool {
        let log = (room.clone(), epoch.clone());
        let Some(belonged) = self.belonged.get(&log) else { return true };
        let changes = belonged.get(user).into_iter().flatten();
        changes.take_while(|(at, _)| *at <= seq).last().is_some_and(|(_, belongs)| *belongs)
    }

    /// Whether somebody belongs to a room after everything that stands.
    pub(crate) fn belongs(&self, room: &RoomName, user: &UserId) -> bool {
        let goes_on = self.epochs.get(room);
        goes_on.is_none_or(|epoch| self.belongs_after(room, epoch, user, u64::MAX))
    }

    /// Whether there was a time at which somebody did not belong to a room.
    pub(crate) fn was_a_stranger(&self, room: &RoomName, user: &UserId) -> bool {
        let mut logs = self.belonged.iter().filter(|((of, _), _)| of == room);
        logs.any(|(_, belonged)| {
            let mut changes = belonged.get(user).into_iter().flatten();
            changes.next().is_none_or(|(at, _)| *at > 0) || changes.any(|(_, belongs)| !belongs)
        })
    }

    /// Whether somebody may be shown this entry: they belonged to the room after it, or right
    /// before it. Whoever came back may read what was said while they were away.
    pub(crate) fn may_see(&self, room: &RoomName, epoch: &Epoch, user: &UserId, seq: u64) -> bool {
        let log = (room.clone(), epoch.clone());
        let Some(belonged) = self.belonged.get(&log) else { return true };
        let changes = belonged.get(user).into_iter().flatten();
        self.belongs_after(room, epoch, user, seq - 1)
            || changes.skip_while(|(at, _)| *at < seq).any(|(_, belongs)| *belongs)
    }
}
