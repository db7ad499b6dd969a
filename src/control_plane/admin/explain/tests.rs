//! The page of a release that was reverted.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::control_plane::controller::{ContainerEvidence, EventView, Exhibits, ReleaseView};
use crate::judge::{Baseline, Bucket, FailedRequest, Judge, Outcome, Policy, Series, Verdict};
use crate::model::Color;
use crate::release::StateName;

use super::course::Course;
use super::{Explanation, chart, html};

/// 2026-11-24T12:00:00Z.
const NOON: i64 = 1_795_521_600;

fn time(second: i64) -> String {
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(NOON + second).unwrap());
    humantime::format_rfc3339_millis(at).to_string()
}

fn second(requests: u64, errors: u64) -> Bucket {
    let mut bucket = Bucket::default();
    for request in 0..requests {
        let outcome = if request < errors { Outcome::Error } else { Outcome::Success };
        bucket.record(request % 40, outcome, None);
    }
    bucket
}

fn failure(second: i64) -> FailedRequest {
    FailedRequest {
        time: time(second),
        route: "GET /orders/{id}/<x>".into(),
        status: Some(500),
        cause: None,
        endpoint: Some("10.0.0.2:8080".into()),
        slow: false,
    }
}

/// A release with two minutes of the old color, the switch at second 0, and a fault from second 20 on. The
/// judge itself trips, and the old color then has ten more seconds.
pub(crate) fn reverted() -> Explanation {
    let baseline =
        Baseline { requests: 12_000, errors: 12, seconds: 600, clients: 20, ..Baseline::default() };
    let mut judge = Judge::new(baseline, Policy::default(), 6000.0);
    let mut series = Series::default();
    for at in -120..0 {
        series.push(NOON + at, &Bucket::default(), &second(20, u64::from(at % 30 == 0)), None);
    }
    let mut tripped = None;
    for at in 0..60 {
        let mut bucket = second(20, if at < 20 { u64::from(at % 7 == 0) } else { 5 });
        if at >= 20 {
            bucket.keep_failure(|| failure(at));
        }
        let trip = judge.observe(&bucket);
        series.push(NOON + at, &bucket, &Bucket::default(), Some(&judge.numbers()));
        if let Some(trip) = trip {
            tripped = Some((at, trip));
            break;
        }
    }
    let (end, trip) = tripped.expect("a fault of 25 % is found");
    for at in 1..10 {
        series.push(NOON + end + at, &Bucket::default(), &second(20, 0), None);
    }
    let event = |seq, event: &str, at, reason: &str| EventView {
        seq,
        release: "shop-12".into(),
        service: "shop".into(),
        event: event.into(),
        time: time(at),
        reason: reason.into(),
        numbers: serde_json::Map::new(),
    };
    let events = vec![
        event(1, "checking", -20, "version v2 is checked on green"),
        event(2, "promoting", 0, "the gate opened: 2 of 2 endpoints healthy"),
        event(3, "baking", 0, "every worker has acknowledged the switch; watched for 300 s"),
        event(4, "reverting", end, "too many errors on green"),
        event(5, "reverted", end, "too many errors on green"),
    ];
    let serde_json::Value::Object(numbers) = serde_json::to_value(&trip.numbers).unwrap() else {
        panic!("numbers are an object")
    };
    let release = ReleaseView {
        id: "shop-12".into(),
        service: "shop".into(),
        kind: "deploy".into(),
        version: "v2".into(),
        image: None,
        color: Color::Green,
        state: StateName::Reverted,
        progress: None,
        reason: "too many errors on green".into(),
        started_at: time(-20),
        promoted_at: Some(time(0)),
        finished_at: Some(time(end)),
        verdict: Some(Verdict::Fail),
        cause: None,
        canary_percent: None,
        numbers,
    };
    let containers = vec![ContainerEvidence {
        container: "shop-green-0".into(),
        image: "registry.example.org/shop@sha256:abc".into(),
        state: "running".into(),
        log_lines: vec!["listening".into(), "panic: <nil>".into()],
        inspect: serde_json::Value::Null,
    }];
    Explanation::new(release, events, Exhibits { series: Some(series), containers })
}

