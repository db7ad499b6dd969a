//! The requests of the control plane to the workers, and the guarantees that it gets from them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use greenlight::config::Access;
use greenlight::model::Color;

use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::front::{Front, HOST, Setup, endpoints};
use greenlight_testkit::origin::{Origin, with_length};

/// An origin that answers with its name and counts its requests.
fn counting(name: &'static str, count: &Arc<AtomicU64>) -> Origin {
    let count = Arc::clone(count);
    Origin::start(move |link| {
        while link.head().is_some() {
            count.fetch_add(1, Ordering::SeqCst);
            link.send(with_length("HTTP/1.1 200 OK", name.as_bytes()));
        }
    })
}

#[test]
fn switches_under_load_lose_nothing_and_are_done_when_acknowledged() {
    let counts = [Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0))];
    let blue = counting("blue", &counts[0]);
    let green = counting("green", &counts[1]);
    let mut setup = Setup::new(&[blue.address], &[green.address]);
    setup.workers = 2;
    let front = setup.start();
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..16)
        .map(|_| {
            let (stop, mut client) = (Arc::clone(&stop), front.client());
            std::thread::spawn(move || {
                let mut served = 0_u64;
                while !stop.load(Ordering::SeqCst) {
                    let response = client.get(HOST, "/");
                    assert_eq!(response.status, 200);
                    served += 1;
                }
                served
            })
        })
        .collect();
    for round in 0..100 {
        let (active, other) = if round % 2 == 0 { (Color::Green, 0) } else { (Color::Blue, 1) };
        front.change(|service| service.active = active);
        // Requests that were in flight at the switch may still arrive at the old color. Once there are none,
        // no further request may arrive.
        while front.inflight(active.other()) > 0 {
            std::thread::yield_now();
        }
        let before = counts[other].load(Ordering::SeqCst);
        let served = counts[1 - other].load(Ordering::SeqCst);
        while counts[1 - other].load(Ordering::SeqCst) < served + 20 {
            std::thread::yield_now();
        }
        assert_eq!(counts[other].load(Ordering::SeqCst), before, "a request on the old color, round {round}");
    }
    stop.store(true, Ordering::SeqCst);
    let served: u64 = clients.into_iter().map(|client| client.join().unwrap()).sum();
    let seen: u64 = counts.iter().map(|count| count.load(Ordering::SeqCst)).sum();
    assert_eq!(served, seen);
    // A worker hands over the evidence of both colors in one report.
    let counts: Vec<_> = front.collect().into_iter().flat_map(|report| report.colors).collect();
    assert_eq!(counts.iter().map(|counts| counts.bucket.requests).sum::<u64>(), seen);
    assert_eq!(counts.iter().map(|counts| counts.bucket.errors).sum::<u64>(), 0);
}

#[test]
fn evidence_of_all_workers_is_what_the_origin_saw() {
    let origin = Origin::start(|link| {
        while let Some(head) = link.head() {
            let status = if head.contains("GET /bad") { 500 } else { 200 };
            link.send(with_length(&format!("HTTP/1.1 {status} S"), b""));
        }
    });
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.workers = 3;
    let front = setup.start();
    for n in 0..30 {
        let mut client = front.client();
        for m in 0..n % 7 {
            client.get(HOST, if m % 3 == 0 { "/bad" } else { "/good" });
        }
        client.get(&format!("blue.{HOST}"), "/bad");
    }
    let public: Vec<_> = origin.heads().into_iter().filter(|head| !head.contains("Host: blue.")).collect();
    let bad = public.iter().filter(|head| head.contains("GET /bad")).count();
    assert_eq!(front.evidence(Color::Blue), (public.len() as u64, bad as u64));
    assert_eq!(front.evidence(Color::Blue), (0, 0), "handed over once");
}

