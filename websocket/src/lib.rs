//! The server's side of the WebSocket protocol, RFC 6455, pure: bytes in, messages out, and back.
//!
//! This crate must never do IO or read a clock. It holds memory only for what has not arrived
//! whole: an idle connection costs it nothing on the heap. Extensions are not spoken, so every
//! reserved bit is a fault.
//!
//! Read in this order: [`frame`] (one frame's head), [`decoder`] (from bytes to messages),
//! [`encoder`] (from messages to bytes).

#![warn(missing_docs)]

pub mod frame;

pub mod decoder;

pub mod encoder;

pub use decoder::{Decoder, Incoming, Limits, Violation};
pub use encoder::{write_close, write_frame};
pub use frame::Opcode;
