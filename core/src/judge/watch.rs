//! The judge of one bake. It gets one closed bucket each second.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cusum::{self, Cusum, Evidence};
use super::latency::{LatencyRule, stall_after};
use super::rates::{Edition, Rates};
use super::route_rules::RouteRules;
use super::total::TotalFailure;
use super::{
    Baseline, Bucket, FAILURES_MAX, FailedRequest, Numbers, OnLatency, Policy, Trip, TripRule, Verdict,
    wilson,
};

/// The edition of the rules that a new judge has.
const SECOND: u8 = 2;
/// With a score of this part of its bound a candidate does not pass.
const SUSPECT: f64 = 0.5;
/// An error rate that no bake without a verdict may have.
const BAD_SHARE: f64 = 0.1;

/// The judge's state as plain data. It is stored with the service's record once a second, and a stored
/// judge goes on exactly from there (scores are integers, so that no digit is lost on the way through
/// text).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judge {
    baseline: Baseline,
    policy: Policy,
    /// Requests expected in the bake.
    expected: f64,
    /// Requests and errors since the switch.
    n: u64,
    e: u64,
    /// The buckets that were judged, which is the seconds since the switch.
    seconds: u64,
    /// The seconds since the candidate's first request, its canary included. It is `None` in a judge that an
    /// older build has stored; the warm-up of such a judge runs from the switch.
    #[serde(default)]
    warm: Option<u64>,
    errors: Cusum,
    #[serde(default)]
    total: TotalFailure,
    latency: LatencyRule,
    #[serde(default)]
    routes: RouteRules,
    /// The first requests that failed, oldest first.
    #[serde(default)]
    first_failures: Vec<FailedRequest>,
    /// 2 since the memory. A judge that an older build stored has 0, and goes on by its own rules.
    #[serde(default)]
    edition: u8,
    /// The seconds that the bake is planned to last.
    #[serde(default)]
    planned: u64,
    /// Whether a rule that reverts has been at its bound since the last reset.
    failed: bool,
}

impl Judge {
    /// A judge for a bake in which about `expected_requests` will come at the baseline's rate.
    pub fn new(baseline: Baseline, policy: Policy, expected_requests: f64) -> Self {
        let seconds = expected_requests * baseline.seconds as f64 / baseline.requests.max(1) as f64;
        let lasts = Duration::try_from_secs_f64(seconds.ceil()).unwrap_or_default();
        Self::lasting(lasts, baseline, policy, expected_requests)
    }

    /// A judge for a bake of this length, in which about `expected_requests` will come.
    pub fn lasting(lasts: Duration, baseline: Baseline, policy: Policy, expected_requests: f64) -> Self {
        // A whole number, so that it reads back from text as the same number.
        let expected = if expected_requests.is_finite() { expected_requests.max(0.0).ceil() } else { 0.0 };
        let planned = lasts.as_secs();
        let bound = cusum::bound_of_seconds(policy.alpha, planned);
        let rates = Rates::of_errors(&baseline, &policy, Edition::Second);
        Self {
            errors: Cusum::new(rates, baseline.scatter(rates), baseline.many_clients(), bound),
            total: TotalFailure::default(),
            latency: LatencyRule::new(&baseline, &policy, expected),
            routes: RouteRules::new(&baseline, &policy, planned),
            first_failures: Vec::new(),
            edition: SECOND,
            planned,
            expected,
            n: 0,
            e: 0,
            seconds: 0,
            warm: Some(0),
            failed: false,
            baseline,
            policy,
        }
    }

