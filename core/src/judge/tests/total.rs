//! The judge tells a candidate that fails altogether from an outage of two seconds.

use super::*;

fn seconds_to_trip(judge: &mut Judge, seconds: impl Iterator<Item = (u64, u64)>) -> Option<usize> {
    seconds.into_iter().position(|(n, e)| judge.observe(&bucket(n, e)).is_some()).map(|at| at + 1)
}

#[test]
fn failures_of_all_requests_trip_in_three_seconds() {
    // Three requests are hardly enough evidence: 5 of 13 nats each second. Three clients of many show nothing.
    let three = seconds_to_trip(&mut judge(240, 0), std::iter::repeat_n((3, 3), 10));
    assert_eq!(three, Some(4));
    for (requests, seconds) in [(5, 3), (8, 3), (20, 3), (100, 3), (5000, 3)] {
        for clients in [0, 20] {
            let mut judge = judge(240, clients);
            let took = seconds_to_trip(&mut judge, std::iter::repeat_n((requests, requests), 10));
            assert_eq!(took, Some(seconds), "{requests} requests a second, {clients} clients");
        }
    }
}

#[test]
fn nine_failures_of_ten_fill_a_second_and_fewer_do_not() {
    let all = |errors| seconds_to_trip(&mut judge(240, 0), std::iter::repeat_n((1000, errors), 10));
    assert_eq!((all(900), all(899)), (Some(3), Some(4)));
}

/// This holds wherever the outage begins in a second, and at whatever rate the service fails anyway.
#[test]
fn an_outage_of_two_seconds_does_not_trip() {
    for share in [0, 10, 200] {
        for eighths in 0..8 {
            // The failures among the 1000 requests of a second, if `part` eighths of it belong to the
            // outage.
            let failing = |part: u64| part * 125 + (8 - part) * 125 * share / 1000;
            let outage = [(1000, failing(8 - eighths)), (1000, 1000), (1000, failing(eighths))];
            let mut judge = judge(60 * share, 20);
            assert!(judge.numbers().rule_on);
            assert_eq!(seconds_to_trip(&mut judge, outage.into_iter()), None, "{share} {eighths}");
            let after = judge.numbers();
            assert!(after.s <= 0.75 * after.h + 1e-6, "three quarters at most: {after:?}");
        }
    }
}

#[test]
fn a_second_that_is_not_full_ends_the_row() {
    let full = (100, 100);
    for between in [(0, 0), (100, 80)] {
        let seconds = [full, full, between, full, full, full];
        let mut judge = judge(240, 0);
        // The row gives two quarters. The second between adds nothing, or a third of the bound. Then each
        // second adds one quarter.
        let wanted = if between.0 == 0 { 5 } else { 4 };
        assert_eq!(seconds_to_trip(&mut judge, seconds.into_iter()), Some(wanted), "{between:?}");
    }
}

#[test]
fn a_reset_ends_the_row_too() {
    let mut judge = judge(240, 0);
    assert_eq!(seconds_to_trip(&mut judge, std::iter::repeat_n((100, 100), 2)), None);
    judge.reset();
    assert_eq!(seconds_to_trip(&mut judge, std::iter::repeat_n((100, 100), 5)), Some(3));
}

/// As in every rule, at least four clients are needed.
#[test]
fn three_clients_alone_move_nothing() {
    let mut judge = judge(240, 20);
    for _ in 0..20 {
        let mut second = Bucket::default();
        for request in 0..90 {
            second.record(request % 3, Outcome::Error, None);
        }
        assert_eq!(judge.observe(&second), None);
    }
}
