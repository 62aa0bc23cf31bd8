//! `fsync` fails, always or now and then: what could not be synced may not be acknowledged, and what
//! is acknowledged afterwards has to be durable all the same.

use anyhow::Context as _;

use super::{Outcome, power};
use crate::{
    disk::{self, Folder, Image},
    rig::{Plan, Rig},
    tool,
    tracer::{Failure, Tracer},
};

const MIB: u64 = 512;

/// Lets `fsync` fail as often as planned. Each time ends with a power cut where that is possible,
/// else with `kill -9`.
///
/// # Errors
/// The run could not be judged, or the server did not live through it.
pub async fn strikes(plan: &Plan) -> anyhow::Result<Outcome> {
    if let Err(missing) = tool::needs("strace", "strace").await {
        return Ok(Outcome::LeftOut(format!("fsync cannot be made to fail here: {missing:#}")));
    }
    let folder = Folder::makes(&plan.scratch)?;
    let log = folder.path().join("server.log");
    let mut image = match disk::can_lose_power(&plan.scratch).await {
        Ok(()) => Some(Image::makes(folder.path(), MIB).await?),
        Err(missing) => {
            eprintln!("kill -9 in place of power cuts: {missing:#}");
            None
        }
    };
    let disk = image.as_ref().map_or(folder.path(), Image::path).join("data");
    let mut rig = Rig::opens(plan, &disk, &log).await?;
    rig.hears_acks(1).await?;
    for cycle in 0..plan.cycles {
        rig.talks().await;
        let when = if cycle % 2 == 0 { When::Always } else { When::NowAndThen };
        let server = rig.process.as_ref().context("there is no server")?.id()?;
        let failing = match Tracer::begins(&server, &when.failure()).await {
            Ok(failing) => failing,
            Err(error) => return Ok(Outcome::LeftOut(format!("strace cannot attach: {error:#}"))),
        };
        let tracer = match when {
            When::Always => {
                all_are_refused(&rig, plan).await?;
                failing.ends().await?;
                rig.hears_acks(plan.authors as u64).await.context("fsync works again")?;
                None
            }
            // No later commit is to make durable what an earlier one did not.
            When::NowAndThen => {
                some_are_refused(&mut rig).await?;
                Some(failing)
            }
        };
        image = match image {
            Some(image) => Some(power::cut(&mut rig, image).await?),
            None => {
                rig.dies().await?;
                None
            }
        };
        drop(tracer);
        rig.starts().await?;
    }
    rig.ends("fsync error").await.map(|report| Outcome::Judged(Box::new(report)))
}

const REFUSED: &str = "a refusal because nothing can be written";

/// How often `fsync` fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Each time.
    Always,
    /// The second time and each third after it, of each thread.
    NowAndThen,
}

/// The first refusal shows that nothing can be kept: what is said from there on until the end may
/// not be acknowledged.
async fn all_are_refused(rig: &Rig, plan: &Plan) -> anyhow::Result<()> {
    let before = rig.director.tally().unavailable;
    rig.director.sees(REFUSED, |tally| tally.unavailable > before).await?;
    rig.director.set_barren(true);
    let enough = before + 2 * plan.authors as u64;
    rig.director.sees(REFUSED, |tally| tally.unavailable >= enough).await?;
    rig.director.set_barren(false);
    Ok(())
}

/// Commits that fail and commits that succeed follow each other.
async fn some_are_refused(rig: &mut Rig) -> anyhow::Result<()> {
    let before = rig.director.tally().unavailable;
    rig.director.sees(REFUSED, |tally| tally.unavailable > before).await?;
    rig.hears_acks(1).await?;
    rig.talks().await;
    Ok(())
}

impl When {
    fn failure(self) -> Failure {
        let when = match self {
            Self::Always => "",
            Self::NowAndThen => ":when=2+3",
        };
        Failure { calls: "fsync,fdatasync", error: "EIO", when, files: Vec::new() }
    }
}
