//! What the table says of one service: its hosts, its colors and their endpoints.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Color, Endpoint, Epoch, PerColor, ServiceName};

use super::ServiceSettings;

/// An endpoint as the data plane sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointRoute {
    pub endpoint: Endpoint,
    /// Whether new requests may be sent here (healthy, or tried because too few are).
    pub usable: bool,
    /// How often its probes have shown that it is back after attempts had failed: what takes it
    /// into a pool again that it was taken out of for them.
    pub returns: u64,
}

/// One color of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColorRoute {
    pub endpoints: Vec<EndpointRoute>,
}

/// One service, whole. Unchanged services keep their `Arc` from table to table.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRoute {
    pub name: ServiceName,
    /// Exact hosts and `*.` hosts, normalized.
    pub hosts: Vec<String>,
    /// Hosts that reach one color whatever is active.
    pub preview_hosts: PerColor<Vec<String>>,
    /// Also serves hosts that no service claims.
    pub default: bool,
    pub active: Color,
    pub epoch: Epoch,
    pub paused: bool,
    /// Requests in a hundred that go to the other color, before a switch; 0: none.
    pub canary_percent: u8,
    /// True while a bake runs: the shield may answer from the other color.
    pub baking: bool,
    /// tau of the latency rule, while it counts: an attempt of the active color is slow that has no
    /// response head after it.
    pub slow_after: Option<Duration>,
    pub colors: PerColor<ColorRoute>,
    pub settings: Arc<ServiceSettings>,
}
