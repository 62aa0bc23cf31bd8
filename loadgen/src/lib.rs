//! Load for a running server, from real sockets: it measures what it says and nothing else.
//!
//! Small numbers of each run are a test; large ones are the program's business. It must never
//! report a figure of a run in which something went wrong.
//!
//! Read in this order: [`guest`] (one person with one connection), [`idle`] (many of them who say
//! nothing: what each costs the server in memory), [`durable`] (many who wait for their acks: what
//! the disk lets through), [`resume`] (one who missed much), [`process`] (what the server uses).

pub mod guest;

pub mod idle;

pub mod durable;

pub mod resume;

pub mod process;

mod clock;
