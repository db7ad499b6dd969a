//! What every handler may reach.

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

/// Event streams that may be open at once.
pub(crate) const STREAMS_MAX: usize = 64;

/// What the admin API is given.
#[derive(Debug)]
pub struct Options {
    pub handle: Handle,
    pub store: Arc<dyn Store>,
    /// What `/metrics` shows.
    pub registry: Registry,
    /// Needed on any other address than loopback, with `tls`.
    pub token: Option<Token>,
    pub tls: Option<Arc<Entrance>>,
    /// What `/readyz` says.
    pub ready: Arc<AtomicBool>,
}

/// Cheap to clone: one for each request.
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
    /// True once the API is to stop: open event streams end then.
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

    /// The release as the loop shows it now, if it is its service's last or waiting one. Fresher
    /// than the store, where counters arrive once a second.
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
