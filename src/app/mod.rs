//! L4: puts the parts of the program together. This is the only file that names all of them.
//!
//! The order matters. Everything that can be refused (file, secrets, ports, store) is tried before anything
//! is started, so that a refused start leaves nothing running. The workers take traffic as soon as the
//! stored colors are in the route table, without waiting for probes.

mod listen;
mod log;
mod signals;
mod webhooks;

pub use signals::input_end;

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, watch};

use crate::config::{self, Config, Faults, Loaded};
use crate::control_plane::acme;
use crate::control_plane::admin;
use crate::control_plane::controller;
use crate::control_plane::controller::Memory;
use crate::control_plane::notify::Notifiers;
use crate::control_plane::store::{Opened, SqliteStore, Store, StoreFault};
use crate::data_plane::{DataPlane, DataPlaneOptions, ListenerFacts, StartFault, raise_file_limit};
use crate::routing::RouteTable;
use crate::tasks;
use crate::tls;

/// How often the certificate files are checked for changes.
const FILES_LOOKED_AT_EVERY: Duration = Duration::from_secs(2);
/// How many suspects may wait for the prober. Further ones would tell it nothing new.
const SUSPECTS: usize = 256;

/// Why `run` did not run. Each fault has an exit code that scripts see.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0}")]
    Config(String),
    #[error("{0}")]
    Bind(#[from] listen::BindFault),
    #[error("{0}")]
    Store(#[from] StoreFault),
    #[error("{0}")]
    Controller(#[from] controller::StartFault),
    #[error("{0}")]
    DataPlane(#[from] StartFault),
    #[error("{0}")]
    Admin(#[from] admin::ServeFault),
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("the runtime can't be started: {0}")]
    Runtime(std::io::Error),
}

impl Fault {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => 2,
            _ => 1,
        }
    }
}

/// Runs the front door with the configuration file at `path`, until SIGTERM or SIGINT ends it. If
/// `with_input` is true, the end of the standard input ends it too.
///
/// Returns 0 after such an end, 2 if the configuration is at fault, and 1 after any other fault.
#[must_use]
pub fn run(path: &Path, with_input: bool) -> ExitCode {
    match start(path, with_input) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("greenlight: {fault}");
            ExitCode::from(fault.exit_code())
        }
    }
}

/// The sockets that are bound before anything runs.
struct Bound {
    /// One list for each worker, with one socket for each listener.
    public: Vec<Vec<TcpListener>>,
    admin: TcpListener,
    hooks: webhooks::Bound,
}

fn bind(config: &Config, workers: usize) -> Result<Bound, Fault> {
    let admin = listen::single(config, "admin.bind", config.admin.bind)?;
    let mut public: Vec<Vec<TcpListener>> = (0..workers).map(|_| Vec::new()).collect();
    for (index, listener) in config.listeners.iter().enumerate() {
        let sockets = listen::shared(config, &format!("listeners[{index}].bind"), listener.bind, workers)?;
        for (worker, socket) in public.iter_mut().zip(sockets) {
            worker.push(socket);
        }
    }
    Ok(Bound { public, admin, hooks: webhooks::bind(config)? })
}

fn start(path: &Path, with_input: bool) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("control")
        .enable_all()
        .build()
        .map_err(Fault::Runtime)?;
    // Signals are caught before anything else is done, so that a logrotate during the start ends nothing.
    let signals = {
        let _inside = runtime.enter();
        signals::Signals::listen().map_err(Fault::Runtime)?
    };
    let told = Told { signals, with_input };
    let loaded = config::load(path).map_err(|faults| Fault::Config(said(path, &faults)))?;
    let log = log::start(&loaded.config.log).map_err(Fault::Runtime)?;
    let ended = start_logged(&runtime, path, loaded, log.clone(), told);
    log.close();
    ended
}

fn start_logged(
    runtime: &tokio::runtime::Runtime,
    path: &Path,
    loaded: Loaded,
    log: log::LogHandle,
    told: Told,
) -> Result<(), Fault> {
    let config = Arc::new(loaded.config);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    if let Err(why) = raise_file_limit() {
        tracing::warn!(%why, "the file limit could not be raised");
    }
    let guard = Guard::read(&config)?;
    let workers = worker_count(&config);
    let bound = bind(&config, workers)?;
    runtime.block_on(serve(path, config, workers, bound, guard, log, told))
}

