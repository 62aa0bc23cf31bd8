//! A thousand worlds keep their promises, and a world in which either half, or the shell between
//! disk and connections, is broken on purpose does not. `MADANG_SEEDS=from..to` runs others, or
//! more.

use std::ops::Range;

use rooms::mutant::Mutant as ServerMutant;
use session::Mutant as ClientMutant;
use simulation::{Broken, Report, ShellMutant};

/// How many worlds a broken half may survive.
const CAUGHT_WITHIN: u64 = 500;

fn seeds() -> Range<u64> {
    let Ok(wish) = std::env::var("MADANG_SEEDS") else { return 0..1_000 };
    let ends = wish.split_once("..").map(|(from, to)| (from.trim().parse(), to.trim().parse()));
    let Some((Ok(from), Ok(to))) = ends else { panic!("MADANG_SEEDS is from..to, not {wish}") };
    from..to
}

#[test]
fn every_world_keeps_its_promises() {
    let seeds = seeds();
    let mut all = Report::default();
    for seed in seeds.clone() {
        match simulation::run(seed, Broken::Nothing) {
            Ok(report) => all.add(&report),
            Err(failure) => panic!("{failure}"),
        }
    }
    eprintln!("seeds {seeds:?}: {all:?}");
    // A world without trouble would keep every promise.
    if seeds.end - seeds.start >= 100 {
        assert_eq!(all.never(), [""; 0], "{all:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_world() {
    for seed in 0..3 {
        let first = simulation::try_run(seed, Broken::Nothing).map_err(|failure| failure.what);
        let second = simulation::try_run(seed, Broken::Nothing).map_err(|failure| failure.what);
        assert_eq!(first, second);
    }
}

fn is_caught(broken: Broken) {
    for seed in 0..CAUGHT_WITHIN {
        if let Err(failure) = simulation::try_run(seed, broken) {
            eprintln!("{broken:?} is caught by seed {seed}: {}", failure.what);
            return;
        }
    }
    panic!("{broken:?} survives {CAUGHT_WITHIN} worlds: a fault or a promise is missing");
}

macro_rules! caught {
    ($($name:ident: $broken:expr;)*) => {
        $(
            #[test]
            fn $name() {
                is_caught($broken);
            }
        )*

        #[test]
        fn every_way_to_break_a_half_has_a_test() {
            let listed = [$($broken),*];
            let client = ClientMutant::ALL.map(Broken::Client);
            let server = ServerMutant::ALL.map(Broken::Server);
            let shell = ShellMutant::ALL.map(Broken::Shell);
            for broken in client.iter().chain(&server).chain(&shell) {
                assert!(listed.contains(broken), "{broken:?} has no test");
            }
        }
    };
}

caught! {
    a_client_that_does_not_resend_is_caught: Broken::Client(ClientMutant::NoResend);
    a_client_that_shows_duplicates_is_caught: Broken::Client(ClientMutant::NoDedupe);
    a_client_that_rejoins_without_its_position_is_caught:
        Broken::Client(ClientMutant::RejoinWithoutPosition);
    a_client_that_ignores_epochs_is_caught: Broken::Client(ClientMutant::EpochIgnored);
    a_client_that_passes_over_holes_is_caught: Broken::Client(ClientMutant::HoleIgnored);
    a_client_that_never_notices_a_dead_server_is_caught:
        Broken::Client(ClientMutant::MissingPongIgnored);
    a_client_that_never_reconnects_is_caught: Broken::Client(ClientMutant::NeverReconnects);
    a_client_that_acts_for_what_is_gone_is_caught:
        Broken::Client(ClientMutant::StaleActionsAfterClose);
    a_client_that_does_not_wait_for_acks_is_caught: Broken::Client(ClientMutant::ManyInFlight);
    a_server_that_takes_a_message_twice_is_caught: Broken::Server(ServerMutant::NoDedupe);
    a_server_that_skips_one_on_resume_is_caught: Broken::Server(ServerMutant::SkipOneOnResume);
    a_server_that_ignores_epochs_is_caught: Broken::Server(ServerMutant::EpochIgnored);
    a_server_that_never_pings_is_caught: Broken::Server(ServerMutant::NeverPings);
    a_server_that_ignores_a_missing_pong_is_caught:
        Broken::Server(ServerMutant::MissingPongIgnored);
    a_client_that_ignores_digests_is_caught: Broken::Client(ClientMutant::DigestIgnored);
    a_client_that_takes_any_page_is_caught: Broken::Client(ClientMutant::HistoryUnchecked);
    a_server_that_forgets_what_was_said_is_caught: Broken::Server(ServerMutant::DedupeForgotten);
    a_server_whose_digest_passes_over_deletions_is_caught:
        Broken::Server(ServerMutant::DeletionUndigested);
    a_server_that_reads_out_what_was_deleted_is_caught: Broken::Server(ServerMutant::TextKept);
    a_server_that_lets_anybody_change_anything_is_caught:
        Broken::Server(ServerMutant::RulesIgnored);
    a_server_that_acknowledges_before_the_sync_is_caught:
        Broken::Shell(ShellMutant::AcksBeforeSync);
    a_server_that_acknowledges_what_failed_is_caught: Broken::Shell(ShellMutant::AcksWhatFailed);
    a_server_that_trusts_what_was_never_synced_is_caught:
        Broken::Shell(ShellMutant::TrustsTheUnsynced);
    a_server_that_forgets_its_last_commit_is_caught: Broken::Shell(ShellMutant::ForgetsTheLast);
    a_server_that_begins_anew_under_the_same_epoch_is_caught: Broken::Shell(ShellMutant::EpochKept);
    a_server_that_skips_one_between_log_and_tail_is_caught:
        Broken::Shell(ShellMutant::SeamSkipsOne);
    a_server_whose_pages_miss_an_entry_is_caught: Broken::Shell(ShellMutant::PageMissesOne);
    a_server_whose_pages_know_nothing_of_later_edits_is_caught:
        Broken::Shell(ShellMutant::LaterForgotten);
    a_server_that_goes_on_telling_the_kicked_is_caught: Broken::Shell(ShellMutant::KickIgnored);
    a_server_whose_markers_go_back_is_caught: Broken::Shell(ShellMutant::MarkGoesBack);
    a_backup_that_is_restored_under_its_old_epochs_is_caught:
        Broken::Shell(ShellMutant::RestoresTheEpoch);
}
