//! The judge's word and the numbers behind it.

use serde::{Deserialize, Serialize};

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
}

impl TripRule {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::HardDown => "hard_down",
        }
    }
}

/// A rule has crossed its bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trip {
    pub rule: TripRule,
    pub numbers: Numbers,
}

/// Everything a verdict is made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    /// Requests and errors of the candidate since the switch.
    pub n: u64,
    pub e: u64,
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
}
