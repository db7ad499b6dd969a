//! Tests of the health of endpoints and colors. Tables give the expected health after a sequence of
//! probes. Property tests compare the health, which is updated probe by probe, with one that is computed
//! from the whole history.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::{ColorHealth, EndpointHealth, ProbeEffect, ProbeFailure, ProbeOutcome, Roster, Thresholds};
use crate::model::{Endpoint, EndpointId, Health, ReleaseId, Tick};

const THREE: Thresholds = Thresholds { rise: 3, fall: 3 };

/// The outcome that a sign stands for. `+` is a pass, `-` is a time-out, and `r` is a refused connection.
fn outcome(sign: char) -> ProbeOutcome {
    match sign {
        '+' => ProbeOutcome::Pass,
        '-' => ProbeOutcome::Fail(ProbeFailure::Timeout),
        'r' => ProbeOutcome::Fail(ProbeFailure::Refused),
        other => panic!("no probe is written {other:?}"),
    }
}

/// The tick at `n` seconds.
fn second(n: usize) -> Tick {
    Tick::from_millis(i64::try_from(n).unwrap() * 1000)
}

/// The health of an endpoint after these probes, one sign each. The first probe ends at 1 s, and each
/// later one ends 1 s after the one before.
fn run(probes: &str, thresholds: Thresholds) -> EndpointHealth {
    let mut health = EndpointHealth::default();
    for (i, sign) in probes.chars().enumerate() {
        health.observe(&outcome(sign), thresholds, second(i + 1));
    }
    health
}

#[test]
fn runs_of_probes() {
    use Health::{Healthy, Unhealthy, Unknown};
    let one = Thresholds { rise: 1, fall: 1 };
    let zero = Thresholds { rise: 0, fall: 0 };
    let quick_up = Thresholds { rise: 1, fall: 3 };
    // The columns are the probes, the thresholds, the expected health, and the second at which the clean
    // run began.
    let table = [
        ("", THREE, Unknown, None),
        ("", zero, Unknown, None),
        ("++", THREE, Unknown, None),
        ("+++", THREE, Healthy, Some(3)),
        ("+++++", THREE, Healthy, Some(3)),
        ("++-++", THREE, Unknown, None),
        ("++-+++", THREE, Healthy, Some(6)),
        ("--", THREE, Unknown, None),
        ("---", THREE, Unhealthy, None),
        ("--+--", THREE, Unknown, None),
        ("+++--", THREE, Healthy, None),
        ("+++--+", THREE, Healthy, Some(6)),
        ("+++--+++", THREE, Healthy, Some(6)),
        ("+++---", THREE, Unhealthy, None),
        ("+++---++", THREE, Unhealthy, None),
        ("+++---+++", THREE, Healthy, Some(9)),
        ("+++-+-+", THREE, Healthy, Some(7)),
        ("+", one, Healthy, Some(1)),
        ("+-", one, Unhealthy, None),
        ("+-+", one, Healthy, Some(3)),
        ("+", zero, Healthy, Some(1)),
        ("-", zero, Unhealthy, None),
        ("-+", quick_up, Healthy, Some(2)),
    ];
    for (probes, thresholds, health, clean) in table {
        let end = run(probes, thresholds);
        assert_eq!(end.health, health, "{probes:?} {thresholds:?}");
        assert_eq!(end.clean_since, clean.map(second), "{probes:?} {thresholds:?}");
        assert_eq!(end.healthy_since.is_some(), health == Healthy, "{probes:?} {thresholds:?}");
    }
}

#[test]
fn changes_are_returned_once() {
    let mut health = EndpointHealth::default();
    let told: Vec<Option<Health>> = "++++---+"
        .chars()
        .enumerate()
        .map(|(i, sign)| health.observe(&outcome(sign), THREE, second(i)))
        .collect();
    let none = None;
    assert_eq!(told, [none, none, Some(Health::Healthy), none, none, none, Some(Health::Unhealthy), none]);
}

#[test]
fn a_late_pass_begins_no_clean_run_before_a_known_failure() {
    let mut health = run("+++-", THREE);
    health.observe(&ProbeOutcome::Pass, THREE, second(2));
    assert_eq!(health.clean_since, Some(second(4)));
}

