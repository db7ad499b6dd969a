//! The judge's keys of the configuration (`[services.NAME.analysis]`).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The action when the latency rule trips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnLatency {
    /// The same as a trip of the error rule.
    #[default]
    Revert,
    /// People are told, and nothing else follows.
    Notify,
    /// The rule is not run.
    Off,
}

/// The tuning of the rules. The defaults are the configuration's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// The chance of a false revert per release and rule.
    pub alpha: f64,
    /// The length of the old color's past that makes the baseline.
    pub baseline_window: Duration,
    /// The least p0. Rates under it are not told apart.
    pub rate_floor: f64,
    /// p1 is at least `ratio` times p0.
    pub ratio: f64,
    /// p1 is at least p0 plus `add_points` (a share, so 0.02 is 2 %).
    pub add_points: f64,
    #[serde(default)]
    pub latency: OnLatency,
    /// How long after the candidate's first request only hangs count for the latency rule. It is cut to half
    /// of `bake_time`.
    pub latency_warmup: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            alpha: 0.001,
            baseline_window: Duration::from_mins(10),
            rate_floor: 0.005,
            ratio: 3.0,
            add_points: 0.02,
            latency: OnLatency::Revert,
            latency_warmup: Duration::from_mins(1),
        }
    }
}
