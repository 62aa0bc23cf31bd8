//! The rooms that one connection follows: in each a cursor.
//!
//! Sorted, and without room for more: most connections follow a few rooms, and memory per
//! connection counts.

use common::{Digest, Position, RoomName};

/// A room that a connection follows.
#[derive(Clone, Debug)]
pub struct Follow {
    /// Which room.
    pub room: RoomName,
    /// Everything up to here was handed to the connection.
    pub cursor: Position,
    /// Whether its author's own entries are sent as well.
    pub echo: bool,
    /// The version of the presence that the connection knows.
    pub presence: u32,
    /// The digest at the cursor, when it is known and the connection has not been told of it.
    pub(super) untold: Option<Digest>,
}

#[derive(Debug, Default)]
pub(super) struct Follows(Box<[Follow]>);

impl Follows {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Follow> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Follow> {
        self.0.iter_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, room: &RoomName) -> Option<&Follow> {
        self.find(room).ok().and_then(|at| self.0.get(at))
    }

    pub(super) fn get_mut(&mut self, room: &RoomName) -> Option<&mut Follow> {
        self.find(room).ok().and_then(|at| self.0.get_mut(at))
    }

    pub(super) fn insert(&mut self, follow: Follow) {
        match self.find(&follow.room) {
            Ok(at) => self.0[at] = follow,
            Err(at) => self.change(|follows| {
                follows.reserve_exact(1);
                follows.insert(at, follow);
            }),
        }
    }

    /// Whether the room was followed.
    pub(super) fn remove(&mut self, room: &RoomName) -> bool {
        let Ok(at) = self.find(room) else { return false };
        self.change(|follows| drop(follows.remove(at)));
        true
    }

    fn change(&mut self, change: impl FnOnce(&mut Vec<Follow>)) {
        let mut follows = std::mem::take(&mut self.0).into_vec();
        change(&mut follows);
        self.0 = follows.into_boxed_slice();
    }

    fn find(&self, room: &RoomName) -> Result<usize, usize> {
        self.0.binary_search_by(|follow| follow.room.cmp(room))
    }
}
