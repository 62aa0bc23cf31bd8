//! The server's shell: sockets, tasks, the clock and HTTP around the pure crate `rooms`.
//!
//! What depends on time or order is decided in `rooms`; this crate must decide nothing of the
//! kind. It moves bytes, holds the locks, draws the random numbers and reads the clock.
//! Only [`routes`], [`transport`] and [`api`] name warp.
//!
//! Read in this order: [`config`], [`open`] and [`run`], [`accept`] (TCP connections), [`routes`]
//! (every address on one screen), [`transport`] (WebSocket), [`line`](mod@line) (the writing half
//! of a connection), [`contact`] (what others hold of one), [`live`] (the running rooms), [`log`] (the store and the committer),
//! [`search`] (full text, a follower of the logs), [`accounts`] (who somebody is), [`connections`]
//! (how many there may be), [`beats`] (what wakes them), [`origin`] (whose pages may speak), [`api`]
//! (one file per resource), [`page`] (the browser client).

pub mod config;

pub mod accept;

pub mod routes;

pub mod transport;

pub mod line;

pub mod contact;

pub mod live;

pub mod log;

pub mod search;

pub mod accounts;

pub mod connections;

pub mod beats;

pub mod api;

pub mod commands;

pub mod origin;

pub mod page;

#[cfg(feature = "fuzzing")]
pub mod fuzzing;

#[cfg(feature = "mutants")]
pub mod mutant;

pub mod clock;

mod found_by;

mod random;

use std::{convert::Infallible, future::Future, sync::Arc};

use anyhow::Context as _;
use common::{RoomName, http::Keep};
use hyper::body::Incoming;
use rooms::NewRoom;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

pub use config::Config;

use crate::{
    accounts::Accounts,
    beats::Beats,
    connections::Connections,
    live::Live,
    log::{SqliteStore, Store},
    search::{Searching, following},
    transport::reply::Response,
};

/// The room that always exists.
const GENERAL: &str = "general";

/// Everything that requests share.
#[derive(Debug)]
pub struct App {
    /// As the operator set it.
    pub config: Config,
    /// Who is signed in.
    pub accounts: Accounts,
    /// The running rooms.
    pub live: Arc<Live>,
    /// The open connections.
    pub connections: Connections,
    /// What wakes them when something is due.
    pub beats: Beats,
    /// What was said, by its words.
    pub searching: Searching,
    /// The page.
    pub page: page::Page,
    /// The tasks that a stop waits for.
    pub tasks: TaskTracker,
    /// Cancelled when the server begins to stop.
    pub stopping: CancellationToken,
}

/// A server that has everything it needs but people.
#[derive(Debug)]
pub struct House {
    app: Arc<App>,
    /// What everybody depends on.
    background: JoinSet<()>,
}

/// Opens what is kept and makes everything ready.
///
/// Whoever calls it holds the data directory, see [`Config::lock_data_dir`].
///
/// # Errors
/// What is kept cannot be used; the error names the file and what to do.
pub async fn open(config: Config) -> anyhow::Result<House> {
    let store = open_store(&config)?;
    let (search, indexer) = search::open(&config.data_dir).context("the search index")?;
    let accounts = Accounts::new(clock::now());
    accounts.restore(store.sessions()?, clock::wall_ms(), clock::now());
    let (log, commits, answers) = log::open(Arc::clone(&store));
    let live = Arc::new(Live::new(Arc::new(config.settings()), log));
    let mut background = JoinSet::new();
    let (waker, woken) = following::waker();
    background.spawn(on_a_thread("committer", move || commits.run(&waker)));
    background.spawn(answers.run(Arc::downgrade(&live)));
    let index = on_a_thread("search index", move || following::keep(indexer, &*store, &woken));
    background.spawn(async {
        index.await;
        // Everybody else goes on without it.
        tracing::error!("the search index ended; nothing new is found until a restart");
        std::future::pending().await
    });
    open_general(&live).await?;

    let app = Arc::new(App {
        accounts,
        connections: Connections::new(&config),
        beats: Beats::new(clock::now()),
        page: page::Page::new(config.page_dir.clone()),
        tasks: TaskTracker::new(),
        stopping: CancellationToken::new(),
        live: Arc::clone(&live),
        searching: Searching::new(search),
        config,
    });
    background.spawn(live::hand_out(Arc::clone(&live)));
    background.spawn(live::keep_time(live));
    background.spawn(log::keep_time(app.live.log().clone()));
    background.spawn(accounts::keep_time(Arc::clone(&app)));
    background.spawn(beats::keep_time(Arc::clone(&app)));
    Ok(House { app, background })
}

impl House {
    /// What requests share: for a service of one's own, see [`Self::serve_instead`].
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Serves `listener` until `shutdown` is done, then sends everybody away within
    /// [`Config::drain`].
    ///
    /// # Errors
    /// A task that everybody depends on ended.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let service = routes::service(&self.app);
        self.serve_instead(service, listener, shutdown).await
    }

    /// The same, with other addresses behind the same accept loop.
    ///
    /// # Errors
    /// A task that everybody depends on ended.
    pub async fn serve_instead<S>(
        self,
        service: S,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> anyhow::Result<()>
    where
        S: Service<http::Request<Incoming>, Response = Response, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        let Self { app, mut background } = self;
        let sent_away = async {
            shutdown.await;
            drain(&app).await;
        };
        tokio::select! {
            () = accept::serve(listener, service, Arc::clone(&app)) => {}
            () = sent_away => {}
            ended = background.join_next() => {
                anyhow::bail!("a task that everybody depends on ended: {ended:?}");
            }
        }
        Ok(())
    }
}

/// Opens what is kept and serves `listener` until `shutdown` is done: [`open`] and
/// [`House::serve`].
///
/// # Errors
/// Those of both.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    open(config).await?.serve(listener, shutdown).await
}

/// Everything that is kept, as the data directory has it.
fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let store = SqliteStore::open(&config.data_dir, random::epoch)?;
    #[cfg(feature = "mutants")]
    if let Some(breakage) = config.broken {
        store.break_on_purpose(breakage)?;
        mutant::choose(breakage);
    }
    Ok(Arc::new(store))
}

/// Runs something that waits on a thread of its own; done when the thread ended.
fn on_a_thread(name: &str, work: impl FnOnce() + Send + 'static) -> impl Future<Output = ()> {
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name(name.to_owned());
    let spawned = thread.spawn(move || {
        let _ended = ended;
        work();
    });
    spawned.expect("a process may have threads");
    async {
        let _ = end.await;
    }
}

async fn open_general(live: &Live) -> anyhow::Result<()> {
    let room = RoomName::new(GENERAL).expect("general is a room's name");
    if live.log().store().room(&room).is_none() {
        let new = NewRoom { room, epoch: random::epoch(), keep: Keep::Forever, members: None };
        let opened = live.open(new).await;
        opened.map_err(|problem| anyhow::anyhow!("the room general: {}", problem.title))?;
    }
    Ok(())
}

/// Sends everybody away, a tenth after the other, so that they do not all come back at once; then
/// waits for them, within the limit. Whoever asks meanwhile is told that the server is about to stop.
async fn drain(app: &App) {
    tracing::info!(connections = app.connections.count(), "stopping");
    app.stopping.cancel();
    app.tasks.close();
    let sent_away = async {
        app.connections.send_away(common::CloseCode::ServiceRestart, app.config.drain()).await;
        app.tasks.wait().await;
    };
    if tokio::time::timeout(app.config.drain(), sent_away).await.is_err() {
        tracing::warn!(connections = app.tasks.len(), "stopped before everybody had gone");
    }
}
