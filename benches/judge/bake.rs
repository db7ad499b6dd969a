//! One bake, with the real rolling baseline, the real judge, and the rivals beside it.

use greenlight::judge::{BaselineWindow, Bucket, Judge, Policy, TripRule};

use crate::random::Random;
use crate::rivals::{Known, RULES, Rivals};
use crate::streams::{BEFORE, Run, Second, Shape, Source, Traffic};

/// The result of one bake.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// Seconds from the switch to the trip, and the failures that users saw until then. `None` if no rule
    /// tripped.
    pub trip: Option<(i32, u64)>,
    /// The highest number of each rival.
    pub worst: [f64; RULES.len()],
    /// The first second in which each rival was over its limit, if limits are given.
    pub passed: [Option<i32>; RULES.len()],
}

/// The settings of one bake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub traffic: Traffic,
    /// The number of requests that the baseline is cut to. `None` leaves it whole.
    pub thin: Option<u32>,
    /// Whether the rivals run too.
    pub rivals: bool,
}

/// The number of clients beside the one that always fails.
const CLIENTS: u64 = 1000;
/// How many of those clients send requests in one second.
const CLIENTS_A_SECOND: u32 = 8;

/// Runs one bake. The rivals run if both the scenario and the flag beside `known` say so. It stops early when
/// neither the judge nor a rival can trip any more.
pub(crate) fn bake(
    setup: &Setup,
    source: &Source,
    limits: Option<&[f64; RULES.len()]>,
    random: &mut Random,
    (known, with_rivals): (&mut Known, bool),
) -> Outcome {
    let policy = Policy::default();
    let mut run = source.start(random);
    let mut window = BaselineWindow::default();
    let mut bucket = Bucket::default();
    let by_client = matches!(setup.traffic.shape, Shape::Client { .. });
    let with_rivals = setup.rivals && with_rivals;
    let mut last_minute = std::collections::VecDeque::with_capacity(60);
    known.clear();
    let mut left = setup.thin.unwrap_or(u32::MAX);
    let first = if setup.thin.is_some() { thin_start(setup) } else { -BEFORE };
    for at in first..0 {
        let second = cut(next(source, &mut run, at, random), &mut left);
        fill(&mut bucket, second, by_client, random);
        window.push(&bucket, &policy);
        if with_rivals {
            known.add(second);
            if last_minute.len() == 60 {
                last_minute.pop_front();
            }
            last_minute.push_back(second);
        }
    }
    let baseline = window.freeze(&policy);
    if with_rivals {
        known.close();
    }
    let rate = if baseline.seconds == 0 { 0.0 } else { baseline.requests as f64 / baseline.seconds as f64 };
    let mut judge = Judge::new(baseline, policy, rate * f64::from(setup.traffic.bake));
    let mut rivals = with_rivals.then(|| Rivals::new(known));
    if let Some(rivals) = &mut rivals {
        for &second in &last_minute {
            rivals.before(second);
        }
    }
    let mut outcome = Outcome::default();
    let mut seen = 0;
    for at in 0..setup.traffic.bake {
        let second = next(source, &mut run, at, random);
        seen += u64::from(second.bad);
        if outcome.trip.is_none() {
            fill(&mut bucket, second, by_client, random);
            if let Some(trip) = judge.observe(&bucket) {
                debug_assert_ne!(trip.rule, TripRule::HardDown);
                outcome.trip = Some((at + 1, seen));
            }
        }
        let Some(rivals) = &mut rivals else {
            if outcome.trip.is_some() {
                break;
            }
            continue;
        };
        rivals.observe(second, random);
        if let Some(limits) = limits {
            let mut waits = outcome.trip.is_none();
            for (rule, limit) in limits.iter().enumerate() {
                if outcome.passed[rule].is_none() && rivals.worst[rule] > *limit {
                    outcome.passed[rule] = Some(at + 1);
                }
                waits |= outcome.passed[rule].is_none() && limit.is_finite();
            }
            if !waits {
                break;
            }
        }
    }
    outcome.worst = rivals.map_or([0.0; RULES.len()], |rivals| rivals.worst);
    outcome
}

fn next(source: &Source, run: &mut Run, at: i32, random: &mut Random) -> Second {
    source.second(run, at, random)
}

/// The second in which a thin baseline begins. It is so late that the window holds all of the baseline.
fn thin_start(setup: &Setup) -> i32 {
    let requests = f64::from(setup.thin.unwrap_or(0));
    let seconds = (requests / setup.traffic.rps * 2.0).ceil().clamp(1.0, f64::from(BEFORE));
    -i32::try_from(crate::random::whole(seconds)).unwrap_or(BEFORE)
}

/// The second, cut to at most `left` requests. Its failures are cut in proportion. `left` is reduced by
/// the requests that stay.
fn cut(second: Second, left: &mut u32) -> Second {
    let n = second.good + second.bad;
    if n <= *left {
        *left -= n;
        return second;
    }
    let share = f64::from(*left) / f64::from(n);
    let bad = crate::random::whole((f64::from(second.bad) * share).round()).min(*left);
    let client_bad = second.client_bad.min(bad);
    let good = *left - bad;
    *left = 0;
    Second { good, bad, client_bad }
}

/// Fills the bucket with a second. If requests are counted by client, the successes are spread over random
/// clients, and the failures that no single client makes count without a client.
fn fill(bucket: &mut Bucket, second: Second, by_client: bool, random: &mut Random) {
    bucket.clear();
    if !by_client {
        bucket.add(None, second.good, second.bad);
        return;
    }
    if second.client_bad > 0 {
        bucket.add(Some(key(CLIENTS)), 0, second.client_bad);
    }
    bucket.add(None, 0, second.bad - second.client_bad);
    let mut good = second.good;
    for part in (1..=CLIENTS_A_SECOND).rev() {
        let some = good / part;
        if some > 0 {
            bucket.add(Some(key(random.bits() % CLIENTS)), some, 0);
            good -= some;
        }
    }
}

/// The key of a client, spread over all bits as the keys of the data plane are.
fn key(client: u64) -> u64 {
    Random::new(client, 7).bits()
}
