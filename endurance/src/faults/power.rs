//! The power is cut: the server goes on with what its disk held at that moment, and all that it
//! had written without syncing it is gone.

use super::Outcome;
use crate::{
    disk::{self, Folder, Image},
    rig::{Plan, Rig},
};

/// Room for a million short messages and for the copy that a store makes of itself.
const MIB: u64 = 2_048;
/// So many in a hundred cuts are followed by one during the start.
const AGAIN_PERCENT: usize = 30;

/// Cuts the server's power as often as planned.
///
/// # Errors
/// The run could not be judged.
pub async fn strikes(plan: &Plan) -> anyhow::Result<Outcome> {
    if let Err(missing) = disk::can_lose_power(&plan.scratch).await {
        return Ok(Outcome::LeftOut(format!("no power can be cut here: {missing:#}")));
    }
    let folder = Folder::makes(&plan.scratch)?;
    let log = folder.path().join("server.log");
    let mut image = Image::makes(folder.path(), MIB).await?;
    let mut rig = Rig::opens(plan, &image.path().join("data"), &log).await?;
    rig.hears_acks(1).await?;
    for _ in 0..plan.cycles {
        rig.talks().await;
        image = cut(&mut rig, image).await?;
        if rig.random.chance(AGAIN_PERCENT) {
            let longest = rig.longest_start().mul_f64(1.2);
            rig.starts_for_a_moment(longest).await?;
            image = cut(&mut rig, image).await?;
        }
        rig.starts().await?;
    }
    rig.hears_acks(1).await?;
    rig.ends("power cut").await.map(|report| Outcome::Judged(Box::new(report)))
}

/// One cut. What the server's kernel had not written is nowhere afterwards.
pub(super) async fn cut(rig: &mut Rig, image: Image) -> anyhow::Result<Image> {
    if let Some(process) = &rig.process {
        process.freezes().await?;
    }
    let copy = image.is_copied().await?;
    rig.dies().await?;
    image.is_replaced_by(copy).await
}
