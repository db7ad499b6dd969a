//! What the old color did before the switch, frozen: the whole service, its response times and its
//! routes. [`super::BaselineWindow`] makes it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clients::MANY;

/// The frozen baseline. The default is "there is none".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Baseline {
    pub requests: u64,
    pub errors: u64,
    /// Seconds it covers.
    pub seconds: u64,
    /// How much more errors scattered than independent ones would: 1 to 8, or to 1.5 times the
    /// requests of a second if that is more; 0 when nobody has measured it, which is taken as 1.
    pub dispersion: f64,
    /// Different clients, counted up to 20: 20 is "20 or more".
    pub clients: usize,
    /// The largest share of the requests that one client can have made.
    pub top_client_share: f64,
    /// `None` when too few response heads were timed.
    pub latency: Option<LatencyBaseline>,
    /// The busiest route templates, at most `ROUTES_MAX`, the busiest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteBaseline>,
}

/// What the old color did on one route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteBaseline {
    /// `GET /orders/{id}`.
    pub route: String,
    pub requests: u64,
    pub errors: u64,
    /// Seconds that the whole baseline covers.
    #[serde(default)]
    pub seconds: u64,
    /// 1 to 8, over slices of ten seconds.
    pub dispersion: f64,
}

impl Baseline {
    /// Whether traffic comes from so many that one client's errors can be told from the service's.
    pub fn many_clients(&self) -> bool {
        self.clients >= MANY && self.top_client_share <= 0.5
    }
}

/// The old color's times to first byte, in what the rule needs of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyBaseline {
    /// Attempts that had a response head.
    pub timed: u64,
    /// Of those, how many counts of slow they would have made, repeats counted.
    pub slow: u64,
    /// The repeats among them.
    pub repeats: u64,
    /// The 95th percentile of the time to first byte.
    pub p95: Duration,
    /// tau: slow is what has no response head after this.
    pub slow_after: Duration,
    /// 1 to 8, over slices of ten seconds.
    pub dispersion: f64,
}
