//! The entry of one service in the route table: its hosts, its colors and their endpoints.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Color, Endpoint, Epoch, PerColor, ServiceName};

use super::ServiceSettings;

/// An endpoint as the workers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointRoute {
    /// The id and the address.
    pub endpoint: Endpoint,
    /// Whether workers may send new requests here. They may if the endpoint is not unhealthy, or if too
    /// many endpoints of the color are.
    pub usable: bool,
    /// The number of times that probes have brought this endpoint back after an ejection. When the
    /// number changes, a worker that has ejected the endpoint takes it into its pool again.
    pub returns: u64,
}

/// One color of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColorRoute {
    /// The endpoints of the color, in the order of the table.
    pub endpoints: Vec<EndpointRoute>,
}

/// One service with all that a worker must know of it. A service that has not changed keeps its `Arc` in
/// the next table.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRoute {
    /// The name of the service.
    pub name: ServiceName,
    /// The public hosts in their normal form, exact ones and `*.` patterns.
    pub hosts: Vec<String>,
    /// The hosts that always lead to one color, whichever color is active.
    pub preview_hosts: PerColor<Vec<String>>,
    /// Whether the service also serves hosts that no service claims.
    pub default: bool,
    /// The color that gets the traffic.
    pub active: Color,
    /// The epoch of the last switch.
    pub epoch: Epoch,
    /// Whether workers hold the requests of the service.
    pub paused: bool,
    /// The share of requests that go to the other color before a switch, in percent. 0 outside of a
    /// canary.
    pub canary_percent: u8,
    /// Whether the shield may answer from the other color, as it may from the switch to the end of a bake.
    pub baking: bool,
    /// The limit of the latency rule, while that rule counts. An attempt of the judged color is slow if it has
    /// no response head after this time.
    pub slow_after: Option<Duration>,
    /// The time without a byte after which a response body of the judged color stalls, while that rule counts.
    pub stall_after: Option<Duration>,
    /// The endpoints of both colors.
    pub colors: PerColor<ColorRoute>,
    /// The settings of the service from the configuration.
    pub settings: Arc<ServiceSettings>,
}

impl ServiceRoute {
    /// The color that a judge may watch. It is the other color while that has a share before its switch.
    #[must_use]
    pub fn judged(&self) -> Color {
        if self.canary_percent > 0 { self.active.other() } else { self.active }
    }
}
