//! The workers as the control plane sees them: started, asked, shut down.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use crate::config::{Limits, Log};
use crate::routing::RouteTable;
use crate::traffic::{Suspect, WorkerLink};

/// All that the workers need.
#[derive(Debug)]
pub struct DataPlaneOptions {
    /// Threads; at least 1.
    pub workers: usize,
    /// For each worker its own sockets, one per `[[listeners]]` entry, bound and listening
    /// (SO_REUSEPORT), non-blocking.
    pub listeners: Vec<Vec<std::net::TcpListener>>,
    pub limits: Limits,
    pub trusted_proxies: Vec<ipnet::IpNet>,
    pub log: Log,
    pub table: Arc<ArcSwap<RouteTable>>,
    /// Refused or reset connects, for the prober.
    pub suspects: mpsc::Sender<Suspect>,
    pub registry: prometheus::Registry,
}

/// Why the data plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    #[error("worker {worker} did not start: {why}")]
    Worker { worker: usize, why: String },
    #[error("the access log {path} can't be opened: {why}")]
    AccessLog { path: String, why: String },
}

/// The running workers.
#[derive(Debug)]
pub struct DataPlane {
    links: Vec<WorkerLink>,
}

impl DataPlane {
    /// Starts the workers' threads.
    pub fn start(options: DataPlaneOptions) -> Result<Self, StartFault> {
        let _ = options;
        todo!("proxy helper")
    }

    /// One link a worker, for the controller.
    pub fn links(&self) -> &[WorkerLink] {
        &self.links
    }

    /// Stops accepting, lets requests finish for `shutdown_timeout`, joins the threads.
    pub async fn shutdown(self) {
        todo!("proxy helper")
    }
}
