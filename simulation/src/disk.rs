//! What the server's machine keeps: it outlives every process, and forgets what was not synced
//! when the power goes.
//!
//! Only changes are kept here. What follows from them is computed anew at each start, by the log
//! that gave them their places: the same changes give the same log.

use std::{collections::BTreeMap, sync::Arc};

use common::{
    Epoch, Member, RoomName, Timestamp, UserId,
    http::{Keep, Unread},
};
use rooms::{AppendRefusal, Appended, Draft, Entry, MemoryLog, NewRoom};

use crate::{Broken, ShellMutant};

/// The disk under a server: one file of changes, in transactions.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    changes: Vec<Change>,
    /// So many of them survive anything.
    synced: usize,
    /// So many of them the process counts as committed; the next transaction follows these.
    committed: usize,
    /// Who is signed in, by their cookie.
    pub(crate) logins: BTreeMap<u64, Member>,
    backup: Option<Backup>,
}

/// What was kept at one moment.
#[derive(Clone, Debug)]
struct Backup {
    changes: Vec<Change>,
    logins: BTreeMap<u64, Member>,
}

/// Something to be kept.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Open(NewRoom),
    Append(Draft),
    Mark { reader: UserId, room: RoomName, seq: u64 },
}

/// What became of a change.
#[derive(Debug)]
pub(crate) enum Outcome {
    Appended(Result<Appended, AppendRefusal>),
    Done,
}

/// What follows from the changes: all logs and read markers.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) log: MemoryLog,
    marks: BTreeMap<(UserId, RoomName), u64>,
    marks_go_back: bool,
}

impl Disk {
    /// A disk on which these rooms stand.
    pub(crate) fn with_rooms(rooms: impl Iterator<Item = NewRoom>) -> Self {
        let changes: Vec<Change> = rooms.map(Change::Open).collect();
        let written = changes.len();
        let (logins, backup) = Default::default();
        Self { changes, synced: written, committed: written, logins, backup }
    }

    /// Copies what is committed, also while a process writes.
    pub(crate) fn backs_up(&mut self) {
        let changes = self.changes[..self.committed.min(self.changes.len())].to_vec();
        self.backup = Some(Backup { changes, logins: self.logins.clone() });
    }

    /// Puts the backup, if there is one, in the place of what is kept: every log begins a new
    /// epoch. Answers how many changes are undone.
    pub(crate) fn is_restored(&mut self, begun: &Epoch, broken: Broken) -> Option<u64> {
        let Backup { mut changes, logins } = self.backup.clone()?;
        if !broken.is_shell(ShellMutant::RestoresTheEpoch) {
            for change in &mut changes {
                if let Change::Open(NewRoom { epoch, .. }) = change {
                    *epoch = begun.clone();
                }
            }
        }
        let undone = self.changes.len().saturating_sub(changes.len());
        (self.changes, self.logins) = (changes, logins);
        self.sync();
        Some(undone as u64)
    }

    /// Writes a transaction. It overwrites one before it that failed.
    pub(crate) fn write(&mut self, transaction: impl Iterator<Item = Change>) {
        self.changes.truncate(self.committed);
        self.changes.extend(transaction);
    }

    /// Everything that was written survives from here on.
    pub(crate) fn sync(&mut self) {
        self.committed = self.changes.len();
        self.synced = self.committed;
    }

    /// The power goes. A transaction that was not synced is there as a whole or not at all.
    pub(crate) fn lose_power(&mut self, lucky: bool) {
        if !lucky {
            self.changes.truncate(self.synced);
        }
    }

    /// How many changes a power cut would take.
    pub(crate) fn unsynced(&self) -> usize {
        self.changes.len().saturating_sub(self.synced)
    }

    /// A process begins: what it finds, and every entry in the order in which it was committed.
    ///
    /// What the process before it wrote may be there and not be synced. It is synced before anybody
    /// is shown any of it: a message that is said again would be acknowledged by it.
    pub(crate) fn recover(&mut self, broken: Broken) -> (Kept, Vec<Arc<Entry>>) {
        if broken.is_shell(ShellMutant::ForgetsTheLast)
            && matches!(self.changes.last(), Some(Change::Append(_)))
        {
            self.changes.pop();
        }
        self.committed = self.changes.len();
        if broken.is_shell(ShellMutant::TrustsTheUnsynced) {
            self.synced = self.synced.min(self.committed);
        } else {
            self.sync();
        }
        let marks_go_back = broken.is_shell(ShellMutant::MarkGoesBack);
        let mut kept = Kept { log: MemoryLog::new(), marks: BTreeMap::new(), marks_go_back };
        kept.break_on_purpose(broken);
        let mut entries = Vec::new();
        for change in &self.changes {
            if let Outcome::Appended(Ok(Appended::New(entry))) = kept.apply(change.clone()) {
                entries.push(entry);
            }
        }
        // Again, for what is forgotten with the process.
        kept.break_on_purpose(broken);
        (kept, entries)
    }
}

impl Kept {
    pub(crate) fn apply(&mut self, change: Change) -> Outcome {
        match change {
            Change::Open(new) => {
                // Of what keeps nothing the log is in memory and begins with the process.
                if new.keep != Keep::None {
                    self.log.open(new).expect("the disk opens each room once");
                }
                Outcome::Done
            }
            Change::Append(draft) => Outcome::Appended(self.log.append(draft, noon())),
            Change::Mark { reader, room, seq } => {
                // Of what keeps nothing the disk has no entries, and nothing of it stays read.
                let head = self.log.room(&room).map_or(0, |record| record.head.seq);
                let (seq, marker) = (seq.min(head), self.marks.entry((reader, room)).or_default());
                *marker = if self.marks_go_back { seq } else { seq.max(*marker) };
                Outcome::Done
            }
        }
    }

    /// How far somebody has read a room.
    pub(crate) fn unread(&self, reader: &UserId, room: &RoomName) -> Unread {
        let read = self.marks.get(&(reader.clone(), room.clone())).copied().unwrap_or_default();
        Unread { read, ..Unread::default() }
    }

    fn break_on_purpose(&mut self, broken: Broken) {
        if let Some(mutant) = broken.server() {
            self.log.break_on_purpose(mutant);
        }
    }
}

/// The one time of all entries: nothing is ordered by it.
pub(crate) fn noon() -> Timestamp {
    Timestamp::new("2026-11-20T12:00:00.000Z").expect("a timestamp")
}