#[test]
fn the_page_says_which_bound_was_crossed_and_when() {
    let explanation = reverted();
    let text = &explanation.text;
    assert!(text.contains("the errors rule was at its bound 2"), "{text}");
    assert!(text.contains("s after the switch"), "{text}");
    assert!(text.contains("panic: <nil>"), "{text}");
    let page = html::page(&explanation);
    assert!(page.contains("panic: &lt;nil&gt;"));
    assert!(page.contains("the errors rule was at its bound"));
}

/// The time, the request, the answer and the endpoint are in the text, in the page (escaped) and in the
/// JSON.
#[test]
fn the_first_failing_requests_are_shown_in_every_form() {
    let explanation = reverted();
    let (_, told) = explanation.text.split_once("first failing requests").unwrap();
    for part in ["12:00:20.000", "GET /orders/{id}/<x>", "500", "10.0.0.2:8080"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let page = html::page(&explanation);
    let (_, shown) = page.split_once("irst failing requests").unwrap();
    for part in ["12:00:20.000", "GET /orders/{id}/&lt;x&gt;", "500", "10.0.0.2:8080"] {
        assert!(shown.contains(part), "{part}");
    }
    assert!(!page.contains("<x>"));
    let json = serde_json::to_value(&explanation).unwrap();
    let first = &json["release"]["numbers"]["first_failures"][0];
    assert_eq!((&first["route"], &first["status"]), (&"GET /orders/{id}/<x>".into(), &500.into()));
    assert_eq!((&first["endpoint"], &first["time"]), (&"10.0.0.2:8080".into(), &time(20).into()));
    assert_eq!(json["evidence"][0]["log_lines"][1], "panic: <nil>");
}

/// The rows of the score reach the bound at the trip, and are empty before the fault.
#[test]
fn the_text_plot_shows_the_score_reach_its_bound() {
    let text = reverted().text;
    let rows: Vec<&str> =
        text.lines().skip_while(|line| !line.contains("score of the errors rule")).skip(1).take(8).collect();
    assert!(rows.iter().any(|row| row.contains("h ") && row.contains('╌')), "{text}");
    let bound = rows.iter().find(|row| row.contains('╌')).unwrap();
    assert!(bound.contains('█') || bound.contains('▇') || bound.contains('▆'), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert!(text.contains("switch"), "{text}");
}

#[test]
fn the_picture_is_whole_and_loads_nothing() {
    let explanation = reverted();
    let series = explanation.series.as_ref().unwrap();
    let course = Course::new(&explanation.release, &explanation.events, series).unwrap();
    let svg = chart::svg(&course).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    for forbidden in ["url(", "href", "@import", "<script", "<image"] {
        assert!(!svg.contains(forbidden), "{forbidden}");
    }
    assert!(svg.contains("prefers-color-scheme:dark"));
    assert!(svg.len() < 200_000, "{} bytes", svg.len());
}

/// Without a series, neither the text nor the page has a plot.
#[test]
fn a_release_without_a_course_is_explained_without_one() {
    let Explanation { release, events, .. } = reverted();
    let plain = Explanation::new(release, events, Exhibits::default());
    assert!(!plain.text.contains("\ncourse\n"), "{}", plain.text);
    assert!(!html::page(&plain).contains("<svg"));
}

/// Checks the end of the page. `GREENLIGHT_PAGE=FILE cargo test --lib explain::tests::page_to_look_at` also
/// writes the page to a file to look at.
#[test]
fn page_to_look_at() {
    let page = html::page(&reverted());
    if let Ok(file) = std::env::var("GREENLIGHT_PAGE") {
        std::fs::write(file, &page).unwrap();
        println!("{}", reverted().text);
    }
    assert!(page.ends_with("</html>"));
}
