//! The rig with small numbers, against the real server as a process: it keeps its promises, and a
//! server that is broken on purpose is found out.
//!
//! The server is the one that `MADANG_TEST_SERVER` names, or the one beside this test, which `cargo
//! test --workspace` and `cargo test -p server -p endurance` build, and `-p endurance` alone does
//! not. What this machine cannot do is left out, and said.

mod permissions;
mod promises;
mod red;
mod stage;
