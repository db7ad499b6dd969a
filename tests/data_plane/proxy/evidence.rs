//! The evidence that the workers hand over, compared with the requests that a real origin saw. The tests
//! cover the counts by route, slow and hung requests, and the first failures.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use greenlight::judge::{BaselineWindow, Bucket, Policy, SLOW_REPEATS_MAX};
use greenlight::model::Color;

use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::{Origin, with_length};

/// The latency limit tau of these tests.
const TAU: Duration = Duration::from_millis(40);

/// Collects the evidence of blue from all workers.
fn handed_over(front: &Front) -> Bucket {
    let mut sum = Bucket::default();
    for counts in front.collect().into_iter().flat_map(|report| report.colors) {
        if counts.color == Color::Blue {
            sum.merge(&counts.bucket);
        }
    }
    sum
}

/// Collects evidence again and again and adds it to `sum`, until `holds` is true of the sum.
fn until(front: &Front, sum: &mut Bucket, holds: impl Fn(&Bucket) -> bool) {
    let mut tries = 0;
    while !holds(sum) {
        sum.merge(&handed_over(front));
        tries += 1;
        assert!(tries < 100_000, "{sum:?}");
        std::thread::yield_now();
    }
}

#[test]
fn counts_by_route_are_what_the_origin_saw() {
    const CLIENTS: usize = 8;
    const REQUESTS: usize = 150;
    let origin = Origin::start(|link| {
        while let Some(head) = link.head() {
            let status = if head.contains("/bad") || head.contains("/mixed/7") { 503 } else { 200 };
            link.send(with_length(&format!("HTTP/1.1 {status} S"), b""));
        }
    });
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.workers = 3;
    let front = setup.start();
    let mut sum = Bucket::default();
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let mut client = front.client();
            scope.spawn(move || {
                for n in 0..REQUESTS {
                    let id = n % 11;
                    let target = match (n + number) % 4 {
                        0 => format!("/items/{id}?secret=1"),
                        1 => format!("/bad/{id}"),
                        2 => format!("/mixed/{id}/part"),
                        _ => "/".to_owned(),
                    };
                    client.get(HOST, &target);
                }
            });
        }
        // The workers hand over evidence while the clients run. No request may be lost or counted twice.
        until(&front, &mut sum, |sum| sum.requests >= (CLIENTS * REQUESTS / 2) as u64);
    });
    sum.merge(&handed_over(&front));
    let mut seen: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for head in origin.heads() {
        let path = head.split(' ').nth(1).unwrap().split('?').next().unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        let route = match parts.as_slice() {
            ["", first, _] => format!("GET /{first}/{{id}}"),
            ["", first, _, last] => format!("GET /{first}/{{id}}/{last}"),
            _ => "GET /".to_owned(),
        };
        let counts = seen.entry(route).or_default();
        counts.0 += 1;
        counts.1 += u64::from(path.starts_with("/bad") || path.starts_with("/mixed/7"));
    }
    // The test reads the counts through a frozen baseline, as the controller does.
    let (mut window, policy) = (BaselineWindow::default(), Policy::default());
    window.push(&sum, &policy);
    let routes = window.freeze(&policy).routes.into_iter();
    let counted: BTreeMap<String, (u64, u64)> =
        routes.map(|route| (route.route, (route.requests, route.errors))).collect();
    assert_eq!(counted, seen);
    assert_eq!(sum.requests, (CLIENTS * REQUESTS) as u64);
    assert_eq!(sum.errors, seen.values().map(|(_, bad)| *bad).sum::<u64>());
    assert!(sum.failures().is_empty(), "failures are kept in a bake only");
}

/// An origin that reports each request on the receiver. It never answers `/hang`, and answers `/slow` when
/// the sender gets a value.
fn sick() -> (Origin, mpsc::Receiver<()>, mpsc::SyncSender<()>) {
    let (arrived, arrivals) = mpsc::sync_channel(64);
    let (go, gone) = mpsc::sync_channel(64);
    let gone = std::sync::Mutex::new(gone);
    let origin = Origin::start(move |link| {
        while let Some(head) = link.head() {
            arrived.send(()).unwrap();
            if head.contains("/hang") {
                link.rest();
                return;
            }
            if head.contains("/slow") && gone.lock().unwrap().recv().is_err() {
                return;
            }
            link.send(with_length("HTTP/1.1 200 OK", b"late"));
        }
    });
    (origin, arrivals, go)
}

