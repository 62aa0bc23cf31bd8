//! One author in a room with many: what a delivery costs, one message after the other or many in
//! flight.

use std::time::Duration;

use super::{
    Shape, Target,
    cost::{self, Cost, Meter},
    crowd::{Crowd, DRAIN},
    measured,
};

/// What is let go by before it is measured, at most.
const WARM_UP_MAX: Duration = Duration::from_secs(1);

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Members of the room. The author is one of them.
    pub followers: usize,
    /// Messages on their way at a time. With one, the next is said when everybody has the last;
    /// with more, for each that came back to its author.
    pub in_flight: u64,
    /// How long.
    pub lasting: Duration,
    /// What a delivery carries, in bytes.
    pub bytes: usize,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct FanOut {
    /// Messages that the author got back.
    pub messages: u64,
    /// What all followers got.
    pub deliveries: u64,
    /// Half of the deliveries took no longer, in microseconds.
    pub p50_us: Option<f64>,
    /// 99 of 100 took no longer, in microseconds.
    pub p99_us: Option<f64>,
    /// What it cost.
    pub cost: Cost,
    /// The server's resident memory at the end.
    pub resident_bytes: Option<u64>,
}

/// Measures it.
///
/// # Errors
/// Something was lost, doubled or reordered, or the server refused or closed something.
pub async fn measure(target: &Target, load: Load) -> anyhow::Result<FanOut> {
    let Load { followers, bytes, .. } = load;
    let shape = Shape { rooms: 1, members: followers, authors: 1, bytes };
    let processes = target.processes.clone();
    measured(target, shape, move |crowd| run(crowd, &processes, load)).await
}

pub(super) fn run(crowd: &mut Crowd, processes: &[u32], load: Load) -> anyhow::Result<FanOut> {
    let author = crowd.member(0, 0);
    let mut said = 0;
    speaks(crowd, author, load.in_flight, &mut said, WARM_UP_MAX.min(load.lasting / 4))?;
    crowd.forgets_latency();
    let (messages, deliveries) = (crowd.heard(author), crowd.deliveries());
    let meter = Meter::begins(processes)?;
    speaks(crowd, author, load.in_flight, &mut said, load.lasting)?;
    let cost = meter.ends()?;
    let found = FanOut {
        messages: crowd.heard(author) - messages,
        deliveries: crowd.deliveries() - deliveries,
        p50_us: crowd.latency().quantile_us(0.5),
        p99_us: crowd.latency().quantile_us(0.99),
        cost,
        resident_bytes: cost::resident_bytes(processes)?,
    };
    crowd.drains()?;
    Ok(found)
}

/// Somebody speaks for so long, and beyond that until they hear themselves.
fn speaks(
    crowd: &mut Crowd,
    author: usize,
    in_flight: u64,
    said: &mut u64,
    lasting: Duration,
) -> anyhow::Result<()> {
    let before = crowd.heard(author);
    let end = crowd.now() + lasting.as_nanos() as u64;
    let latest = end + DRAIN.as_nanos() as u64;
    loop {
        let now = crowd.now();
        if now >= end && crowd.heard(author) > before {
            return Ok(());
        }
        anyhow::ensure!(now < latest, "nothing came");
        let left = if now < end { end - now } else { latest - now };
        let back = if in_flight > 1 {
            crowd.heard(author)
        } else {
            *said - u64::from(crowd.missing() > 0)
        };
        if *said - back < in_flight {
            for _ in 0..in_flight - (*said - back) {
                crowd.says(author, now);
                *said += 1;
            }
            crowd.flushes(author)?;
        }
        crowd.turns(Some(Duration::from_nanos(left)))?;
    }
}
