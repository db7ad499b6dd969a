//! The latency rule. It is the CUSUM of the error rule, applied to slow attempts.
//!
//! The limit for slow is measured on the service itself. An attempt is slow if it has no response head
//! within tau, which is half as long again as the baseline's 95th percentile and at least 250 ms more. A
//! smaller margin would take a noisy neighbor of some seconds for a bad version. An
//! attempt counts when tau passes and not when it ends, and it counts again in each further second in
//! which it hangs. Otherwise fifty clients that all wait for ever would be evidence of one second only.
//! The baseline's share of slow attempts is counted in the same way, from its histogram of times to first
//! byte. Attempts that never had a response head are missing in the histogram, which makes the rule a
//! little stricter, never laxer.
//!
//! A response body that brings no byte for a while ([`stall_after`]) counts in the same way. So does a client
//! that gives up on a response that is slow already, because its users see no answer. Both are counted on the
//! old color too, and added to the baseline's share.
//!
//! A repeated count shows that a hang lasts, and not that there are more hangs, since one attempt is one
//! piece of evidence. Five polls of half a minute are 35 counts. A baseline of a hundred requests may
//! hold two such polls by chance, and then those counts would be held against the candidate. So the
//! different attempts of the run, each counted once, must be enough evidence too. They are judged at the
//! rate that says most (the generalized likelihood ratio; D. Siegmund and E. S. Venkatraman, "Using the
//! Generalized Likelihood Ratio Statistic for Sequential Detection of a Change-Point", Annals of
//! Statistics 23, 1995), against the share of attempts that may have been slow before. Where nothing is
//! counted twice, this condition is never met later than the score's, because the score is the same ratio
//! over the same run at one fixed rate.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cusum::{self, Cusum, Evidence, Most};
use super::rates::{Rates, ten_minutes};
use super::times::{Times, edge_after};
use super::verdict::RuleNumbers;
use super::{Baseline, Bucket, LatencyBaseline, Policy, dispersion, wilson};

/// How often an attempt without a response head counts again, once in each further second.
pub const SLOW_REPEATS_MAX: u32 = 6;

/// The least number of timed attempts. Fewer say nothing about a 95th percentile.
const TIMED_MIN: u64 = 40;
/// tau is at least this much more than the 95th percentile.
const MARGIN: Duration = Duration::from_millis(250);
/// The least time without a byte after which a body stalls.
pub const STALL_AFTER_MIN: Duration = Duration::from_secs(5);
/// A hang is at least this many times the baseline's 95th percentile.
const STALL_RATIO: u32 = 10;
/// tau without a baseline.
const SLOW_AFTER_DEFAULT: Duration = Duration::from_secs(2);
/// p0 is at least `SLOW_SHARE_MIN`. p1 is at least `BAD_SHARE_MIN`, and `RATIO` times p0.
const SLOW_SHARE_MIN: f64 = 0.03;
const BAD_SHARE_MIN: f64 = 0.10;
const RATIO: f64 = 3.0;
const BAD_SHARE_MAX: f64 = 0.9;
/// The number of different attempts that must have been slow since the score was last 0.
const SLOW_MIN: u64 = 5;
/// The worth, in billionths, at which the different attempts are enough evidence.
const ENOUGH: i64 = 1_000_000_000;

impl LatencyBaseline {
    /// The latency baseline; `None` with fewer than [`TIMED_MIN`] times. `parts` are the buckets whose
    /// sum is `all`.
    pub(crate) fn new<'b>(all: &Bucket, parts: impl Iterator<Item = &'b Bucket>) -> Option<Self> {
        let times = all.first_byte()?;
        let timed = times.total();
        if timed < TIMED_MIN {
            return None;
        }
        let p95 = times.percentile(95)?;
        let slow_after = edge_after((p95 * 3 / 2).max(p95 + MARGIN));
        let (slow, repeats) = slow_counts(times, slow_after);
        let (slow, repeats) = (slow + all.stalled + all.stalled_repeats, repeats + all.stalled_repeats);
        let scatter = parts.filter_map(|part| Some((part, part.first_byte()?))).map(|(part, times)| {
            let (slow, repeats) = slow_counts(times, slow_after);
            (times.total() + repeats + part.stalled_repeats, slow + part.stalled + part.stalled_repeats)
        });
        let dispersion = dispersion::of_intervals(scatter);
        Some(Self { timed, slow, repeats, p95, slow_after, dispersion })
    }
}

