//! What came of a replay.

use crate::judge::{Numbers, TripRule, Verdict};

/// A rule that was at its bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Tripped {
    pub after_seconds: i64,
    pub rule: TripRule,
    pub numbers: Numbers,
}

/// One imagined release.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// When it was, in seconds since 1970.
    pub at: i64,
    /// Of the baseline.
    pub requests_per_second: f64,
    /// Whether each of [`super::VARIANTS`] would have tripped.
    pub variants: Vec<bool>,
    /// How near to its bound a score came: S/h, 1 when it tripped.
    pub peak: f64,
    pub verdict: Verdict,
    /// At the trip, or at the end.
    pub numbers: Numbers,
    pub tripped: Option<Tripped>,
}

/// What was read, and what came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    pub requests: u64,
    pub errors: u64,
    /// Whether the log says how long requests took: the latency rule needs it.
    pub timed: bool,
    /// Lines that came over a minute later than their time says.
    pub late: u64,
    /// Lines whose time is far from the ones before: not counted.
    pub far: u64,
    /// The first and the last second, in seconds since 1970.
    pub from: i64,
    pub to: i64,
    /// At most [`super::run::FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// Releases that were tried beyond those, and tripped among them.
    pub more: u64,
    pub more_tripped: u64,
}

/// How soon a version with a given error rate would be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectionTime {
    pub rate: f64,
    /// Requests until then, on average; `None`: never by this rule.
    pub requests: Option<f64>,
    pub seconds: Option<f64>,
}

/// By the drift of the score at that rate (Page, 1954): h / (up x rate - down x (1 - rate)), and
/// not under the four seconds that a bound of four quarters takes, or three where nine of ten fail.
#[must_use]
pub fn detection_time(numbers: &Numbers, requests_per_second: f64, rate: f64) -> DetectionTime {
    let dispersion = numbers.dispersion.max(1.0);
    let up = (numbers.p1 / numbers.p0).ln() / dispersion;
    let down = ((1.0 - numbers.p0) / (1.0 - numbers.p1)).ln() / dispersion;
    let drift = up * rate - down * (1.0 - rate);
    if !numbers.rule_on || drift.is_nan() || drift <= 0.0 || numbers.h <= 0.0 {
        return DetectionTime { rate, requests: None, seconds: None };
    }
    let requests = (numbers.h / drift).ceil();
    let least = if rate >= 0.9 { 3.0 } else { 4.0 };
    let seconds = (requests_per_second > 0.0).then(|| (requests / requests_per_second).max(least));
    let requests = seconds.map_or(requests, |seconds| requests.max(seconds * requests_per_second));
    DetectionTime { rate, requests: Some(requests), seconds }
}
