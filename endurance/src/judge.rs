//! What was promised against what stands in the log.

use std::{collections::BTreeMap, fmt};

use common::{EntryKind, Epoch, MessageId, Problem, ResyncReason, RoomName, UserId};

use crate::ledger::{Acked, Ledger, Line, Record};

/// Everything that is known of one room at the end of a run.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The log as it is read from its first entry.
    pub log: &'a Record,
    /// What its authors said and were promised.
    pub ledgers: &'a [&'a Ledger],
    /// What somebody heard who followed it all the time.
    pub witness: &'a Record,
}

/// Holds the log against the ledgers and against the witness.
#[must_use]
pub fn judge(evidence: Evidence<'_>) -> Vec<Finding> {
    let Evidence { log, ledgers, witness } = evidence;
    let mut findings = Vec::new();
    sequence(log, &mut findings);
    let places = places(log, &mut findings);
    for ledger in ledgers {
        promises(ledger, log, &places, &mut findings);
    }
    order(log, ledgers, &mut findings);
    what_was_heard(log, witness, &mut findings);
    findings
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A message was acknowledged and stands nowhere.
    Lost {
        /// Its name.
        message_id: MessageId,
        /// The promise.
        acked: Acked,
    },
    /// A message was acknowledged and stands elsewhere.
    Elsewhere {
        /// Its name.
        message_id: MessageId,
        /// The promise.
        acked: Acked,
        /// Where it stands.
        seq: u64,
    },
    /// A message was acknowledged and stands there with another text.
    Altered {
        /// Its name.
        message_id: MessageId,
        /// The promise.
        acked: Acked,
    },
    /// One message was acknowledged with two places.
    TwoPlaces {
        /// Its name.
        message_id: MessageId,
        /// The first promise.
        first: Acked,
        /// The second.
        second: Acked,
    },
    /// A message was said and acknowledged while nothing could be made durable.
    Impossible {
        /// Its name.
        message_id: MessageId,
        /// The promise.
        acked: Acked,
    },
    /// A message stands in the log twice.
    Doubled {
        /// Its name.
        message_id: MessageId,
        /// Where it stands first.
        first: u64,
        /// Where it stands again.
        second: u64,
    },
    /// The sequence does not go on by one.
    Gap {
        /// The place that should have come.
        expected: u64,
        /// The place that came.
        seq: u64,
    },
    /// An author's message stands behind one that was said after it.
    Reordered {
        /// Who said both.
        author: UserId,
        /// Where the earlier message stands.
        seq: u64,
    },
    /// Somebody who followed the room heard something else than what stands there.
    HeardOtherwise {
        /// The place.
        seq: u64,
    },
    /// The server's digest of a log is not that of the entries that it tells.
    Unproven {
        /// Whose log.
        room: RoomName,
    },
    /// An entry that nobody said.
    Invented {
        /// Its place.
        seq: u64,
    },
    /// An author was refused for good.
    Refused {
        /// Where they wanted to speak.
        room: RoomName,
        /// The reason given.
        problem: Box<Problem>,
        /// In which of the server's lives.
        life: u32,
    },
    /// A follower could not go on from their position.
    NotResumed {
        /// The room.
        room: RoomName,
        /// The reason given, if any was.
        reason: Option<ResyncReason>,
        /// In which of the server's lives.
        life: u32,
    },
    /// A session to which something had been promised ended.
    SignedOut {
        /// Whose it was.
        author: UserId,
        /// In which of the server's lives.
        life: u32,
    },
}

/// Which promise a finding breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// What is acknowledged is durable.
    NothingLost,
    /// A message that is said again is there once.
    NothingDoubled,
    /// All see one order, without gaps.
    NothingReordered,
    /// An `ack` is true.
    NoFalseAck,
    /// Sessions and positions outlive the server's process.
    EverythingResumed,
}

impl Finding {
    /// Which promise it breaks.
    #[must_use]
    pub fn breaks(&self) -> Promise {
        match self {
            Self::Lost { .. } => Promise::NothingLost,
            Self::Doubled { .. } | Self::Invented { .. } => Promise::NothingDoubled,
            Self::Gap { .. }
            | Self::Reordered { .. }
            | Self::HeardOtherwise { .. }
            | Self::Unproven { .. } => Promise::NothingReordered,
            Self::Elsewhere { .. }
            | Self::Altered { .. }
            | Self::TwoPlaces { .. }
            | Self::Impossible { .. } => Promise::NoFalseAck,
            Self::Refused { .. } | Self::NotResumed { .. } | Self::SignedOut { .. } => {
                Promise::EverythingResumed
            }
        }
    }
}

