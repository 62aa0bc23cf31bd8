//! Who is in a room: people and not tabs, as state with a version, told in coalesced changes.
//!
//! It is no part of the log and may be lost: whoever missed a change gets the state. Somebody
//! whose last connection ends has a few seconds to come back before anybody is told.
//!
//! A change says where everybody stands who came or went, and not what is new to one reader: lists
//! are handed out at any moment, also between two changes. Applying a change twice is harmless.

use std::{
    borrow::Borrow,
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use common::{Member, UserId, UserName, limits::MEMBERS_LISTED_MAX};

use crate::Settings;

/// To tell one person takes about 10 µs of a core; a change may take a tenth of one.
const TELLING_TAKES: Duration = Duration::from_micros(100);
/// Changes that are remembered; whoever is further behind gets the state.
const CHANGES_KEPT: usize = 16;

/// Who is present in one room.
#[derive(Debug)]
pub struct Presence {
    /// How many connections each of them has here.
    present: BTreeMap<Present, u32>,
    version: u32,
    changes: VecDeque<Change>,
    /// What changed since the last version, and when it is told.
    unpublished: Change,
    /// More people than are named were present at some moment since the last version.
    was_large: bool,
    publish_at: Option<Instant>,
    /// Who is gone and may come back, and until when.
    awaited: BTreeMap<UserId, Instant>,
    grace: Duration,
    coalesce: Duration,
}

/// Somebody, in the order of their id. They are in many rooms, and said once.
#[derive(Debug)]
struct Present(Arc<Member>);

#[derive(Clone, Debug, Default)]
struct Change {
    joined: BTreeMap<UserId, UserName>,
    left: BTreeSet<UserId>,
    /// Not everybody who came or went was named to everybody.
    large: bool,
}

/// Who is present, as whoever joins is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// The people present, at most [`MEMBERS_LISTED_MAX`].
    pub members: Vec<Member>,
    /// How many are present.
    pub count: u32,
    /// The version of that: what comes later is told from there on.
    pub version: u32,
}

/// What somebody who knows a version of the presence has to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing.
    None,
    /// Who came and who went.
    Change {
        /// People who came.
        joined: Vec<Member>,
        /// People who went.
        left: Vec<UserId>,
        /// How many are present.
        count: u32,
    },
    /// Everybody, because too much was missed.
    State {
        /// The people present, at most [`MEMBERS_LISTED_MAX`].
        members: Vec<Member>,
        /// How many are present.
        count: u32,
    },
}

