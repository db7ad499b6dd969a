//! Kept-alive connections that the origin closes: what is lost, and what is never sent twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use greenlight_testkit::client::{Client, PATIENCE};
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::{Origin, with_length};
use greenlight_testkit::setting::{alone, setting};

/// The origin's keep-alive time.
const KEEP_ALIVE: Duration = Duration::from_millis(5);
const CLIENTS: usize = 8;

/// All requests of one measurement, over all clients.
fn requests() -> usize {
    setting("GREENLIGHT_RETRIES", 10_000)
}

/// One POST in so many may be lost: in 1 000, where the machine keeps to milliseconds.
fn busy() -> usize {
    if alone() { 1000 } else { 100 }
}

/// Closes what was idle for 5 ms, as origins do: without a word.
fn impatient() -> Origin {
    Origin::start(|link| {
        while let Some(head) = link.head() {
            let length = head.split("Content-Length: ").nth(1).and_then(|rest| rest.split('\r').next());
            if let Some(length) = length {
                link.take(length.parse().unwrap()).unwrap();
            }
            link.send(with_length("HTTP/1.1 200 OK", b"ok"));
            link.socket.set_read_timeout(Some(KEEP_ALIVE)).unwrap();
        }
    })
}

fn get(number: usize) -> String {
    format!("GET /{number} HTTP/1.1\r\nHost: {HOST}\r\n\r\n")
}

fn post(number: usize) -> String {
    format!("POST /{number} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 4\r\n\r\nbody")
}

/// Sends `count` requests over a few connections with pauses around the keep-alive time, and tells
/// how many were not answered with 200.
fn failures(front: &Front, count: usize, request: fn(usize) -> String) -> usize {
    let failed = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (failed, mut client) = (Arc::clone(&failed), front.client());
            std::thread::spawn(move || {
                let mut random = fastrand::Rng::with_seed(number as u64);
                for n in 0..count / CLIENTS {
                    client.send(request(number * count + n));
                    if client.response().status != 200 {
                        failed.fetch_add(1, Ordering::SeqCst);
                    }
                    std::thread::sleep(KEEP_ALIVE.mul_f64(random.f64() * 2.0));
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    failed.load(Ordering::SeqCst)
}

#[test]
fn an_origin_with_a_short_keep_alive_time_costs_no_get() {
    let origin = impatient();
    let front = Front::between(&[origin.address], &[]);
    let failed = failures(&front, requests(), get);
    println!("RESULT keep-alive of 5 ms, GET: {failed} of {} failed", requests());
    assert_eq!(failed, 0);
}

#[test]
fn posts_are_lost_only_until_the_keep_alive_time_is_learned() {
    let origin = impatient();
    let front = Front::between(&[origin.address], &[]);
    let lost = failures(&front, 800, post);
    let failed = failures(&front, requests(), post);
    println!(
        "RESULT keep-alive of 5 ms, POST: {lost} of 800 failed while it was learned, {failed} of {} after it",
        requests()
    );
    assert!(failed * busy() <= requests(), "{failed} of {}", requests());
}

#[test]
fn posts_are_not_lost_when_the_pool_is_shorter_than_the_origin() {
    let origin = impatient();
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.settings().pool_idle_timeout = Duration::from_millis(1);
    let front = setup.start();
    let failed = failures(&front, requests(), post);
    println!("RESULT keep-alive of 5 ms, POST, pool of 1 ms: {failed} of {} failed", requests());
    // A request that a busy machine holds up for 4 ms on its way comes too late, whoever sent it.
    assert!(if alone() { failed == 0 } else { failed * busy() <= requests() }, "{failed} of {}", requests());
}

/// Reads each request whole; from the second of a connection on it closes without an answer.
fn reads_and_closes() -> Origin {
    Origin::start(|link| {
        let mut first = true;
        while let Some(head) = link.head() {
            if head.starts_with("POST") && link.take(4).is_none() {
                return;
            }
            if !std::mem::take(&mut first) {
                return;
            }
            link.send(with_length("HTTP/1.1 200 OK", b"ok"));
        }
    })
}

/// How often the origin saw each request.
fn seen(origin: &Origin) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for head in origin.heads() {
        *seen.entry(head.lines().next().unwrap().to_owned()).or_default() += 1;
    }
    seen
}

#[test]
fn an_origin_that_reads_and_closes_sees_no_post_twice_and_no_get_three_times() {
    let count = requests();
    for (request, most) in [(post as fn(usize) -> String, 1), (get, 2)] {
        let origin = reads_and_closes();
        let front = Front::between(&[origin.address], &[]);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let mut client: Client = front.client();
                std::thread::spawn(move || {
                    for n in 0..count / CLIENTS {
                        client.send(request(number * count + n));
                        let status = client.response().status;
                        assert!(status == 200 || status == 502, "{status}");
                    }
                })
            })
            .collect();
        for client in clients {
            client.join().unwrap();
        }
        let seen = seen(&origin);
        assert!(seen.len() >= count / CLIENTS * CLIENTS, "every request came once");
        let worst = seen.iter().max_by_key(|(_, times)| **times).unwrap();
        println!(
            "RESULT reads and closes: {count} requests, none seen more than {} times: {}",
            worst.1, worst.0
        );
        assert!(*worst.1 <= most, "{worst:?}");
    }
}

#[test]
fn a_connect_that_fails_is_tried_elsewhere_with_the_whole_body() {
    let (told, bodies) = std::sync::mpsc::sync_channel(64);
    let origin = Origin::start(move |link| {
        while link.head().is_some() {
            told.send(link.take(4).unwrap()).unwrap();
            link.send(with_length("HTTP/1.1 200 OK", b"ok"));
        }
    });
    let refusing = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut front = Front::between(&[refusing, origin.address], &[]);
    let mut client = front.client();
    for number in 0..1000 {
        client.send(post(number));
        assert_eq!(client.response().status, 200);
        assert_eq!(bodies.recv_timeout(PATIENCE).unwrap(), b"body");
        if front.suspected.try_recv().is_ok() {
            return;
        }
    }
    panic!("the endpoint that is down was never tried");
}
