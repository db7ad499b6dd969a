//! The judge's verdict and the numbers behind it.

use serde::{Deserialize, Serialize};

use super::FailedRequest;

/// The verdict at the end of a bake, or when a rule trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No rule tripped, no score stands at half of its bound, and the error rate is surely under p1.
    Pass,
    /// A rule tripped.
    Fail,
    /// Neither. Mostly there was too little traffic.
    Inconclusive,
}

impl Verdict {
    /// The verdict's name in the API and in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Which rule tripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TripRule {
    /// The error rule of the whole service.
    Errors,
    /// The latency rule.
    Latency,
    /// More than half of the candidate's endpoints are unhealthy or gone.
    HardDown,
    /// The error rule of one route template.
    Route,
}

impl TripRule {
    /// The rule's name in the API and in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::HardDown => "hard_down",
            Self::Route => "route",
        }
    }
}

/// A rule has crossed its bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trip {
    pub rule: TripRule,
    pub numbers: Numbers,
}

/// Everything that a verdict is made of. Rates are shares (0.005 is 0.5 %), and scores are in nats.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Numbers {
    /// Requests and errors of the candidate since the switch.
    pub n: u64,
    pub e: u64,
    /// The highest rate that is still as before, and the rate that is too bad to keep.
    pub p0: f64,
    pub p1: f64,
    /// The score and its bound.
    pub s: f64,
    pub h: f64,
    pub dispersion: f64,
    pub baseline_requests: u64,
    pub baseline_errors: u64,
    /// Requests and errors of the service's memory, which fades within days; 0 without one.
    pub usual_requests: u64,
    pub usual_errors: u64,
    /// False if the rule can't tell the two rates apart.
    pub rule_on: bool,
    /// The Wilson upper bound (95 %) of the candidate's error rate; 1 before any request.
    pub upper: f64,
    /// The Wilson lower bound (95 %) of the same rate; 0 before any request.
    pub lower: f64,
    /// Whether the part of one client in the score is limited to h/4.
    pub many_clients: bool,
    /// The numbers of the latency rule; `None` if it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<RuleNumbers>,
    /// The rule that is at its bound, or was when the traffic was moved back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<TripRule>,
    /// Routes with errors, the one nearest to its bound first; at most
    /// `ROUTES_SHOWN`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteNumbers>,
    /// How many templates have an error rule of their own.
    pub routes_judged: usize,
    /// The first requests that failed, oldest first; at most
    /// [`FAILURES_MAX`](super::FAILURES_MAX).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first_failures: Vec<FailedRequest>,
}

/// The numbers of one route template. The short names mean the same as in [`Numbers`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteNumbers {
    /// Method and path with ids folded, such as `GET /orders/{id}`.
    pub route: String,
    /// Requests and errors of the candidate since the switch.
    pub n: u64,
    pub e: u64,
    pub p0: f64,
    pub p1: f64,
    pub s: f64,
    pub h: f64,
    pub baseline_requests: u64,
    pub baseline_errors: u64,
    /// False if the baseline says too little about the route.
    pub rule_on: bool,
    /// Whether the score is at its bound now.
    pub tripped: bool,
}

impl Numbers {
    /// The name, score and bound of each rule, as they are drawn.
    pub fn scores(&self) -> impl Iterator<Item = (&str, f64, f64)> {
        let latency = self.latency.iter().map(|rule| ("latency", rule.s, rule.h));
        // The route that is nearest to its bound stands for all routes.
        let route = self.routes.first().map(|route| ("route", route.s, route.h));
        std::iter::once(("errors", self.s, self.h)).chain(latency).chain(route)
    }
}

/// The numbers of the latency rule. The short names mean the same as in [`Numbers`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleNumbers {
    /// The attempts that were judged since the warm-up, and the slow ones among them.
    pub n: u64,
    pub bad: u64,
    pub p0: f64,
    pub p1: f64,
    pub s: f64,
    pub h: f64,
    /// An attempt is slow if it has no response head after this many milliseconds.
    pub slow_after_ms: u64,
    pub rule_on: bool,
    /// Whether the score is at its bound now.
    pub tripped: bool,
}