/// How the program is told to stop.
struct Told {
    signals: signals::Signals,
    /// The end of the standard input stops it, too.
    with_input: bool,
}

async fn serve(
    path: &Path,
    config: Arc<Config>,
    workers: usize,
    bound: Bound,
    Guard { token, live }: Guard,
    log: log::LogHandle,
    Told { mut signals, with_input }: Told,
) -> Result<(), Fault> {
    let (store, memory) = open_store(&config).await?;
    let registry = metrics_registry();
    log.register(&registry)?;
    let table = Arc::new(ArcSwap::from_pointee(bound.hooks.route(RouteTable::default())));
    let notifiers = Arc::new(Notifiers::start(&config.notifiers, &registry)?);
    let (suspects_in, suspects) = mpsc::channel(SUSPECTS);
    let prepared = controller::Prepared::new(controller::Options {
        path: path.to_owned(),
        config: Arc::clone(&config),
        store: Arc::clone(&store),
        memory,
        registry: registry.clone(),
        table: Arc::clone(&table),
        suspects,
        tls: Arc::clone(&live),
        notifiers: Arc::clone(&notifiers),
    })
    .await?;
    let certificates = acme::Keeper::new(acme_options(&config, &live, &store)).await;
    let data_plane = DataPlane::start(DataPlaneOptions {
        workers,
        listeners: bound.public,
        facts: facts(&config, &live),
        challenges: Arc::clone(live.challenges()),
        origins: Arc::clone(live.origins()),
        limits: config.limits.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
        log: config.log.clone(),
        table,
        suspects: suspects_in,
        registry: registry.clone(),
    })?;
    let files = tasks::spawn("file watch", watch_files(Arc::clone(&live)));
    let handle = prepared.handle();
    let reloaded = prepared.reloaded();
    let (stop_in, stop) = watch::channel(false);
    // The controller loop has a thread of its own, so that no request of the admin API can keep it waiting.
    let controller = prepared.with_workers(data_plane.links());
    let (runtime, stopped) = (tokio::runtime::Handle::current(), stop.clone());
    let running = tasks::named("controller", controller.run(stopped));
    let control = tokio::task::spawn_blocking(move || runtime.block_on(running));
    let ready = Arc::new(AtomicBool::new(true));
    let parts =
        webhooks::Parts { handle: handle.clone(), store: Arc::clone(&store), registry: registry.clone() };
    let (shelf, webhooks) = webhooks::start(bound.hooks, parts, stop.clone())?;
    let options = admin::Options {
        handle: handle.clone(),
        store,
        registry,
        token,
        tls: live.admin().map(Arc::clone),
        ready: Arc::clone(&ready),
    };
    let certificates = tasks::spawn("certificates", certificates.run(stop.clone()));
    let api = tasks::spawn("admin API", admin::serve(bound.admin, options, stop));
    say_that_it_runs(&config, workers);
    let access = data_plane.access_log();
    let reopen = |config: &Config| {
        if let Err(why) = access.set(&config.log.access) {
            tracing::error!(%why, "log.access can't be opened: it stays as it was");
        }
    };
    let apply = |config: &Config| {
        log.set(&config.log);
        notifiers.set(&config.notifiers);
        webhooks::reread(&shelf, config);
        reopen(config);
    };
    signals.until_told_to_stop(&handle, reloaded, (apply, reopen), with_input).await;
    let impatient = tasks::spawn("signals", signals.end_at_the_next());
    drop(access);
    files.abort();
    ready.store(false, Ordering::Release);
    data_plane.shutdown().await;
    stop_in.send_replace(true);
    // These tasks end by themselves now. If one of them panics, the panic is logged and the shutdown goes
    // on.
    let _ = tokio::join!(control, api, certificates, webhooks);
    impatient.abort();
    tracing::info!("greenlight has stopped");
    Ok(())
}

fn say_that_it_runs(config: &Config, workers: usize) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        listeners = ?config.listener_binds(),
        admin = %config.admin.bind,
        services = config.services.len(),
        workers,
        "greenlight runs"
    );
}