/// The time without a head or a byte of the body that no warm-up explains.
pub(crate) fn stall_after(baseline: &Baseline) -> Duration {
    let p95 = baseline.latency.as_ref().map_or(Duration::ZERO, |latency| latency.p95);
    edge_after((p95 * STALL_RATIO).max(STALL_AFTER_MIN))
}

/// The counts of slow with repeats, and the repeats alone.
fn slow_counts(times: &Times, slow_after: Duration) -> (u64, u64) {
    let (mut slow, mut repeats) = (0, 0);
    for (time, count) in times.bins() {
        let Some(over) = time.checked_sub(slow_after) else { continue };
        let again = over.as_secs().min(u64::from(SLOW_REPEATS_MAX));
        repeats += u64::from(count) * again;
        slow += u64::from(count) * (1 + again);
    }
    (slow, repeats)
}

/// The state of the rule in a bake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LatencyRule {
    cusum: Cusum,
    slow_after: Duration,
    /// The attempts that were judged since the switch, and the slow ones among them without repeats.
    n: u64,
    slow: u64,
    run: Run,
}

/// The attempts since the score was last 0, or since different attempts were last slow no more often than
/// before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Run {
    /// The attempts and the slow ones among them, each counted once.
    n: u64,
    slow: u64,
    /// How many different attempts were slow. It is the larger of those in the run and those at once in
    /// the last second.
    different: u64,
    /// The worth of these attempts as evidence, in billionths of enough.
    worth: i64,
}

impl Run {
    /// Adds a second. `enough` is in nats.
    fn observe(&mut self, bucket: &Bucket, good: u64, most: Shares, enough: f64) {
        self.n += good + bucket.slow;
        self.slow += bucket.slow;
        if self.slow as f64 <= most.of_attempts * self.n as f64 {
            (self.n, self.slow) = (0, 0);
        }
        // All counts of one second are of different attempts, because a repeat in it belongs to an
        // attempt with no other count in it. So attempts that have hung since before the run began show
        // in the share that hangs at once.
        let at_once = bucket.slow + bucket.slow_repeats;
        let of_run = likelihood_ratio(self.slow, self.n, most.of_attempts);
        let of_second = likelihood_ratio(at_once, good + at_once, most.of_counts);
        self.different = self.slow.max(at_once);
        self.worth = cusum::nano(of_run.max(of_second) / enough * ENOUGH as f64);
    }
}

/// The likelihood ratio, in nats, of the rate `bad / n` against `p0`. It is 0 if that rate is not over
/// `p0`.
fn likelihood_ratio(bad: u64, n: u64, p0: f64) -> f64 {
    let (bad, n) = (bad as f64, n as f64);
    let term = |count: f64, p0: f64| if count > 0.0 { count * (count / (n * p0)).ln() } else { 0.0 };
    if bad > p0 * n { term(bad, p0) + term(n - bad, 1.0 - p0) } else { 0.0 }
}

/// The largest shares that may have been slow before, as far as different attempts show it.
#[derive(Clone, Copy, Debug)]
struct Shares {
    /// The share of attempts.
    of_attempts: f64,
    /// The share of counts. It assumes that share of attempts, and as many counts for each attempt as in
    /// the baseline.
    of_counts: f64,
}

