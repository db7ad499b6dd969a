//! The judge's word and the numbers behind it.

use serde::{Deserialize, Serialize};

use super::FailedRequest;

/// At the end of a bake, or when a rule trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Fail,
    Inconclusive,
}

impl Verdict {
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
    Errors,
    Latency,
    HardDown,
    /// The error rule of one route template.
    Route,
}

impl TripRule {
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

/// Everything a verdict is made of. Rates are shares (0.005 is 0.5 %), scores are nats.
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
    /// False when the rule can't tell (p1 under 1.5 p0).
    pub rule_on: bool,
    /// The Wilson upper bound (95 %) of the candidate's error rate; 1 before any request.
    pub upper: f64,
    /// Whether one client's part of the score is limited to h/4.
    pub many_clients: bool,
    /// The latency rule; `None` when it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<RuleNumbers>,
    /// The rule that is at its bound, or was when the release was moved back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<TripRule>,
    /// Routes with errors, the one nearest to its bound first; at most
    /// `ROUTES_SHOWN`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteNumbers>,
    /// Templates that have an error rule of their own.
    pub routes_judged: usize,
    /// The first requests that failed, oldest first; at most
    /// [`FAILURES_MAX`](super::FAILURES_MAX).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first_failures: Vec<FailedRequest>,
}

/// One route template's part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteNumbers {
    /// Method and path, ids folded: `GET /orders/{id}`.
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
    /// False when the baseline says too little about it.
    pub rule_on: bool,
    /// Whether the score is at its bound now.
    pub tripped: bool,
}

impl Numbers {
    /// Each rule's name, score and bound: what is drawn.
    pub fn scores(&self) -> impl Iterator<Item = (&str, f64, f64)> {
        let latency = self.latency.iter().map(|rule| ("latency", rule.s, rule.h));
        // The one nearest to its bound stands for all.
        let route = self.routes.first().map(|route| ("route", route.s, route.h));
        std::iter::once(("errors", self.s, self.h)).chain(latency).chain(route)
    }
}

/// The latency rule's part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleNumbers {
    /// Attempts judged since the warm-up, and slow ones among them.
    pub n: u64,
    pub bad: u64,
    pub p0: f64,
    pub p1: f64,
    pub s: f64,
    pub h: f64,
    /// No response head after this is slow, in milliseconds.
    pub slow_after_ms: u64,
    pub rule_on: bool,
    /// Whether the score is at its bound now.
    pub tripped: bool,
}
