//! A CUSUM of Bernoulli log-likelihood ratios (E. S. Page, "Continuous Inspection Schemes",
//! Biometrika 41, 1954; its increments are those of A. Wald's sequential test, 1945).
//!
//! Each failure adds ln(p1/p0), and each success adds ln((1-p1)/(1-p0)), which is negative. The sum never
//! falls under 0. From any one start the ratio of likelihoods passes e^h with a chance of at most e^-h,
//! as long as the rate is p0 or less (Ville's inequality; Lorden, 1971, for the time to a false alarm). A
//! score is raised to 0 at the borders of seconds only. So a bake of T seconds has at most T starts, and h
//! = ln(T/alpha) keeps the chance of a false trip in the whole bake under alpha, however often the score
//! is looked at. (The latency rule counts one start for each request, which is more.)
//!
//! This bound on the chance has limits. It assumes that requests are independent, and that p0 is no less
//! than the true rate (a Wilson bound is too low in one sample of forty, and then by little). Dividing by
//! the dispersion repairs clumps only as far as baseline and memory showed them. And h is frozen while the
//! score is over 0. So if a bake lasts far longer than planned, the bound on the chance grows by a factor
//! of 1 + ln(seen / planned).
//!
//! Two limits work against that, and both only lower the score. An interval adds at most h/4 (h/2 where
//! an outage is ruled out, see `total`). Where the clients are many, one client adds at most h/4 since
//! the score was last 0.
//!
//! Scores are whole nano-nats. So sums do not depend on their order, and a score that was stored as text
//! is the same score when it is read back.

use serde::{Deserialize, Serialize};

use super::ClientKey;
use super::ledger::Ledger;
use super::rates::{Edition, Rates};

/// A bake is taken as no shorter than this many seconds.
const SECONDS_MIN: u64 = 300;
/// Nano-nats in a nat.
const NANO: f64 = 1e9;

/// One rule's running score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cusum {
    /// False if the two rates are too close to be told apart. Then nothing is ever added.
    on: bool,
    /// The nano-nats that a failure adds (`up`) and a success takes away (`down`), divided by the
    /// dispersion.
    up: i64,
    down: i64,
    score: i64,
    /// The score at which the rule trips. It is a multiple of 4, so that four full steps are exactly the
    /// bound.
    bound: i64,
    /// `Some` if one client alone must not move the traffic.
    ledger: Option<Ledger>,
}

/// The largest part of the bound that one interval may add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Most {
    Quarter,
    Half,
}

/// One interval's evidence.
pub(crate) struct Evidence<C> {
    pub(crate) bad: u64,
    pub(crate) good: u64,
    /// A part of `bad` by client. The rest of `bad` is charged to no client.
    pub(crate) clients: C,
    pub(crate) most: Most,
}

impl Cusum {
    /// A rule with score 0. `bound` is in nats and comes from [`bound`].
    pub(crate) fn new(rates: Rates, dispersion: f64, many_clients: bool, bound: f64) -> Self {
        let on = rates.are_distinct(Edition::Second);
        let (up, down) = if on { rates.weights() } else { (0.0, 0.0) };
        let dispersion = dispersion.max(1.0);
        Self {
            on,
            up: nano((up / dispersion * NANO).floor()),
            down: nano((down / dispersion * NANO).ceil()),
            score: 0,
            bound: whole(bound),
            ledger: many_clients.then(Ledger::default),
        }
    }

    /// Adds one interval. `bound` is the present bound in nats. It is adopted only while the score is 0;
    /// otherwise the old bound holds.
    pub(crate) fn observe(&mut self, evidence: Evidence<impl Iterator<Item = (ClientKey, u32)>>, bound: f64) {
        if self.on && self.score == 0 {
            self.bound = whole(bound);
        }
        self.add(evidence);
    }

