//! The disk can be read and not be written, as one is that its file system has found broken:
//! authors are asked to come again, readers and rooms that keep nothing go on. When it can be
//! written again, writing goes on without a restart.
//!
//! A real file system that turned read-only under somebody who writes has to be mounted anew, so
//! that nobody can go on without a restart there. Every second time therefore a tracer answers for
//! the disk, with the same error, and stops.

use anyhow::{Context as _, ensure};
use common::{RoomName, http::Keep};

use super::Outcome;
use crate::{
    disk::{self, Folder, Image},
    rig::{Plan, Rig},
    tool,
    tracer::{Failure, Tracer},
    wire::{Caller, Guest},
};

const MIB: u64 = 256;
const REFUSED: &str = "a refusal because nothing can be written";
/// Everything that changes a file which is open.
const WRITES: &str = "pwrite64,pwritev,write,writev,ftruncate,fallocate,fsync,fdatasync";
/// The files that a server has open to write.
const FILES: [&str; 4] = ["madang.db", "madang.db-wal", "search.db", "search.db-wal"];

/// Makes the server's disk read-only as often as planned.
///
/// # Errors
/// The run could not be judged, or the server did not live through it.
pub async fn strikes(plan: &Plan) -> anyhow::Result<Outcome> {
    for missing in [can_turn_read_only(&plan.scratch).await, tool::needs("strace", "strace").await]
    {
        if let Err(missing) = missing {
            return Ok(Outcome::LeftOut(format!(
                "no disk can be made read-only here: {missing:#}"
            )));
        }
    }
    let folder = Folder::makes(&plan.scratch)?;
    let log = folder.path().join("server.log");
    let mut image = Image::makes(folder.path(), MIB).await?;
    let mut rig = Rig::opens(plan, &image.path().join("data"), &log).await?;
    let life = rig.director.scene().living().await.context("there is no server")?;
    // Who reads while nothing can be written has a session from before; it is kept with its first
    // ticket.
    let reader = Guest::enters(life.address, "reader").await?;
    let fleeting = RoomName::new("fleeting")?;
    reader.opens_with(life.address, &fleeting, Keep::None).await?;
    Caller::connects(life.address, &reader).await?;
    for cycle in 0..plan.cycles {
        rig.hears_acks(1).await?;
        rig.talks().await;
        let server = rig.process.as_ref().context("there is no server")?.id()?;
        if cycle % 2 == 0 {
            let failure = failure(&image);
            let tracer = match Tracer::begins(&server, &failure).await {
                Ok(tracer) => tracer,
                Err(error) => {
                    return Ok(Outcome::LeftOut(format!("strace cannot attach: {error:#}")));
                }
            };
            nothing_is_kept(&rig, &reader, &fleeting).await?;
            tracer.ends().await?;
            rig.hears_acks(plan.authors as u64).await.context("it can be written again")?;
        } else {
            image.turns_read_only()?;
            nothing_is_kept(&rig, &reader, &fleeting).await?;
            rig.dies().await?;
            image = image.is_mounted_again().await?;
            rig.starts().await?;
        }
    }
    rig.dies().await?;
    rig.ends("read-only disk").await.map(|report| Outcome::Judged(Box::new(report)))
}

fn failure(image: &Image) -> Failure {
    let files = FILES.map(|name| image.path().join("data").join(name));
    let there = files.into_iter().filter(|file| file.exists());
    Failure { calls: WRITES, error: "EROFS", when: "", files: there.collect() }
}

/// The first refusal shows that nothing can be kept: what is said from there on until the end may
/// not be acknowledged.
async fn nothing_is_kept(rig: &Rig, reader: &Guest, fleeting: &RoomName) -> anyhow::Result<()> {
    let before = rig.director.tally().unavailable;
    rig.director.sees(REFUSED, |tally| tally.unavailable > before).await?;
    rig.director.set_barren(true);
    rig.is_read_by(reader).await.context("while nothing can be written")?;
    let talks = rig.says_what_nobody_keeps(reader, fleeting).await;
    talks.context("a room that keeps nothing, while nothing can be written")?;
    rig.director.sees(REFUSED, |tally| tally.unavailable > before + 1).await?;
    rig.director.set_barren(false);
    Ok(())
}

/// Whether a file system turns read-only here when it finds itself broken.
async fn can_turn_read_only(scratch: &std::path::Path) -> anyhow::Result<()> {
    disk::can_mount().await?;
    ensure!(std::path::Path::new("/dev/loop-control").exists(), "there are no loop devices");
    tool::needs("mkfs.ext4", "e2fsprogs").await?;
    let folder = Folder::makes(scratch)?;
    let image = Image::makes(folder.path(), 16).await?;
    let file = std::fs::File::create(image.path().join("open"))?;
    image.turns_read_only()?;
    ensure!(file.set_len(1).is_err(), "a broken file system can be written");
    drop(file);
    image.is_mounted_again().await.map(drop)
}