fn baking(front: &Front, slow_after: Option<Duration>) {
    front.change(|service| {
        service.baking = true;
        service.slow_after = slow_after;
    });
}

#[test]
fn hung_requests_count_when_tau_passes_and_six_times_more() {
    let (origin, arrivals, _go) = sick();
    let front = Front::between(&[origin.address], &[]);
    baking(&front, Some(TAU));
    let clients: Vec<_> = (0..3)
        .map(|n| {
            let mut client = front.client();
            client.send(format!("GET /hang/{n}?token=secret HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
            arrivals.recv_timeout(PATIENCE).unwrap();
            client
        })
        .collect();
    let mut sum = Bucket::default();
    until(&front, &mut sum, |sum| sum.slow == 3);
    until(&front, &mut sum, |sum| sum.slow_repeats == 3 * u64::from(SLOW_REPEATS_MAX));
    for _ in 0..5 {
        sum.merge(&handed_over(&front));
    }
    assert_eq!((sum.slow, sum.slow_repeats), (3, 3 * u64::from(SLOW_REPEATS_MAX)), "six times and no more");
    assert_eq!((sum.requests, sum.errors), (0, 0), "they have not ended");
    let failures = sum.failures();
    assert_eq!(failures.len(), 3);
    for failure in failures {
        assert!(failure.slow && failure.route == "GET /hang/{id}" && failure.status.is_none(), "{failure:?}");
        assert_eq!(failure.endpoint.as_deref(), Some(origin.address.to_string().as_str()));
    }
    drop(clients);
}

#[test]
fn a_slow_answer_counts_once_whether_it_was_seen_waiting_or_not() {
    let (origin, arrivals, go) = sick();
    let front = Front::between(&[origin.address], &[]);
    baking(&front, Some(TAU));
    let slow = |look: bool| {
        let mut client = front.client();
        client.send(format!("GET /slow HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
        arrivals.recv_timeout(PATIENCE).unwrap();
        let mut sum = Bucket::default();
        if look {
            until(&front, &mut sum, |sum| sum.slow == 1);
        } else {
            // The test collects nothing from the workers until tau has passed.
            let (_never, nothing) = mpsc::sync_channel::<()>(1);
            assert!(nothing.recv_timeout(TAU * 2).is_err());
        }
        let repeats = sum.slow_repeats;
        go.send(()).unwrap();
        assert_eq!(client.response().text(), "late");
        sum.merge(&handed_over(&front));
        assert_eq!((sum.slow, sum.slow_repeats), (1, repeats));
        assert_eq!((sum.requests, sum.errors), (1, 0), "slow is no error");
    };
    slow(true);
    slow(false);
    // A quick request is not slow. Tau is a minute, so that holds on a busy machine too.
    baking(&front, Some(Duration::from_mins(1)));
    assert_eq!(front.client().get(HOST, "/quick").status, 200);
    let sum = handed_over(&front);
    assert_eq!((sum.requests, sum.slow), (1, 0));
}

/// An origin that sends the head and the first byte of each answer, and then nothing. `media_type` is the type
/// of the body.
fn stalling(media_type: &'static str) -> Origin {
    Origin::start(move |link| {
        while link.head().is_some() {
            link.send(format!("HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: 9\r\n\r\nx"));
            link.rest();
        }
    })
}

#[test]
fn a_body_that_stalls_is_slow_and_counts_for_the_baseline_too() {
    let origin = stalling("text/html");
    let front = Front::between(&[origin.address], &[]);
    front.change(|service| {
        service.baking = true;
        service.slow_after = Some(TAU);
        service.stall_after = Some(TAU);
    });
    let mut client = front.client();
    client.send(format!("GET /page HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    let mut sum = Bucket::default();
    let all = u64::from(SLOW_REPEATS_MAX);
    until(&front, &mut sum, |sum| sum.slow == 1 && sum.slow_repeats == all);
    (0..5).for_each(|_| sum.merge(&handed_over(&front)));
    assert_eq!((sum.slow, sum.slow_repeats), (1, all));
    assert_eq!((sum.stalled, sum.stalled_repeats), (1, all), "the same counts for a later baseline");
    assert_eq!((sum.requests, sum.errors), (1, 0), "its head was a success");
    let failure = &sum.failures()[0];
    assert!(failure.slow && failure.cause.as_deref().is_some_and(|why| why.contains("body")), "{failure:?}");
}

#[test]
fn a_client_that_gives_up_on_a_stalled_body_counts() {
    let origin = stalling("text/html");
    let front = Front::between(&[origin.address], &[]);
    front.change(|service| {
        service.baking = true;
        service.slow_after = Some(TAU);
        service.stall_after = Some(Duration::from_mins(1));
    });
    let mut client = front.client();
    client.send(format!("GET /page HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    let mut sum = Bucket::default();
    until(&front, &mut sum, |sum| sum.requests == 1);
    sum.merge(&handed_over(&front));
    // The patience of a client, which is longer than the interval of the looks.
    let (_never, nothing) = mpsc::sync_channel::<()>(1);
    assert!(nothing.recv_timeout(Duration::from_millis(1200)).is_err());
    assert_eq!((sum.slow, sum.stalled), (0, 0));
    // Bytes that were not read make the close a reset.
    drop(client);
    until(&front, &mut sum, |sum| sum.slow == 1);
    assert_eq!((sum.slow, sum.slow_repeats, sum.stalled, sum.errors), (1, 0, 1, 0));
}

/// A stream of events may be silent.
#[test]
fn a_silent_event_stream_is_not_slow() {
    let origin = stalling("text/event-stream; charset=utf-8");
    let front = Front::between(&[origin.address], &[]);
    front.change(|service| {
        service.baking = true;
        service.slow_after = Some(TAU);
        service.stall_after = Some(TAU);
    });
    let mut client = front.client();
    client.send(format!("GET /events HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    let mut sum = Bucket::default();
    until(&front, &mut sum, |sum| sum.requests == 1);
    let (_never, nothing) = mpsc::sync_channel::<()>(1);
    assert!(nothing.recv_timeout(TAU * 3).is_err());
    (0..5).for_each(|_| sum.merge(&handed_over(&front)));
    assert_eq!((sum.slow, sum.stalled), (sum.stalled, 0));
}

#[test]
fn no_request_is_slow_until_a_tau_is_set() {
    let (origin, arrivals, go) = sick();
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!("GET /slow HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    let (_never, nothing) = mpsc::sync_channel::<()>(1);
    assert!(nothing.recv_timeout(TAU * 2).is_err());
    assert!(handed_over(&front).is_empty());
    // A request that still hangs when a tau is set counts as slow from then on.
    baking(&front, Some(TAU));
    let mut sum = Bucket::default();
    until(&front, &mut sum, |sum| sum.slow == 1);
    go.send(()).unwrap();
    assert_eq!(client.response().status, 200);
}

#[test]
fn the_first_failures_of_a_bake_are_kept_without_secrets() {
    let origin = Origin::start(|link| {
        while let Some(head) = link.head() {
            if head.contains("/cut") {
                link.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
                return;
            }
            if head.contains("/close") {
                return;
            }
            link.send(with_length("HTTP/1.1 500 S", b""));
        }
    });
    let front = Front::between(&[origin.address], &[]);
    baking(&front, None);
    assert_eq!(front.client().get(HOST, "/bad/77?password=hunter2").status, 500);
    let mut client = front.client();
    client.send(format!("POST /close HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!(client.response().status, 502);
    let mut client = front.client();
    client.send(format!("GET /cut HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    assert!(client.try_response(false).is_err());
    let sum = handed_over(&front);
    assert_eq!((sum.requests, sum.errors), (3, 3));
    let said: Vec<_> =
        sum.failures().iter().map(|one| (one.route.as_str(), one.status, one.cause.as_deref())).collect();
    assert_eq!(
        said,
        [
            ("GET /bad/{id}", Some(500), None),
            ("POST /close", None, Some("the connection ended without a response")),
            ("GET /cut", Some(200), Some("the response was cut short")),
        ]
    );
    assert!(sum.failures().iter().all(|one| one.time.ends_with('Z')));
    assert!(!format!("{sum:?}").contains("hunter2"));
    for _ in 0..30 {
        front.client().get(HOST, "/bad");
    }
    assert_eq!(handed_over(&front).failures().len(), greenlight::judge::FAILURES_MAX, "bounded");
}
