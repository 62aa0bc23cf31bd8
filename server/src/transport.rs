//! How entries reach clients: one module per transport.

pub mod websocket;
