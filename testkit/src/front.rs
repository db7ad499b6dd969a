//! A data plane under test, in the test's own process, with a route table and the requests of the control
//! plane to its workers.

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

/// The default limits, with a `shutdown_timeout` of 5 s.
pub fn limits() -> Limits {
    Limits { shutdown_timeout: Duration::from_secs(5), ..Limits::default() }
}

/// The settings that a test may change before the start.
#[derive(Debug)]
pub struct Setup {
    /// The address on which the door listens. It may stand for all addresses of the machine.
    pub bind: SocketAddr,
    pub workers: usize,
    pub limits: Limits,
    pub trusted: Vec<ipnet::IpNet>,
    pub access: Access,
    pub facts: Vec<ListenerFacts>,
    pub challenges: Arc<Challenges>,
    pub service: ServiceRoute,
}

/// A color with these endpoints, which are all usable.
pub fn endpoints(color: Color, addresses: &[SocketAddr]) -> ColorRoute {
    let route = |address: &SocketAddr| EndpointRoute {
        endpoint: Endpoint {
            id: EndpointId::new(format!("app/{color}/{address}")),
            address: *address,
            probe: None,
        },
        usable: true,
        returns: 0,
    };
    ColorRoute { endpoints: addresses.iter().map(route).collect() }
}

/// The address at which clients on this machine reach a listener on `address`. If it listens on all
/// addresses, it is the loopback address of IPv4.
fn reached(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { (Ipv4Addr::LOCALHOST, address.port()).into() } else { address }
}

impl Setup {
    /// One worker and one service on [`HOST`], with blue active.
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
            stall_after: None,
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

    /// The settings of the service.
    pub fn settings(&mut self) -> &mut ServiceSettings {
        Arc::make_mut(&mut self.service.settings)
    }

    /// Starts the data plane on a free port.
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

/// A running data plane.
#[derive(Debug)]
pub struct Front {
    plane: Option<DataPlane>,
    pub address: SocketAddr,
    pub table: Arc<ArcSwap<RouteTable>>,
    pub suspected: mpsc::Receiver<Suspect>,
    pub registry: prometheus::Registry,
}

impl Front {
    /// Starts a data plane with these endpoints and no other settings.
    pub fn between(blue: &[SocketAddr], green: &[SocketAddr]) -> Self {
        Setup::new(blue, green).start()
    }

    /// A new client of the data plane.
    pub fn client(&self) -> crate::client::Client {
        crate::client::Client::connect(self.address)
    }

    /// Stores a changed route table and waits until every worker has acknowledged it.
    pub fn change(&self, change: impl FnOnce(&mut ServiceRoute)) {
        self.store(change);
        self.acknowledge();
    }

    /// Stores a changed route table.
    pub fn store(&self, change: impl FnOnce(&mut ServiceRoute)) {
        let before = self.table.load_full();
        let mut service = ServiceRoute::clone(&before.services()[0]);
        change(&mut service);
        self.table.store(Arc::new(TableBuilder::build(&before, vec![Arc::new(service)])));
    }

    /// Waits until every worker has acknowledged the current route table.
    pub fn acknowledge(&self) {
        for () in self.ask(|reply| WorkerAsk::Acknowledge { reply }) {}
    }

    /// Takes the reports of all workers.
    pub fn collect(&self) -> Vec<WorkerReport> {
        self.ask(|reply| WorkerAsk::Collect { reply })
    }

    /// The requests and the errors of one color since the last report, over all workers.
    pub fn evidence(&self, color: Color) -> (u64, u64) {
        let mut sum = Bucket::default();
        for counts in self.collect().into_iter().flat_map(|report| report.colors) {
            if counts.color == color {
                sum.merge(&counts.bucket);
            }
        }
        (sum.requests, sum.errors)
    }

    /// The number of requests in flight on a color.
    pub fn inflight(&self, color: Color) -> u64 {
        let service = ServiceName::new("app");
        self.ask(|reply| WorkerAsk::Inflight { service: service.clone(), color, reply }).iter().sum()
    }

    /// Cuts the requests in flight on a color, and returns their number.
    pub fn cut(&self, color: Color) -> u64 {
        let service = ServiceName::new("app");
        self.ask(|reply| WorkerAsk::Cut { service: service.clone(), color, reply }).iter().sum()
    }

    /// Tells the workers to shut down, and does not wait for them.
    pub fn begin_shutdown(&self, timeout: Duration) {
        for link in self.plane.as_ref().unwrap().links() {
            link.ask.blocking_send(WorkerAsk::Shutdown { timeout }).unwrap();
        }
    }

    /// Shuts the data plane down and waits for its threads.
    pub fn shut_down(&mut self) {
        if let Some(plane) = self.plane.take() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(plane.shutdown());
        }
    }

    /// The value of one sample of the metrics. `line` is its name with its labels, as in the text format.
    pub fn metric(&self, line: &str) -> Option<f64> {
        self.collect();
        let text = prometheus::TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        let value = text.lines().find_map(|sample| sample.strip_prefix(line)?.strip_prefix(' '))?;
        value.parse().ok()
    }

    /// Sends a request of the control plane to every worker, and returns the answers.
    pub fn ask<T>(&self, ask: impl Fn(oneshot::Sender<T>) -> WorkerAsk) -> Vec<T> {
        let answers = self.plane.as_ref().unwrap().links().iter().map(|link| {
            let (reply, answer) = oneshot::channel();
            link.ask.blocking_send(ask(reply)).unwrap();
            answer.blocking_recv().unwrap()
        });
        answers.collect()
    }
}
