//! The program: reads its settings, binds, serves, and stops when told.

use std::{net::SocketAddr, process::ExitCode};

use anyhow::Context as _;
use clap::Parser as _;
use server::{Config, accept, commands, config::LogFormat};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::{Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// What one look at the sockets may wake (tokio asks for so many events at a time) is run before
/// the next look. With tokio's 61 whoever does not fit into a worker's queue of 256 waits behind
/// those who are woken again and again: at 25,000 messages a second in 200 rooms 99 of 100
/// deliveries took up to 190 ms, and take up to 85 ms so.
const TASKS_BETWEEN_LOOKS: u32 = 1_024;

fn main() -> ExitCode {
    let mut config = Config::parse();
    start_logging(&config);
    // Dropped last: why it failed is said before anything is waited for.
    let mut runtime = None;
    let done = match config.command.take() {
        Some(command) => commands::run(command, &config),
        None => start_runtime().and_then(|new| run(runtime.insert(new), config)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "failed");
            ExitCode::FAILURE
        }
    }
}

fn start_runtime() -> anyhow::Result<Runtime> {
    let mut runtime = Builder::new_multi_thread();
    runtime.enable_all().event_interval(TASKS_BETWEEN_LOOKS);
    runtime.build().context("the runtime does not start")
}

/// On a worker: what the main thread took for a connection would lie apart from the rest of it, and
/// the gaps between would be nobody's. New connections take turns with those that are there.
fn run(runtime: &Runtime, config: Config) -> anyhow::Result<()> {
    runtime.block_on(runtime.spawn(serve(config))).context("the server panicked")?
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let _lock = config.lock_data_dir()?;
    let listener = accept::bind(config.listen)
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let house = server::open(config).await?;
    announce(address);
    house.serve(listener, told_to_stop()?).await?;
    tracing::info!("stopped");
    Ok(())
}

/// The one line on standard output: where the page is. Whoever starts the server waits for it.
#[expect(clippy::print_stdout, reason = "the address is the program's answer to being started")]
fn announce(address: SocketAddr) {
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
    println!("Madang is open at http://{address}/");
}

fn start_logging(config: &Config) {
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match config.log_format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(config.log.clone())).init();
}

/// Done on SIGTERM or SIGINT.
fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
