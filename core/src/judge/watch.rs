//! The judge of one bake: fed one closed bucket a second.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cusum::{self, Cusum, Evidence};
use super::latency::LatencyRule;
use super::rates::{Rates, ten_minutes};
use super::route_rules::RouteRules;
use super::total::TotalFailure;
use super::{
    Baseline, Bucket, FAILURES_MAX, FailedRequest, Numbers, OnLatency, Policy, Trip, TripRule, Verdict,
    dispersion, wilson,
};

/// Plain data: stored with the service's record once a second, and goes on from there exactly
/// (scores are integers, so that no digit is lost on the way through text).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judge {
    baseline: Baseline,
    policy: Policy,
    /// Requests expected in the bake.
    expected: f64,
    /// Requests and errors since the switch.
    n: u64,
    e: u64,
    /// Buckets judged: seconds since the switch.
    seconds: u64,
    errors: Cusum,
    #[serde(default)]
    total: TotalFailure,
    latency: LatencyRule,
    #[serde(default)]
    routes: RouteRules,
    /// The first requests that failed, oldest first.
    #[serde(default)]
    first_failures: Vec<FailedRequest>,
    /// Whether a rule that reverts has been at its bound since the last reset.
    failed: bool,
}

impl Judge {
    /// A judge for a bake in which about `expected_requests` will come.
    pub fn new(baseline: Baseline, policy: Policy, expected_requests: f64) -> Self {
        // Whole, so that it reads back from text as the same number.
        let expected = if expected_requests.is_finite() { expected_requests.max(0.0).ceil() } else { 0.0 };
        let bound = cusum::bound(policy.alpha, expected, 0);
        let rates = Rates::of_errors(&baseline, &policy);
        Self {
            errors: Cusum::new(rates, dispersion(&baseline, rates), baseline.many_clients(), bound),
            total: TotalFailure::default(),
            latency: LatencyRule::new(&baseline, &policy, expected),
            routes: RouteRules::new(&baseline, &policy, expected),
            first_failures: Vec::new(),
            expected,
            n: 0,
            e: 0,
            seconds: 0,
            failed: false,
            baseline,
            policy,
        }
    }

    /// Judges one closed second of the candidate; seconds without a request are fed too. A trip is
    /// reported each time a score is at its bound.
    pub fn observe(&mut self, bucket: &Bucket) -> Option<Trip> {
        self.n += bucket.requests;
        self.e += bucket.errors;
        // More errors than requests: responses that were counted before have broken off.
        let good = bucket.requests.saturating_sub(bucket.errors);
        let most = self.total.observe(good, bucket.errors);
        let evidence = Evidence { bad: bucket.errors, good, clients: bucket.erring(), most };
        self.errors.observe(evidence, cusum::bound(self.policy.alpha, self.expected, self.n));
        self.routes.observe(bucket, &self.policy);
        if self.times_count() {
            self.latency.observe(bucket, &self.baseline, &self.policy, self.expected);
            if self.policy.latency == OnLatency::Notify {
                // Nothing is done about it, so it may be over again.
                self.latency.cap();
            }
        }
        self.seconds = self.seconds.saturating_add(1);
        let room = FAILURES_MAX.saturating_sub(self.first_failures.len());
        self.first_failures.extend(bucket.failures().iter().take(room).cloned());
        let rule = self.rule()?;
        self.failed = true;
        Some(Trip { rule, numbers: self.numbers() })
    }

    /// Whether a score is at its bound now.
    pub fn tripped(&self) -> bool {
        self.rule().is_some()
    }

    /// Score 0 again, and what tripped before is taken back: an outside cause has ended. The
    /// counts stay.
    pub fn reset(&mut self) {
        self.errors.reset();
        self.total = TotalFailure::default();
        self.latency.reset();
        self.routes.reset();
        self.failed = false;
    }

    /// S = min(S, h): in a degraded release the score may fall again.
    pub fn cap(&mut self) {
        self.errors.cap();
        self.latency.cap();
        self.routes.cap();
    }

    /// The time without a response head after which an attempt is slow now (see
    /// [`Bucket::record_slow`]). `None` while slow attempts do not count: the rule is off, or the
    /// candidate is still warming up. An attempt that hangs at the end of that is slow then.
    pub fn slow_after(&self) -> Option<Duration> {
        self.times_count().then(|| self.latency.slow_after())
    }

    /// Whether the latency rule is at its bound and only tells so.
    pub fn notifies_slow(&self) -> bool {
        self.policy.latency == OnLatency::Notify && self.latency.tripped()
    }

    /// Whether the next second counts for the latency rule.
    fn times_count(&self) -> bool {
        self.policy.latency != OnLatency::Off && self.seconds >= self.policy.latency_warmup.as_secs()
    }

    pub fn numbers(&self) -> Numbers {
        let rates = self.rates();
        let latency = self.policy.latency != OnLatency::Off;
        Numbers {
            n: self.n,
            e: self.e,
            p0: rates.p0,
            p1: rates.p1,
            s: self.errors.score(),
            h: self.errors.bound(),
            dispersion: dispersion(&self.baseline, rates),
            baseline_requests: self.baseline.requests,
            baseline_errors: self.baseline.errors,
            rule_on: self.errors.on(),
            upper: wilson::upper(self.e, self.n),
            many_clients: self.errors.many_clients(),
            latency: latency.then(|| self.latency.numbers(&self.baseline)),
            rule: self.rule(),
            routes: self.routes.numbers(&self.policy),
            routes_judged: self.routes.judged(),
            first_failures: self.first_failures.clone(),
        }
    }

    /// The verdict if the bake ended now: a rule has tripped, or the error rate is surely under
    /// p1, or there is too little to say so.
    pub fn verdict(&self) -> Verdict {
        if self.failed {
            Verdict::Fail
        } else if self.errors.on() && wilson::upper(self.e, self.n) < self.rates().p1 {
            Verdict::Pass
        } else {
            Verdict::Inconclusive
        }
    }

    fn rates(&self) -> Rates {
        Rates::of_errors(&self.baseline, &self.policy)
    }

    fn rule(&self) -> Option<TripRule> {
        if self.errors.tripped() {
            Some(TripRule::Errors)
        } else if self.routes.tripped() {
            Some(TripRule::Route)
        } else if self.policy.latency == OnLatency::Revert && self.latency.tripped() {
            Some(TripRule::Latency)
        } else {
            None
        }
    }
}

/// As it was measured, and no less than so few failures allow to believe.
fn dispersion(baseline: &Baseline, rates: Rates) -> f64 {
    baseline.dispersion.max(dispersion::least(ten_minutes(baseline.requests, baseline.seconds), rates))
}
