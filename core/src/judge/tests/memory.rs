//! The day's memory: what it holds, what it takes from the window, and what the rules make of it.

use std::time::Duration;

use super::super::memory::{Memory, Usual};
use super::super::rates::{Edition, Rates};
use super::super::{BaselineWindow, Trip, Verdict};
use super::*;

const HOUR: u64 = 3600;

/// A memory of so many hours of `requests` a second, of which the share `rate` fails independently.
fn remembered(hours: u64, requests: u64, rate: f64) -> Memory {
    let mut random = Random(7);
    let mut memory = Memory::default();
    for _ in 0..hours * HOUR {
        let errors = (0..requests).filter(|_| random.chance(rate)).count() as u64;
        memory.add(requests, errors);
    }
    memory
}

/// A memory of so many hours of 100 requests a second, with `share` of them failing for `spell` seconds in
/// each period.
fn spells(hours: u64, share: u64, spell: u64, period: u64) -> Memory {
    let mut memory = Memory::default();
    for second in 0..hours * HOUR {
        memory.add(100, if second % period < spell { share } else { 0 });
    }
    memory
}

/// A window of ten minutes whose last `outage` seconds have `errors` of `requests`.
fn window(requests: u64, errors: u64, outage: u64) -> Baseline {
    let mut window = BaselineWindow::default();
    for second in 0..600 {
        window.push(&bucket(requests, if second >= 600 - outage { errors } else { 0 }), &Policy::default());
    }
    window.freeze(&Policy::default())
}

/// The second in which a candidate that fails `errors` of `requests` trips.
fn trips(judge: &mut Judge, requests: u64, errors: u64, at_most: u32) -> Option<u32> {
    let second = bucket(requests, errors);
    (1..=at_most).find(|_| judge.observe(&second).is_some())
}

#[test]
fn half_of_a_sum_is_left_after_a_day_of_traffic() {
    let mut memory = Memory::default();
    memory.add(1 << 20, 1 << 10);
    for _ in 0..(2 * 1421 / 2) * 60 {
        memory.add(0, 0);
    }
    let silent = memory.usual().unwrap();
    assert!(silent.requests > (1 << 20) - (1 << 10), "silent minutes take nothing: {silent:?}");
    let mut memory = Memory::default();
    memory.add(1 << 20, 1 << 10);
    for second in 0..1420 * 60 {
        memory.add(u64::from(second % 60 == 0), 0);
    }
    let day = memory.usual().unwrap();
    assert!((510..=514).contains(&day.errors), "half of 1024 after 23.7 h: {day:?}");
}

#[test]
fn small_sums_fade_too() {
    let mut memory = Memory::default();
    memory.add(10, 3);
    for _ in 0..20 * 1421 * 60 {
        memory.add(1, 0);
    }
    assert_eq!(memory.usual().unwrap().errors, 0);
}

#[test]
fn a_memory_is_under_1_kib_whatever_it_holds() {
    let mut memory = Memory::default();
    for _ in 0..600 {
        memory.add(u64::MAX, u64::MAX);
    }
    let text = serde_json::to_string(&memory).unwrap();
    assert!(text.len() < 1024, "{} bytes: {text}", text.len());
    let memory = remembered(1, 1000, 0.3);
    let text = serde_json::to_string(&memory).unwrap();
    assert!(text.len() < 1024, "{} bytes: {text}", text.len());
    assert_eq!(serde_json::from_str::<Memory>(&text).unwrap(), memory);
    assert_eq!(serde_json::from_str::<Memory>("{}").unwrap(), Memory::default());
}

#[test]
fn more_errors_than_requests_count_as_all() {
    let mut memory = Memory::default();
    memory.add(5, 9);
    let usual = memory.usual().unwrap();
    assert_eq!((usual.requests, usual.errors), (5, 5));
}

#[test]
fn independent_errors_have_the_least_dispersion_and_spells_a_large_one() {
    let calm = remembered(2, 20, 0.01).usual().unwrap();
    assert!(calm.dispersion < 1.3, "{calm:?}");
    let wild = spells(6, 3, 30, 600).usual().unwrap();
    assert!(wild.dispersion > 5.0, "3 % for half a minute of each ten: {wild:?}");
}

#[test]
fn seconds_enter_the_memory_when_they_leave_the_window_and_once_only() {
    let (mut window, mut memory, policy) = (BaselineWindow::default(), Memory::default(), Policy::default());
    let second = bucket(3, 1);
    for _ in 0..600 {
        window.push_into(&second, &policy, &mut memory);
    }
    assert_eq!(memory.usual(), None);
    window.push_into(&second, &policy, &mut memory);
    assert_eq!(memory.usual().unwrap().requests, 3);
    window.flush_into(&mut memory);
    assert_eq!(memory.usual().unwrap().requests, 1798, "of 1803, ten minutes have faded by a little");
    window.flush_into(&mut memory);
    for _ in 0..600 {
        window.push_into(&bucket(0, 0), &policy, &mut memory);
    }
    assert_eq!(memory.usual().unwrap().seconds, 599, "none of them enters twice");
    window.push_into(&second, &policy, &mut memory);
    window.withhold();
    for _ in 0..601 {
        window.push_into(&bucket(0, 0), &policy, &mut memory);
    }
    assert_eq!(memory.usual().unwrap().seconds, 599, "a second that is withheld never enters");
}

