//! The counts that a bucket and the rolling baseline keep.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::super::BaselineWindow;
use super::super::clients::{Distinct, Frequent, MANY};
use super::super::times::{Times, edge_after};
use super::*;

#[test]
fn frequent_counts_are_exact_for_few_keys_and_never_too_high() {
    let mut few = Frequent::<8>::default();
    for i in 0..800_u64 {
        few.add(i % 8, 1);
    }
    let mut entries: Vec<_> = few.entries().collect();
    entries.sort_unstable();
    assert_eq!(entries, (0..8).map(|key| (key, 100)).collect::<Vec<_>>());
    assert_eq!(few.top_at_most(800), 100);

    let mut crowd = Frequent::<8>::default();
    for i in 0..9_000_u64 {
        crowd.add(if i % 3 == 0 { 7 } else { 1000 + i }, 1);
    }
    let seven = crowd.entries().find(|(key, _)| *key == 7).map_or(0, |(_, count)| count);
    assert!((2000..=3000).contains(&seven), "3000 of 9000, at most a ninth too low: {seven}");
    assert!((3000..=4000).contains(&crowd.top_at_most(9000)));
}

#[test]
fn distinct_counts_up_to_twenty() {
    let mut seen = Distinct::default();
    for i in 0..19 {
        seen.add(i);
        seen.add(0);
    }
    assert_eq!(seen.count(), 19);
    for i in 0..1000 {
        seen.add(i);
    }
    assert_eq!(seen.count(), MANY);
}

#[test]
fn times_fall_between_edges() {
    let millis = Duration::from_millis;
    for micros in [0, 1, 63, 64, 65, 100, 127, 128, 4096, 50_000, 2_000_000, 60_000_000] {
        let time = Duration::from_micros(micros);
        let edge = edge_after(time);
        assert!(edge >= time && edge <= time.max(Duration::from_micros(64)) * 9 / 8, "{time:?} {edge:?}");
        assert_eq!(edge_after(edge), edge, "an edge is its own");
    }
    let mut times = Times::default();
    assert_eq!(times.percentile(95), None);
    for i in 1..=100 {
        times.add(millis(i));
    }
    times.add(Duration::ZERO);
    times.add(Duration::MAX);
    assert_eq!(times.total(), 102);
    let p95 = times.percentile(95).unwrap();
    assert!((millis(95)..millis(110)).contains(&p95), "{p95:?}");
    assert_eq!(times.under(edge_after(millis(200))), 101);
    assert_eq!(times.under(Duration::ZERO), 0);
}

#[test]
fn a_cleared_bucket_is_a_new_one() {
    let mut bucket = bucket(50, 5);
    bucket.record_slow(3);
    bucket.record_still_slow(3);
    assert!(!bucket.is_empty());
    bucket.clear();
    assert!(bucket.is_empty());
    assert_eq!(bucket.erring().count() + bucket.waiting().count() + bucket.clients(), 0);
    assert_eq!((bucket.requests, bucket.errors, bucket.slow, bucket.slow_repeats), (0, 0, 0, 0));
}

/// A window of seconds. Each has its number as requests and half of it as errors.
fn window(seconds: std::ops::RangeInclusive<u64>, policy: &Policy) -> BaselineWindow {
    let mut window = BaselineWindow::default();
    for n in seconds {
        window.push(&bucket(n, n / 2), policy);
    }
    window
}

#[test]
fn the_window_keeps_its_length() {
    let policy = Policy { baseline_window: Duration::from_secs(30), ..Policy::default() };
    let frozen = window(1..=100, &policy).freeze(&policy);
    assert_eq!(frozen.requests, (71..=100).sum::<u64>());
    assert_eq!(frozen.errors, (71..=100).map(|n| n / 2).sum::<u64>());
    assert_eq!((frozen.seconds, frozen.clients), (30, MANY));
    let young = window(1..=7, &policy);
    assert_eq!((young.freeze(&policy).seconds, young.freeze(&policy).clients), (7, 7));
    // A window that a reload has made shorter takes effect at once.
    let shorter = Policy { baseline_window: Duration::from_secs(3), ..policy };
    assert_eq!(young.freeze(&shorter).requests, 5 + 6 + 7);
    let mut cleared = young;
    cleared.clear();
    assert_eq!(cleared.freeze(&policy).requests, 0);
    assert_eq!(BaselineWindow::default().freeze(&policy).clients, 0);
}