impl Shares {
    fn new(baseline: &Baseline) -> Self {
        let Some(known) = &baseline.latency else {
            return Self { of_attempts: SLOW_SHARE_MIN, of_counts: SLOW_SHARE_MIN };
        };
        let different = known.slow.saturating_sub(known.repeats);
        let share = wilson::upper(different, known.timed);
        let each = known.slow as f64 / different.max(1) as f64;
        let counts = share * each.max(1.0);
        Self { of_attempts: share, of_counts: counts / (counts + 1.0 - share) }
    }
}

impl LatencyRule {
    /// The rule for a bake of `expected` requests.
    pub(crate) fn new(baseline: &Baseline, policy: &Policy, expected: f64) -> Self {
        let known = baseline.latency.as_ref();
        let dispersion = known.map_or(1.0, |latency| latency.dispersion);
        let seen = known.map_or(0, |latency| latency.timed + latency.repeats);
        let dispersion =
            dispersion.max(dispersion::least(ten_minutes(seen, baseline.seconds), rates(baseline).p0));
        let bound = cusum::bound(policy.alpha, expected, 0);
        Self {
            cusum: Cusum::new(rates(baseline), dispersion, baseline.many_clients(), bound),
            slow_after: known.map_or(SLOW_AFTER_DEFAULT, |latency| latency.slow_after),
            n: 0,
            slow: 0,
            run: Run::default(),
        }
    }

    /// Judges one closed second, whose slow attempts had no head within `limit`.
    pub(crate) fn observe(
        &mut self,
        bucket: &Bucket,
        limit: Duration,
        baseline: &Baseline,
        policy: &Policy,
        expected: f64,
    ) {
        let good = bucket.first_byte().map_or(0, |times| times.under(limit));
        self.slow += bucket.slow;
        self.n += good + bucket.slow;
        let bad = bucket.slow + bucket.slow_repeats;
        let evidence = Evidence { bad, good, clients: bucket.waiting(), most: Most::Quarter };
        self.cusum.observe(evidence, cusum::bound(policy.alpha, expected, self.n));
        let enough = cusum::bound_of(policy.alpha, expected.max(self.n as f64)).min(self.cusum.bound());
        self.run.observe(bucket, good, Shares::new(baseline), enough);
        if self.cusum.score() <= 0.0 {
            self.run = Run::default();
        }
    }

    /// Whether the score is at its bound and the different attempts are enough evidence too.
    pub(crate) fn tripped(&self) -> bool {
        self.cusum.tripped() && self.run.different >= SLOW_MIN && self.run.worth >= ENOUGH
    }

    /// The score in nats. It is the running sum, or the worth of the different attempts as a part of the
    /// bound if that is less.
    fn score(&self) -> f64 {
        let part = self.run.worth as f64 / ENOUGH as f64;
        self.cusum.score().min(self.cusum.bound() * part)
    }

    pub(crate) fn slow_after(&self) -> Duration {
        self.slow_after
    }

    pub(crate) fn reset(&mut self) {
        self.cusum.reset();
        self.run = Run::default();
    }

    pub(crate) fn cap(&mut self) {
        self.cusum.cap();
    }

    pub(crate) fn numbers(&self, baseline: &Baseline) -> RuleNumbers {
        let rates = rates(baseline);
        RuleNumbers {
            n: self.n,
            bad: self.slow,
            p0: rates.p0,
            p1: rates.p1,
            s: self.score(),
            h: self.cusum.bound(),
            slow_after_ms: u64::try_from(self.slow_after.as_millis()).unwrap_or(u64::MAX),
            rule_on: self.cusum.on(),
            tripped: self.tripped(),
        }
    }
}

fn rates(baseline: &Baseline) -> Rates {
    let upper = baseline
        .latency
        .as_ref()
        .map_or(0.0, |latency| wilson::upper(latency.slow, latency.timed + latency.repeats));
    let p0 = upper.max(SLOW_SHARE_MIN);
    Rates { p0, p1: (RATIO * p0).clamp(BAD_SHARE_MIN, BAD_SHARE_MAX) }
}
