//! A running controller, with endpoints that can be taken down.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};

use super::super::{
    Actor, Command, Done, EventView, Handle, Memory, Options, Precondition, Prepared, Rejection, ReleaseView,
    ReloadReport, ServiceView, StartFault,
};
use super::PATIENCE;
use super::flaky::Flaky;
use crate::config;
use crate::control_plane::store::Store as _;
use crate::model::ReleaseId;
use crate::routing::RouteTable;
use crate::traffic::WorkerLink;

/// An endpoint that answers 200 to everything until it is taken down.
pub(crate) struct Origin {
    address: SocketAddr,
    task: AbortHandle,
}

impl Origin {
    pub(crate) async fn up() -> Self {
        Self::failing("/nothing-fails").await
    }

    /// Starts an endpoint that answers 500 to requests of this path and 200 to all others.
    pub(crate) async fn failing(path: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = async move {
            loop {
                let Ok((mut socket, _)) = listener.accept().await else { continue };
                let mut request = [0; 1024];
                let read = socket.read(&mut request).await.unwrap_or(0);
                let failing = request[..read].starts_with(format!("GET {path} ").as_bytes());
                let status = if failing { "500 Internal Server Error" } else { "200 OK" };
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        };
        Self { address, task: tokio::spawn(serving).abort_handle() }
    }

    /// Takes the endpoint down, so that connects are refused.
    pub(crate) fn down(&self) {
        self.task.abort();
    }
}

/// Makes the folder in memory if the system has such a place. The loop counts a write of more than
/// two seconds as a fault, and other programs may slow the disk down, which these tests are not
/// about.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A running loop. Its endpoints share the test's threads. On a busy machine a probe could time out
/// and make a color sick, so the timeout is too long for that. Endpoints that are down refuse.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) handle: Handle,
    pub(crate) store: Flaky,
    pub(crate) table: Arc<ArcSwap<RouteTable>>,
    registry: prometheus::Registry,
    folder: TempDir,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Rig {
    pub(crate) async fn start(blue: &Origin, green: &Origin, more: &str) -> Self {
        Self::start_with(blue, green, more, &[]).await
    }

    /// Starts with workers, which the test plays.
    pub(crate) async fn start_with(
        blue: &Origin,
        green: &Origin,
        more: &str,
        workers: &[WorkerLink],
    ) -> Self {
        let folder = folder();
        let text = format!(
            r#"
[[listeners]]
bind = "127.0.0.1:1"
[store]
path = "store"
[services.backend]
hosts = ["backend.example.org"]
[services.backend.upstream]
blue = ["{}"]
green = ["{}"]
[services.backend.health]
interval = "50ms"
timeout = "1m"
min_healthy_time = "100ms"
[services.backend.release]
bake_time = "5m"
{more}
"#,
            blue.address, green.address
        );
        std::fs::write(folder.path().join("greenlight.toml"), text).unwrap();
        Self::try_with(folder, workers).await.unwrap()
    }

    /// Starts on an existing folder.
    pub(crate) async fn try_again(folder: TempDir) -> Result<Self, StartFault> {
        Self::try_with(folder, &[]).await
    }

    async fn try_with(folder: TempDir, workers: &[WorkerLink]) -> Result<Self, StartFault> {
        let path = folder.path().join("greenlight.toml");
        let config = Arc::new(config::load(&path).unwrap().config);
        let store = Flaky::open(&config.store_path);
        let table = Arc::new(ArcSwap::from_pointee(RouteTable::default()));
        let (_suspects, suspects) = mpsc::channel(1);
        let registry = prometheus::Registry::new();
        let prepared = Prepared::new(Options {
            path,
            config,
            store: Arc::new(store.clone()),
            memory: Memory::Whole,
            registry: registry.clone(),
            table: Arc::clone(&table),
            suspects,
            tls: Arc::default(),
            notifiers: Arc::new(crate::control_plane::notify::Notifiers::start(
                &[],
                &prometheus::Registry::new(),
            )?),
        })
        .await?;
        let handle = prepared.handle();
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Handle::current();
        let controller = prepared.with_workers(workers);
        let running = tokio::task::spawn_blocking(move || runtime.block_on(controller.run(stopped)));
        Ok(Self { handle, store, table, registry, folder, stop, running })
    }

    /// Stops the loop, and returns the folder for another start.
    pub(crate) async fn stop(self) -> TempDir {
        self.stop.send_replace(true);
        self.running.await.unwrap();
        self.folder
    }

    pub(crate) async fn restart(self) -> Self {
        let Self { handle, store, table, folder, stop, running, .. } = self;
        stop.send_replace(true);
        running.await.unwrap();
        // The store releases its lock when the last user of it is gone.
        drop((handle, store, table));
        Self::try_again(folder).await.unwrap()
    }

    pub(crate) async fn command(&self, command: Command) -> Result<Done, Rejection> {
        self.command_if(command, None).await
    }

    pub(crate) async fn command_if(
        &self,
        command: Command,
        precondition: Option<Precondition>,
    ) -> Result<Done, Rejection> {
        self.handle.command("backend", command, precondition, Actor("a test".to_owned())).await
    }

    pub(crate) async fn reload(&self) -> Result<ReloadReport, Rejection> {
        self.handle.reload(Actor("a test".to_owned())).await
    }

    pub(crate) fn service(&self) -> Arc<ServiceView> {
        Arc::clone(self.handle.views().service("backend").unwrap())
    }

    /// Waits for a view for which `wanted` is true, and returns it.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&ServiceView) -> bool) -> Arc<ServiceView> {
        let looking = async {
            loop {
                let service = self.service();
                if wanted(&service) {
                    return service;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        found.unwrap_or_else(|_| panic!("{what} never came; last: {:#?}", self.service()))
    }

    /// Waits until `look` returns a value, and returns that value.
    pub(crate) async fn until_some<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("{what} never came"))
    }

    /// Returns a rule's gauge as `/metrics` shows it; `None` while there is no such gauge.
    pub(crate) fn gauge(&self, name: &str, rule: &str) -> Option<f64> {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name)?;
        let of_rule = |metric: &&prometheus::proto::Metric| {
            metric.get_label().iter().any(|label| label.name() == "rule" && label.value() == rule)
        };
        family.get_metric().iter().find(of_rule).map(|metric| metric.get_gauge().get_value())
    }

    pub(crate) async fn record(&self, id: &str) -> Option<ReleaseView> {
        let stored = self.store.release(&ReleaseId::from(id)).await.unwrap()?;
        Some(serde_json::from_str(&stored.json).unwrap())
    }

    /// Returns the states of a release's story, without the notes.
    pub(crate) async fn story(&self, id: &str) -> Vec<String> {
        let lines = self.store.events(&ReleaseId::from(id), 0, 100).await.unwrap();
        let words = lines.iter().map(|line| serde_json::from_str::<EventView>(&line.json).unwrap().event);
        words.filter(|word| word != "note").collect()
    }

    pub(crate) fn rewrite(&self, change: impl Fn(&str) -> String) {
        let path = self.folder.path().join("greenlight.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, change(&text)).unwrap();
    }
}
