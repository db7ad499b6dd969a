//! One imagined release. It has a frozen baseline, a judge with the given settings, and judges with others.

use crate::judge::{Baseline, Bucket, Judge, OnLatency, Policy, SLOW_REPEATS_MAX, TripRule, Verdict};

use super::finding::{Finding, Tripped};
use super::seconds::Seconds;

/// A change of one setting that the replay tries beside the given settings.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// The changed key as the configuration spells it, such as `ratio = 5.0`.
    pub name: &'static str,
    change: fn(&mut Policy),
}

/// All changes that the replay tries, one key at a time.
pub const VARIANTS: [Variant; 6] = [
    Variant { name: "ratio = 2.0", change: |policy| policy.ratio = 2.0 },
    Variant { name: "ratio = 5.0", change: |policy| policy.ratio = 5.0 },
    Variant { name: "add_points = 0.01", change: |policy| policy.add_points = 0.01 },
    Variant { name: "add_points = 0.05", change: |policy| policy.add_points = 0.05 },
    Variant { name: "rate_floor = 0.02", change: |policy| policy.rate_floor = 0.02 },
    Variant { name: "latency = \"off\"", change: |policy| policy.latency = OnLatency::Off },
];

/// An imagined release that is under way.
#[derive(Debug)]
pub(crate) struct Trial {
    /// The first second after the switch, in seconds since 1970.
    pub(crate) at: i64,
    requests_per_second: f64,
    judge: Option<Judge>,
    /// For each of [`VARIANTS`], whether it has tripped, and its judge. There is no judge after a trip, and
    /// none for a variant that changes nothing.
    variants: Vec<(bool, Option<Judge>)>,
    /// The highest score so far as a share of its bound, S/h.
    peak: f64,
    tripped: Option<Tripped>,
    verdict: Verdict,
}

impl Trial {
    pub(crate) fn new(at: i64, baseline: &Baseline, policy: &Policy, bake_seconds: u64) -> Self {
        let seconds = baseline.seconds.max(1) as f64;
        let requests_per_second = baseline.requests as f64 / seconds;
        let expected = requests_per_second * bake_seconds as f64;
        let warmup_max = std::time::Duration::from_secs(bake_seconds) / 2;
        let judge = |policy: Policy| {
            let latency_warmup = policy.latency_warmup.min(warmup_max);
            Judge::new(baseline.clone(), Policy { latency_warmup, ..policy }, expected)
        };
        let variants = VARIANTS.iter().map(|variant| {
            let mut changed = *policy;
            (variant.change)(&mut changed);
            // A variant that changes nothing would give the result of the given settings.
            (false, (changed != *policy).then(|| judge(changed)))
        });
        Self {
            at,
            requests_per_second,
            variants: variants.collect(),
            judge: Some(judge(*policy)),
            peak: 0.0,
            tripped: None,
            verdict: Verdict::Inconclusive,
        }
    }

    /// Gives the closed second `now` (in seconds since 1970) to every judge that still runs.
    pub(crate) fn observe(&mut self, now: i64, bucket: &Bucket, seconds: &Seconds) {
        let at = self.at;
        if let Some(judge) = &mut self.judge {
            let trip = observe(judge, at, now, bucket, seconds);
            self.verdict = judge.verdict();
            let numbers = judge.numbers();
            for (_, s, h) in numbers.scores().filter(|(_, _, h)| *h > 0.0) {
                self.peak = self.peak.max(s / h);
            }
            if let Some(rule) = trip {
                self.tripped = Some(Tripped { after_seconds: now - at + 1, rule, numbers });
                self.judge = None;
            }
        }
        for (tripped, judge) in &mut self.variants {
            if let Some(running) = judge
                && observe(running, at, now, bucket, seconds).is_some()
            {
                *tripped = true;
                *judge = None;
            }
        }
    }

    /// The result of the release so far.
    pub(crate) fn end(self) -> Finding {
        let given = self.tripped.is_some();
        let numbers = self.judge.as_ref().map(Judge::numbers);
        let numbers = numbers.or_else(|| self.tripped.as_ref().map(|tripped| tripped.numbers.clone()));
        // A variant that changes nothing has the result of the given settings.
        let variants =
            self.variants.iter().zip(VARIANTS).map(|((tripped, judge), _)| match (tripped, judge) {
                (true, _) => true,
                (false, Some(_)) => false,
                (false, None) => given,
            });
        Finding {
            at: self.at,
            requests_per_second: self.requests_per_second,
            variants: variants.collect(),
            peak: self.peak.min(1.0),
            verdict: self.verdict,
            numbers: numbers.unwrap_or_default(),
            tripped: self.tripped,
        }
    }
}

/// Gives one judge the second `now`. The function adds the requests that became slow in this second, and
/// those that were still slow, by the judge's own tau.
fn observe(judge: &mut Judge, at: i64, now: i64, bucket: &Bucket, seconds: &Seconds) -> Option<TripRule> {
    let slow_after = judge.slow_after();
    let Some(tau) = slow_after.and_then(|tau| i64::try_from(tau.as_millis()).ok()) else {
        return judge.observe(bucket).map(|trip| trip.rule);
    };
    let mut with_slow = None;
    for long in seconds.long() {
        // The old color answered requests that began before the switch.
        let slow_from = long.began_ms + tau;
        if long.began_ms < at * 1000 || slow_from >= long.ended_ms {
            continue;
        }
        let again = now - slow_from.div_euclid(1000);
        let still = slow_from + again * 1000 < long.ended_ms;
        if again < 0 || again > i64::from(SLOW_REPEATS_MAX) || !still {
            continue;
        }
        let counted = with_slow.get_or_insert_with(|| bucket.clone());
        if again == 0 {
            counted.record_slow(long.client);
        } else {
            counted.record_still_slow(long.client);
        }
    }
    judge.observe(with_slow.as_ref().unwrap_or(bucket)).map(|trip| trip.rule)
}
