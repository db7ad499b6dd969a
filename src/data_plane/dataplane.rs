//! How the control plane starts the workers, reaches them, and shuts them down.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use crate::config::{Access, Limits, Log};
use crate::routing::RouteTable;
use crate::tls::{Challenges, Origins};
use crate::traffic::{Suspect, WorkerAsk, WorkerLink};

use super::client::listener::ListenerFacts;
use super::worker::access::{AccessLog, AccessSwitch};
use super::worker::address::Addresses;
use super::worker::files::connections_max;
use super::worker::metrics::Metrics;
use super::worker::request_limit::RequestLimits;
use super::worker::state::{Worker, WorkerParts};

/// The bound of one worker's channel: questions of the control plane that wait for an answer.
const ASKS_MAX: usize = 64;

/// Everything that the workers need.
#[derive(Debug)]
pub struct DataPlaneOptions {
    /// The number of worker threads; 0 is taken as 1.
    pub workers: usize,
    /// Each worker's own sockets, one for each `[[listeners]]` entry. They are bound with SO_REUSEPORT,
    /// listening and non-blocking ([`super::bind_shared`]).
    pub listeners: Vec<Vec<TcpListener>>,
    /// The facts of each listener, in the order of the sockets. A listener without facts here gets the
    /// defaults.
    pub facts: Vec<ListenerFacts>,
    /// The ACME challenges that listeners answer.
    pub challenges: Arc<Challenges>,
    /// TLS towards the origins, for services whose endpoints speak TLS.
    pub origins: Arc<Origins>,
    /// Limits and timeouts of the configuration.
    pub limits: Limits,
    /// Proxies in front of greenlight whose forwarding fields are believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// The access log's target.
    pub log: Log,
    /// The route table. The control plane swaps it, and the workers read it.
    pub table: Arc<ArcSwap<RouteTable>>,
    /// Endpoints that refused or reset a connection, or that a worker has ejected. The prober receives
    /// them.
    pub suspects: mpsc::Sender<Suspect>,
    /// The registry of the metric families, which have full names (`greenlight_...`).
    pub registry: prometheus::Registry,
}

/// Why the data plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    #[error("worker {worker} did not start: {why}")]
    Worker { worker: usize, why: String },
    #[error("the access log {path} can't be opened: {why}")]
    AccessLog { path: String, why: String },
    #[error("the data plane's metrics can't be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// The running workers.
#[derive(Debug)]
pub struct DataPlane {
    links: Vec<WorkerLink>,
    threads: Vec<JoinHandle<()>>,
    access: AccessLog,
    shutdown_timeout: Duration,
}

impl DataPlane {
    /// Starts the workers' threads, and returns when all of them listen.
    ///
    /// # Errors
    /// A metric family or the access log can't be set up, or a worker can't start (thread, runtime,
    /// sockets).
    pub fn start(options: DataPlaneOptions) -> Result<Self, StartFault> {
        let metrics = Metrics::register(&options.registry)?;
        let access = AccessLog::open(&options.log.access, &metrics.access_log_dropped).map_err(|why| {
            let path = match &options.log.access {
                Access::File(path) => path.display().to_string(),
                Access::Stdout | Access::Off => "stdout".to_owned(),
            };
            StartFault::AccessLog { path, why: why.to_string() }
        })?;
        let mut plane = Self {
            links: Vec::new(),
            threads: Vec::new(),
            access,
            shutdown_timeout: options.limits.shutdown_timeout,
        };
        let workers = options.workers.max(1);
        let connections_max = connections_max(options.limits.connections_max);
        let connections = Arc::new(AtomicUsize::new(0));
        let addresses = Addresses::new(options.limits.connections_per_address_max);
        let request_limits = Arc::new(RequestLimits::default());
        let trusted_proxies: Arc<[_]> = options.trusted_proxies.into();
        let mut listeners = options.listeners.into_iter();
        for id in 0..workers {
            let parts = WorkerParts {
                id,
                workers,
                limits: options.limits.clone(),
                connections_max,
                connections: Arc::clone(&connections),
                addresses: Arc::clone(&addresses),
                request_limits: Arc::clone(&request_limits),
                trusted_proxies: Arc::clone(&trusted_proxies),
                table: Arc::clone(&options.table),
                suspects: options.suspects.clone(),
                metrics: metrics.clone(),
                access: plane.access.sink(&metrics.access_log_dropped),
                listeners: options.facts.clone(),
                challenges: Arc::clone(&options.challenges),
                origins: Arc::clone(&options.origins),
            };
            plane.launch(parts, listeners.next().unwrap_or_default())?;
        }
        Ok(plane)
    }

    /// The controller's links, one to each worker.
    pub fn links(&self) -> &[WorkerLink] {
        &self.links
    }

    /// A handle that turns the access log on and off, or moves it. Drop all handles before
    /// [`DataPlane::shutdown`], which otherwise waits 5 s for them.
    pub fn access_log(&self) -> AccessSwitch {
        self.access.switch()
    }

    /// Tells every worker to stop accepting, lets requests finish for `shutdown_timeout`, and joins the
    /// threads. Then closes the access log.
    pub async fn shutdown(self) {
        let timeout = self.shutdown_timeout;
        for link in &self.links {
            // A worker whose thread has ended needs no message.
            let _ = link.ask.send(WorkerAsk::Shutdown { timeout }).await;
        }
        let Self { threads, access, .. } = self;
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a worker thread had panicked");
                }
            }
            access.close();
        });
        let _ = joined.await;
    }

    fn launch(&mut self, parts: WorkerParts, listeners: Vec<TcpListener>) -> Result<(), StartFault> {
        let worker = parts.id;
        let failed = |why: String| StartFault::Worker { worker, why };
        let (ask, asks) = mpsc::channel(ASKS_MAX);
        let (started, begun) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name(format!("worker-{worker}"))
            .spawn(move || run(parts, listeners, asks, &started))
            .map_err(|why| failed(why.to_string()))?;
        match begun.recv() {
            Ok(Ok(())) => {
                self.links.push(WorkerLink { worker, ask });
                self.threads.push(thread);
                Ok(())
            }
            Ok(Err(why)) => Err(failed(why)),
            Err(_) => Err(failed("its thread ended".to_owned())),
        }
    }
}

/// The body of a worker's thread: builds the runtime, takes the sockets, and runs the worker.
fn run(
    parts: WorkerParts,
    listeners: Vec<TcpListener>,
    asks: mpsc::Receiver<WorkerAsk>,
    started: &SyncSender<Result<(), String>>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default());
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(why) => {
            let _ = started.send(Err(why.to_string()));
            return;
        }
    };
    runtime.block_on(async move {
        let adopt = |socket: TcpListener| {
            socket.set_nonblocking(true)?;
            tokio::net::TcpListener::from_std(socket)
        };
        match listeners.into_iter().map(adopt).collect::<Result<Vec<_>, _>>() {
            Ok(listeners) => {
                let worker = Worker::new(parts);
                let _ = started.send(Ok(()));
                worker.run(listeners, asks).await;
            }
            Err(why) => {
                let _ = started.send(Err(format!("its listener can't be used: {why}")));
            }
        }
    });
}
