//! A rig that tries to make a server lose, double or reorder what it acknowledged.
//!
//! Authors say numbered messages and keep a ledger of every `ack`; witnesses follow the rooms over
//! cuts. Meanwhile the server is killed, its disk is filled, its power is cut. In the end each
//! room is read from its first entry and held against the ledgers.
//!
//! The server is a black box: a program with flags, an address on its standard output, and
//! `docs/protocol.md`. This crate must never know anything else of it, and must never call a run
//! good that it could not judge.
//!
//! Read in this order: [`judge`] (what is a broken promise), [`ledger`] (what was said, what was
//! acknowledged, what was heard), [`author`] and [`witness`] (who says and who hears), [`rig`] (a
//! server that dies under them), [`faults`] (how it is hurt), [`report`] (what came of it),
//! [`wire`] (the protocol), [`process`] (the server as a process), [`disk`] (file systems that can
//! lose their power and be full), [`tool`] (programs of the system), [`tracer`] (system calls that
//! fail), [`scene`], [`deadline`], [`random`]. [`permissions`] stands beside that: nobody is hurt,
//! and a small model says who may be told what.

pub mod judge;

pub mod ledger;

pub mod author;

pub mod witness;

pub mod rig;

pub mod faults;

pub mod report;

pub mod wire;

pub mod process;

pub mod disk;

pub mod tool;

pub mod tracer;

pub mod permissions;

pub mod scene;

pub mod deadline;

pub mod random;
