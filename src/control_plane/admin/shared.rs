//! The state that every handler may use.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use prometheus::Registry;
use tokio::sync::{Semaphore, watch};

use crate::control_plane::controller::{Handle, ReleaseView};
use crate::control_plane::store::Store;
use crate::tls::Entrance;

use super::Token;
use super::memory::Memory;

/// How many event streams may be open at once.
pub(crate) const STREAMS_MAX: usize = 64;

/// The parts that the admin API needs.
#[derive(Debug)]
pub struct Options {
    pub handle: Handle,
    pub store: Arc<dyn Store>,
    /// The metrics that `/metrics` shows.
    pub registry: Registry,
    /// Required, like `tls`, on any other address than loopback.
    pub token: Option<Token>,
    pub tls: Option<Arc<Entrance>>,
    /// The flag that `/readyz` shows.
    pub ready: Arc<AtomicBool>,
}

/// The shared state. It is cheap to clone, and each request gets a clone.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) handle: Handle,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Registry,
    pub(crate) token: Option<Token>,
    pub(crate) ready: Arc<AtomicBool>,
    pub(crate) local: SocketAddr,
    pub(crate) encrypted: bool,
    pub(crate) memory: Memory,
    pub(crate) streams: Arc<Semaphore>,
    /// True once the API has to stop. Open event streams end then.
    pub(crate) shutdown: watch::Receiver<bool>,
}

impl Shared {
    pub(crate) fn new(options: Options, local: SocketAddr, shutdown: watch::Receiver<bool>) -> Self {
        Self(Arc::new(Inner {
            handle: options.handle,
            store: options.store,
            registry: options.registry,
            token: options.token,
            ready: options.ready,
            local,
            encrypted: options.tls.is_some(),
            memory: Memory::default(),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            shutdown,
        }))
    }

    /// The release as the controller loop shows it now, if it is the last or the waiting release of its
    /// service. This is fresher than the store, where counters arrive once a second.
    pub(crate) fn live_release(&self, id: &str) -> Option<ReleaseView> {
        let views = self.handle.views();
        views
            .services
            .iter()
            .flat_map(|service| service.release.iter().chain(&service.queued))
            .find(|release| release.id == id)
            .cloned()
    }
}

impl std::ops::Deref for Shared {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