#[test]
fn old_clients_leave_the_window() {
    let policy = Policy { baseline_window: Duration::from_secs(20), ..Policy::default() };
    let mut window = window(50..=60, &policy);
    for _ in 0..29 {
        window.push(&bucket(3, 0), &policy);
    }
    let frozen = window.freeze(&policy);
    assert_eq!((frozen.clients, frozen.many_clients()), (3, false));
}

#[test]
fn one_client_with_most_of_the_requests_is_seen() {
    let policy = Policy::default();
    for (share, many) in [(3, true), (6, false)] {
        let mut window = BaselineWindow::default();
        for second in 0..60 {
            let mut bucket = Bucket::default();
            for i in 0..100 {
                let client = if i % 10 < share { 1 } else { Random(second * 100 + i).bits() };
                bucket.record(client, Outcome::Success, None);
            }
            window.push(&bucket, &policy);
        }
        let frozen = window.freeze(&policy);
        assert_eq!(frozen.clients, MANY);
        assert_eq!(frozen.many_clients(), many, "{share} in 10: at most {}", frozen.top_client_share);
    }
}

/// `(client, failed, milliseconds)` of each attempt.
type Attempts = Vec<(u8, bool, Option<u16>)>;

fn filled(attempts: &[(u8, bool, Option<u16>)]) -> Bucket {
    let mut bucket = Bucket::default();
    for &(client, failed, millis) in attempts {
        let outcome = if failed { Outcome::Error } else { Outcome::Success };
        let first_byte = millis.map(|millis| Duration::from_millis(u64::from(millis)));
        bucket.record(Random(u64::from(client)).bits(), outcome, first_byte);
    }
    bucket
}

fn attempts(clients: u8) -> impl Strategy<Value = Attempts> {
    let attempt = (0..clients, prop::bool::weighted(0.3), proptest::option::of(0_u16..5000));
    proptest::collection::vec(attempt, 0..300)
}

proptest! {
    /// However the attempts are spread over the workers, the sum is that of one counter. It is exact as
    /// long as the clients fit.
    #[test]
    fn pooled_is_summed(all in attempts(8), workers in 1_usize..5) {
        let mut parts = vec![Bucket::default(); workers];
        for (i, attempt) in all.iter().enumerate() {
            parts[i % workers].merge(&filled(std::slice::from_ref(attempt)));
        }
        let mut pooled = Bucket::default();
        for part in &parts {
            pooled.merge(part);
        }
        prop_assert_eq!(pooled, filled(&all));
    }

    /// With more clients than places counts may be low, but by no more than is promised, in one bucket
    /// and in pooled ones.
    #[test]
    fn errors_by_client_are_within_the_promise(all in attempts(120), split in 0_usize..300) {
        let mut truth = BTreeMap::<ClientKey, u32>::new();
        for (client, _, _) in all.iter().filter(|(_, failed, _)| *failed) {
            *truth.entry(Random(u64::from(*client)).bits()).or_default() += 1;
        }
        let (front, back) = all.split_at(split.min(all.len()));
        let mut pooled = filled(front);
        pooled.merge(&filled(back));
        for bucket in [pooled, filled(&all)] {
            let kept: BTreeMap<ClientKey, u32> = bucket.erring().collect();
            let sum: u32 = kept.values().sum();
            let low = (u32::try_from(bucket.errors).unwrap() - sum) / 33;
            prop_assert!(kept.len() <= 32);
            for (client, errors) in &truth {
                let known = kept.get(client).copied().unwrap_or(0);
                prop_assert!(known <= *errors && known + low >= *errors, "{} {} {}", known, errors, low);
            }
        }
    }

    #[test]
    fn a_bucket_survives_the_store(all in attempts(200)) {
        let mut bucket = filled(&all);
        bucket.record_slow(u64::MAX);
        let text = serde_json::to_string(&bucket).unwrap();
        prop_assert_eq!(serde_json::from_str::<Bucket>(&text).unwrap(), bucket);
    }
}