fn endpoint(n: u16) -> Endpoint {
    Endpoint {
        id: EndpointId::new(format!("web/green/{n}")),
        address: ([127, 0, 0, 1], 8000 + n).into(),
        probe: None,
    }
}

fn roster(count: u16) -> Roster {
    let mut roster = Roster::default();
    roster.set_endpoints(&(0..count).map(endpoint).collect::<Vec<_>>());
    roster
}

/// Gives the roster one probe of endpoint `n`, for the roster's own release, at `at` seconds.
fn probe(roster: &mut Roster, n: u16, sign: char, at: usize) -> ProbeEffect {
    let owner = roster.owner().cloned();
    roster.observe(owner.as_ref(), &endpoint(n).id, &outcome(sign), THREE, second(at))
}

/// Probes each of the first `count` endpoints once in each of these seconds, with the same outcome.
fn all(roster: &mut Roster, count: u16, sign: char, seconds: std::ops::RangeInclusive<usize>) {
    for at in seconds {
        for n in 0..count {
            probe(roster, n, sign, at);
        }
    }
}

#[test]
fn a_color_without_endpoints_is_neither_clean_nor_refused() {
    assert_eq!(Roster::default().summary(), ColorHealth::default());
}

#[test]
fn a_color_is_clean_since_the_last_endpoint_is() {
    let mut roster = roster(2);
    all(&mut roster, 1, '+', 1..=3);
    assert_eq!(roster.summary().clean_since, None);
    for at in 4..=6 {
        probe(&mut roster, 1, '+', at);
    }
    let sum = roster.summary();
    assert_eq!((sum.total, sum.healthy, sum.clean_since), (2, 2, Some(second(6))));
}

#[test]
fn a_failure_that_flips_nothing_ends_the_clean_run_until_that_endpoint_passes() {
    let mut roster = roster(2);
    all(&mut roster, 2, '+', 1..=3);
    assert_eq!(roster.summary().clean_since, Some(second(3)));
    assert_eq!(probe(&mut roster, 0, '-', 4), ProbeEffect::Same);
    assert_eq!(roster.summary().healthy, 2);
    assert_eq!(roster.summary().clean_since, None);
    probe(&mut roster, 1, '+', 5);
    assert_eq!(roster.summary().clean_since, None, "another endpoint's pass proves nothing");
    probe(&mut roster, 0, '+', 6);
    assert_eq!(roster.summary().clean_since, Some(second(6)));
}

#[test]
fn taking_a_sick_endpoint_out_does_not_make_its_time_clean() {
    let mut roster = roster(2);
    all(&mut roster, 2, '+', 1..=3);
    probe(&mut roster, 1, '-', 8);
    assert!(roster.set_endpoints(&[endpoint(0)]));
    assert_eq!(roster.summary().clean_since, Some(second(8)));
}

#[test]
fn refused_needs_every_endpoint_and_the_last_probe() {
    let mut roster = roster(2);
    probe(&mut roster, 0, 'r', 1);
    assert!(!roster.summary().refused, "one endpoint has not been probed");
    probe(&mut roster, 1, 'r', 1);
    assert!(roster.summary().refused);
    probe(&mut roster, 1, '-', 2);
    assert!(!roster.summary().refused, "a time-out is not a refusal");
    probe(&mut roster, 1, 'r', 3);
    assert!(roster.summary().refused);
    probe(&mut roster, 0, '+', 4);
    assert!(!roster.summary().refused);
}

