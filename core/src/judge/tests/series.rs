//! The course that is kept for people is bounded and true to the counts.

use super::super::{Bucket, Numbers, Series};

fn bucket(requests: u64, errors: u64) -> Bucket {
    let mut bucket = Bucket::default();
    (bucket.requests, bucket.errors) = (requests, errors);
    bucket
}

fn numbers(s: f64) -> Numbers {
    Numbers { s, h: 14.0, ..Numbers::default() }
}

#[test]
fn the_last_minute_before_the_candidate_has_traffic_is_kept() {
    let mut series = Series::default();
    for at in 0..200 {
        series.push(1000 + at, &Bucket::default(), &bucket(5, 0), None);
    }
    assert_eq!(series.at.len(), Series::BEFORE_MAX);
    assert_eq!(series.at.last(), Some(&199));
    assert!(series.is_sound());
}

#[test]
fn a_long_bake_keeps_every_request_and_the_highest_score() {
    let mut series = Series::default();
    let seconds = 7211;
    for at in 0..seconds {
        let s = if at == 4000 { 13.5 } else { 0.25 };
        series.push(at, &bucket(3, u64::from(at % 2 == 0)), &Bucket::default(), Some(&numbers(s)));
        assert!(series.is_sound(), "after {at} s");
    }
    assert!(series.at.len() <= Series::POINTS_MAX && series.at.len() > Series::POINTS_MAX / 4);
    let sum = |column: &[u32]| column.iter().map(|count| i64::from(*count)).sum::<i64>();
    assert_eq!(sum(&series.candidate.requests), 3 * seconds);
    assert_eq!(sum(&series.candidate.errors), (seconds + 1) / 2);
    let highest = series.rules[0].s.iter().copied().fold(0.0, f32::max);
    assert!((highest - 13.5).abs() < 1e-6, "{highest}");
}

#[test]
fn a_clock_that_goes_back_and_a_gap_do_no_harm() {
    let mut series = Series::default();
    for at in [100, 101, 99, 102, 4000] {
        series.push(at, &bucket(1, 0), &bucket(2, 1), Some(&numbers(1.0)));
    }
    assert_eq!(series.at, [0, 1, 2, 3900]);
    assert_eq!(series.candidate.requests, [1, 2, 1, 1]);
    assert!(series.is_sound());
}

#[test]
fn it_reads_back_as_it_was_and_is_small() {
    let mut series = Series::default();
    for at in 0..600 {
        series.push(1_800_000_000 + at, &bucket(1000, 7), &bucket(0, 0), Some(&numbers(12.345_678)));
    }
    let json = serde_json::to_string(&series).unwrap();
    assert_eq!(serde_json::from_str::<Series>(&json).unwrap(), series);
    assert!(json.len() < 25_000, "{} bytes", json.len());
}

#[test]
fn a_course_with_uneven_columns_is_not_sound() {
    let odd = r#"{"from":0,"step":1,"at":[0,1],"candidate":{"requests":[1]}}"#;
    assert!(!serde_json::from_str::<Series>(odd).unwrap().is_sound());
}
