//! The two rates that a rule tells apart: the rate that counts as unchanged, and the rate that is too bad
//! to keep.

use super::memory::Usual;
use super::{Baseline, Policy, RouteBaseline, dispersion, wilson};

/// With fewer requests than this in baseline and memory, little is known.
pub(crate) const REQUESTS_MIN: u64 = 200;
/// p0 if nothing is known at all, and the least p0 of a thin baseline.
const THIN_RATE: f64 = 0.01;
/// The largest p0 while a thin baseline holds fewer errors than [`ERRORS_MIN`]. For a handful of requests
/// the Wilson bound allows nearly every rate.
const THIN_RATE_MAX: f64 = 0.25;
const ERRORS_MIN: u64 = 3;
/// The number of failures that would show whether they come in clumps.
const CLUMPS: f64 = 6.0;
/// The highest p0. With p1 at three times its odds, a candidate that fails altogether is still told apart.
const RATE_MAX: f64 = 0.97;
/// By a thin baseline with hardly an error, a candidate passes only if p1 is this or less.
const THIN_PASS: f64 = 0.1;
/// The least part of the successes at p0 that may fail at p1 is one in this many.
const ODDS_MIN: f64 = 3.0;
/// The highest p1 of the first edition, and the ratio p1 / p0 under which its rules were off.
const FIRST_BAD_RATE_MAX: f64 = 0.9;
const FIRST_RATIO_MIN: f64 = 1.5;

/// The form of the rules that a stored judge was made by. A bake that an older build stored goes on by its
/// own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edition {
    /// p1 is a multiple of p0, and a rule is off if p1 is under 1.5 p0. There is no memory.
    First,
    /// p1 is a multiple of the odds of p0.
    Second,
}

/// p0 and p1 of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rates {
    pub(crate) p0: f64,
    pub(crate) p1: f64,
}

impl Rates {
    /// The rates of the error rule. p0 is the highest rate that the baseline and the memory together may
    /// have had, so that a lucky baseline is not held against the candidate.
    pub(crate) fn of_errors(baseline: &Baseline, policy: &Policy, edition: Edition) -> Self {
        let (requests, errors) = known(baseline);
        let upper = match baseline.usual.filter(Usual::is_known) {
            Some(usual) => wilson::upper_of_clumps(errors, requests, usual.dispersion),
            None => upper((requests, errors), baseline.ten_minutes(), baseline.dispersion),
        };
        let p0 = match requests {
            0 => THIN_RATE,
            REQUESTS_MIN.. => upper,
            _ if errors >= ERRORS_MIN => upper.max(THIN_RATE),
            _ => upper.clamp(THIN_RATE, THIN_RATE_MAX),
        };
        Self::over(p0, policy, edition)
    }

    /// The rates of a route, by its own baseline, however few requests that holds. If the baseline has
    /// not seen the route, nothing is known about it, and so it is not judged.
    pub(crate) fn of_route(route: &RouteBaseline, policy: &Policy, edition: Edition) -> Self {
        let ten_minutes = ten_minutes(route.requests, route.seconds);
        let p0 = upper((route.requests, route.errors), ten_minutes, route.dispersion);
        if route.requests == 0 {
            return Self { p0, p1: p0 };
        }
        Self::over(p0, policy, edition)
    }

    fn over(p0: f64, policy: &Policy, edition: Edition) -> Self {
        let p0 = p0.max(policy.rate_floor);
        if edition == Edition::First {
            let p1 = (policy.ratio * p0).max(p0 + policy.add_points).min(FIRST_BAD_RATE_MAX);
            return Self { p0, p1 };
        }
        let p0 = p0.min(RATE_MAX);
        // Odds and not rates are multiplied, so that p1 stays under 1 for a service that often fails.
        let odds = policy.ratio * p0 / (1.0 + (policy.ratio - 1.0) * p0);
        let most = 1.0 - (1.0 - p0) / policy.ratio.max(ODDS_MIN);
        Self { p0, p1: odds.max(p0 + policy.add_points).min(most) }
    }

    /// Whether evidence can tell the two rates apart.
    pub(crate) fn are_distinct(self, edition: Edition) -> bool {
        let ratio = if edition == Edition::First { FIRST_RATIO_MIN } else { 1.0 };
        self.p0 > 0.0 && self.p1 < 1.0 && self.p1 >= ratio * self.p0 && self.p1 > self.p0
    }

    /// The nats that a failure adds and that a success takes away, both positive.
    pub(crate) fn weights(self) -> (f64, f64) {
        ((self.p1 / self.p0).ln(), ((1.0 - self.p0) / (1.0 - self.p1)).ln())
    }

    /// Whether a candidate may pass by these rates. A thin baseline with hardly an error allows so high a
    /// rate that a pass would mean nothing.
    pub(crate) fn mean_something(self, baseline: &Baseline) -> bool {
        let (requests, errors) = known(baseline);
        requests >= REQUESTS_MIN || errors >= ERRORS_MIN || self.p1 <= THIN_PASS
    }
}

impl Baseline {
    /// The dispersion that scores are divided by: the memory's once it is known, else the baseline's or
    /// the least value that so few failures allow.
    pub(crate) fn scatter(&self, rates: Rates) -> f64 {
        match self.usual.filter(Usual::is_known) {
            Some(usual) => usual.dispersion.max(1.0),
            None => self.dispersion.max(dispersion::least(self.ten_minutes(), rates.p0)),
        }
    }

    /// The requests of ten minutes, as the baseline or (if that is empty) the memory shows them.
    fn ten_minutes(&self) -> f64 {
        match self.usual {
            Some(usual) if self.requests == 0 => 600.0 * usual.requests as f64 / usual.seconds.max(1) as f64,
            _ => ten_minutes(self.requests, self.seconds),
        }
    }
}

/// Requests and errors of the baseline and the memory together.
fn known(baseline: &Baseline) -> (u64, u64) {
    let usual = baseline.usual.unwrap_or_default();
    (baseline.requests.saturating_add(usual.requests), baseline.errors.saturating_add(usual.errors))
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
