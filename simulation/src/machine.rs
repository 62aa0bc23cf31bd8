//! The machine that the server runs on: processes begin and end, commits are written and synced,
//! the power goes.

use std::{sync::Arc, time::Duration};

use common::{EntryKind, Epoch};
use rooms::Entry;

use crate::{
    ShellMutant,
    happening::Happening,
    judge::Verdict,
    server::{Out, Server},
    world::World,
};

impl World {
    pub(crate) fn start_server(&mut self) -> Verdict {
        self.lives += 1;
        let (disk, life) = (std::mem::take(&mut self.disk), self.lives);
        let (server, found) = Server::start(life, disk, &self.plan, self.broken);
        self.server = Some(server);
        self.story.tell(self.now, || format!("the server starts, life {life}"));
        let survived = self.judge.recovered(&found)?;
        if !std::mem::take(&mut self.restored) {
            self.report.survived += survived;
            self.report.entries += survived;
        }
        // What killed a machine once may do so again soon.
        if life > 1 && self.healthy_from.is_none() && self.random.chance(25) {
            let due = self.now + self.random.ms(100, 4_000);
            self.plan_at(due, Happening::ServerStops { life });
        }
        Ok(())
    }

    /// The process is gone, with everything it held. Most of its connections are reset by the
    /// system it ran on; where the whole machine went, nobody says anything, and what was not
    /// synced may be gone as well.
    pub(crate) fn stop_server(&mut self, life: u64) {
        let Some(server) = self.server.take_if(|_| life == self.lives) else { return };
        self.count(&server);
        let machine = self.random.chance(35);
        let numbers: Vec<u64> = server.connections.keys().copied().collect();
        let unsynced = server.unsynced() as u64;
        self.disk = server.into_disk();
        self.report.deaths += 1;
        if machine {
            let lucky = self.random.chance(30);
            self.disk.lose_power(lucky);
            self.report.power_cuts += 1;
            self.report.forgotten += if lucky { 0 } else { unsynced };
        }
        self.story
            .tell(self.now, || format!("the server is gone, power {machine}, unsynced {unsynced}"));
        if self.healthy_from.is_none() && self.random.chance(20) {
            // Sessions expire: everybody signs in again, as whom they were.
            self.disk.logins.clear();
        }
        if self.plan.restores && self.healthy_from.is_none() && self.random.chance(35) {
            self.restores();
        }
        for number in numbers {
            let Some(wire) = self.wires.get_mut(&number) else { continue };
            if machine {
                wire.down.stalled = true;
                wire.up.stalled = true;
            } else if !wire.down.stalled {
                let due = wire.down.arrival(&mut self.random, self.now);
                self.plan_at(due, Happening::CloseFrame { wire: number, code: 1006 });
            }
        }
        let due = self.now + self.random.ms(50, 10_000);
        self.plan_at(due, Happening::ServerStarts);
    }

    /// Somebody puts the last backup in the place of what is kept, before the next process begins.
    fn restores(&mut self) {
        let epoch = Epoch::new(format!("restored-{}", self.lives)).expect("a token");
        let Some(undone) = self.disk.is_restored(&epoch, self.broken) else { return };
        self.story.tell(self.now, || format!("a backup is put back, {undone} changes are undone"));
        self.report.restores += 1;
        self.report.undone += undone;
        self.restored = true;
        if !self.broken.is_shell(ShellMutant::RestoresTheEpoch) {
            self.judge.restored(&epoch);
        }
    }

    pub(crate) fn writes_commit(&mut self, life: u64) -> Verdict {
        let Some(server) = self.server.as_mut().filter(|_| life == self.lives) else {
            return Ok(());
        };
        let entries = server.write_commit();
        if !entries.is_empty() {
            self.plan_at(self.now, Happening::Delivers { life, last: false });
        }
        self.stand(&entries)
    }

    pub(crate) fn syncs_commit(&mut self, life: u64) -> Verdict {
        let Some(server) = self.server.as_mut().filter(|_| life == self.lives) else {
            return Ok(());
        };
        let (entries, fault) = server.sync_commit();
        if let Some(fault) = fault {
            self.report.failed_commits += 1;
            self.story.tell(self.now, || format!("the commit fails: {fault:?}"));
        }
        let wait = if self.random.chance(50) { self.random.ms(0, 20) } else { Duration::ZERO };
        self.plan_at(self.now + wait, Happening::Delivers { life, last: true });
        self.stand(&entries)
    }

    fn stand(&mut self, entries: &[Arc<Entry>]) -> Verdict {
        for entry in entries {
            let counted = match entry.kind {
                EntryKind::Edit => Some(&mut self.report.edits),
                EntryKind::Delete => Some(&mut self.report.deletions),
                EntryKind::Membership => Some(&mut self.report.memberships),
                EntryKind::Post | EntryKind::Topic | EntryKind::Reaction | EntryKind::Unknown => {
                    None
                }
            };
            if let Some(counted) = counted {
                *counted += 1;
            }
            self.report.entries += 1;
            let line = || format!("{} stands in {} at {}", entry.message_id, entry.room, entry.seq);
            self.story.tell(self.now, line);
            self.judge.stands(entry)?;
        }
        Ok(())
    }

    pub(crate) fn delivers(&mut self, life: u64, last: bool) -> Verdict {
        let Some(server) = self.server.as_mut().filter(|_| life == self.lives) else {
            return Ok(());
        };
        server.deliver(&mut self.judge, self.now)?;
        if last {
            server.end_commit();
        }
        Ok(())
    }

    pub(crate) fn server_writes(&mut self) -> Verdict {
        let Some(server) = &mut self.server else { return Ok(()) };
        let out = server.write(&mut self.judge, self.now)?;
        if server.begin_commit() {
            self.commits();
        }
        for (number, out) in out {
            let Some(wire) = self.wires.get_mut(&number) else { continue };
            if wire.down.stalled {
                continue;
            }
            let due = wire.down.arrival(&mut self.random, self.now);
            match out {
                Out::Frame(text) => self.plan_at(due, Happening::Down { wire: number, text }),
                Out::Close(closing) => {
                    let code = closing.code.code();
                    self.story.tell(self.now, || format!("the server closes {number}, {code}"));
                    self.plan_at(due, Happening::CloseFrame { wire: number, code });
                }
            }
        }
        Ok(())
    }

    /// A commit takes its time, and the server may die within it.
    fn commits(&mut self) {
        let life = self.lives;
        let slow = std::mem::take(&mut self.slow_store);
        let written = self.now + self.random.ms(0, 5);
        let wait = if slow { self.random.ms(1_000, 14_000) } else { self.random.ms(1, 10) };
        self.plan_at(written, Happening::Writes { life });
        self.plan_at(written + wait, Happening::Syncs { life });
        if std::mem::take(&mut self.dies_committing) {
            let most = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) + 5;
            let due = self.now + self.random.ms(0, most);
            self.plan_at(due, Happening::ServerStops { life });
        }
    }
}
