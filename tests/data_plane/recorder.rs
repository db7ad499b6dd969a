//! How much memory the recorder allocates while it counts for the judge. It allocates nothing in the path of
//! a request, a little once a second, and never more than a limit. `benches/recorder` measures its CPU time.
//!
//! The allocator of this test program counts the allocations of the measuring thread alone, so tests on other
//! threads do not disturb the counts.

use std::hint::black_box;
use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use greenlight::data_plane::{Asker, EvidenceSettings, Failure, Recorder};
use greenlight::judge::{FAILURES_MAX, RouteTemplate};

/// Requests in one second.
const SECOND: u64 = 20_000;
/// Attempts that wait for their response head at the same time.
const WAITING: usize = 64;

/// Records one request from its target to its end. Of the numbers `n`, each multiple of 10 fails with a 500,
/// each multiple of 101 that does not fail breaks off after its head, and each multiple of 1000 gets no
/// response head.
fn request(recorder: &Recorder, target: &str, client: u64, n: u64) {
    let route = RouteTemplate::new(b"GET", black_box(target.as_bytes()));
    let endpoint = "127.0.0.1:80".parse().ok();
    let asker = Asker { client, route: &route, endpoint };
    let place = recorder.begin(&asker);
    if n.is_multiple_of(1000) {
        recorder.leave(place);
        recorder.failure(&asker, Failure { status: None, cause: Some("timeout") });
        return;
    }
    recorder.head_arrived(place);
    recorder.body(place, true, true);
    if n.is_multiple_of(10) {
        recorder.failure(&asker, Failure { status: Some(500), cause: None });
        recorder.leave(place);
        return;
    }
    recorder.success(&asker);
    recorder.leave(place);
    if n.is_multiple_of(101) {
        recorder.broken(&asker, Failure { status: Some(200), cause: Some("reset") });
    }
}

fn targets(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("/part-{}{}/orders/{n}?page=2", letter(n / 26), letter(n))).collect()
}

fn letter(n: usize) -> char {
    char::from(b'a' + u8::try_from(n % 26).unwrap())
}

/// Records one second of requests from `clients` clients to these targets, and returns what was allocated.
fn second(recorder: &Recorder, targets: &[String], clients: u64) -> AllocationInfo {
    measure(|| {
        for n in 0..SECOND {
            let target = &targets[usize::try_from(n).unwrap() % targets.len()];
            request(recorder, target, (n % clients + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15), n);
        }
    })
}

fn recorder(failures: bool) -> Recorder {
    let recorder = Recorder::default();
    recorder.configure(EvidenceSettings {
        slow_after: Some(Duration::from_mins(1)),
        stall_after: None,
        failures,
    });
    recorder
}

#[test]
fn a_request_allocates_nothing() {
    for (routes, clients) in [(1, 1), (50, 20_000), (2_000, 20_000)] {
        let recorder = recorder(false);
        let targets = targets(routes);
        // The first request allocates the memory that the recorder then keeps.
        request(&recorder, &targets[0], 7, 10);
        let taken = second(&recorder, &targets, clients);
        assert_eq!((taken.count_total, taken.bytes_total), (0, 0), "{routes} routes, {clients} clients");
        let bucket = recorder.take().unwrap();
        assert_eq!(bucket.requests, SECOND + 1, "all of them were counted");
    }
}

/// The recorder keeps a text for each of the first failed requests of a bake. Later failures allocate
/// nothing.
#[test]
fn only_the_first_failures_are_put_into_words() {
    let recorder = recorder(true);
    let targets = targets(50);
    let first = second(&recorder, &targets, 100);
    assert!(first.count_total > 0, "else this measures nothing");
    // Each failure allocates a time, a route, a cause and an endpoint; the lists grow as well.
    assert!(first.count_total <= 16 * FAILURES_MAX as u64, "{first:?}");
    let later = second(&recorder, &targets, 100);
    assert_eq!(later.count_total, 0, "{later:?}");
}

#[test]
fn a_second_handed_over_costs_the_next_one_a_little() {
    let recorder = recorder(false);
    let targets = targets(50);
    second(&recorder, &targets, 100);
    for _ in 0..5 {
        recorder.take().unwrap();
        let next = second(&recorder, &targets, 100);
        // The allocations are the lists of clients and of times, the routes, and the table of the routes.
        assert!((1..=4).contains(&next.count_total), "{next:?}");
    }
}

/// A worker keeps at most 64 KiB for one second of one color, for any number of clients and routes.
#[test]
fn the_memory_of_one_second_is_bounded() {
    let recorder = recorder(false);
    let targets = targets(5_000);
    let first = second(&recorder, &targets, 1_000_000);
    let more = second(&recorder, &targets, 1_000_000);
    assert!(first.bytes_max <= 64 * 1024, "{first:?}");
    assert_eq!(more.bytes_total, 0, "{more:?}");
}

/// Each attempt that waits has a place in the recorder. A place that an attempt has left is used again.
#[test]
fn places_of_waiting_attempts_are_used_again() {
    let recorder = recorder(false);
    let route = RouteTemplate::new(b"GET", b"/slow");
    let asker = Asker { client: 1, route: &route, endpoint: None };
    let round = || {
        let places: [_; WAITING] = std::array::from_fn(|_| recorder.begin(&asker));
        for place in places {
            recorder.leave(place);
        }
    };
    let first = measure(round);
    assert!(first.count_total > 0, "else this measures nothing");
    assert_eq!(measure(round).count_total, 0);
}