#[test]
fn a_memory_absorbs_a_later_one() {
    let (mut whole, mut first, mut second) = (Memory::default(), Memory::default(), Memory::default());
    for at in 0..7200 {
        let errors = u64::from(at % 7 == 0);
        whole.add(10, errors);
        if at < 3600 { &mut first } else { &mut second }.add(10, errors);
    }
    first.absorb(&second);
    let (whole, both) = (whole.usual().unwrap(), first.usual().unwrap());
    assert!(whole.requests.abs_diff(both.requests) <= 100 && whole.errors.abs_diff(both.errors) <= 20);
}

/// Fails without the memory: a quiet night, or a restart, leaves a handful of requests, and then p1 was
/// 75 %.
#[test]
fn a_thin_baseline_is_no_laxer_than_none() {
    let thin = Baseline { requests: 5, seconds: 600, ..Baseline::default() };
    let mut blind = Judge::new(thin.clone(), Policy::default(), 0.0);
    let second = bucket(1, 0);
    (0..300).for_each(|_| drop(blind.observe(&second)));
    assert_eq!(blind.verdict(), Verdict::Inconclusive, "a pass by five requests means nothing");
    let known = Baseline { usual: remembered(6, 10, 0.002).usual(), ..thin };
    let mut judge = Judge::new(known, Policy::default(), 3000.0);
    assert!(judge.numbers().p1 < 0.03, "{:?}", judge.numbers());
    let found = trips(&mut judge, 10, 4, 60).unwrap();
    assert!(found <= 6, "41 % at 10 requests a second: {found} s");
}

#[test]
fn an_empty_baseline_is_judged_by_the_memory() {
    let empty = Baseline { usual: remembered(6, 10, 0.02).usual(), ..Baseline::default() };
    let judge = Judge::new(empty, Policy::default(), 3000.0);
    let numbers = judge.numbers();
    assert!(numbers.p0 > 0.02 && numbers.p0 < 0.03, "{numbers:?}");
}

/// Fails without the memory: the outage would be taken as normal.
#[test]
fn an_outage_before_the_switch_is_not_taken_as_normal() {
    for (requests, errors, outage) in [(10, 10, 30), (100, 100, 30), (10, 5, 120), (100, 50, 120)] {
        let usual = remembered(6, requests, 0.001).usual();
        let baseline = Baseline { usual, ..window(requests, errors, outage) };
        assert!(baseline.is_worse_than_usual(&Policy::default()), "{requests} {errors} {outage}");
        let mut judge = Judge::new(baseline, Policy::default(), 300.0 * requests as f64);
        let found = trips(&mut judge, requests, requests.div_ceil(4), 60);
        assert!(found.is_some_and(|second| second <= 30), "{requests} {errors} {outage}: {found:?}");
    }
}

#[test]
fn a_service_is_not_worse_than_usual_while_it_is_as_always() {
    let policy = Policy::default();
    let usual = spells(24, 3, 30, 600).usual();
    assert!(!Baseline { usual, ..window(100, 3, 30) }.is_worse_than_usual(&policy));
    let usual = remembered(6, 100, 0.001).usual();
    assert!(!Baseline { usual, ..window(100, 0, 0) }.is_worse_than_usual(&policy));
    assert!(!window(100, 100, 30).is_worse_than_usual(&policy), "nothing is known without a memory");
}

/// Fails with p1 at three times p0, which was cut to 90 %.
#[test]
fn twice_the_errors_of_a_service_that_often_fails_are_found() {
    let known = Baseline { dispersion: 1.0, ..baseline(18_000, 20) };
    let mut judge = Judge::new(known, Policy::default(), 30_000.0);
    let found = trips(&mut judge, 100, 60, 60);
    assert!(found.is_some_and(|second| second <= 6), "30 % before, 60 % now: {found:?}");
}

#[test]
fn no_rate_switches_the_error_rule_off() {
    for errors in (0..=60_000).step_by(1500) {
        for policy in [
            Policy::default(),
            Policy { ratio: 1.1, add_points: 0.5, ..Policy::default() },
            Policy { ratio: 50.0, ..Policy::default() },
        ] {
            let rates = Rates::of_errors(&baseline(errors, 0), &policy, Edition::Second);
            assert!(rates.are_distinct(Edition::Second), "{errors} of 60000: {rates:?}");
            let (up, down) = rates.weights();
            assert!(up > 0.0 && down.is_finite() && down > 0.0, "{rates:?}");
        }
    }
}

