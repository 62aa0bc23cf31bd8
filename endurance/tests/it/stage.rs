//! Which server, and how much of everything.

use std::{path::PathBuf, time::Duration};

use endurance::{
    faults::{Fault, Outcome},
    process::Program,
    report::Report,
    rig::Plan,
};
// Nothing of it is called: it is named so that one run of Cargo builds the server and its
// deliberate faults together with these tests.
use server as _;

/// The server, unless none was built.
pub(crate) fn server() -> Option<PathBuf> {
    let named = std::env::var_os("MADANG_TEST_SERVER").map(PathBuf::from);
    let found = named.map_or_else(Program::beside_this, Ok);
    found.map_err(|why| eprintln!("left out: {why:#}")).ok()
}

/// A server that is broken in this way, unless it cannot be.
pub(crate) async fn broken(breakage: &str) -> Option<Plan> {
    let server = server()?;
    let flags = vec![format!("--break={breakage}")];
    if !Program::knows(&server, &[&flags[0]]).await {
        let server = server.display();
        eprintln!("left out: {server} does not know {}; the feature `mutants` has it", flags[0]);
        return None;
    }
    Some(Plan { flags, ..plan(server) })
}

/// Seconds, where a run in earnest takes hours.
pub(crate) fn plan(server: PathBuf) -> Plan {
    Plan {
        server,
        flags: Vec::new(),
        cycles: 3,
        window: Duration::from_millis(500),
        authors: 16,
        rooms: 2,
        seed: 1,
        port: 0,
        scratch: std::env::temp_dir(),
    }
}

/// What came of it, unless this machine cannot do it.
pub(crate) async fn strike(fault: Fault, plan: &Plan) -> Option<Report> {
    match fault.strikes(plan).await.unwrap_or_else(|error| panic!("not judged: {error:#}")) {
        Outcome::Judged(report) => Some(*report),
        Outcome::LeftOut(why) => {
            eprintln!("left out: {why}");
            None
        }
    }
}
