//! There is no room left: authors are asked to come again, readers go on, and when there is room
//! again writing goes on without a restart.

use anyhow::Context as _;

use super::Outcome;
use crate::{
    deadline,
    disk::{self, Folder, SmallDisk},
    rig::{Plan, Rig},
    wire::{Caller, Guest},
};

/// Small enough to be filled at once, large enough for a start.
const MIB: u32 = 96;

/// Fills the server's disk as often as planned.
///
/// # Errors
/// The run could not be judged, or the server did not live through it.
pub async fn strikes(plan: &Plan) -> anyhow::Result<Outcome> {
    if let Err(missing) = disk::can_mount().await {
        return Ok(Outcome::LeftOut(format!("no disk can be filled here: {missing:#}")));
    }
    let folder = Folder::makes(&plan.scratch)?;
    let log = folder.path().join("server.log");
    let disk = SmallDisk::makes(folder.path().join("disk"), MIB).await?;
    let mut rig = Rig::opens(plan, &disk.path().join("data"), &log).await?;
    rig.hears_acks(1).await?;
    // Who reads while nothing can be written has a session from before; it is kept with its first
    // ticket.
    let life = rig.director.scene().living().await.context("there is no server")?;
    let reader = Guest::enters(life.address, "reader").await?;
    Caller::connects(life.address, &reader).await?;
    for _ in 0..plan.cycles {
        rig.talks().await;
        deadline::within(deadline::RECOVERY, "a refusal by a full disk", fill(&rig, &disk))
            .await??;
        rig.is_read_by(&reader).await.context("while the disk is full")?;
        if rig.random.chance(50) {
            rig.talks().await;
        }
        disk.makes_room()?;
        rig.hears_acks(plan.authors as u64).await.context("there is room again")?;
        if rig.random.chance(50) {
            rig.dies().await?;
            rig.starts().await?;
        }
    }
    rig.dies().await?;
    rig.ends("disk full").await.map(|report| Outcome::Judged(Box::new(report)))
}

/// Fills the disk until an author is told so. A store has room of its own that it uses first, and
/// may give some back meanwhile.
async fn fill(rig: &Rig, disk: &SmallDisk) -> anyhow::Result<()> {
    let before = rig.director.tally().full;
    while rig.director.tally().full == before {
        disk.fills()?;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    Ok(())
}
