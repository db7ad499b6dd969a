//! The two rates that a rule tells apart: as it was, and too bad to keep.

use super::{Baseline, Policy, wilson};

/// Under so many requests a baseline says little.
pub(super) const REQUESTS_MIN: u64 = 200;
/// p0 then, unless the baseline holds [`ERRORS_MIN`] errors.
const THIN_RATE: f64 = 0.01;
const ERRORS_MIN: u64 = 3;
/// The highest p1: past it even a service that mostly fails would pass for no worse.
const BAD_RATE_MAX: f64 = 0.9;
/// p1 / p0 under which a rule is off.
const RATIO_MIN: f64 = 1.5;

/// p0 and p1 of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    pub(super) p0: f64,
    pub(super) p1: f64,
}

impl Rates {
    /// The error rule's. p0 is what the baseline's rate may have been at the most, so that a
    /// lucky baseline is not held against the candidate.
    pub(super) fn of_errors(baseline: &Baseline, policy: &Policy) -> Self {
        let upper = wilson::upper(baseline.errors, baseline.requests);
        let thin = baseline.requests < REQUESTS_MIN && baseline.errors < ERRORS_MIN;
        let p0 = if thin { THIN_RATE } else { upper }.max(policy.rate_floor);
        let p1 = (policy.ratio * p0).max(p0 + policy.add_points).min(BAD_RATE_MAX);
        Self { p0, p1 }
    }

    /// Whether evidence can tell them apart in useful time.
    pub(super) fn told_apart(self) -> bool {
        self.p0 > 0.0 && self.p1 < 1.0 && self.p1 >= RATIO_MIN * self.p0
    }

    /// What a failure adds and what a success takes, in nats, both positive.
    pub(super) fn weights(self) -> (f64, f64) {
        ((self.p1 / self.p0).ln(), ((1.0 - self.p0) / (1.0 - self.p1)).ln())
    }
}