impl Presence {
    /// Nobody is there.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            present: BTreeMap::new(),
            version: 0,
            changes: VecDeque::new(),
            unpublished: Change::default(),
            was_large: false,
            publish_at: None,
            awaited: BTreeMap::new(),
            grace: settings.presence_grace,
            coalesce: settings.presence_coalesce,
        }
    }

    /// One more connection of this person follows the room.
    pub fn join(&mut self, member: &Arc<Member>, now: Instant) {
        let Member { id, name } = &**member;
        if let Some(connections) = self.present.get_mut(id) {
            *connections += 1;
            self.awaited.remove(id);
            return;
        }
        self.present.insert(Present(Arc::clone(member)), 1);
        self.was_large |= self.is_large();
        if !self.was_large {
            self.unpublished.join(id, name);
        }
        self.publish_soon(now);
    }

    /// One connection of this person follows the room no longer: it was lost.
    pub fn lose(&mut self, user: &UserId, now: Instant) {
        let Some(connections) = self.present.get_mut(user) else { return };
        *connections = connections.saturating_sub(1);
        if *connections == 0 {
            self.awaited.insert(user.clone(), now + self.grace);
        }
    }

    /// This person left on purpose, with one connection.
    pub fn leave(&mut self, user: &UserId, now: Instant) {
        self.lose(user, now);
        if self.present.get(user) == Some(&0) {
            self.forget(user, now);
        }
    }

    /// Sends off those whose grace is over, and publishes what is due. Says whether there is a
    /// new version.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let gone = self.awaited.iter().filter(|(_, until)| **until <= now);
        let gone: Vec<UserId> = gone.map(|(id, _)| id.clone()).collect();
        for user in gone {
            self.forget(&user, now);
        }
        if self.publish_at.is_none_or(|at| at > now) {
            return false;
        }
        self.publish_at = None;
        let change = std::mem::take(&mut self.unpublished);
        let is_large = self.is_large();
        let large = std::mem::replace(&mut self.was_large, is_large);
        // Of a large room nobody is told who came and went: it is not kept either.
        let change = if large { Change { large, ..Change::default() } } else { change };
        self.version = self.version.wrapping_add(1);
        self.changes.push_back(change);
        if self.changes.len() > CHANGES_KEPT {
            self.changes.pop_front();
        }
        true
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.awaited.values().copied().chain(self.publish_at).min()
    }

    /// What whoever knows `version` has to be told to know [`Self::version`].
    #[must_use]
    pub fn news_since(&self, version: u32) -> News {
        if version == self.version {
            return News::None;
        }
        let missed = self.version.wrapping_sub(version) as usize;
        let state = || News::State { members: self.members(), count: self.count() };
        if missed > self.changes.len() {
            return state();
        }
        // In a large room everybody's coming and going would be told to everybody: only the count is.
        if self.is_large() {
            return News::Change { joined: Vec::new(), left: Vec::new(), count: self.count() };
        }
        let changes = self.changes.iter().skip(self.changes.len() - missed);
        // Whoever knows a part only of those who were there is told all of them once they are few.
        if changes.clone().any(|change| change.large) {
            return state();
        }
        let mut change = Change::default();
        for later in changes {
            change.add(later);
        }
        News::Change {
            joined: change.joined.into_iter().map(|(id, name)| Member { id, name }).collect(),
            left: change.left.into_iter().collect(),
            count: self.count(),
        }
    }

    /// Grows by one with each published change; after 2³² of them it begins anew.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Who is present.
    #[must_use]
    pub fn roster(&self) -> Roster {
        Roster { members: self.members(), count: self.count(), version: self.version }
    }

    /// The people present, at most [`MEMBERS_LISTED_MAX`].
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        let listed = self.present.keys().take(MEMBERS_LISTED_MAX);
        listed.map(|Present(member)| Member::clone(member)).collect()
    }

    /// How many people are present.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.present.len()).unwrap_or(u32::MAX)
    }

    fn forget(&mut self, user: &UserId, now: Instant) {
        self.present.remove(user);
        self.awaited.remove(user);
        if !self.was_large {
            self.unpublished.leave(user);
        }
        self.publish_soon(now);
    }

    fn is_large(&self) -> bool {
        self.present.len() > MEMBERS_LISTED_MAX
    }

    fn publish_soon(&mut self, now: Instant) {
        // Everybody is told: where there are many, more is told at once.
        let many = u32::try_from(self.present.len()).unwrap_or(u32::MAX);
        self.publish_at.get_or_insert(now + self.coalesce.max(TELLING_TAKES.saturating_mul(many)));
    }
}

impl Borrow<UserId> for Present {
    fn borrow(&self) -> &UserId {
        &self.0.id
    }
}

impl Ord for Present {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.id.cmp(&other.0.id)
    }
}

impl PartialOrd for Present {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Present {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Present {}

impl Change {
    fn join(&mut self, id: &UserId, name: &UserName) {
        self.left.remove(id);
        self.joined.insert(id.clone(), name.clone());
    }

    fn leave(&mut self, id: &UserId) {
        self.joined.remove(id);
        self.left.insert(id.clone());
    }

    fn add(&mut self, later: &Self) {
        for id in &later.left {
            self.leave(id);
        }
        for (id, name) in &later.joined {
            self.join(id, name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_begin_anew_and_whoever_knows_the_last_is_told_what_changed() {
        let settings = Settings::default();
        let mut presence = Presence { version: u32::MAX, ..Presence::new(&settings) };
        let name = |name: &str| UserName::new(name).expect("it is a name");
        let id = |id: &str| UserId::new(id).expect("it is a token");
        let hana = Arc::new(Member { id: id("u1"), name: name("하나") });
        #[expect(clippy::disallowed_methods, reason = "virtual time needs one real moment")]
        let begun = Instant::now();
        presence.join(&hana, begun);
        assert!(presence.handle_timeout(begun + Duration::from_secs(1)));

        assert_eq!(presence.version(), 0);
        let joined = vec![Member::clone(&hana)];
        let change = News::Change { joined, left: Vec::new(), count: 1 };
        assert_eq!(presence.news_since(u32::MAX), change);
        assert!(matches!(presence.news_since(7), News::State { .. }), "none has had that yet");
    }
}
