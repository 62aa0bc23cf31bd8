//! How much one person may do at once, over all their connections.
//!
//! Whoever opened a room is remembered as long as the process lives, for rooms are never closed.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use common::{RoomName, UserId};

use crate::{ConnectionNumber, Settings, lookup::Lookup, rate::Bucket};

/// Everybody who is connected or was a moment ago.
#[derive(Debug, Default)]
pub struct People {
    people: Lookup<UserId, Person>,
}

/// Small while nothing was asked for: many are connected once and do nothing.
#[derive(Debug, Default)]
struct Person {
    oldest: Option<ConnectionNumber>,
    more: Option<Box<More>>,
}

/// What few have.
#[derive(Debug, Default)]
struct More {
    /// The connections behind the oldest, in their order.
    later: Vec<ConnectionNumber>,
    spent: Option<Spent>,
    /// Rooms that this person opened.
    rooms_opened: usize,
}

/// What was taken of each allowance.
#[derive(Debug)]
struct Spent {
    says: Bucket,
    says_in_room: BTreeMap<RoomName, Bucket>,
    opens: Bucket,
    searches: Bucket,
    pages: Bucket,
}

/// Why somebody may not open a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// They opened as many as one person may.
    TooMany,
    /// They open them too fast; how long to wait.
    TooFast(Duration),
}

impl People {
    /// A connection of this person begins. Answers the connection that has to make place for it.
    pub fn connect(
        &mut self,
        user: &UserId,
        connection: ConnectionNumber,
        settings: &Settings,
    ) -> Option<ConnectionNumber> {
        let person = self.person(user);
        if person.oldest.is_none() {
            person.oldest = Some(connection);
        } else {
            person.more().later.push(connection);
        }
        let too_many = person.connections() > settings.connections_per_user_max;
        too_many.then(|| person.oldest_goes()).flatten()
    }

    /// A connection of this person ended.
    pub fn disconnect(&mut self, user: &UserId, connection: ConnectionNumber) {
        if let Some(person) = self.people.get_mut(user) {
            if let Some(more) = &mut person.more {
                more.later.retain(|other| *other != connection);
            }
            if person.oldest == Some(connection) {
                person.oldest_goes();
            }
        }
    }

    /// Whether this person may say something in this room at this moment.
    ///
    /// # Errors
    /// Too much was said already; how long to wait.
    pub fn may_say(
        &mut self,
        user: &UserId,
        room: &RoomName,
        settings: &Settings,
        now: Instant,
    ) -> Result<(), Duration> {
        let spent = self.person(user).spent(now);
        let in_room = spent.says_in_room.entry(room.clone()).or_insert_with(|| Bucket::full(now));
        // Both are asked before either pays: a refusal costs nothing, and its wait is enough.
        let room_lacks = in_room.lacks(1.0, &settings.says_in_room, now);
        let lacks = spent.says.lacks(1.0, &settings.says, now);
        if let Some(wait) = room_lacks.max(lacks) {
            return Err(wait);
        }
        in_room.take(1.0, &settings.says_in_room, now)?;
        spent.says.take(1.0, &settings.says, now)
    }

    /// Whether this person may search at this moment.
    ///
    /// # Errors
    /// Too much was asked already; how long to wait.
    pub fn may_search(
        &mut self,
        user: &UserId,
        settings: &Settings,
        now: Instant,
    ) -> Result<(), Duration> {
        self.person(user).spent(now).searches.take(1.0, &settings.searches, now)
    }

    /// Whether this person may read a page of the past, outside of a connection, at this moment.
    ///
    /// # Errors
    /// Too much was read already; how long to wait.
    pub fn may_read_page(
        &mut self,
        user: &UserId,
        settings: &Settings,
        now: Instant,
    ) -> Result<(), Duration> {
        self.person(user).spent(now).pages.take(1.0, &settings.pages, now)
    }

    /// Whether this person may open a room at this moment. It is counted as open; when it could not
    /// be opened, say so with [`Self::not_opened`].
    ///
    /// # Errors
    /// Too many, or too fast.
    pub fn may_open(
        &mut self,
        user: &UserId,
        settings: &Settings,
        now: Instant,
    ) -> Result<(), NoRoom> {
        let person = self.person(user);
        if person.more().rooms_opened >= settings.rooms_per_user_max {
            return Err(NoRoom::TooMany);
        }
        let opens = &mut person.spent(now).opens;
        opens.take(1.0, &settings.opens, now).map_err(NoRoom::TooFast)?;
        person.more().rooms_opened += 1;
        Ok(())
    }

    /// The room that this person was to open could not be opened.
    pub fn not_opened(&mut self, user: &UserId) {
        let more = self.people.get_mut(user).and_then(|person| person.more.as_mut());
        if let Some(more) = more {
            more.rooms_opened = more.rooms_opened.saturating_sub(1);
        }
    }

    /// Forgets what makes no difference: full buckets, and people without connections.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.people.retain(|person| {
            person.more.take_if(|more| more.is_nothing(now));
            person.oldest.is_some() || person.more.is_some()
        });
    }

    /// How many people are remembered.
    #[must_use]
    pub fn count(&self) -> usize {
        self.people.len()
    }

    fn person(&mut self, user: &UserId) -> &mut Person {
        self.people.get_or_default(user)
    }
}

impl Person {
    fn connections(&self) -> usize {
        let later = self.more.as_ref().map_or(0, |more| more.later.len());
        usize::from(self.oldest.is_some()) + later
    }

    /// The next is the oldest from here on.
    fn oldest_goes(&mut self) -> Option<ConnectionNumber> {
        let later = self.more.as_mut().map(|more| &mut more.later);
        let next = later.filter(|later| !later.is_empty()).map(|later| later.remove(0));
        std::mem::replace(&mut self.oldest, next)
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    fn spent(&mut self, now: Instant) -> &mut Spent {
        self.more().spent.get_or_insert_with(|| Spent {
            says: Bucket::full(now),
            says_in_room: BTreeMap::new(),
            opens: Bucket::full(now),
            searches: Bucket::full(now),
            pages: Bucket::full(now),
        })
    }
}

impl More {
    /// Whether it makes no difference.
    fn is_nothing(&mut self, now: Instant) -> bool {
        self.spent.take_if(|spent| spent.is_nothing(now));
        self.later.is_empty() && self.spent.is_none() && self.rooms_opened == 0
    }
}

impl Spent {
    /// Whether all of it has come back.
    fn is_nothing(&mut self, now: Instant) -> bool {
        self.says_in_room.retain(|_, bucket| !bucket.is_full(now));
        self.says_in_room.is_empty()
            && self.says.is_full(now)
            && self.opens.is_full(now)
            && self.searches.is_full(now)
            && self.pages.is_full(now)
    }
}
