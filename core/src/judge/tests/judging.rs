//! The error rule, second by second.

use super::super::{TripRule, Verdict};
use super::*;

/// Feeds the same second until a rule trips, and returns the number of seconds.
fn seconds_to_trip(judge: &mut Judge, second: &Bucket, at_most: u32) -> Option<u32> {
    (1..=at_most).find(|_| judge.observe(second).is_some())
}

#[test]
fn failures_of_most_requests_trip_in_four_seconds_at_any_rate() {
    for requests in [20, 100, 5000] {
        for clients in [0, 20] {
            let mut judge = judge(240, clients);
            let took = seconds_to_trip(&mut judge, &bucket(requests, requests * 4 / 5), 10);
            assert_eq!(took, Some(4), "{requests} requests a second, {clients} clients");
            assert_eq!(judge.verdict(), Verdict::Fail);
        }
    }
}

#[test]
fn a_shared_outage_of_two_seconds_does_not_move_traffic() {
    let mut judge = judge(240, 20);
    for _ in 0..2 {
        assert_eq!(judge.observe(&bucket(1000, 1000)), None);
    }
    let half = judge.numbers();
    assert!((half.s - half.h / 2.0).abs() < 1e-6, "two full steps of four: {half:?}");
    for _ in 0..30 {
        assert_eq!(judge.observe(&bucket(100, 0)), None);
    }
    assert!(judge.numbers().s <= 0.0);
}

#[test]
fn a_trip_carries_its_numbers_and_is_returned_again() {
    let mut judge = judge(240, 20);
    assert_eq!(seconds_to_trip(&mut judge, &bucket(100, 50), 10), Some(4));
    let trip = judge.observe(&bucket(100, 50)).unwrap();
    assert_eq!(trip.rule, TripRule::Errors);
    assert_eq!((trip.numbers.n, trip.numbers.e), (500, 250));
    assert!(trip.numbers.s >= trip.numbers.h && trip.numbers.rule_on && judge.tripped());
    assert_eq!((trip.numbers.baseline_requests, trip.numbers.baseline_errors), (60_000, 240));
    assert!((trip.numbers.p0 - 0.005).abs() < 1e-12 && (trip.numbers.p1 - 0.025).abs() < 1e-12);
}

#[test]
fn a_capped_score_falls_again() {
    let mut judge = judge(240, 0);
    for _ in 0..20 {
        judge.observe(&bucket(100, 100));
        judge.cap();
    }
    let top = judge.numbers();
    assert!((top.s - top.h).abs() < 1e-9 && judge.tripped());
    judge.observe(&bucket(100, 0));
    assert!(!judge.tripped());
    assert_eq!(judge.verdict(), Verdict::Fail, "it has tripped in this bake");
}

#[test]
fn a_reset_takes_the_trip_back_and_keeps_the_counts() {
    let mut judge = judge(240, 20);
    assert!(seconds_to_trip(&mut judge, &bucket(100, 100), 10).is_some());
    judge.reset();
    assert!(!judge.tripped() && judge.numbers().s <= 0.0);
    assert_eq!((judge.numbers().n, judge.numbers().e), (300, 300));
    assert_eq!(judge.verdict(), Verdict::Inconclusive, "300 of 300 is no pass");
    assert_eq!(seconds_to_trip(&mut judge, &bucket(100, 100), 10), Some(3), "the ledger is empty too");
}

#[test]
fn verdicts_have_three_values() {
    // baseline errors, seconds, requests, errors a second
    let table = [
        (240, 0, 0, 0, Verdict::Inconclusive),
        (240, 300, 0, 0, Verdict::Inconclusive),
        (240, 100, 1, 0, Verdict::Inconclusive),
        (240, 200, 1, 0, Verdict::Pass),
        (240, 300, 100, 0, Verdict::Pass),
        (240, 300, 100, 1, Verdict::Pass),
        (240, 30, 100, 100, Verdict::Fail),
        // The baseline fails six times in ten, and a candidate that always fails is told apart.
        (36_000, 300, 100, 100, Verdict::Fail),
        (36_000, 300, 100, 0, Verdict::Pass),
    ];
    for (errors, seconds, requests, failing, verdict) in table {
        let mut judge = judge(errors, 20);
        for _ in 0..seconds {
            judge.observe(&bucket(requests, failing));
        }
        assert_eq!(judge.verdict(), verdict, "{errors}: {seconds} x {failing} of {requests}");
        assert!(judge.numbers().rule_on, "no rate switches the rule off");
    }
}

