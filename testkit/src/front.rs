//! A front door under test: workers, a table, and the asks.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use greenlight::config::{Access, Limits, Log, LogFormat};
use greenlight::data_plane::{DataPlane, DataPlaneOptions, ListenerFacts, bind_shared};
use greenlight::judge::Bucket;
use greenlight::model::{Color, Endpoint, EndpointId, Epoch, PerColor, ServiceName};
use greenlight::routing::{
    ColorRoute, EndpointRoute, RouteTable, ServiceRoute, ServiceSettings, TableBuilder,
};
use greenlight::tls::Challenges;
use greenlight::traffic::{Suspect, WorkerAsk, WorkerReport};
use tokio::sync::{mpsc, oneshot};

/// The host of the service under test.
pub const HOST: &str = "app.test";

pub fn limits() -> Limits {
    Limits { shutdown_timeout: Duration::from_secs(5), ..Limits::default() }
}

/// What a test may set before the start.
#[derive(Debug)]
pub struct Setup {
    /// An address of this machine, or all of them.
    pub bind: SocketAddr,
    pub workers: usize,
    pub limits: Limits,
    pub trusted: Vec<ipnet::IpNet>,
    pub access: Access,
    pub facts: Vec<ListenerFacts>,
    pub challenges: Arc<Challenges>,
    pub service: ServiceRoute,
}

pub fn endpoints(color: Color, addresses: &[SocketAddr]) -> ColorRoute {
    let route = |address: &SocketAddr| EndpointRoute {
        endpoint: Endpoint { id: EndpointId::new(format!("app/{color}/{address}")), address: *address },
        usable: true,
        returns: 0,
    };
    ColorRoute { endpoints: addresses.iter().map(route).collect() }
}

/// How clients on this machine reach what is bound to `address`: over IPv4, where it is bound to all.
fn reached(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { (Ipv4Addr::LOCALHOST, address.port()).into() } else { address }
}

impl Setup {
    /// One service on [`HOST`], blue active.
    pub fn new(blue: &[SocketAddr], green: &[SocketAddr]) -> Self {
        let service = ServiceRoute {
            name: ServiceName::new("app"),
            hosts: vec![HOST.to_owned()],
            preview_hosts: PerColor {
                blue: vec![format!("blue.{HOST}")],
                green: vec![format!("green.{HOST}")],
            },
            default: false,
            active: Color::Blue,
            epoch: Epoch(0),
            paused: false,
            canary_percent: 0,
            baking: false,
            slow_after: None,
            colors: PerColor { blue: endpoints(Color::Blue, blue), green: endpoints(Color::Green, green) },
            settings: Arc::new(ServiceSettings::default()),
        };
        Self {
            bind: "127.0.0.1:0".parse().unwrap(),
            workers: 1,
            limits: limits(),
            trusted: Vec::new(),
            access: Access::Off,
            facts: Vec::new(),
            challenges: Arc::default(),
            service,
        }
    }

    pub fn settings(&mut self) -> &mut ServiceSettings {
        Arc::make_mut(&mut self.service.settings)
    }

    pub fn start(self) -> Front {
        let first = TableBuilder::build(&RouteTable::default(), vec![Arc::new(self.service)]);
        let table = Arc::new(ArcSwap::from_pointee(first));
        let sockets = bind_shared(self.bind, false, self.workers).unwrap();
        let address = reached(sockets[0].local_addr().unwrap());
        let (suspects, suspected) = mpsc::channel(64);
        let registry = prometheus::Registry::new();
        let plane = DataPlane::start(DataPlaneOptions {
            workers: self.workers,
            listeners: sockets.into_iter().map(|socket| vec![socket]).collect(),
            facts: self.facts,
            challenges: self.challenges,
            origins: Arc::default(),
            limits: self.limits,
            trusted_proxies: self.trusted,
            log: Log { level: "info".into(), format: LogFormat::Text, access: self.access },
            table: Arc::clone(&table),
            suspects,
            registry: registry.clone(),
        });
        Front { plane: Some(plane.unwrap()), address, table, suspected, registry }
    }
}

#[derive(Debug)]
pub struct Front {
    plane: Option<DataPlane>,
    pub address: SocketAddr,
    pub table: Arc<ArcSwap<RouteTable>>,
    pub suspected: mpsc::Receiver<Suspect>,
    pub registry: prometheus::Registry,
}

impl Front {
    pub fn between(blue: &[SocketAddr], green: &[SocketAddr]) -> Self {
        Setup::new(blue, green).start()
    }

    pub fn client(&self) -> crate::client::Client {
        crate::client::Client::connect(self.address)
    }

    /// Stores a changed table and waits until every worker has acknowledged it.
    pub fn change(&self, change: impl FnOnce(&mut ServiceRoute)) {
        self.store(change);
        self.acknowledge();
    }

    /// Stores a changed table.
    pub fn store(&self, change: impl FnOnce(&mut ServiceRoute)) {
        let before = self.table.load_full();
        let mut service = ServiceRoute::clone(&before.services()[0]);
        change(&mut service);
        self.table.store(Arc::new(TableBuilder::build(&before, vec![Arc::new(service)])));
    }

    pub fn acknowledge(&self) {
        for () in self.ask(|reply| WorkerAsk::Acknowledge { reply }) {}
    }

    pub fn collect(&self) -> Vec<WorkerReport> {
        self.ask(|reply| WorkerAsk::Collect { reply })
    }

    /// The evidence of one color since the last time, over all workers.
    pub fn evidence(&self, color: Color) -> (u64, u64) {
        let mut sum = Bucket::default();
        for counts in self.collect().into_iter().flat_map(|report| report.colors) {
            if counts.color == color {
                sum.merge(&counts.bucket);
            }
        }
        (sum.requests, sum.errors)
    }

    pub fn inflight(&self, color: Color) -> u64 {
        let service = ServiceName::new("app");
        self.ask(|reply| WorkerAsk::Inflight { service: service.clone(), color, reply }).iter().sum()
    }

    pub fn cut(&self, color: Color) -> u64 {
        let service = ServiceName::new("app");
        self.ask(|reply| WorkerAsk::Cut { service: service.clone(), color, reply }).iter().sum()
    }

    /// Tells the workers to shut down, without waiting for them.
    pub fn begin_shutdown(&self, timeout: Duration) {
        for link in self.plane.as_ref().unwrap().links() {
            link.ask.blocking_send(WorkerAsk::Shutdown { timeout }).unwrap();
        }
    }

    /// Shuts down and waits for the threads.
    pub fn shut_down(&mut self) {
        if let Some(plane) = self.plane.take() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(plane.shutdown());
        }
    }

    /// A sample of the metrics, as the exposition has it.
    pub fn metric(&self, line: &str) -> Option<f64> {
        self.collect();
        let text = prometheus::TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        let value = text.lines().find_map(|sample| sample.strip_prefix(line)?.strip_prefix(' '))?;
        value.parse().ok()
    }

    pub fn ask<T>(&self, ask: impl Fn(oneshot::Sender<T>) -> WorkerAsk) -> Vec<T> {
        let answers = self.plane.as_ref().unwrap().links().iter().map(|link| {
            let (reply, answer) = oneshot::channel();
            link.ask.blocking_send(ask(reply)).unwrap();
            answer.blocking_recv().unwrap()
        });
        answers.collect()
    }
}