/// The facts about each listener that the data plane needs.
fn facts(config: &Config, live: &tls::Live) -> Vec<ListenerFacts> {
    let entrances = live.entrances().iter().cloned();
    let https_port =
        config.listeners.iter().find(|listener| listener.tls.is_some()).map(|tls| tls.bind.port());
    let facts = config.listeners.iter().zip(entrances).map(|(listener, tls)| ListenerFacts {
        proxy_protocol: listener.proxy_protocol,
        redirect_to_https: listener.redirect_to_https,
        https_port,
        ready_path: listener.ready_path.clone(),
        hsts: listener.tls.as_ref().map_or(Duration::ZERO, |tls| tls.hsts),
        tls,
    });
    facts.collect()
}

fn acme_options(config: &Config, live: &tls::Live, store: &Arc<dyn Store>) -> acme::Options {
    acme::Options {
        entrances: acme_entrances(config, live),
        has_plain: config.listeners.iter().any(|listener| listener.tls.is_none()),
        challenges: Arc::clone(live.challenges()),
        store: Arc::clone(store),
    }
}

/// The listeners that get their certificates by ACME.
fn acme_entrances(config: &Config, live: &tls::Live) -> Vec<(config::Acme, Arc<tls::Entrance>)> {
    let pairs = config.listeners.iter().zip(live.entrances()).filter_map(|(listener, entrance)| {
        Some((listener.tls.as_ref()?.acme.clone()?, Arc::clone(entrance.as_ref()?)))
    });
    pairs.collect()
}

/// Looks for changed certificate files every two seconds, until the task is aborted.
async fn watch_files(live: Arc<tls::Live>) {
    let mut every = tokio::time::interval(FILES_LOOKED_AT_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let live = Arc::clone(&live);
        let looked = tokio::task::spawn_blocking(move || live.look()).await;
        if looked.is_err() {
            tracing::error!("looking for changed certificates has panicked");
        }
    }
}

/// The admin token and the TLS material that the configuration names. Both are read before anything is
/// bound.
struct Guard {
    token: Option<admin::Token>,
    live: Arc<tls::Live>,
}

impl Guard {
    fn read(config: &Config) -> Result<Self, Fault> {
        let token = config.admin.token.as_ref().map(config::Secret::read).transpose();
        let token = token.map_err(|why| Fault::Config(format!("admin.token: {why}")))?;
        let live = tls::Live::open(config).map_err(|faults| Fault::Config(faults.join("\n")))?;
        let token = token.map(|token| admin::Token::new(&token));
        Ok(Self { token, live: Arc::new(live) })
    }
}

/// Opens the store. The [`Memory`] says how far its content can be trusted.
async fn open_store(config: &Config) -> Result<(Arc<dyn Store>, Memory), Fault> {
    let path = config.store_path.clone();
    let opening = tokio::task::spawn_blocking(move || SqliteStore::open_or_recover(&path));
    let (store, opened) = opening.await.map_err(|why| Fault::Runtime(std::io::Error::other(why)))??;
    let memory = match opened {
        Opened::Fresh | Opened::Existing => Memory::Whole,
        Opened::FromPrevious { why } => {
            tracing::error!(%why, "the store was damaged: its previous copy is used, services come up pinned");
            Memory::Previous
        }
        Opened::Lost { why } => {
            tracing::error!(%why, "the store is lost: services come up pinned until a person has looked");
            Memory::Lost
        }
    };
    Ok((Arc::new(store), memory))
}

fn worker_count(config: &Config) -> usize {
    match config.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        some => some,
    }
}

fn metrics_registry() -> prometheus::Registry {
    let registry = prometheus::Registry::new();
    let process = prometheus::process_collector::ProcessCollector::for_self();
    if let Err(why) = registry.register(Box::new(process)) {
        tracing::warn!(%why, "no process metrics");
    }
    registry
}

fn said(path: &Path, faults: &Faults) -> String {
    let lines: Vec<String> = faults.0.iter().map(|fault| format!("  {fault}")).collect();
    format!(
        "{} can't be used:\n{}\n`greenlight check {}` says the same without starting anything",
        path.display(),
        lines.join("\n"),
        path.display()
    )
}
