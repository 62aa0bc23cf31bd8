//! Who may do what: every question of permission comes here.

use common::{Member, UserId};

/// What somebody wants to do in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed<'a> {
    /// See that there is such a room, read it, find what stands in it, and see who is in it.
    Read,
    /// Say something, put a sign on what others said, or say what the room is about.
    Say,
    /// Say what this author has said otherwise.
    Edit {
        /// Who said it.
        author: &'a UserId,
    },
    /// Take back what this author has said.
    Delete {
        /// Who said it.
        author: &'a UserId,
    },
    /// Let somebody in.
    Admit,
    /// Take somebody's membership away: by going, or by sending them away.
    Remove {
        /// Whose.
        member: &'a UserId,
    },
}

/// Whether `user` may do it in a room with these members; `None` stands for a room open to all.
/// The first member is whoever opened the room, or who came next when they have left.
///
/// Whoever may not [`Deed::Read`] is told that there is no such room.
#[must_use]
pub fn may(user: &UserId, deed: Deed<'_>, members: Option<&[Member]>) -> bool {
    let belongs = members.is_none_or(|members| members.iter().any(|member| member.id == *user));
    belongs
        && match deed {
            Deed::Read | Deed::Say => true,
            Deed::Edit { author } | Deed::Delete { author } => author == user,
            // Everybody is in an open room already.
            Deed::Admit => members.is_some(),
            Deed::Remove { member } => members.is_some_and(|members| {
                member == user || members.first().is_some_and(|first| first.id == *user)
            }),
        }
}