#[test]
fn no_baseline_is_judged_by_one_per_cent() {
    let mut judge = Judge::new(Baseline::default(), Policy::default(), f64::NAN);
    let numbers = judge.numbers();
    assert!((numbers.p0 - 0.01).abs() < 1e-12 && (numbers.p1 - 0.03).abs() < 1e-12);
    assert!((numbers.h - 300e3_f64.ln()).abs() < 1e-6 && (numbers.dispersion - 1.5).abs() < 1e-12);
    assert_eq!(seconds_to_trip(&mut judge, &bucket(100, 80), 10), Some(4));
}

#[test]
fn the_bound_is_frozen_while_the_score_is_not_zero() {
    let mut judge = Judge::new(baseline(240, 0), Policy::default(), 0.0);
    let h = |judge: &Judge| judge.numbers().h;
    for _ in 0..601 {
        judge.observe(&bucket(100, 0));
    }
    assert!((h(&judge) - 600e3_f64.ln()).abs() < 1e-6, "600 s seen before, none planned");
    judge.observe(&bucket(100, 3));
    let frozen = h(&judge);
    assert!((frozen - 601e3_f64.ln()).abs() < 1e-6 && judge.numbers().s > 0.0);
    judge.observe(&bucket(1000, 13));
    assert!(judge.numbers().s > 0.0 && (h(&judge) - frozen).abs() < 1e-9);
    for _ in 0..3 {
        judge.observe(&bucket(1000, 0));
    }
    assert!((h(&judge) - 605e3_f64.ln()).abs() < 1e-6, "taken anew at 0: {}", h(&judge));
}

#[test]
fn clumps_in_the_baseline_make_the_judge_slower() {
    let calm = baseline(240, 0);
    let wild = Baseline { dispersion: 8.0, ..calm.clone() };
    let took = [calm, wild].map(|baseline| {
        let mut judge = Judge::new(baseline, Policy::default(), 30_000.0);
        seconds_to_trip(&mut judge, &bucket(100, 5), 100).unwrap()
    });
    assert_eq!(took[0], 4);
    assert!(took[1] > 15, "{took:?}");
}

/// A second of 100 requests of 50 clients. All requests of the clients under `broken` fail.
fn second_with_broken_clients(broken: u64) -> Bucket {
    let mut bucket = Bucket::default();
    for i in 0..100 {
        let client = i % 50;
        let outcome = if client < broken { Outcome::Error } else { Outcome::Success };
        bucket.record(Random(client).bits(), outcome, None);
    }
    bucket
}

#[test]
fn one_client_alone_moves_nothing_where_there_are_many() {
    let second = second_with_broken_clients(1);
    let mut few = judge(240, 19);
    assert!(seconds_to_trip(&mut few, &second, 300).is_some(), "few clients: every error counts");
    let mut many = judge(240, 20);
    assert_eq!(seconds_to_trip(&mut many, &second, 300), None);
    let dominated = Baseline { top_client_share: 0.51, ..baseline(240, 20) };
    let mut dominated = Judge::new(dominated, Policy::default(), 30_000.0);
    assert!(seconds_to_trip(&mut dominated, &second, 300).is_some());
}

#[test]
fn one_client_adds_at_most_a_quarter_and_several_trip() {
    // There are only failures, so nothing is taken away again.
    let failing = |clients: u64| {
        let mut bucket = Bucket::default();
        (0..40).for_each(|i| bucket.record(Random(i % clients).bits(), Outcome::Error, None));
        bucket
    };
    for clients in 1..=6 {
        let mut judge = judge(240, 20);
        for _ in 0..50 {
            judge.observe(&failing(clients));
        }
        let numbers = judge.numbers();
        let quarters = numbers.s / (numbers.h / 4.0);
        let expected = clients as f64;
        assert!((quarters - expected).abs() < 1e-6, "{clients} clients: {quarters} quarters");
        assert_eq!(judge.tripped(), clients >= 4);
    }
}

#[test]
fn a_client_is_charged_again_after_the_score_was_zero() {
    let mut judge = judge(240, 20);
    let mut lonely = Bucket::default();
    (0..10).for_each(|_| lonely.record(1, Outcome::Error, None));
    judge.observe(&lonely);
    let first = judge.numbers().s;
    judge.observe(&lonely);
    assert!((judge.numbers().s - first).abs() < 1e-8, "it has added its quarter");
    while judge.numbers().s > 0.0 {
        judge.observe(&bucket(100, 0));
    }
    judge.observe(&lonely);
    assert!((judge.numbers().s - first).abs() < 1e-8);
}
