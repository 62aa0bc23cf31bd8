//! Trials of the state, from outside.
