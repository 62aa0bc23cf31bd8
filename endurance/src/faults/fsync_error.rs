//! `fsync` fails: nothing that is said meanwhile may be acknowledged, and what is acknowledged
//! afterwards has to be durable all the same.

use std::{process::Stdio, time::Duration};

use anyhow::Context as _;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::{Outcome, power};
use crate::{
    deadline,
    disk::{self, Folder, Image},
    rig::{Plan, Rig},
    tool,
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
    for _ in 0..plan.cycles {
        rig.talks().await;
        let server = rig.process.as_ref().context("there is no server")?.id()?;
        let failing = match Failing::begins(&server).await {
            Ok(failing) => failing,
            Err(error) => return Ok(Outcome::LeftOut(format!("strace cannot attach: {error:#}"))),
        };
        all_are_refused(&rig, plan).await?;
        failing.ends().await?;
        rig.hears_acks(plan.authors as u64).await.context("fsync works again")?;
        image = match image {
            Some(image) => Some(power::cut(&mut rig, image).await?),
            None => {
                rig.dies().await?;
                None
            }
        };
        rig.starts().await?;
    }
    rig.ends("fsync error").await.map(|report| Outcome::Judged(Box::new(report)))
}

/// The first refusal shows that nothing can be kept: what is said from there on until the end may
/// not be acknowledged.
async fn all_are_refused(rig: &Rig, plan: &Plan) -> anyhow::Result<()> {
    let what = "a refusal because nothing can be written";
    let before = rig.director.tally().unavailable;
    rig.director.sees(what, |tally| tally.unavailable > before).await?;
    rig.director.set_barren(true);
    let enough = before + 2 * plan.authors as u64;
    rig.director.sees(what, |tally| tally.unavailable >= enough).await?;
    rig.director.set_barren(false);
    Ok(())
}

/// A tracer that lets every `fsync` and `fdatasync` of a process fail. It lets go when dropped.
#[derive(Debug)]
struct Failing {
    tracer: Child,
}

impl Failing {
    async fn begins(process: &str) -> anyhow::Result<Self> {
        let mut tracer = Command::new("strace")
            .args(["-f", "-p", process, "-o", "/dev/null", "-e", "trace=fsync,fdatasync"])
            .args(["-e", "inject=fsync,fdatasync:error=EIO"])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stderr = tracer.stderr.take().context("it is piped")?;
        let mut lines = BufReader::new(stderr).lines();
        let attached = async {
            let said = lines.next_line().await?.unwrap_or_default();
            anyhow::ensure!(said.contains("attached"), "{said}");
            Ok(())
        };
        deadline::within(deadline::ANSWER, "strace to attach", attached).await??;
        // What else it says is read, so that it can go on saying it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { tracer })
    }

    async fn ends(mut self) -> anyhow::Result<()> {
        let id = self.tracer.id().context("strace ended by itself")?.to_string();
        // It lets go of every thread before it ends.
        tool::run("kill", &["-INT", &id]).await?;
        let ended = self.tracer.wait();
        deadline::within(Duration::from_secs(20), "strace to let go", ended).await??;
        Ok(())
    }
}
