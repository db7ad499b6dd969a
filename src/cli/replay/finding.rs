//! The results of a replay.

use crate::judge::{Numbers, TripRule, Verdict};

/// A trip of a rule, whose score came to its bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Tripped {
    /// Seconds from the switch to the end of the second in which the rule tripped.
    pub after_seconds: i64,
    pub rule: TripRule,
    /// The judge's numbers at the trip.
    pub numbers: Numbers,
}

/// The result of one imagined release.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The time of the release, in seconds since 1970.
    pub at: i64,
    /// The mean rate of requests in the baseline.
    pub requests_per_second: f64,
    /// Whether each of [`super::VARIANTS`] would have tripped.
    pub variants: Vec<bool>,
    /// The highest score as a share of its bound, S/h. It is at most 1, and 1 after a trip.
    pub peak: f64,
    pub verdict: Verdict,
    /// The judge's numbers at the trip, or at the end if no rule tripped.
    pub numbers: Numbers,
    pub tripped: Option<Tripped>,
}

/// The counts of a log, and the results of its imagined releases.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Requests that are evidence.
    pub requests: u64,
    /// Errors among `requests`.
    pub errors: u64,
    /// Whether the log says how long requests took. The latency rule needs that.
    pub timed: bool,
    /// Lines that came over a minute later than their time says. They count nowhere else.
    pub late: u64,
    /// Lines whose time is over a month from that of the lines before. They count nowhere else.
    pub far: u64,
    /// The second of the first line, in seconds since 1970.
    pub from: i64,
    /// The latest second that has a line, in seconds since 1970.
    pub to: i64,
    /// The results of the first releases, at most [`super::run::FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// The number of releases after those in `findings`.
    pub more: u64,
    /// How many of the releases in `more` have tripped.
    pub more_tripped: u64,
}

impl Findings {
    /// The share of lines that are out of order, from 0 to 1.
    #[must_use]
    pub fn disorder(&self) -> f64 {
        let astray = self.late + self.far;
        astray as f64 / (self.requests + astray).max(1) as f64
    }
}

/// How soon the errors rule would trip for a version with a given error rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectionTime {
    /// The share of requests that fail, from 0 to 1.
    pub rate: f64,
    /// The mean number of requests until the trip. `None` means that this rule never trips at this rate.
    pub requests: Option<f64>,
    /// The mean number of seconds until the trip. `None` also stands for a service without requests.
    pub seconds: Option<f64>,
}

/// Estimates how soon the errors rule trips at the error rate `rate` (a share from 0 to 1).
///
/// The score drifts at that rate by up x rate - down x (1 - rate) a request (Page, 1954), so it takes
/// h / drift requests to the bound. The estimate is at least four seconds, because a second adds at most a
/// quarter of the bound to the score. It is at least three seconds where nine of ten requests fail.
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
