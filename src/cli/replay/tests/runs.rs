//! Tests with whole logs that the tests make up.

use std::time::Duration;

use crate::judge::{Outcome, Policy, RouteTemplate, TripRule};

use super::super::{Findings, Line, Plan, Replay, Settings, VARIANTS, detection_time};

/// 2026-11-24T00:00:00Z.
const MIDNIGHT: i64 = 1_795_478_400;

fn settings(plan: Plan) -> Settings {
    Settings { policy: Policy::default(), bake_time: Duration::from_mins(5), plan }
}

/// The fate of a request, by the second of the log and the number of the request in that second. It says
/// whether the request failed, and how many milliseconds it took.
type World<'a> = &'a dyn Fn(i64, u64) -> (bool, u32);

fn log(hours: i64, per_second: u64, plan: Plan, world: World<'_>) -> Findings {
    let mut replay = Replay::new(settings(plan));
    for second in 0..hours * 3600 {
        for request in 0..per_second {
            let (failed, took) = world(second, request);
            replay.add(&Line {
                ended_ms: (MIDNIGHT + second) * 1000 + i64::try_from(request * 1000 / per_second).unwrap(),
                took_ms: Some(took),
                client: request.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::try_from(second % 50).unwrap(),
                outcome: if failed { Outcome::Error } else { Outcome::Success },
                route: RouteTemplate::new(b"GET", b"/"),
            });
        }
    }
    replay.end()
}

fn scattered(second: i64, request: u64) -> u64 {
    (u64::try_from(second).unwrap() * 31 + request).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40
}

#[test]
fn a_service_that_runs_well_is_never_reverted() {
    let found =
        log(6, 10, Plan::Hourly, &|second, request| (scattered(second, request).is_multiple_of(500), 20));
    assert_eq!(found.requests, 6 * 3600 * 10);
    assert_eq!(found.findings.len(), 5);
    for finding in &found.findings {
        assert_eq!(finding.tripped, None);
        assert_eq!(finding.variants, [false; VARIANTS.len()]);
        assert_eq!(finding.at % 3600, 0);
        assert_eq!(finding.numbers.n, 3000);
    }
}

#[test]
fn an_incident_after_an_hour_is_found_with_its_numbers_and_only_there() {
    let bad = 3 * 3600 + 20;
    let world = |second, request| ((bad..bad + 60).contains(&second) && request % 4 == 0, 20);
    let found = log(6, 10, Plan::Hourly, &world);
    let tripped: Vec<_> =
        found.findings.iter().filter_map(|finding| Some((finding.at, finding.tripped.as_ref()?))).collect();
    assert_eq!(tripped.len(), 1);
    let (at, trip) = tripped[0];
    assert_eq!(at, MIDNIGHT + 3 * 3600);
    assert_eq!(trip.rule, TripRule::Errors);
    assert!((24..=30).contains(&trip.after_seconds), "{}", trip.after_seconds);
    assert!(trip.numbers.s >= trip.numbers.h && trip.numbers.e >= 4);
}

#[test]
fn a_release_can_be_imagined_at_one_time() {
    let at = MIDNIGHT + 1800;
    let world = |second, request| (second >= 1900 && request % 2 == 0, 20);
    let found = log(1, 10, Plan::At(vec![at]), &world);
    assert_eq!(found.findings.len(), 1);
    let tripped = found.findings[0].tripped.as_ref().unwrap();
    assert!((103..=112).contains(&tripped.after_seconds), "{}", tripped.after_seconds);
    let outside = log(1, 10, Plan::At(vec![MIDNIGHT + 99_999]), &world);
    assert_eq!(outside.findings, []);
}

/// From one moment on, responses take six times as long, which is over the margin of 250 ms. The latency rule trips by its own tau.
#[test]
fn slowness_is_found_when_the_log_has_times() {
    let slow_from = 2 * 3600 + 60;
    let world = |second, request| {
        let base = 60 + u32::try_from(scattered(second, request) % 40).unwrap();
        (false, if second >= slow_from { base * 6 } else { base })
    };
    let found = log(3, 10, Plan::Hourly, &world);
    let tripped: Vec<_> = found.findings.iter().filter_map(|finding| finding.tripped.as_ref()).collect();
    assert_eq!(tripped.len(), 1);
    assert_eq!(tripped[0].rule, TripRule::Latency);
    assert!((62..=75).contains(&tripped[0].after_seconds), "{}", tripped[0].after_seconds);
    let off = VARIANTS.iter().position(|variant| variant.name == "latency = \"off\"").unwrap();
    let finding = found.findings.iter().find(|finding| finding.tripped.is_some()).unwrap();
    assert!(!finding.variants[off]);
}

#[test]
fn a_log_may_have_gaps_and_lines_out_of_order() {
    let mut replay = Replay::new(settings(Plan::Hourly));
    let line = |second: i64| Line {
        ended_ms: (MIDNIGHT + second) * 1000,
        took_ms: None,
        client: 1,
        outcome: Outcome::Success,
        route: RouteTemplate::new(b"GET", b"/"),
    };
    // Second 90 comes when its second has closed long ago.
    for second in [0, 3, 1, 2, 30, 10, 200, 90, 7200, 86_400 * 5, 86_400 * 400, 86_400 * 5 + 3] {
        replay.add(&line(second));
    }
    let found = replay.end();
    assert_eq!((found.requests, found.far, found.late), (10, 1, 1));
    assert!((found.disorder() - 2.0 / 12.0).abs() < 1e-9);
    assert!(!found.timed);
    // The line after five days is at a full hour, but no request before it can make a baseline.
    assert!(found.findings.iter().all(|finding| finding.tripped.is_none()));
}

#[test]
fn the_estimated_detection_time_is_near_that_of_a_replay() {
    let bad = 3600;
    let world = |second, request| (second >= bad && scattered(second, request).is_multiple_of(10), 20);
    let found = log(2, 20, Plan::Hourly, &world);
    let finding = &found.findings[0];
    let shown = finding.tripped.as_ref().unwrap().after_seconds;
    let told = detection_time(&finding.numbers, finding.requests_per_second, 0.1).seconds.unwrap();
    assert!((told - shown as f64).abs() < 8.0, "told {told}, shown {shown}");
    assert_eq!(detection_time(&finding.numbers, 20.0, 0.001).seconds, None);
}
