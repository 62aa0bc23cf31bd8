//! One connection that hears itself: round trips.

use std::time::Duration;

use super::{
    Shape, Target,
    dialect::Dialect,
    fan_out::{self, FanOut, Load},
    in_rooms,
};

/// Lets one speak to themselves: at this path of a plain server, elsewhere in a room of their own.
///
/// # Errors
/// Something was lost, doubled, reordered or altered, or the server refused or closed something.
pub async fn measure(
    target: &Target,
    path: &str,
    in_flight: u64,
    lasting: Duration,
    bytes: usize,
) -> anyhow::Result<FanOut> {
    let names = match target.dialect {
        Dialect::Plain => vec![path.trim_start_matches('/').to_owned()],
        Dialect::Madang | Dialect::Socketio | Dialect::Nats => target.names(1).await?,
    };
    let shape = Shape { rooms: 1, members: 1, authors: 1, bytes };
    let load = Load { followers: 1, in_flight, lasting, bytes };
    let processes = target.processes.clone();
    in_rooms(target, shape, names, move |crowd| fan_out::run(crowd, &processes, load)).await
}