    /// Adds one interval and keeps the bound.
    pub(crate) fn add(&mut self, evidence: Evidence<impl Iterator<Item = (ClientKey, u32)>>) {
        if !self.on {
            return;
        }
        let quarter = self.bound / 4;
        let step_max = match evidence.most {
            Most::Quarter => quarter,
            Most::Half => 2 * quarter,
        };
        let loss = times(self.down, evidence.good);
        let mut gain = times(self.up, evidence.bad);
        let mut charges = Vec::new();
        if let Some(ledger) = &self.ledger {
            for (client, bad) in evidence.clients {
                let wanted = times(self.up, u64::from(bad));
                let allowed = wanted.min(quarter - ledger.charged(client)).max(0);
                gain -= wanted - allowed;
                charges.push((client, allowed));
            }
        }
        let sum = gain.saturating_sub(loss);
        let step = sum.min(step_max);
        self.score = self.score.saturating_add(step).max(0);
        if let Some(ledger) = &mut self.ledger {
            if self.score == 0 {
                ledger.clear();
            } else {
                // If the step was cut, each client is charged only its part of the step that counted.
                // Otherwise an outage that hits all clients would use up all their quarters before the
                // rule trips.
                let counted = step.saturating_add(loss);
                for (client, allowed) in charges {
                    ledger.charge(client, part(allowed, counted, gain));
                }
            }
        }
    }

    /// Whether the score is at its bound.
    pub(crate) fn tripped(&self) -> bool {
        self.on && self.score >= self.bound
    }

    /// Whether the rule can tell its two rates apart.
    pub(crate) fn on(&self) -> bool {
        self.on
    }

    /// The score in nats.
    pub(crate) fn score(&self) -> f64 {
        self.score as f64 / NANO
    }

    /// The bound in nats.
    pub(crate) fn bound(&self) -> f64 {
        self.bound as f64 / NANO
    }

    /// The score as a part of the bound; 0 if the rule is off.
    pub(crate) fn nearness(&self) -> f64 {
        if self.on { self.score() / self.bound().max(f64::MIN_POSITIVE) } else { 0.0 }
    }

    /// Whether the part of one client is limited.
    pub(crate) fn many_clients(&self) -> bool {
        self.ledger.is_some()
    }

    /// Takes over the part of the bound that another score has reached, but no trip.
    pub(crate) fn carry(&mut self, other: &Self) {
        if self.on && other.on && other.bound > 0 {
            self.score = part(self.bound, other.score.clamp(0, other.bound), other.bound).min(self.bound - 1);
        }
    }

    /// Sets the score to 0 and empties the ledger.
    pub(crate) fn reset(&mut self) {
        self.score = 0;
        if let Some(ledger) = &mut self.ledger {
            ledger.clear();
        }
    }

    /// Lowers the score to half of its bound. What is left needs fresh evidence to trip.
    pub(crate) fn halve(&mut self) {
        self.score = self.score.min(self.bound / 2);
    }

    /// Lowers the score to its bound, so that it can fall again.
    pub(crate) fn cap(&mut self) {
        self.score = self.score.min(self.bound);
    }
}

/// The bound h in nats. `expected` requests may come, `seen` have come, and `alpha` is the chance of a
/// false trip. It counts 1000 requests at least.
pub(crate) fn bound(alpha: f64, expected: f64, seen: u64) -> f64 {
    bound_of(alpha, expected.max(seen as f64).max(1000.0))
}

/// The bound h in nats of a rule about errors. A score restarts at the borders of seconds only, so a bake
/// of so many seconds has at most that many starts. It counts 300 seconds at least.
pub(crate) fn bound_of_seconds(alpha: f64, seconds: u64) -> f64 {
    bound_of(alpha, seconds.max(SECONDS_MIN) as f64)
}

/// The bound h in nats for `requests` requests, without the minimum.
pub(crate) fn bound_of(alpha: f64, requests: f64) -> f64 {
    let alpha = if alpha > 0.0 { alpha.clamp(1e-9, 0.5) } else { 1e-9 };
    (requests.max(1.0) / alpha).ln()
}

fn times(weight: i64, count: u64) -> i64 {
    weight.saturating_mul(i64::try_from(count).unwrap_or(i64::MAX))
}

/// `amount * counted / all`, or `amount` if all of it counted. The result is rounded down, because four
/// clients that use up their quarters together must reach the bound.
fn part(amount: i64, counted: i64, all: i64) -> i64 {
    if counted >= all {
        return amount;
    }
    i64::try_from(i128::from(amount) * i128::from(counted) / i128::from(all)).unwrap_or(amount)
}

/// A bound in nano-nats, rounded up to the next multiple of 4.
fn whole(nats: f64) -> i64 {
    nano((nats * NANO / 4.0).ceil()) * 4
}

#[expect(clippy::cast_possible_truncation, reason = "bounds and weights are far under 2^63 nano-nats")]
pub(crate) fn nano(value: f64) -> i64 {
    value as i64
}
