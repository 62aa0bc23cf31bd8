//! The program: reads its settings, binds, serves, and stops when told.

use std::{net::SocketAddr, process::ExitCode};

use anyhow::Context as _;
use clap::Parser as _;
use server::{Config, accept, commands, config::LogFormat};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::{Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

#[tokio::main]
async fn main() -> ExitCode {
    let mut config = Config::parse();
    start_logging(&config);
    let done = match config.command.take() {
        Some(command) => commands::run(command, &config),
        None => serve(config).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "failed");
            ExitCode::FAILURE
        }
    }
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
