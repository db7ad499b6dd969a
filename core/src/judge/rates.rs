//! The two rates that a rule tells apart: the rate that counts as unchanged, and the rate that is too bad
//! to keep.

use super::{Baseline, Policy, RouteBaseline, wilson};

/// A baseline with fewer requests than this says little.
pub(crate) const REQUESTS_MIN: u64 = 200;
/// p0 if there is no baseline at all, and the least p0 of a thin one.
const THIN_RATE: f64 = 0.01;
/// The largest p0 while a thin baseline holds fewer errors than [`ERRORS_MIN`]. For a handful of requests
/// the Wilson bound allows nearly every rate. With p1 at three times this value a candidate that mostly
/// fails is still found.
const THIN_RATE_MAX: f64 = 0.25;
const ERRORS_MIN: u64 = 3;
/// The number of failures that would show whether they come in clumps.
const CLUMPS: f64 = 6.0;
/// The highest p1. With a higher one even a service that mostly fails would count as no worse.
const BAD_RATE_MAX: f64 = 0.9;
/// The ratio p1 / p0 under which a rule is off.
const RATIO_MIN: f64 = 1.5;

/// p0 and p1 of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rates {
    pub(crate) p0: f64,
    pub(crate) p1: f64,
}

impl Rates {
    /// The rates of the error rule. p0 is the highest rate that the baseline may have had, so that a
    /// lucky baseline is not held against the candidate.
    pub(crate) fn of_errors(baseline: &Baseline, policy: &Policy) -> Self {
        let ten_minutes = ten_minutes(baseline.requests, baseline.seconds);
        let upper = upper((baseline.requests, baseline.errors), ten_minutes, baseline.dispersion);
        let p0 = match baseline.requests {
            0 => THIN_RATE,
            REQUESTS_MIN.. => upper,
            _ if baseline.errors >= ERRORS_MIN => upper.max(THIN_RATE),
            _ => upper.clamp(THIN_RATE, THIN_RATE_MAX),
        };
        Self::over(p0, policy)
    }

    /// The rates of a route, by its own baseline, however few requests that holds. If the baseline has
    /// hardly seen the route, nothing is known about it, and so it is not judged.
    pub(crate) fn of_route(route: &RouteBaseline, policy: &Policy) -> Self {
        let ten_minutes = ten_minutes(route.requests, route.seconds);
        Self::over(upper((route.requests, route.errors), ten_minutes, route.dispersion), policy)
    }

    fn over(p0: f64, policy: &Policy) -> Self {
        let p0 = p0.max(policy.rate_floor);
        let p1 = (policy.ratio * p0).max(p0 + policy.add_points).min(BAD_RATE_MAX);
        Self { p0, p1 }
    }

    /// Whether evidence can tell the two rates apart in useful time.
    pub(crate) fn are_distinct(self) -> bool {
        self.p0 > 0.0 && self.p1 < 1.0 && self.p1 >= RATIO_MIN * self.p0
    }

    /// The nats that a failure adds and that a success takes away, both positive.
    pub(crate) fn weights(self) -> (f64, f64) {
        ((self.p1 / self.p0).ln(), ((1.0 - self.p0) / (1.0 - self.p1)).ln())
    }
}

/// The requests of ten minutes at the baseline's rate, and no fewer than the baseline holds.
pub(crate) fn ten_minutes(requests: u64, seconds: u64) -> f64 {
    requests as f64 * (600.0 / seconds.max(1) as f64).max(1.0)
}

/// Wilson's upper bound, widened for clumps. Traffic may be so thin that ten minutes at this rate hold
/// some ten failures or fewer. Then nothing shows how failures come, and the score remembers one clump
/// for minutes, so clumps of two or three are assumed. A higher p0 costs no time where everything fails,
/// and it lets the score forget a few clumps sooner.
fn upper((requests, errors): (u64, u64), ten_minutes: f64, dispersion: f64) -> f64 {
    let failures = ten_minutes * wilson::upper(errors, requests);
    let unseen = 1.0 + (CLUMPS / failures.max(1.0)).min(1.5);
    wilson::upper_of_clumps(errors, requests, dispersion.max(unseen))
}
