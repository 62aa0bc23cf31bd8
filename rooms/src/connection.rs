//! How the core tells connections apart.

use std::num::NonZeroU64;

/// A connection's number, unique in the process. It stands in many tables; people see a
/// [`common::ConnectionId`] made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionNumber(pub NonZeroU64);
