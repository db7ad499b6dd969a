//! A CUSUM of Bernoulli log-likelihood ratios (E. S. Page, "Continuous Inspection Schemes",
//! Biometrika 41, 1954; its increments are those of A. Wald's sequential test, 1945).
//!
//! Each failure adds ln(p1/p0), each success ln((1-p1)/(1-p0)), and the sum never falls under 0.
//! From any one start the ratio of likelihoods passes e^h with a chance of at most e^-h while the
//! rate is p0 or less (Ville's inequality; Lorden, 1971, for the time to a false alarm). A bake
//! of N requests has at most N starts, so h = ln(N/alpha) keeps the chance of a false trip in the
//! whole bake under alpha, however often one looks.
//!
//! Where that bound stops: it takes requests for independent, and p0 for no less than the true
//! rate (a Wilson bound is too low in one sample of forty, and then by little). Dividing by the
//! dispersion repairs clumps only as far as the baseline showed them. And h is frozen while the
//! score is over 0, so if far more requests come than expected the bound grows by 1 + ln(seen /
//! expected) times.
//! Against it stand two limits that only lower the score: an interval adds at most h/4 (h/2 where
//! an outage is ruled out, see `total`), and where the clients are many, one client adds at most h/4
//! since the score was last 0.
//!
//! Scores are whole nano-nats: sums do not depend on their order, and a score that was stored as
//! text is the same score.

use serde::{Deserialize, Serialize};

use super::ClientKey;
use super::ledger::Ledger;
use super::rates::Rates;

/// Nano-nats in a nat.
const NANO: f64 = 1e9;

/// One rule's running score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cusum {
    /// False when the two rates are too close to be told apart: nothing is ever added.
    on: bool,
    /// What a failure adds and a success takes, dispersion counted, in nano-nats.
    up: i64,
    down: i64,
    score: i64,
    /// Trip at this score; a multiple of 4, so that four full steps are exactly the bound.
    bound: i64,
    /// `Some` where one client is not to move traffic alone.
    ledger: Option<Ledger>,
}

/// How much of the bound one interval adds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Most {
    Quarter,
    Half,
}

/// One interval's evidence.
pub(crate) struct Evidence<C> {
    pub(crate) bad: u64,
    pub(crate) good: u64,
    /// Some of `bad` by client; what is missing is nobody's.
    pub(crate) clients: C,
    pub(crate) most: Most,
}

impl Cusum {
    /// `bound` as of [`bound`], in nats.
    pub(crate) fn new(rates: Rates, dispersion: f64, many_clients: bool, bound: f64) -> Self {
        let (up, down) = if rates.are_distinct() { rates.weights() } else { (0.0, 0.0) };
        let dispersion = dispersion.max(1.0);
        Self {
            on: rates.are_distinct(),
            up: nano((up / dispersion * NANO).floor()),
            down: nano((down / dispersion * NANO).ceil()),
            score: 0,
            bound: whole(bound),
            ledger: many_clients.then(Ledger::default),
        }
    }

    /// Adds one interval. `bound` (nats) is the bound as it is now: taken while the score is 0,
    /// else the old one holds.
    pub(crate) fn observe(&mut self, evidence: Evidence<impl Iterator<Item = (ClientKey, u32)>>, bound: f64) {
        if !self.on {
            return;
        }
        if self.score == 0 {
            self.bound = whole(bound);
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
                // Of a step that was cut each client is charged its part of what counted: else an
                // outage that hits everybody would use everybody up before it is told.
                let counted = step.saturating_add(loss);
                for (client, allowed) in charges {
                    ledger.charge(client, part(allowed, counted, gain));
                }
            }
        }
    }

    pub(crate) fn tripped(&self) -> bool {
        self.on && self.score >= self.bound
    }

    pub(crate) fn on(&self) -> bool {
        self.on
    }

    /// Nats.
    pub(crate) fn score(&self) -> f64 {
        self.score as f64 / NANO
    }

    /// Nats.
    pub(crate) fn bound(&self) -> f64 {
        self.bound as f64 / NANO
    }

    /// Whether one client's part is limited.
    pub(crate) fn many_clients(&self) -> bool {
        self.ledger.is_some()
    }

    pub(crate) fn reset(&mut self) {
        self.score = 0;
        if let Some(ledger) = &mut self.ledger {
            ledger.clear();
        }
    }

    pub(crate) fn cap(&mut self) {
        self.score = self.score.min(self.bound);
    }
}

/// h in nats: `expected` requests may come and `seen` have come, `alpha` is the chance of a false trip.
pub(crate) fn bound(alpha: f64, expected: f64, seen: u64) -> f64 {
    bound_of(alpha, expected.max(seen as f64).max(1000.0))
}

/// The same for no more than so many requests.
pub(crate) fn bound_of(alpha: f64, requests: f64) -> f64 {
    let alpha = if alpha > 0.0 { alpha.clamp(1e-9, 0.5) } else { 1e-9 };
    (requests.max(1.0) / alpha).ln()
}

fn times(weight: i64, count: u64) -> i64 {
    weight.saturating_mul(i64::try_from(count).unwrap_or(i64::MAX))
}

/// `amount * counted / all`; `amount` when all of it counted. Rounded down: four clients that use
/// up their quarters together must reach the bound.
fn part(amount: i64, counted: i64, all: i64) -> i64 {
    if counted >= all {
        return amount;
    }
    i64::try_from(i128::from(amount) * i128::from(counted) / i128::from(all)).unwrap_or(amount)
}

/// A bound in nano-nats, up to the next multiple of 4.
fn whole(nats: f64) -> i64 {
    nano((nats * NANO / 4.0).ceil()) * 4
}

#[expect(clippy::cast_possible_truncation, reason = "bounds and weights are far under 2^63 nano-nats")]
pub(crate) fn nano(value: f64) -> i64 {
    value as i64
}
