//! The latency rule: its time limit, its counts and its trips.

use std::time::Duration;

use super::super::cusum::{self, Cusum, Evidence};
use super::super::rates::{Rates, ten_minutes};
use super::super::{BaselineWindow, OnLatency, TripRule, Verdict, dispersion};
use super::*;

fn policy(latency: OnLatency) -> Policy {
    Policy { latency, latency_warmup: Duration::from_secs(10), ..Policy::default() }
}

/// A second of 100 requests of 50 clients: `slow` of them wait `late`, the rest 20 ms.
fn second(slow: u64, late: Duration) -> Bucket {
    let mut bucket = Bucket::default();
    for i in 0..100 {
        let time = if i < slow { late } else { Duration::from_millis(20) };
        bucket.record(Random(i % 50).bits(), Outcome::Success, Some(time));
    }
    bucket
}

/// The baseline of two minutes of such seconds.
fn known(slow: u64, late: Duration) -> Baseline {
    let mut window = BaselineWindow::default();
    for _ in 0..120 {
        window.push(&second(slow, late), &Policy::default());
    }
    window.freeze(&Policy::default())
}

/// A second of the candidate in which `slow` attempts pass the limit and hang, `repeats` attempts still
/// hang, and `good` attempts are quick.
fn hanging(slow: u64, repeats: u64, good: u64) -> Bucket {
    let mut bucket = Bucket::default();
    for i in 0..good {
        bucket.record(Random(i % 50).bits(), Outcome::Success, Some(Duration::from_millis(20)));
    }
    (0..slow).for_each(|i| bucket.record_slow(Random(100 + i).bits()));
    (0..repeats).for_each(|i| bucket.record_still_slow(Random(100 + i).bits()));
    bucket
}

fn warmed(latency: OnLatency, baseline: Baseline) -> Judge {
    let mut judge = Judge::new(baseline, policy(latency), 30_000.0);
    for _ in 0..10 {
        assert_eq!(judge.observe(&hanging(0, 0, 100)), None);
    }
    judge
}

#[test]
fn the_limit_is_measured_on_the_service_itself() {
    let steady = known(0, Duration::ZERO).latency.unwrap();
    assert!((20..24).contains(&steady.p95.as_millis()), "{steady:?}");
    assert!((270..300).contains(&steady.slow_after.as_millis()), "p95 + 250 ms: {steady:?}");
    assert_eq!((steady.timed, steady.slow), (12_000, 0));
    let tailed = known(10, Duration::from_millis(400)).latency.unwrap();
    assert!((600..800).contains(&tailed.slow_after.as_millis()), "1.5 p95: {tailed:?}");
    let none = warmed(OnLatency::Revert, Baseline::default());
    assert_eq!(none.slow_after(), Some(Duration::from_secs(2)));
    assert_eq!(warmed(OnLatency::Off, Baseline::default()).slow_after(), None);
    assert_eq!(known(0, Duration::ZERO).clients, 20);
}

#[test]
fn hanging_requests_of_the_baseline_count_as_often_as_the_candidates() {
    // 1 in 100 takes 4 s: it passes the limit once and then three whole seconds more.
    let latency = known(1, Duration::from_secs(4)).latency.unwrap();
    assert_eq!((latency.slow, latency.repeats), (480, 360));
    // An attempt that takes a minute counts seven times at most.
    let latency = known(1, Duration::from_mins(1)).latency.unwrap();
    assert_eq!((latency.slow, latency.repeats), (840, 720));
}

#[test]
fn slow_requests_trip_after_the_warm_up_and_hangs_from_the_first_second() {
    let mut judge = Judge::new(known(0, Duration::ZERO), policy(OnLatency::Revert), 30_000.0);
    // Nobody asks for an hour, and the warm-up has not begun.
    for _ in 0..3600 {
        assert_eq!(judge.observe(&Bucket::default()), None);
    }
    let hang = judge.stall_after().unwrap();
    assert!((5_000..5_500).contains(&hang.as_millis()), "{hang:?}");
    for n in 1..=10 {
        assert_eq!(judge.slow_after(), Some(hang), "warm-up, second {n}");
        // A cold cache answers in half a second.
        assert_eq!(judge.observe(&second(100, Duration::from_millis(500))), None);
    }
    assert_eq!(judge.slow_after().unwrap(), known(0, Duration::ZERO).latency.unwrap().slow_after);
    let took = (1..=20).find(|_| judge.observe(&hanging(100, 0, 0)).is_some());
    assert_eq!(took, Some(4));
    let trip = judge.observe(&hanging(100, 0, 0)).unwrap();
    assert_eq!(trip.rule, TripRule::Latency);
    assert!(trip.numbers.latency.unwrap().tripped && judge.verdict() == Verdict::Fail);

    let mut hanged = Judge::new(known(0, Duration::ZERO), policy(OnLatency::Revert), 30_000.0);
    let took = (1..=20).find(|_| hanged.observe(&hanging(100, 0, 0)).is_some());
    assert_eq!(took, Some(4), "a request without a head for five seconds is not a cold cache");
}

