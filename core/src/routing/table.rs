//! The immutable route table. It leads from a host to a service, to its colors and to their endpoints.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::model::{Color, Endpoint, EndpointId, Epoch, PerColor, ServiceName};

use super::index::{HostIndex, Target};
use super::route::{ColorRoute, EndpointRoute, ServiceRoute};
use super::{ServiceSettings, normalize_host};

/// The beginning of a webhook's path.
pub const HOOKS_PREFIX: &[u8] = b"/hooks/";

/// The largest webhook message, in bytes (256 KiB). The limit stands here too, so that a worker does not
/// carry a larger message to the receiver that would refuse it.
const HOOK_BYTES_MAX: u64 = 256 * 1024;

/// The receiver of webhooks as a service. It has one endpoint, and workers reach it like any other. No
/// configured service can have its name, because a service name has no `/`.
fn hooks_route(address: SocketAddr) -> ServiceRoute {
    let endpoint = Endpoint { id: EndpointId::from("greenlight/hooks"), address, probe: None };
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
        stall_after: None,
        colors,
        settings: Arc::new(ServiceSettings { body_bytes_max: HOOK_BYTES_MAX, ..ServiceSettings::default() }),
    }
}

/// The result of a lookup.
#[derive(Clone, Copy, Debug)]
pub struct RouteMatch<'a> {
    /// The service that the host leads to.
    pub service: &'a Arc<ServiceRoute>,
    /// The position of the service in [`RouteTable::services`].
    pub index: usize,
    /// The color of a preview host. The judge never counts the requests to such a host.
    pub preview: Option<Color>,
}

/// The route table: every service and every host. It never changes; the controller builds a new one.
#[derive(Debug, Default)]
pub struct RouteTable {
    generation: u64,
    services: Vec<Arc<ServiceRoute>>,
    hooks: Option<Arc<ServiceRoute>>,
    pub(crate) index: Arc<HostIndex>,
}

impl RouteTable {
    /// The number of this table. It counts the tables of this process.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// All services, without the receiver of webhooks.
    pub fn services(&self) -> &[Arc<ServiceRoute>] {
        &self.services
    }

    /// The same table with the receiver of webhooks at `address`, for paths under [`HOOKS_PREFIX`] on
    /// every host. The tables that are built after this one keep it.
    #[must_use]
    pub fn with_hooks(self, address: SocketAddr) -> Self {
        Self { hooks: Some(Arc::new(hooks_route(address))), ..self }
    }

    /// The receiver of webhooks, if the public listeners take webhooks.
    pub fn hooks(&self) -> Option<&Arc<ServiceRoute>> {
        self.hooks.as_ref()
    }

    /// Looks up a host as it stands in a request. Case, port and one final dot do not matter. An exact
    /// host wins over a `*.` host, the longest `*.` suffix wins over shorter ones, and the default
    /// service comes last. `*.example.org` stands for one label or more (`a.example.org`,
    /// `a.b.example.org`), as in nginx and HAProxy's `hdr_end`, but not for `example.org` itself.
    ///
    /// Returns `None` if no service has the host. A text that is not a host at all gives `None` even if
    /// there is a default service; [`normalize_host`] says what a host is. Allocates nothing.
    pub fn find(&self, host: &[u8]) -> Option<RouteMatch<'_>> {
        let mut buffer = [0; 256];
        let host = normalize_host(host, &mut buffer).ok()?;
        self.find_normalized(host)
    }

    /// Looks up a host that [`normalize_host`] has returned, by the rules of [`Self::find`].
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

/// Builds a table. The new table keeps the host index of the table before it if no host has changed. So a
/// switch costs the same with ten hosts as with ten thousand.
#[derive(Debug, Default)]
pub struct TableBuilder {}

impl TableBuilder {
    /// The table after `previous`. Its generation is one higher.
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
