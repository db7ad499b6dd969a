#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use super::schedule::{Life, retry_after};

#[test]
fn a_certificate_is_renewed_at_two_thirds_of_its_life() {
    const DAY: i64 = 86_400;
    for (begins, ends, renewal) in [
        (0, 90 * DAY, 60 * DAY),
        (1_700_000_000, 1_700_000_000 + 6 * DAY, 1_700_000_000 + 4 * DAY),
        (0, 9, 6),
        (0, 10, 6),
        (0, 1, 0),
        // Dates that make no sense lead to a renewal at once.
        (5, 5, 5),
        (10, 5, 10),
        (i64::MAX - 1, i64::MAX, i64::MAX - 1),
    ] {
        assert_eq!(Life { begins, ends }.renewal(), renewal, "{begins}..{ends}");
    }
}

#[test]
fn failures_wait_longer_each_time_up_to_six_hours_and_by_chance() {
    let minutes = |count| Duration::from_mins(count);
    assert_eq!(retry_after(1, 1.0), minutes(1));
    assert_eq!(retry_after(1, 0.0), Duration::from_secs(30));
    assert_eq!(retry_after(2, 1.0), minutes(2));
    assert_eq!(retry_after(5, 1.0), minutes(16));
    for failures in [10, 100, u32::MAX] {
        assert_eq!(retry_after(failures, 1.0), minutes(360));
        assert_eq!(retry_after(failures, 0.0), minutes(180));
    }
    for share in [0.0, 0.3, 0.9, 1.0] {
        let wait = retry_after(3, share);
        assert!(wait >= minutes(2) && wait <= minutes(4), "{wait:?}");
    }
}