#[test]
fn probes_of_another_release_or_endpoint_are_stale() {
    let mut roster = roster(1);
    let (old, new) = (ReleaseId::from("web-1"), ReleaseId::from("web-2"));
    roster.adopt(Some(old.clone()));
    all(&mut roster, 1, '+', 1..=3);
    assert_eq!(roster.summary().healthy, 1);
    roster.adopt(Some(old.clone()));
    assert_eq!(roster.summary().healthy, 1, "adopting again forgets nothing");
    roster.adopt(Some(new.clone()));
    assert_eq!((roster.summary().unknown, roster.summary().clean_since), (1, None));
    let pass = ProbeOutcome::Pass;
    for owner in [None, Some(&old)] {
        assert_eq!(roster.observe(owner, &endpoint(0).id, &pass, THREE, second(4)), ProbeEffect::Stale);
    }
    assert_eq!(roster.observe(Some(&new), &endpoint(7).id, &pass, THREE, second(4)), ProbeEffect::Stale);
    assert_eq!(roster.observe(Some(&new), &endpoint(0).id, &pass, THREE, second(4)), ProbeEffect::Same);
    assert_eq!(roster.endpoints()[0].1.passes, 1);
}

#[test]
fn endpoints_that_stay_keep_their_health_in_a_new_set() {
    let mut roster = roster(3);
    all(&mut roster, 3, '+', 1..=3);
    assert!(!roster.set_endpoints(&[endpoint(2), endpoint(0), endpoint(1)]), "only the order differs");
    assert!(!roster.set_endpoints(&[endpoint(0), endpoint(1), endpoint(2), endpoint(2)]));
    assert!(roster.set_endpoints(&[endpoint(1), endpoint(3)]));
    let sum = roster.summary();
    assert_eq!((sum.total, sum.healthy, sum.unknown, sum.clean_since), (2, 1, 1, None));
    let moved = Endpoint { address: ([127, 0, 0, 9], 80).into(), ..endpoint(1) };
    assert!(roster.set_endpoints(&[moved, endpoint(3)]));
    assert_eq!(roster.summary().unknown, 2, "another address is another endpoint");
    assert!(roster.set_endpoints(&[]));
    assert_eq!(roster.summary(), ColorHealth::default());
}

/// The health computed from the whole history, as a reference. After each probe the last `rise` results
/// make the endpoint healthy if all passed. The last `fall` results make it unhealthy if all failed.
fn health_of(history: &[bool], thresholds: Thresholds) -> Health {
    let mut health = Health::Unknown;
    for end in 1..=history.len() {
        let ends_with = |what: bool, count: u32| {
            let count = usize::try_from(count).unwrap();
            end >= count && history[end - count..end].iter().all(|&passed| passed == what)
        };
        if ends_with(true, thresholds.rise) {
            health = Health::Healthy;
        } else if ends_with(false, thresholds.fall) {
            health = Health::Unhealthy;
        }
    }
    health
}

proptest! {
    #[test]
    fn health_follows_the_history(
        history in proptest::collection::vec(any::<bool>(), 0..60),
        rise in 1_u32..6,
        fall in 1_u32..6,
    ) {
        let thresholds = Thresholds { rise, fall };
        let signs: String = history.iter().map(|&passed| if passed { '+' } else { '-' }).collect();
        prop_assert_eq!(run(&signs, thresholds).health, health_of(&history, thresholds));
    }

    /// `clean_since` is the earliest time from which on every endpoint was healthy and had passed its
    /// last probe, without a break until now. If that does not hold now, `clean_since` is `None`.
    #[test]
    fn clean_since_tells_the_truth(
        probes in proptest::collection::vec((0_u16..3, prop::bool::weighted(0.85)), 0..120),
        count in 1_u16..4,
    ) {
        let mut roster = roster(count);
        let mut histories = vec![Vec::<(usize, bool)>::new(); usize::from(count)];
        for (at, (n, passed)) in probes.into_iter().enumerate().filter(|(_, (n, _))| *n < count) {
            probe(&mut roster, n, if passed { '+' } else { '-' }, at);
            histories[usize::from(n)].push((at, passed));
            let healthy_at = |end: usize| histories.iter().all(|history| {
                let known: Vec<bool> = history.iter().filter(|(t, _)| *t <= end).map(|(_, p)| *p).collect();
                known.last() == Some(&true) && health_of(&known, THREE) == Health::Healthy
            });
            let begin = (0..=at).rev().take_while(|&t| healthy_at(t)).last();
            prop_assert_eq!(roster.summary().clean_since, begin.map(second));
        }
    }
}