impl fmt::Display for Acked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position, life } = self;
        write!(f, "acknowledged at {} of {} in life {life}", position.seq, position.epoch)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { message_id, acked } => write!(f, "lost: {message_id}, {acked}"),
            Self::Elsewhere { message_id, acked, seq } => {
                write!(f, "false ack: {message_id}, {acked}, stands at {seq}")
            }
            Self::Altered { message_id, acked } => {
                write!(f, "false ack: {message_id}, {acked}, has another text")
            }
            Self::TwoPlaces { message_id, first, second } => {
                write!(f, "false ack: {message_id}, {first}, then {second}")
            }
            Self::Impossible { message_id, acked } => {
                write!(f, "false ack: {message_id}, {acked}, while nothing could be kept")
            }
            Self::Doubled { message_id, first, second } => {
                write!(f, "doubled: {message_id} stands at {first} and at {second}")
            }
            Self::Gap { expected, seq } => write!(f, "gap: {seq} came where {expected} belongs"),
            Self::Reordered { author, seq } => {
                write!(f, "reordered: at {seq} stands what {author} had said before")
            }
            Self::HeardOtherwise { seq } => {
                write!(f, "reordered: at {seq} a follower heard something else")
            }
            Self::Unproven { room } => write!(f, "reordered: the digest of {room} does not hold"),
            Self::Invented { seq } => write!(f, "doubled: at {seq} stands what nobody said"),
            Self::Refused { room, problem, life } => {
                let code = problem.code;
                write!(f, "not resumed: refused for good in {room} in life {life}: {code:?}")
            }
            Self::NotResumed { room, reason, life } => {
                write!(f, "not resumed: {room} in life {life}: {reason:?}")
            }
            Self::SignedOut { author, life } => {
                write!(f, "not resumed: the session of {author} was gone in life {life}")
            }
        }
    }
}

type Places<'a> = BTreeMap<(&'a UserId, &'a MessageId), &'a Line>;

fn sequence(log: &Record, findings: &mut Vec<Finding>) {
    let mut expected = 1;
    for &Line { seq, .. } in &log.lines {
        if seq != expected {
            findings.push(Finding::Gap { expected, seq });
        }
        expected = seq + 1;
    }
}

/// Where each message stands first.
fn places<'a>(log: &'a Record, findings: &mut Vec<Finding>) -> Places<'a> {
    let mut places = Places::new();
    for line in &log.lines {
        let first = *places.entry((&line.author, &line.message_id)).or_insert(line);
        if !std::ptr::eq(first, line) {
            let message_id = line.message_id.clone();
            findings.push(Finding::Doubled { message_id, first: first.seq, second: line.seq });
        }
    }
    places
}

fn promises(ledger: &Ledger, log: &Record, places: &Places<'_>, findings: &mut Vec<Finding>) {
    for said in &ledger.said {
        let Some(acked) = said.acked.clone() else { continue };
        let message_id = said.message_id.clone();
        // A number of another epoch says nothing about this log.
        let is_of_this_log = |epoch: &Epoch| *epoch == log.epoch;
        match places.get(&(&ledger.author, &said.message_id)) {
            None => findings.push(Finding::Lost { message_id, acked }),
            Some(line)
                if line.seq != acked.position.seq || !is_of_this_log(&acked.position.epoch) =>
            {
                findings.push(Finding::Elsewhere { message_id, acked, seq: line.seq });
            }
            Some(line) if line.body != said.body.as_str() => {
                findings.push(Finding::Altered { message_id, acked });
            }
            Some(_) => {}
        }
    }
}

/// Each author's messages stand in the order in which they were said, and nobody else's do.
fn order(log: &Record, ledgers: &[&Ledger], findings: &mut Vec<Finding>) {
    let mut numbers = BTreeMap::new();
    for ledger in ledgers {
        for (number, said) in ledger.said.iter().enumerate() {
            numbers.insert((&ledger.author, &said.message_id), number);
        }
    }
    let mut last: BTreeMap<&UserId, usize> = BTreeMap::new();
    for line in log.lines.iter().filter(|line| line.kind == EntryKind::Post) {
        let Some(&number) = numbers.get(&(&line.author, &line.message_id)) else {
            findings.push(Finding::Invented { seq: line.seq });
            continue;
        };
        let highest = last.entry(&line.author).or_insert(number);
        if number < *highest {
            findings.push(Finding::Reordered { author: line.author.clone(), seq: line.seq });
        }
        *highest = number.max(*highest);
    }
}

fn what_was_heard(log: &Record, witness: &Record, findings: &mut Vec<Finding>) {
    if witness.epoch != log.epoch {
        findings.push(Finding::HeardOtherwise { seq: 0 });
        return;
    }
    let longest = log.lines.len().max(witness.lines.len());
    for at in 0..longest {
        let (stands, heard) = (log.lines.get(at), witness.lines.get(at));
        if stands != heard {
            let seq = stands.or(heard).map_or(0, |line| line.seq);
            findings.push(Finding::HeardOtherwise { seq });
        }
    }
}

#[cfg(test)]
mod tests;
