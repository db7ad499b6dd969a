//! The error rule again for each route template. It catches a release that breaks one rare endpoint,
//! which the sum of all errors would hardly show.
//!
//! The chance of a false trip is split over the templates. Each rule's bound is that of alpha divided by
//! their number (Bonferroni), so that all of them together stay under alpha. A template of the old color
//! has its own baseline. A template that is new with the candidate has none; it is counted and shown, but
//! not judged.

use serde::{Deserialize, Serialize};

use super::cusum::{self, Cusum, Evidence, Most};
use super::rates::{Edition, Rates, ten_minutes};
use super::route::{RouteKey, RouteTemplate};
use super::verdict::RouteNumbers;
use super::{Baseline, Bucket, Policy, ROUTES_MAX, ROUTES_SHOWN, RouteBaseline, dispersion};

/// The rules of a bake.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RouteRules {
    /// Sorted by key.
    rules: Vec<RouteRule>,
    /// The number of rules that alpha is split over.
    split: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct RouteRule {
    key: RouteKey,
    baseline: RouteBaseline,
    cusum: Cusum,
    /// Requests and errors since the switch.
    n: u64,
    e: u64,
}

impl RouteRules {
    /// The rules of a bake of so many seconds.
    pub(crate) fn new(baseline: &Baseline, policy: &Policy, planned: u64) -> Self {
        let rates = |route: &RouteBaseline| Rates::of_route(route, policy, Edition::Second);
        let judged = baseline.routes.iter().filter(|route| rates(route).are_distinct(Edition::Second));
        let split = u32::try_from(judged.count().max(1)).unwrap_or(u32::MAX);
        let alpha = policy.alpha / f64::from(split);
        let bound = cusum::bound_of_seconds(alpha, planned);
        let mut rules: Vec<RouteRule> = baseline
            .routes
            .iter()
            .take(ROUTES_MAX)
            .map(|route| {
                let rates = rates(route);
                let dispersion = route
                    .dispersion
                    .max(dispersion::least(ten_minutes(route.requests, route.seconds), rates.p0));
                RouteRule {
                    key: RouteTemplate::from(route.route.as_str()).key(),
                    baseline: route.clone(),
                    cusum: Cusum::new(rates, dispersion, baseline.many_clients(), bound),
                    n: 0,
                    e: 0,
                }
            })
            .collect();
        rules.sort_by_key(|rule| rule.key);
        Self { rules, split }
    }

    /// Judges one closed second. A route without a baseline is counted from its first error on. `seconds`
    /// is the length of the bake; without it the bounds stay as they are.
    pub(crate) fn observe(&mut self, bucket: &Bucket, policy: &Policy, seconds: Option<u64>) {
        let alpha = policy.alpha / f64::from(self.split.max(1));
        for count in bucket.routes() {
            let key = count.route.key();
            let at = match self.rules.binary_search_by_key(&key, |rule| rule.key) {
                Ok(at) => at,
                Err(at) if self.rules.len() < ROUTES_MAX && count.errors > 0 => {
                    self.rules.insert(at, RouteRule::unknown(&count.route, policy));
                    at
                }
                Err(_) => continue,
            };
            let rule = &mut self.rules[at];
            let bad = u64::from(count.errors);
            let good = u64::from(count.requests.saturating_sub(count.errors));
            rule.n += u64::from(count.requests);
            rule.e += bad;
            let (clients, most) = (bucket.erring_on(key), Most::Quarter);
            let evidence = Evidence { bad, good, clients, most };
            match seconds {
                Some(seconds) => rule.cusum.observe(evidence, cusum::bound_of_seconds(alpha, seconds)),
                None => rule.cusum.add(evidence),
            }
        }
    }

    /// Whether the score of any route is at its bound.
    pub(crate) fn tripped(&self) -> bool {
        self.rules.iter().any(|rule| rule.cusum.tripped())
    }

    /// The score that is nearest to its bound, as a part of it.
    pub(crate) fn nearness(&self) -> f64 {
        self.rules.iter().map(|rule| rule.cusum.nearness()).fold(0.0, f64::max)
    }

    pub(crate) fn reset(&mut self) {
        self.rules.iter_mut().for_each(|rule| rule.cusum.reset());
    }

    pub(crate) fn halve(&mut self) {
        self.rules.iter_mut().for_each(|rule| rule.cusum.halve());
    }

    pub(crate) fn cap(&mut self) {
        self.rules.iter_mut().for_each(|rule| rule.cusum.cap());
    }

    /// How many templates are judged.
    pub(crate) fn judged(&self) -> usize {
        self.rules.iter().filter(|rule| rule.cusum.on()).count()
    }

    /// The routes with errors, the one nearest to its bound first, then by errors. There are at most
    /// `ROUTES_SHOWN`.
    pub(crate) fn numbers(&self, policy: &Policy, edition: Edition) -> Vec<RouteNumbers> {
        let mut erring: Vec<&RouteRule> = self.rules.iter().filter(|rule| rule.e > 0).collect();
        erring.sort_by(|a, b| {
            b.cusum.nearness().total_cmp(&a.cusum.nearness()).then(b.e.cmp(&a.e)).then(a.key.cmp(&b.key))
        });
        erring.into_iter().take(ROUTES_SHOWN).map(|rule| rule.numbers(policy, edition)).collect()
    }
}

impl RouteRule {
    /// A template without a baseline.
    fn unknown(route: &RouteTemplate, policy: &Policy) -> Self {
        let bound = cusum::bound_of_seconds(policy.alpha, 0);
        let baseline = RouteBaseline {
            route: route.as_str().to_owned(),
            requests: 0,
            errors: 0,
            seconds: 0,
            dispersion: 1.0,
        };
        Self {
            key: route.key(),
            cusum: Cusum::new(Rates::of_route(&baseline, policy, Edition::Second), 1.0, false, bound),
            baseline,
            n: 0,
            e: 0,
        }
    }

    fn numbers(&self, policy: &Policy, edition: Edition) -> RouteNumbers {
        let rates = Rates::of_route(&self.baseline, policy, edition);
        RouteNumbers {
            route: self.baseline.route.clone(),
            n: self.n,
            e: self.e,
            p0: rates.p0,
            p1: rates.p1,
            s: self.cusum.score(),
            h: self.cusum.bound(),
            baseline_requests: self.baseline.requests,
            baseline_errors: self.baseline.errors,
            rule_on: self.cusum.on(),
            tripped: self.cusum.tripped(),
        }
    }
}
