//! Who may what: the whole of it, as small as it can be said. It knows nothing of the server.

use std::collections::{BTreeMap, BTreeSet};

use common::ErrorCode;

/// Somebody, by their number in their world.
pub(super) type Person = usize;

/// What an answer has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// It is done.
    Done,
    /// It is refused so.
    Refused(ErrorCode),
    /// It is refused so, or so.
    RefusedAs(ErrorCode, ErrorCode),
}

/// What somebody does to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Edit,
    Delete,
    React,
}

/// What an entry is, as far as permission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Post,
    Reaction { of: u64 },
    Other,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) author: Person,
    pub(super) kind: Kind,
    pub(super) deleted: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Room {
    pub(super) name: String,
    /// Nobody who may not read the room ever sees it.
    pub(super) secret: String,
    pub(super) private: bool,
    /// The first may send others away.
    pub(super) members: Vec<Person>,
    /// Up to which entry those may have read who do not belong to it any more.
    pub(super) gone: BTreeMap<Person, u64>,
    /// Who knew of it at some time.
    pub(super) knew: BTreeSet<Person>,
    pub(super) entries: Vec<Entry>,
    pub(super) epoch: String,
}

impl Room {
    pub(super) fn new(
        name: String,
        secret: String,
        private: bool,
        members: Vec<Person>,
        epoch: String,
    ) -> Self {
        let knew = members.iter().copied().collect();
        let (gone, entries) = Default::default();
        Self { name, secret, private, members, gone, knew, entries, epoch }
    }

    /// Something to say: of a private room, with its secret and the place at which it will stand.
    pub(super) fn text(&self) -> String {
        if self.private {
            format!("said {}n{}", self.secret, self.head() + 1)
        } else {
            format!("said in the open, {}", self.head() + 1)
        }
    }

    /// Whether somebody of these belongs to it.
    pub(super) fn is_used_by(&self, present: &[Person]) -> bool {
        self.members.iter().any(|member| present.contains(member))
    }

    pub(super) fn head(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(super) fn may(&self, person: Person) -> bool {
        !self.private || self.members.contains(&person)
    }

    /// Whether somebody may have what stands at this place.
    pub(super) fn may_have(&self, person: Person, seq: u64) -> bool {
        self.may(person) || self.gone.get(&person).is_some_and(|last| seq <= *last)
    }

    pub(super) fn adds(&mut self, author: Person, kind: Kind) {
        self.entries.push(Entry { author, kind, deleted: false });
    }

    pub(super) fn reads(&self, person: Person) -> Due {
        if self.may(person) { Due::Done } else { Due::Refused(ErrorCode::NotFound) }
    }

    /// On a connection that follows the room, or does not.
    pub(super) fn follower_reads(&self, person: Person, follows: bool) -> Due {
        match (follows, self.may(person)) {
            (true, true) => Due::Done,
            (false, _) => Due::Refused(ErrorCode::Forbidden),
            // It may have been told already that it does not follow the room any more.
            (true, false) => Due::RefusedAs(ErrorCode::NotFound, ErrorCode::Forbidden),
        }
    }

    pub(super) fn changes(&self, person: Person, follows: bool, change: Change, of: u64) -> Due {
        let due = self.follower_reads(person, follows);
        if due != Due::Done {
            return due;
        }
        let place = usize::try_from(of).ok().and_then(|of| of.checked_sub(1));
        let Some(entry) = place.and_then(|place| self.entries.get(place)) else {
            return Due::Refused(ErrorCode::NotFound);
        };
        let fits = match change {
            Change::Edit | Change::React => entry.kind == Kind::Post,
            Change::Delete => entry.kind != Kind::Other,
        };
        let is_own = change == Change::React || entry.author == person;
        let stands = |other: &Entry| {
            other.author == person && other.kind == (Kind::Reaction { of }) && !other.deleted
        };
        let again = change == Change::React && self.entries.iter().any(stands);
        if !fits {
            Due::Refused(ErrorCode::Validation)
        } else if !is_own {
            Due::Refused(ErrorCode::Forbidden)
        } else if entry.deleted || again {
            Due::Refused(ErrorCode::Conflict)
        } else {
            Due::Done
        }
    }

    pub(super) fn changed(&mut self, person: Person, change: Change, of: u64) {
        match change {
            Change::Edit => self.adds(person, Kind::Other),
            Change::React => self.adds(person, Kind::Reaction { of }),
            Change::Delete => {
                if let Some(entry) =
                    usize::try_from(of).ok().and_then(|of| self.entries.get_mut(of - 1))
                {
                    entry.deleted = true;
                }
                self.adds(person, Kind::Other);
            }
        }
    }

    pub(super) fn admits(&self, person: Person, other: Person) -> Due {
        if !self.may(person) {
            Due::Refused(ErrorCode::NotFound)
        } else if !self.private {
            Due::Refused(ErrorCode::Forbidden)
        } else if self.members.contains(&other) {
            Due::Refused(ErrorCode::Conflict)
        } else {
            Due::Done
        }
    }

    pub(super) fn admitted(&mut self, person: Person, other: Person) {
        self.adds(person, Kind::Other);
        self.members.push(other);
        self.knew.insert(other);
    }

    pub(super) fn removes(&self, person: Person, other: Person) -> Due {
        if !self.may(person) {
            Due::Refused(ErrorCode::NotFound)
        } else if !self.private {
            Due::Refused(ErrorCode::Forbidden)
        } else if !self.members.contains(&other) {
            Due::Refused(ErrorCode::Conflict)
        } else if person == other || self.members.first() == Some(&person) {
            Due::Done
        } else {
            Due::Refused(ErrorCode::Forbidden)
        }
    }

    pub(super) fn removed(&mut self, person: Person, other: Person) {
        self.adds(person, Kind::Other);
        self.members.retain(|member| *member != other);
        self.gone.insert(other, self.head());
    }
}
