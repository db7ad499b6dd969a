//! The latency rule: the machine of the error rule on slow attempts.
//!
//! Slow is measured against the service itself: no response head within tau, half as long again
//! as the baseline's 95th percentile and at least 50 ms more. An attempt counts when tau passes
//! and not when it ends, and again in each further second in which it hangs, or fifty clients that
//! all wait for ever would be one second's evidence. The baseline's share of slow attempts is
//! counted in the same way, from its histogram of times to first byte; attempts that never had a
//! response head are missing there, which makes the rule a little stricter, never laxer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cusum::{self, Cusum, Evidence, Most};
use super::rates::{Rates, ten_minutes};
use super::times::{Times, edge_after};
use super::verdict::RuleNumbers;
use super::{Baseline, Bucket, Policy, dispersion, wilson};

/// How often an attempt without a response head counts again: once a further second.
pub const SLOW_REPEATS_MAX: u32 = 6;

/// Fewer times say nothing of a 95th percentile.
const TIMED_MIN: u64 = 40;
/// tau without a baseline.
const SLOW_AFTER_DEFAULT: Duration = Duration::from_secs(2);
/// p0 is at least this; p1 is at least the other, and three times p0.
const SLOW_SHARE_MIN: f64 = 0.03;
const BAD_SHARE_MIN: f64 = 0.10;
const RATIO: f64 = 3.0;
const BAD_SHARE_MAX: f64 = 0.9;
/// So many different attempts must have been slow since the score was last 0.
const SLOW_MIN: u64 = 5;

/// The old colour's times to first byte, in what the rule needs of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyBaseline {
    /// Attempts that had a response head.
    pub timed: u64,
    /// Of those, how many counts of slow they would have made, repeats counted.
    pub slow: u64,
    /// The repeats among them.
    pub repeats: u64,
    /// The 95th percentile of the time to first byte.
    pub p95: Duration,
    /// tau: slow is what has no response head after this.
    pub slow_after: Duration,
    /// 1 to 8, over slices of ten seconds.
    pub dispersion: f64,
}

impl LatencyBaseline {
    /// `None` with under [`TIMED_MIN`] times. `parts` are the pieces that `all` is the sum of.
    pub(super) fn new<'b>(all: &Bucket, parts: impl Iterator<Item = &'b Bucket>) -> Option<Self> {
        let times = all.first_byte()?;
        let timed = times.total();
        if timed < TIMED_MIN {
            return None;
        }
        let p95 = times.percentile(95)?;
        let slow_after = edge_after((p95 * 3 / 2).max(p95 + Duration::from_millis(50)));
        let (slow, repeats) = slow_counts(times, slow_after);
        let scatter = parts.filter_map(Bucket::first_byte).map(|times| {
            let (slow, repeats) = slow_counts(times, slow_after);
            (times.total() + repeats, slow)
        });
        let dispersion = dispersion::of_intervals(scatter);
        Some(Self { timed, slow, repeats, p95, slow_after, dispersion })
    }
}

/// Counts of slow (repeats among them), and the repeats alone.
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

/// The rule's state in a bake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LatencyRule {
    cusum: Cusum,
    slow_after: Duration,
    /// Since the switch: attempts judged, and slow ones, repeats not counted.
    n: u64,
    slow: u64,
    /// Different slow attempts since the score was last 0.
    run: u64,
}

impl LatencyRule {
    pub(super) fn new(baseline: &Baseline, policy: &Policy, expected: f64) -> Self {
        let known = baseline.latency.as_ref();
        let dispersion = known.map_or(1.0, |latency| latency.dispersion);
        let seen = known.map_or(0, |latency| latency.timed + latency.repeats);
        let dispersion =
            dispersion.max(dispersion::least(ten_minutes(seen, baseline.seconds), rates(baseline)));
        let bound = cusum::bound(policy.alpha, expected, 0);
        Self {
            cusum: Cusum::new(rates(baseline), dispersion, baseline.many_clients(), bound),
            slow_after: known.map_or(SLOW_AFTER_DEFAULT, |latency| latency.slow_after),
            n: 0,
            slow: 0,
            run: 0,
        }
    }

    pub(super) fn observe(&mut self, bucket: &Bucket, policy: &Policy, expected: f64) {
        let good = bucket.first_byte().map_or(0, |times| times.under(self.slow_after));
        self.slow += bucket.slow;
        self.n += good + bucket.slow;
        // Of one second all are different: a repeat is of a request that no other count is of. Those
        // that hang since before the score rose are among them.
        self.run = (self.run + bucket.slow).max(bucket.slow + bucket.slow_repeats);
        let bad = bucket.slow + bucket.slow_repeats;
        let evidence = Evidence { bad, good, clients: bucket.waiting(), most: Most::Quarter };
        self.cusum.observe(evidence, cusum::bound(policy.alpha, expected, self.n));
        if self.cusum.score() <= 0.0 {
            self.run = 0;
        }
    }

    pub(super) fn tripped(&self) -> bool {
        self.cusum.tripped() && self.run >= SLOW_MIN
    }

    pub(super) fn slow_after(&self) -> Duration {
        self.slow_after
    }

    pub(super) fn reset(&mut self) {
        self.cusum.reset();
        self.run = 0;
    }

    pub(super) fn cap(&mut self) {
        self.cusum.cap();
    }

    pub(super) fn numbers(&self, baseline: &Baseline) -> RuleNumbers {
        let rates = rates(baseline);
        RuleNumbers {
            n: self.n,
            bad: self.slow,
            p0: rates.p0,
            p1: rates.p1,
            s: self.cusum.score(),
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