#[test]
fn a_request_in_flight_stays_on_its_color_and_is_counted_until_its_end() {
    let (blue, arrivals, go) = Origin::held();
    let green = Origin::naming("green");
    let front = Front::between(&[blue.address], &[green.address]);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    front.change(|service| service.active = Color::Green);
    assert_eq!((front.inflight(Color::Blue), front.inflight(Color::Green)), (1, 0));
    let reports = front.collect();
    assert_eq!(reports[0].inflight.len(), 1);
    assert_eq!(reports[0].inflight[0].endpoint.as_str(), format!("app/blue/{}", blue.address));
    assert_eq!(reports[0].connections, 1);
    assert_eq!(front.client().get(HOST, "/").text(), "green");
    // The endpoint leaves the table. Its request is still counted, and it may finish.
    front.change(|service| service.colors[Color::Blue] = endpoints(Color::Blue, &[]));
    assert_eq!(front.inflight(Color::Blue), 1);
    go.send(()).unwrap();
    assert_eq!(client.response().text(), "held");
    assert_eq!(front.inflight(Color::Blue), 0);
    assert_eq!(front.evidence(Color::Blue), (1, 0));
}

#[test]
fn a_count_lasts_until_the_last_byte_of_the_response() {
    let (go, told) = mpsc::sync_channel::<()>(0);
    let told = std::sync::Mutex::new(told);
    let origin = Origin::start(move |link| {
        link.head();
        link.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
        told.lock().unwrap().recv().unwrap();
        link.send("after");
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    client.take_head().unwrap();
    assert_eq!(client.take(5).unwrap(), b"first");
    assert_eq!(front.inflight(Color::Blue), 1);
    go.send(()).unwrap();
    assert_eq!(client.take(5).unwrap(), b"after");
    while front.inflight(Color::Blue) > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_cut_ends_what_is_in_flight_on_one_color_only() {
    let (blue, arrivals, _go) = Origin::held();
    let (green, green_arrivals, green_go) = Origin::held();
    let streaming = Origin::start(|link| {
        link.head();
        link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        link.rest();
    });
    let front = Front::between(&[blue.address], &[green.address]);
    let get = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let mut waiting = front.client();
    waiting.send(&get);
    arrivals.recv_timeout(PATIENCE).unwrap();
    front.change(|service| {
        service.colors[Color::Blue] = endpoints(Color::Blue, &[blue.address, streaming.address]);
        service.colors[Color::Blue].endpoints[0].usable = false;
    });
    let mut stream = front.client();
    stream.send(&get);
    assert!(stream.take_head().unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(stream.take(10).unwrap(), b"5\r\nhello\r\n");
    front.change(|service| service.active = Color::Green);
    let mut other = front.client();
    other.send(&get);
    green_arrivals.recv_timeout(PATIENCE).unwrap();

    assert_eq!(front.cut(Color::Blue), 2);
    assert_eq!(waiting.response().status, 503);
    waiting.expect_end();
    stream.expect_end();
    green_go.send(()).unwrap();
    assert_eq!(other.response().text(), "held");
    assert_eq!(front.inflight(Color::Blue), 0);
    // The request whose response head had come counts as answered. A cut by the door counts as no failure.
    assert_eq!(front.evidence(Color::Blue), (1, 0));
    assert_eq!(front.cut(Color::Blue), 0);
    assert_eq!(front.metric("greenlight_cut_total"), Some(2.0));
}

#[test]
fn a_shutdown_closes_idle_connections_and_lets_busy_ones_finish() {
    let (origin, arrivals, go) = Origin::held();
    let mut front = Front::between(&[origin.address], &[]);
    let mut idle = front.client();
    let mut busy = front.client();
    assert_eq!(idle.get("other.test", "/").status, 404);
    busy.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    front.begin_shutdown(PATIENCE);
    idle.expect_end();
    assert_eq!(front.inflight(Color::Blue), 1, "asks are answered while it drains");
    assert!(std::net::TcpStream::connect(front.address).is_err(), "nothing is accepted any more");
    go.send(()).unwrap();
    let response = busy.response();
    assert_eq!((response.text().as_str(), response.header("connection")), ("held", Some("close")));
    busy.expect_end();
    front.shut_down();
}

#[test]
fn a_shutdown_cuts_what_does_not_finish_in_time() {
    let (origin, arrivals, _go) = Origin::held();
    let mut front = Front::between(&[origin.address], &[]);
    let mut busy = front.client();
    busy.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    front.begin_shutdown(Duration::from_millis(100));
    assert_eq!(busy.response().status, 503);
    busy.expect_end();
    front.shut_down();
}

/// The system has accepted these connections, so their clients hold them for open and have sent a request.
#[test]
fn connections_that_wait_to_be_accepted_are_served_at_a_shutdown() {
    let (origin, arrivals, go) = Origin::held();
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.limits.connections_max = 1;
    let mut front = setup.start();
    let get = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let mut busy = front.client();
    busy.send(&get);
    arrivals.recv_timeout(PATIENCE).unwrap();
    let mut waiting: Vec<_> = (0..3).map(|_| front.client()).collect();
    for client in &mut waiting {
        client.send(&get);
    }
    front.begin_shutdown(Duration::from_secs(30));
    for client in std::iter::once(&mut busy).chain(&mut waiting) {
        go.send(()).unwrap();
        let response = client.response();
        assert_eq!((response.status, response.header("connection")), (200, Some("close")));
        client.expect_end();
    }
    front.shut_down();
    assert!(std::net::TcpStream::connect(front.address).is_err(), "the listener is closed");
}

#[test]
fn an_idle_connection_out_of_the_queue_does_not_hold_a_shutdown() {
    let (origin, arrivals, go) = Origin::held();
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.limits.connections_max = 1;
    let mut front = setup.start();
    let mut busy = front.client();
    busy.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    let mut idle = front.client();
    let begin = greenlight::clock::instant();
    front.begin_shutdown(Duration::from_secs(30));
    go.send(()).unwrap();
    assert_eq!(busy.response().status, 200);
    idle.expect_end();
    front.shut_down();
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

#[test]
fn accept_pauses_at_the_connection_limit() {
    let origin = Origin::naming("ok");
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.limits.connections_max = 2;
    let front = setup.start();
    let mut first = front.client();
    let mut second = front.client();
    assert_eq!(first.get(HOST, "/").text(), "ok");
    assert_eq!(second.get(HOST, "/").text(), "ok");
    let mut third = front.client();
    third.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    for _ in 0..20 {
        assert_eq!(first.get(HOST, "/").text(), "ok");
        assert!(third.is_open(), "the third waits");
        assert_eq!(front.collect()[0].connections, 2);
    }
    drop(second);
    assert_eq!(third.response().text(), "ok");
}

#[test]
fn a_paused_service_holds_its_requests() {
    let origin = Origin::naming("resumed");
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.service.paused = true;
    let front = setup.start();
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    assert_eq!(front.client().get(&format!("blue.{HOST}"), "/").text(), "resumed", "previews are not held");
    assert!(client.is_open());
    front.change(|service| service.epoch = service.epoch.next());
    assert!(client.is_open(), "another table that is paused too changes nothing");
    front.change(|service| service.paused = false);
    assert_eq!(client.response().text(), "resumed");

    let mut setup = Setup::new(&[origin.address], &[]);
    setup.service.paused = true;
    setup.settings().pause_timeout = Duration::from_millis(150);
    let front = setup.start();
    let response = front.client().get(HOST, "/");
    assert_eq!((response.status, response.header("retry-after")), (503, Some("1")));
    assert_eq!(front.evidence(Color::Blue), (0, 0));
    // A `pause_timeout` of zero answers at once; it does not mean an endless wait.
    let front = {
        let mut setup = Setup::new(&[origin.address], &[]);
        setup.service.paused = true;
        setup.settings().pause_timeout = Duration::ZERO;
        setup.start()
    };
    assert_eq!(front.client().get(HOST, "/").status, 503);
}

#[test]
fn preview_hosts_reach_their_color_and_say_so() {
    let blue = Origin::naming("blue");
    let green = Origin::naming("green");
    let front = Front::between(&[blue.address], &[green.address]);
    let mut client = front.client();
    for color in ["blue", "green"] {
        let response = client.get(&format!("{color}.{HOST}"), "/");
        assert_eq!((response.text().as_str(), response.header("x-greenlight-color")), (color, Some(color)));
    }
    assert_eq!(front.evidence(Color::Blue), (0, 0));
    let mut setup = Setup::new(&[blue.address], &[green.address]);
    setup.settings().preview_allow = vec!["10.0.0.0/8".parse().unwrap()];
    setup.trusted = vec!["127.0.0.1/32".parse().unwrap()];
    let front = setup.start();
    let mut client = front.client();
    assert_eq!(client.get(&format!("blue.{HOST}"), "/").status, 404);
    assert_eq!(client.get(HOST, "/").status, 200);
    client.send(format!("GET / HTTP/1.1\r\nHost: blue.{HOST}\r\nX-Forwarded-For: 9.9.9.9, 10.1.2.3\r\n\r\n"));
    assert_eq!(client.response().text(), "blue");
}

#[test]
fn forwarded_fields_are_kept_from_trusted_peers_only() {
    let origin = Origin::naming("");
    for (trusted, expected, id) in [(false, "127.0.0.1", false), (true, "1.2.3.4, 127.0.0.1", true)] {
        let mut setup = Setup::new(&[origin.address], &[]);
        if trusted {
            setup.trusted = vec!["127.0.0.0/8".parse().unwrap()];
        }
        let front = setup.start();
        let fields = "X-Forwarded-For: 1.2.3.4\r\nX-Request-Id: mine\r\n";
        let mut client = front.client();
        client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n"));
        client.response();
        let head = origin.heads().pop().unwrap();
        assert!(head.contains(&format!("\r\nX-Forwarded-For: {expected}\r\n")), "{head}");
        assert_eq!(head.contains("\r\nX-Request-Id: mine\r\n"), id, "{head}");
    }
}

#[test]
fn the_access_log_has_a_line_a_request_and_no_query() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let origin = Origin::naming("hello");
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.access = Access::File(path.clone());
    let mut front = setup.start();
    let mut client = front.client();
    client.get(HOST, "/a?secret=1");
    client.get("other.test", "/b");
    client.get(&format!("blue.{HOST}"), "/c");
    front.shut_down();
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["path"], "/a");
    assert_eq!(lines[0]["status"], 200);
    assert_eq!(lines[0]["method"], "GET");
    assert_eq!(lines[0]["service"], "app");
    assert_eq!(lines[0]["color"], "blue");
    assert_eq!(lines[0]["endpoint"], origin.address.to_string());
    assert_eq!(lines[0]["client"], "127.0.0.1");
    let head = &origin.heads()[0];
    assert!(head.contains(lines[0]["request_id"].as_str().unwrap()));
    assert_eq!(lines[1]["status"], 404);
    assert_eq!(lines[1]["cause"], "no service has this host");
    assert_eq!(lines[2]["host"], format!("blue.{HOST}"));
    assert!(!text.contains("secret"));
}

#[test]
fn metrics_count_by_service_color_and_class() {
    let origin = Origin::answering(with_length("HTTP/1.1 404 Not Found", b""));
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    for _ in 0..3 {
        client.get(HOST, "/");
    }
    let labels = "color=\"blue\",service=\"app\"";
    assert_eq!(front.metric(&format!("greenlight_requests_total{{class=\"4xx\",{labels}}}")), Some(3.0));
    assert_eq!(front.metric(&format!("greenlight_request_duration_seconds_count{{{labels}}}")), Some(3.0));
    assert_eq!(front.metric(&format!("greenlight_inflight{{{labels}}}")), Some(0.0));
    assert_eq!(front.metric("greenlight_connections"), Some(1.0));
    drop(client);
    while front.metric("greenlight_connections") != Some(0.0) {
        std::thread::yield_now();
    }
}