    /// Judges one closed second of the candidate. It also gets the seconds without a request. A trip is
    /// returned each time that a score is at its bound.
    pub fn observe(&mut self, bucket: &Bucket) -> Option<Trip> {
        self.n += bucket.requests;
        self.e += bucket.errors;
        // There may be more errors than requests, because responses that were counted before have broken
        // off.
        let good = bucket.requests.saturating_sub(bucket.errors);
        let most = self.total.observe(good, bucket.errors);
        let evidence = Evidence { bad: bucket.errors, good, clients: bucket.erring(), most };
        let seconds = self.planned.max(self.seconds);
        match self.edition() {
            // The bound of the older build stays as it was stored.
            Edition::First => self.errors.add(evidence),
            Edition::Second => {
                self.errors.observe(evidence, cusum::bound_of_seconds(self.policy.alpha, seconds));
            }
        }
        self.routes.observe(bucket, &self.policy, (self.edition() == Edition::Second).then_some(seconds));
        if let Some(limit) = self.slow_after() {
            self.latency.observe(bucket, limit, &self.baseline, &self.policy, self.expected);
            if self.policy.latency == OnLatency::Notify {
                // Nothing follows from it, so the score may fall again.
                self.latency.cap();
            }
        }
        self.seconds = self.seconds.saturating_add(1);
        if let Some(warm) = self.warm.as_mut().filter(|warm| **warm > 0 || !bucket.is_empty()) {
            *warm = warm.saturating_add(1);
        }
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

    /// Sets the scores to 0 and takes earlier trips back, because an outside cause has ended. The counts
    /// stay.
    pub fn reset(&mut self) {
        self.errors.reset();
        self.total = TotalFailure::default();
        self.latency.reset();
        self.routes.reset();
        self.failed = false;
    }

    /// The same watch by another baseline, which came late. Counts stay, and the score keeps its part of the
    /// bound, since a suspicion is not thrown away. The old baseline's trips are.
    #[must_use]
    pub fn rebased(self, lasts: Duration, baseline: Baseline, expected_requests: f64) -> Self {
        let mut judge = Self::lasting(lasts, baseline, self.policy, expected_requests);
        judge.errors.carry(&self.errors);
        Self {
            n: self.n,
            e: self.e,
            seconds: self.seconds,
            warm: self.warm,
            total: self.total,
            first_failures: self.first_failures,
            ..judge
        }
    }

    /// Takes earlier trips back, because the cause was outside. Up to half of the bound of a score about
    /// errors is kept, so that a trip needs fresh evidence and a suspicion is not thrown away.
    pub fn excuse(&mut self) {
        self.errors.halve();
        self.routes.halve();
        self.failed = false;
    }

    /// Lowers each score to its bound, so that the score of a degraded release can fall again.
    pub fn cap(&mut self) {
        self.errors.cap();
        self.latency.cap();
        self.routes.cap();
    }

    /// The time without a response head after which an attempt is slow now (see [`Bucket::record_slow`]). It
    /// is tau, or the limit of a hang ([`Self::stall_after`]) while the candidate is still warming up. An
    /// attempt that waits longer than tau at the end of the warm-up counts as slow then. `None` if the rule
    /// is off.
    pub fn slow_after(&self) -> Option<Duration> {
        let stall_after = self.stall_after()?;
        // A slow service may have a tau above the limit of a hang.
        let tau = self.latency.slow_after();
        Some(if self.is_warm() { tau } else { stall_after.max(tau) })
    }

    /// The time without a byte after which a response body stalls. A hang that is this long is slow from the
    /// candidate's first second on, because no cold cache explains it. `None` if the latency rule is off.
    pub fn stall_after(&self) -> Option<Duration> {
        (self.policy.latency != OnLatency::Off).then(|| stall_after(&self.baseline))
    }

    /// The seconds for which the candidate has had requests.
    pub fn warm_seconds(&self) -> u64 {
        self.warm.unwrap_or(self.seconds)
    }

    /// Counts seconds in which the candidate had requests before this judge began, as in a canary.
    #[must_use]
    pub fn warmed_for(mut self, seconds: u64) -> Self {
        self.warm = Some(seconds);
        self
    }

    /// Whether the latency rule is at its bound and the policy only tells people.
    pub fn notifies_slow(&self) -> bool {
        self.policy.latency == OnLatency::Notify && self.latency.tripped()
    }

    /// Whether the warm-up is over.
    fn is_warm(&self) -> bool {
        self.warm_seconds() >= self.policy.latency_warmup.as_secs()
    }

    /// The numbers of every rule as they are now.
    pub fn numbers(&self) -> Numbers {
        let rates = self.rates();
        let dispersion = self.baseline.scatter(rates);
        let usual = self.baseline.usual.unwrap_or_default();
        let latency = self.policy.latency != OnLatency::Off;
        Numbers {
            n: self.n,
            e: self.e,
            p0: rates.p0,
            p1: rates.p1,
            s: self.errors.score(),
            h: self.errors.bound(),
            dispersion,
            baseline_requests: self.baseline.requests,
            baseline_errors: self.baseline.errors,
            rule_on: self.errors.on(),
            usual_requests: usual.requests,
            usual_errors: usual.errors,
            upper: wilson::upper_of_clumps(self.e, self.n, dispersion),
            lower: wilson::lower_of_clumps(self.e, self.n, dispersion),
            many_clients: self.errors.many_clients(),
            latency: latency.then(|| self.latency.numbers(&self.baseline)),
            rule: self.rule(),
            routes: self.routes.numbers(&self.policy, self.edition()),
            routes_judged: self.routes.judged(),
            first_failures: self.first_failures.clone(),
        }
    }

    /// The verdict if the bake ended now. It is fail if a rule has tripped. It is pass if the error rate is
    /// surely under p1 and no score stands at half of its bound. It is inconclusive if there is too little
    /// traffic to say so.
    pub fn verdict(&self) -> Verdict {
        if self.failed {
            Verdict::Fail
        } else if self.passes() {
            Verdict::Pass
        } else {
            Verdict::Inconclusive
        }
    }

    fn passes(&self) -> bool {
        let rates = self.rates();
        let upper = wilson::upper_of_clumps(self.e, self.n, self.baseline.scatter(rates));
        self.errors.on()
            && upper < rates.p1
            && self.suspicion() < SUSPECT
            && rates.mean_something(&self.baseline)
    }

    /// The largest score of the rules that revert, as a part of its bound.
    pub fn suspicion(&self) -> f64 {
        let latency = if self.policy.latency == OnLatency::Revert {
            let numbers = self.latency.numbers(&self.baseline);
            if numbers.rule_on && numbers.h > 0.0 { numbers.s / numbers.h } else { 0.0 }
        } else {
            0.0
        };
        self.errors.nearness().max(self.routes.nearness()).max(latency)
    }

    /// Whether the candidate surely fails more than one request in ten, and more than the baseline leaves
    /// room for. Then a bake without a verdict is not good enough.
    pub fn surely_fails(&self) -> bool {
        let rates = self.rates();
        let lower = wilson::lower_of_clumps(self.e, self.n, self.baseline.scatter(rates));
        lower > rates.p0.max(BAD_SHARE)
    }

    fn edition(&self) -> Edition {
        if self.edition < SECOND { Edition::First } else { Edition::Second }
    }

    fn rates(&self) -> Rates {
        Rates::of_errors(&self.baseline, &self.policy, self.edition())
    }

    /// The first rule at its bound, of those that revert.
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