#[test]
fn a_canary_has_warmed_the_candidate() {
    let judge = Judge::new(known(0, Duration::ZERO), policy(OnLatency::Revert), 30_000.0);
    let tau = known(0, Duration::ZERO).latency.unwrap().slow_after;
    assert_ne!(judge.slow_after(), Some(tau));
    assert_eq!(judge.clone().warmed_for(9).slow_after(), judge.slow_after());
    assert_eq!(judge.warmed_for(10).slow_after(), Some(tau));
}

/// A judge of an older build has no count of its warm seconds. Its warm-up goes on from the switch.
#[test]
fn a_judge_that_an_older_build_stored_keeps_its_warm_up() {
    let mut judge = Judge::new(known(0, Duration::ZERO), policy(OnLatency::Revert), 30_000.0);
    (0..10).for_each(|_| assert_eq!(judge.observe(&Bucket::default()), None));
    let mut stored = serde_json::to_value(&judge).unwrap();
    stored.as_object_mut().unwrap().remove("warm").unwrap();
    let old: Judge = serde_json::from_value(stored).unwrap();
    assert_ne!(judge.slow_after(), old.slow_after());
    assert_eq!(old.slow_after().unwrap(), known(0, Duration::ZERO).latency.unwrap().slow_after);
}

#[test]
fn bodies_that_stall_in_the_baseline_are_expected_of_the_candidate() {
    let mut window = BaselineWindow::default();
    for _ in 0..120 {
        let mut bucket = second(0, Duration::ZERO);
        (bucket.stalled, bucket.stalled_repeats) = (10, 60);
        window.push(&bucket, &Policy::default());
    }
    let baseline = window.freeze(&Policy::default());
    let latency = baseline.latency.clone().unwrap();
    assert_eq!((latency.slow, latency.repeats), (120 * 70, 120 * 60));
    let mut judge = warmed(OnLatency::Revert, baseline);
    assert!((0..60).all(|_| judge.observe(&hanging(10, 60, 100)).is_none()), "as before");
    let mut worse = warmed(OnLatency::Revert, known(0, Duration::ZERO));
    assert!((0..60).any(|_| worse.observe(&hanging(10, 60, 100)).is_some()), "new with the candidate");
}

#[test]
fn a_slow_share_as_before_does_not_trip() {
    let mut judge = warmed(OnLatency::Revert, known(0, Duration::ZERO));
    for _ in 0..300 {
        assert_eq!(judge.observe(&hanging(3, 0, 97)), None);
    }
    let took = (1..=60).find(|_| judge.observe(&hanging(20, 0, 80)).is_some());
    assert!(took.is_some_and(|seconds| seconds <= 6), "{took:?}");
}

#[test]
fn five_different_requests_must_be_slow() {
    let baseline = Baseline { clients: 3, ..known(0, Duration::ZERO) };
    for (slow, trips) in [(4, false), (5, true)] {
        let mut judge = warmed(OnLatency::Revert, baseline.clone());
        judge.observe(&hanging(slow, 0, 0));
        let tripped = (0..6).any(|_| judge.observe(&hanging(0, slow, 0)).is_some());
        assert_eq!(tripped, trips, "{slow} requests that hang");
    }
}

#[test]
fn notify_tells_and_off_is_off() {
    let mut judge = warmed(OnLatency::Notify, known(0, Duration::ZERO));
    for _ in 0..10 {
        assert_eq!(judge.observe(&hanging(100, 0, 0)), None);
    }
    assert!(judge.numbers().latency.unwrap().tripped && !judge.tripped());
    let mut off = warmed(OnLatency::Off, known(0, Duration::ZERO));
    for _ in 0..10 {
        assert_eq!(off.observe(&hanging(100, 0, 0)), None);
    }
    assert_eq!(off.numbers().latency, None);
}

