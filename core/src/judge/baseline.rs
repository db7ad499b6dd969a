//! The baseline, which is the old color's traffic before the switch, frozen. It covers the whole service,
//! its response times and its routes. [`super::BaselineWindow`] makes it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clients::MANY;
use super::memory::Usual;

/// The frozen baseline. The default means that there is no baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Baseline {
    pub requests: u64,
    pub errors: u64,
    /// The seconds that the baseline covers.
    pub seconds: u64,
    /// How much more the errors scattered than independent errors would. It is 1 to 8, or up to 1.5 times
    /// the requests of a second if that is more. 0 means that it was not measured; the judge takes 0 as
    /// 1.
    pub dispersion: f64,
    /// The number of different clients, counted up to 20, so 20 means "20 or more".
    pub clients: usize,
    /// The largest share of the requests that one client can have made, 0 to 1.
    pub top_client_share: f64,
    /// The times to first byte; `None` if too few response heads were timed.
    pub latency: Option<LatencyBaseline>,
    /// How the service usually is, from its memory; `None` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<Usual>,
    /// The busiest route templates, at most `ROUTES_MAX`, the busiest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteBaseline>,
}

/// The old color's counts on one route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteBaseline {
    /// The template, such as `GET /orders/{id}`.
    pub route: String,
    pub requests: u64,
    pub errors: u64,
    /// The seconds that the whole baseline covers.
    #[serde(default)]
    pub seconds: u64,
    /// The dispersion over slices of ten seconds, 1 to 8.
    pub dispersion: f64,
}

impl Baseline {
    /// Whether the traffic comes from so many clients that the judge can tell one client's errors from
    /// the service's.
    pub fn many_clients(&self) -> bool {
        self.clients >= MANY && self.top_client_share <= 0.5
    }
}

/// The old color's times to first byte, reduced to the values that the latency rule needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyBaseline {
    /// Attempts that had a response head.
    pub timed: u64,
    /// How many counts of slow these attempts would have made, with repeats.
    pub slow: u64,
    /// The repeats among the counts of slow.
    pub repeats: u64,
    /// The 95th percentile of the time to first byte.
    pub p95: Duration,
    /// The limit tau. An attempt is slow if it has no response head after this time.
    pub slow_after: Duration,
    /// The dispersion over slices of ten seconds, 1 to 8.
    pub dispersion: f64,
}
