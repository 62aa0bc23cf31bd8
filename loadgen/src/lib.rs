//! Load for a running server, from real sockets: it measures what it says and nothing else.
//!
//! Small numbers of each run are a test; large ones are the program's business. It must never
//! report a figure of a run in which something went wrong.
//!
//! Read in this order: [`route`] (connections and requests), [`guest`] (one person with one
//! connection), [`durable`] (many who wait for their acks: what the disk lets through), [`resume`] (one who
//! missed much), [`peer`] (somebody who stays, with the client's half that the page has), [`storm`]
//! (all of them cut at once: when the last is back), [`half_open`] (who vanishes without a word, and
//! who answers late), [`stalled`] (who reads nothing, beside others), [`soak`] (people who do
//! everything for a long time: whether memory grows), [`slope`] (by how much), [`lean`] (raw frames on
//! one thread, so that the load is not what limits: how fast the server is, and others like it),
//! [`process`] (what the server uses), [`tcp`] (what the kernel knows), [`program`] (a server that is killed and started
//! again).

pub mod route;

pub mod guest;

pub mod durable;

pub mod resume;

pub mod peer;

pub mod storm;

pub mod half_open;

pub mod stalled;

pub mod soak;

pub mod slope;

pub mod lean;

pub mod process;

pub mod tcp;

pub mod program;

pub mod clock;

mod random;
