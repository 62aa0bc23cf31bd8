//! Who may do what: every question of permission comes here.

use common::{Member, UserId};

/// What somebody wants to do in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// See that there is such a room, read it, and see who is in it.
    Read,
    /// Say something.
    Say,
}

/// Whether `user` may do it in a room with these members; `None` stands for a room open to all.
///
/// Whoever may not [`Deed::Read`] is told that there is no such room.
#[must_use]
pub fn may(user: &UserId, deed: Deed, members: Option<&[Member]>) -> bool {
    match deed {
        Deed::Read | Deed::Say => {
            members.is_none_or(|members| members.iter().any(|member| member.id == *user))
        }
    }
}
