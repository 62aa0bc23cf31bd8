//! `kill -9` at any moment: while authors speak, while they come back, and while the server starts.

use super::Outcome;
use crate::{
    disk::Folder,
    rig::{Plan, Rig},
};

/// So many in a hundred deaths are followed by one or two during the start.
const AGAIN_PERCENT: usize = 40;

/// Kills the server as often as planned.
///
/// # Errors
/// The run could not be judged.
pub async fn strikes(plan: &Plan) -> anyhow::Result<Outcome> {
    let folder = Folder::makes(&plan.scratch)?;
    let log = folder.path().join("server.log");
    let mut rig = Rig::opens(plan, &folder.path().join("data"), &log).await?;
    rig.hears_acks(1).await?;
    for _ in 0..plan.cycles {
        rig.talks().await;
        rig.dies().await?;
        if rig.random.chance(AGAIN_PERCENT) {
            for _ in 0..=rig.random.below(2) {
                // A little longer than a start takes, so that some are killed when it is done.
                let longest = rig.longest_start().mul_f64(1.2);
                rig.starts_for_a_moment(longest).await?;
                rig.dies().await?;
            }
        }
        rig.starts().await?;
    }
    rig.hears_acks(1).await?;
    rig.ends("kill -9").await.map(|report| Outcome::Judged(Box::new(report)))
}