#[test]
fn the_rule_survives_the_store() {
    let mut judge = warmed(OnLatency::Revert, known(7, Duration::from_millis(333)));
    judge.observe(&hanging(5, 5, 50));
    let text = serde_json::to_string(&judge).unwrap();
    assert_eq!(serde_json::from_str::<Judge>(&text).unwrap(), judge);
}

#[test]
fn many_that_hang_among_many_quick_ones_trip_by_their_repeats() {
    // The second in which they become slow has many good requests, and the score stays 0.
    let mut judge = warmed(OnLatency::Revert, known(0, Duration::ZERO));
    assert_eq!(judge.observe(&hanging(20, 0, 2000)), None);
    assert!(judge.numbers().latency.unwrap().s <= 0.0);
    let took = (1..=6).find(|_| judge.observe(&hanging(0, 20, 0)).is_some());
    assert!(took.is_some_and(|seconds| seconds <= 6), "{took:?}");
    let mut judge = warmed(OnLatency::Revert, Baseline { clients: 3, ..known(0, Duration::ZERO) });
    judge.observe(&hanging(4, 0, 2000));
    assert!((0..6).all(|_| judge.observe(&hanging(0, 4, 0)).is_none()), "four requests are four");
}

#[test]
fn a_thin_baseline_of_times_is_better_than_none() {
    let mut window = BaselineWindow::default();
    let mut bucket = Bucket::default();
    for i in 0..60_u64 {
        bucket.clear();
        bucket.add_times(Duration::from_millis(if i % 20 == 0 { 29_000 } else { 100 }), 1);
        window.push(&bucket, &Policy::default());
    }
    let latency = window.freeze(&Policy::default()).latency.unwrap();
    assert_eq!((latency.timed, latency.slow), (60, 21), "3 polls, each counted 7 times");
}

/// A service of `requests` in ten minutes, `polls` of which take half a minute.
fn thin(requests: u64, polls: u64) -> Baseline {
    let mut window = BaselineWindow::default();
    let mut bucket = Bucket::default();
    for i in 0..600 {
        bucket.clear();
        if i % (600 / requests) == 0 {
            let poll = i / (600 / requests) < polls;
            bucket.add_times(Duration::from_millis(if poll { 29_000 } else { 100 }), 1);
        }
        window.push(&bucket, &Policy::default());
    }
    window.freeze(&Policy::default())
}

#[test]
fn the_repeats_of_a_few_polls_are_no_evidence_of_more() {
    for polls in 0..4 {
        let mut judge = warmed(OnLatency::Revert, thin(120, polls));
        // Six of 36 requests are polls. The baseline had fewer by chance.
        for i in 0..180 {
            let at = i % 30;
            let bucket =
                hanging(u64::from(at == 0), u64::from((1..=6).contains(&at)), u64::from(at % 6 == 5));
            assert_eq!(judge.observe(&bucket), None, "{polls} polls in the baseline, second {i}");
        }
        let numbers = judge.numbers().latency.unwrap();
        assert!(!numbers.tripped && numbers.s < numbers.h, "{numbers:?}");
    }
    // It is different if all requests hang.
    let mut judge = warmed(OnLatency::Revert, thin(120, 2));
    let took = (1..=120).find(|i| judge.observe(&hanging(u64::from(i % 5 == 1), 1, 0)).is_some());
    assert!(took.is_some(), "{:?}", judge.numbers());
}

#[test]
fn without_repeats_the_score_alone_decides() {
    let baseline = Baseline { clients: 3, ..known(0, Duration::ZERO) };
    let rates = Rates { p0: 0.03, p1: 0.1 };
    let least = dispersion::least(ten_minutes(12_000, 120), rates.p0);
    for seed in 0..200 {
        let mut random = Random(seed);
        let mut judge = warmed(OnLatency::Revert, baseline.clone());
        let bound = cusum::bound(Policy::default().alpha, 30_000.0, 0);
        let mut alone = Cusum::new(rates, least, false, bound);
        for second in 0..300 {
            let (slow, good) = (random.bits() % 3, random.bits() % 20);
            let evidence =
                Evidence { bad: slow, good, clients: std::iter::empty(), most: cusum::Most::Quarter };
            alone.observe(evidence, bound);
            let tripped = judge.observe(&hanging(slow, 0, good)).is_some();
            assert_eq!(tripped, alone.tripped(), "seed {seed}, second {second}");
        }
    }
}
