//! The server as it is.

use endurance::{disk, faults::Fault};

use crate::stage::{plan, server, strike};

async fn keeps_its_promises(fault: Fault) {
    let Some(server) = server() else { return };
    let Some(report) = strike(fault, &plan(server)).await else { return };
    assert!(report.is_good(), "{report}");
    assert!(report.tally.acks > 0 && report.tally.resends > 0, "{report}");
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_doubled_or_reordered_by_kill_9() {
    keeps_its_promises(Fault::Kill).await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_doubled_or_reordered_by_a_power_cut() {
    keeps_its_promises(Fault::Power).await;
}

#[tokio::test]
async fn a_full_disk_refuses_what_is_said_lets_read_and_is_over_when_there_is_room() {
    keeps_its_promises(Fault::DiskFull).await;
}

#[tokio::test]
async fn nothing_is_acknowledged_while_fsync_fails_and_all_that_is_afterwards_is_durable() {
    keeps_its_promises(Fault::FsyncError).await;
}

#[tokio::test]
async fn a_read_only_disk_refuses_what_is_said_lets_read_and_is_over_when_it_can_be_written() {
    keeps_its_promises(Fault::ReadOnly).await;
}

#[tokio::test]
async fn a_power_cut_takes_what_was_not_synced() {
    if let Err(missing) = disk::can_mount().await {
        eprintln!("left out: {missing:#}");
        return;
    }
    disk::can_lose_power(&std::env::temp_dir()).await.unwrap();
}