#[test]
fn the_bound_goes_by_seconds() {
    let bound = |lasts| Judge::lasting(Duration::from_secs(lasts), baseline(0, 0), Policy::default(), 1e9);
    let h = |lasts: u64| bound(lasts).numbers().h;
    assert!((h(60) - (300.0_f64 / 0.001).ln()).abs() < 1e-6);
    assert!((h(3600) - (3600.0_f64 / 0.001).ln()).abs() < 1e-6);
}

#[test]
fn a_score_at_half_of_its_bound_is_no_pass() {
    let mut judge = judge(0, 0);
    (0..300).for_each(|_| drop(judge.observe(&bucket(100, 0))));
    assert_eq!(judge.verdict(), Verdict::Pass);
    (0..2).for_each(|_| drop(judge.observe(&bucket(100, 100))));
    assert!(judge.suspicion() >= 0.5 && judge.verdict() == Verdict::Inconclusive);
    (0..30).for_each(|_| drop(judge.observe(&bucket(100, 0))));
    assert_eq!(judge.verdict(), Verdict::Pass);
}

#[test]
fn a_candidate_that_surely_fails_one_in_ten_is_told() {
    let thin = Baseline { requests: 5, seconds: 600, ..Baseline::default() };
    let mut judge = Judge::new(thin, Policy::default(), 0.0);
    (0..200).for_each(|second| drop(judge.observe(&bucket(1, u64::from(second % 5 < 2)))));
    assert!(judge.surely_fails() && judge.verdict() != Verdict::Pass, "{:?}", judge.numbers());
    let often = Baseline { dispersion: 1.0, ..baseline(30_000, 20) };
    let mut judge = Judge::new(often, Policy::default(), 30_000.0);
    (0..60).for_each(|_| drop(judge.observe(&bucket(100, 50))));
    assert!(!judge.surely_fails(), "half of all requests failed before, too");
}

/// A judge as an older build stored it, without the new fields, in the middle of a suspicion.
#[test]
#[expect(clippy::cast_possible_truncation, reason = "the scores of a test are small")]
fn a_judge_of_an_older_build_keeps_weights_score_and_bound() {
    let mut stored = serde_json::to_value(judge(18_000, 0)).unwrap();
    let first = Rates::of_errors(&baseline(18_000, 0), &Policy::default(), Edition::First);
    assert!((first.p1 - 3.0 * first.p0).abs() < 0.02, "{first:?}");
    let (up, down) = first.weights();
    let old = |weight: f64| (weight * 1e9).round();
    stored["errors"]["up"] = (old(up) as i64).into();
    stored["errors"]["down"] = (old(down) as i64).into();
    stored["errors"]["bound"] = 17_216_707_940_i64.into();
    stored["errors"]["score"] = 9_000_000_000_i64.into();
    let fields = stored.as_object_mut().unwrap();
    assert!(fields.remove("edition").is_some() && fields.remove("planned").is_some());
    let mut older: Judge = serde_json::from_value(stored.clone()).unwrap();
    let before = older.numbers();
    assert!((before.h - 17.216_707_94).abs() < 1e-9 && (before.s - 9.0).abs() < 1e-9, "{before:?}");
    assert!((before.p0 - first.p0).abs() < 1e-9 && (before.p1 - first.p1).abs() < 1e-9, "{before:?}");
    older.observe(&bucket(3, 3));
    let gain = 3.0 * up;
    assert!((older.numbers().s - 9.0 - gain).abs() < 1e-6, "{gain} {:?}", older.numbers());
    (0..50).for_each(|_| drop(older.observe(&bucket(100, 0))));
    assert!(older.numbers().s <= 0.0);
    let again = serde_json::to_value(&older).unwrap();
    for weight in ["up", "down", "bound"] {
        assert_eq!(stored["errors"][weight], again["errors"][weight], "{weight}");
    }
}

#[test]
fn a_late_baseline_keeps_the_suspicion_and_takes_the_rates() {
    let mut judge = Judge::new(Baseline::default(), Policy::default(), 0.0);
    (0..2).for_each(|_| drop(judge.observe(&bucket(100, 100))));
    let before = judge.numbers();
    let judge = judge.rebased(Duration::from_mins(5), baseline(3000, 20), 30_000.0);
    let after = judge.numbers();
    assert!(after.p0 > 0.05 && after.baseline_requests == 60_000);
    assert!((after.s / after.h - before.s / before.h).abs() < 1e-6, "{before:?} {after:?}");
    assert_eq!((after.n, after.e), (200, 200));
}

#[test]
fn a_trip_names_the_memory() {
    let known = Baseline {
        usual: Some(Usual { requests: 9000, errors: 9, seconds: 9000, dispersion: 1.25 }),
        ..Baseline::default()
    };
    let mut judge = Judge::new(known, Policy::default(), 30_000.0);
    let trip: Option<Trip> = (0..20).find_map(|_| judge.observe(&bucket(100, 100)));
    let numbers = trip.unwrap().numbers;
    assert_eq!((numbers.usual_requests, numbers.usual_errors), (9000, 9));
}
