//! Somebody who comes back after a long time: how fast what was missed comes, and what it costs the
//! server in time and memory.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use common::{Body, ClientMessage, Digest, MessageId, Position, RoomName, ServerMessage};

use crate::{clock, guest::Guest, process::Process};

/// Entries between two looks at the server's memory.
const LOOK_EVERY: u64 = 5_000;
/// Messages on their way while a room is filled.
const IN_FLIGHT: u64 = 32;

/// What was found.
#[derive(Clone, Copy, Debug)]
pub struct Resume {
    /// Entries that were missed and came.
    pub entries: u64,
    /// Seconds until the last of them was there.
    pub seconds: f64,
    /// Seconds of a core that the server used meanwhile.
    pub server_cpu_seconds: f64,
    /// The server's resident memory before, in bytes.
    pub before_bytes: u64,
    /// The most that was seen of it meanwhile, in bytes.
    pub most_bytes: u64,
}

/// Opens a room that nobody was in before, and says so much in it.
///
/// # Errors
/// The server refused something, or acknowledged something at a place that was taken.
pub async fn fills(server: SocketAddr, entries: u64) -> anyhow::Result<RoomName> {
    let room = RoomName::new(format!("missed-{}", clock::nanoseconds()))?;
    let signed_in = Guest::signs_in(server, "early").await?;
    signed_in.opens(&room).await?;
    let mut guest = signed_in.calls().await?;
    guest.joins(&room, None, false).await?;
    let (mut said, mut stands) = (0, 0);
    while stands < entries {
        while said < entries.min(stands + IN_FLIGHT) {
            said += 1;
            let body = Body::new(format!("{said}번째로 한 말, 아무도 없는 동안에"))?;
            let (room, message_id) = (room.clone(), MessageId::new(format!("{said:032}"))?);
            guest.sends(&ClientMessage::Say { id: said, room, message_id, body }).await?;
        }
        let ack = guest.hears(|message| matches!(message, ServerMessage::Ack { .. })).await?;
        let ServerMessage::Ack { position, .. } = ack else { bail!("it was just matched") };
        stands += 1;
        anyhow::ensure!(position.seq == stands, "acknowledged at {position:?}, not at {stands}");
    }
    Ok(room)
}

/// Joins the room after `missed` entries before its head, and hears them.
///
/// # Errors
/// Something was missing, doubled or out of order, or the digest is not the server's.
pub async fn measure(
    server: SocketAddr,
    process: u32,
    room: &RoomName,
    missed: u64,
) -> anyhow::Result<Resume> {
    let process = Process(process);
    let signed_in = Guest::signs_in(server, "late").await?;
    let mut guest = signed_in.calls().await?;
    let joined = guest.joins(room, None, true).await?;
    let ServerMessage::Joined { position: head, .. } = joined else { bail!("not joined") };
    drop(guest);

    let mut guest = signed_in.calls().await?;
    let from = head.seq.checked_sub(missed).context("so many entries are not there")?;
    let after = Position { epoch: head.epoch.clone(), seq: from };
    let (before_bytes, before_cpu) = (process.resident_bytes()?, process.cpu_seconds()?);
    let begun = clock::now();
    let joined = guest.joins(room, Some(after), true).await?;
    let ServerMessage::Joined { recovered: true, digest, base, .. } = joined else {
        bail!("not recovered: {joined:?}")
    };
    // The digest is checked where its beginning is known: from the first entry on.
    let mut own = base.or_else(|| (from == 0).then(|| Digest::start(&head.epoch)));
    let (mut seq, mut most_bytes) = (from, before_bytes);
    while seq < head.seq {
        let message = guest.hears(|message| matches!(message, ServerMessage::Entry(_))).await?;
        let ServerMessage::Entry(entry) = message else { bail!("it was just matched") };
        anyhow::ensure!(entry.seq == seq + 1, "{} came after {seq}", entry.seq);
        seq = entry.seq;
        own = own.map(|own| entry.digest_after(own));
        if seq.is_multiple_of(LOOK_EVERY) {
            most_bytes = most_bytes.max(process.resident_bytes()?);
        }
    }
    let seconds = (clock::now() - begun).as_secs_f64();
    let server_cpu_seconds = process.cpu_seconds()? - before_cpu;
    anyhow::ensure!(own.is_none_or(|own| own == digest), "the digest is not the server's");
    Ok(Resume { entries: missed, seconds, server_cpu_seconds, before_bytes, most_bytes })
}
