//! The immutable table: host -> service -> color -> endpoints.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::model::{Color, Endpoint, EndpointId, Epoch, PerColor, ServiceName};

use super::index::{HostIndex, Target};
use super::route::{ColorRoute, EndpointRoute, ServiceRoute};
use super::{ServiceSettings, normalize_host};

/// What a webhook's path begins with.
pub const HOOKS_PREFIX: &[u8] = b"/hooks/";

/// A message has 256 KiB at most; a larger one need not be carried to where it is refused.
const HOOK_BYTES_MAX: u64 = 256 * 1024;

/// Webhooks as an origin: one endpoint on the loopback, reached like any other. The name can't be a
/// service's.
fn hooks_route(address: SocketAddr) -> ServiceRoute {
    let endpoint = Endpoint { id: EndpointId::from("greenlight/hooks"), address };
    let mut colors = PerColor::<ColorRoute>::default();
    colors[Color::Blue].endpoints.push(EndpointRoute { endpoint, usable: true, returns: 0 });
    ServiceRoute {
        name: ServiceName::from("greenlight/hooks"),
        hosts: Vec::new(),
        preview_hosts: PerColor::default(),
        default: false,
        active: Color::Blue,
        epoch: Epoch::default(),
        paused: false,
        baking: false,
        canary_percent: 0,
        slow_after: None,
        colors,
        settings: Arc::new(ServiceSettings { body_bytes_max: HOOK_BYTES_MAX, ..ServiceSettings::default() }),
    }
}

/// The answer to a lookup.
#[derive(Clone, Copy, Debug)]
pub struct RouteMatch<'a> {
    pub service: &'a Arc<ServiceRoute>,
    /// The service's position in [`RouteTable::services`].
    pub index: usize,
    /// `Some` when the host was a preview host: that color, never counted by the judge.
    pub preview: Option<Color>,
}

/// Every service and every host, immutable.
#[derive(Debug, Default)]
pub struct RouteTable {
    generation: u64,
    services: Vec<Arc<ServiceRoute>>,
    hooks: Option<Arc<ServiceRoute>>,
    pub(crate) index: Arc<HostIndex>,
}

impl RouteTable {
    /// Counts the tables of this process: what a worker acknowledges.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    pub fn services(&self) -> &[Arc<ServiceRoute>] {
        &self.services
    }

    /// The same table with our own webhooks under [`HOOKS_PREFIX`] of every host: kept by the tables
    /// that are built after it.
    #[must_use]
    pub fn with_hooks(self, address: SocketAddr) -> Self {
        Self { hooks: Some(Arc::new(hooks_route(address))), ..self }
    }

    /// Where webhooks go, if the public listeners take them.
    pub fn hooks(&self) -> Option<&Arc<ServiceRoute>> {
        self.hooks.as_ref()
    }

    /// Looks up a host as it stands in a request (case, port and one final dot do not matter).
    /// Exact hosts win over `*.` hosts, the longest `*.` suffix wins, then the default service.
    /// `*.example.org` stands for one label or more (`a.example.org`, `a.b.example.org`), as in
    /// nginx and HAProxy's `hdr_end`, but not for `example.org` itself. `None` too for what is no
    /// host at all, whatever is default: see [`normalize_host`]. Allocates nothing.
    pub fn find(&self, host: &[u8]) -> Option<RouteMatch<'_>> {
        let mut buffer = [0; 256];
        let host = normalize_host(host, &mut buffer).ok()?;
        self.find_normalized(host)
    }

    /// [`Self::find`] for a host that [`normalize_host`] has returned.
    pub fn find_normalized(&self, host: &[u8]) -> Option<RouteMatch<'_>> {
        match self.index.find(host) {
            Some(target) => self.found(target),
            None => self.find_default(),
        }
    }

    /// The default service, for requests without a host (HTTP/1.0).
    pub fn find_default(&self) -> Option<RouteMatch<'_>> {
        self.found(Target { service: self.index.default?, preview: None })
    }

    fn found(&self, target: Target) -> Option<RouteMatch<'_>> {
        let service = self.services.get(target.service)?;
        Some(RouteMatch { service, index: target.service, preview: target.preview })
    }
}

/// Builds a table; the host index is kept from the table before when no host has changed, so that
/// a switch costs the same with ten hosts as with ten thousand.
#[derive(Debug, Default)]
pub struct TableBuilder {}

impl TableBuilder {
    /// The table after `previous`, with its generation + 1.
    #[must_use]
    pub fn build(previous: &RouteTable, services: Vec<Arc<ServiceRoute>>) -> RouteTable {
        let index = if HostIndex::same_hosts(&previous.services, &services) {
            Arc::clone(&previous.index)
        } else {
            Arc::new(HostIndex::new(&services))
        };
        let hooks = previous.hooks.clone();
        RouteTable { generation: previous.generation + 1, services, hooks, index }
    }
}
