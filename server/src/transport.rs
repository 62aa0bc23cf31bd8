//! How entries reach clients: one module per transport, and what every answer over HTTP looks like.

pub mod websocket;

pub mod reply;
