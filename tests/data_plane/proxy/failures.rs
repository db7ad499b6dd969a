//! Every answer of the door itself, and the evidence that the judge gets of it.

use std::net::TcpListener;
use std::sync::{Mutex, mpsc};

use greenlight::config::Access;
use greenlight::model::Color;

use greenlight_testkit::front::{Front, HOST, Setup, endpoints};
use greenlight_testkit::origin::{Origin, with_length};

/// An address that refuses connections.
fn refusing() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn post(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n")
}

#[test]
fn a_refused_request_never_reaches_the_origin() {
    let cases: [(&str, u16); 12] = [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: app.test\n\n", 400),
        ("GET / HTTP/1.1\r\nHost: app.test\r\nHost: app.test\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
        ("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("CONNECT app.test:80 HTTP/1.1\r\nHost: app.test:80\r\n\r\n", 405),
        ("TRACE / HTTP/1.1\r\nHost: app.test\r\n\r\n", 405),
        ("GET / HTTP/3.0\r\nHost: app.test\r\n\r\n", 505),
        ("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\nExpect: more\r\n\r\nx", 417),
        ("GET / HTTP/1.1\r\nHost: app.test\r\nA: b\r\n c\r\n\r\n", 400),
        ("\x16\x03\x01\x02\x00\x01", 400),
    ];
    let origin = Origin::naming("never");
    let front = Front::between(&[origin.address], &[]);
    for (request, status) in cases {
        let mut client = front.client();
        client.send(request);
        let response = client.response();
        assert_eq!(response.status, status, "{request:?}");
        assert_eq!(response.header("connection"), Some("close"), "{request:?}");
        assert_eq!(response.header("cache-control"), Some("no-store"), "{request:?}");
        client.expect_end();
    }
    assert_eq!(origin.connections(), 0);
    assert_eq!(front.evidence(Color::Blue), (0, 0));
    assert_eq!(front.metric("greenlight_unrouted_total{status=\"505\"}"), Some(1.0));
}

#[test]
fn heads_over_the_limits_get_their_own_codes() {
    let origin = Origin::naming("fits");
    let front = Front::between(&[origin.address], &[]);
    let long = "x".repeat(9000);
    let many = (0..101).map(|n| format!("X-{n}: 1\r\n")).collect::<Vec<_>>().concat();
    let large = (0..5).map(|n| format!("X-{n}: {long}\r\n")).collect::<Vec<_>>().concat();
    let host = format!("Host: {HOST}\r\n");
    for (request, status) in [
        (format!("GET /{long} HTTP/1.1\r\n{host}\r\n"), 414),
        (format!("GET / HTTP/1.1\r\n{host}{many}\r\n"), 431),
        (format!("GET / HTTP/1.1\r\n{host}{large}\r\n"), 431),
    ] {
        let mut client = front.client();
        client.send(request);
        assert_eq!(client.response().status, status);
        client.expect_end();
    }
    let mut client = front.client();
    let large = (0..3).map(|n| format!("X-{n}: {long}\r\n")).collect::<Vec<_>>().concat();
    client.send(format!("GET / HTTP/1.1\r\n{host}{large}\r\n"));
    assert_eq!(client.response().text(), "fits");
}

#[test]
fn hosts_that_no_service_claims_get_404_and_keep_their_connection() {
    let front = Front::between(&[refusing()], &[]);
    let mut client = front.client();
    assert_eq!(client.get("other.test", "/").status, 404);
    assert_eq!(client.get("other.test", "/").status, 404);
    client.send("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(client.response().status, 404);
    client.expect_end();
}

#[test]
fn the_door_answers_options_of_the_server_itself() {
    let front = Front::between(&[refusing()], &[]);
    let mut client = front.client();
    client.send(format!("OPTIONS * HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    let response = client.response();
    assert_eq!(response.status, 200);
    assert!(response.header("allow").unwrap().contains("GET"));
    assert!(client.is_open());
}

#[test]
fn a_body_over_its_limit_is_refused_before_or_while_it_comes() {
    let origin = Origin::start(|link| {
        link.head();
        link.rest();
    });
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.settings().body_bytes_max = 10;
    let front = setup.start();
    let mut client = front.client();
    client.send(post(11));
    assert_eq!(client.response().status, 413);
    client.expect_end();
    assert_eq!(origin.connections(), 0);

    let mut client = front.client();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n"
    ));
    client.send("8\r\n12345678\r\n");
    assert_eq!(client.response().status, 413);
    client.expect_end();
    assert_eq!(front.evidence(Color::Blue), (0, 0));
}

#[test]
fn a_malformed_chunk_gets_400_and_aborts_the_origins_request() {
    let (told, aborted) = std::sync::mpsc::sync_channel(2);
    let origin = Origin::start(move |link| {
        link.head();
        told.send(link.take(10).unwrap()).unwrap();
        told.send(link.rest()).unwrap();
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client
        .send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"));
    assert_eq!(aborted.recv_timeout(greenlight_testkit::client::PATIENCE).unwrap(), b"5\r\nhello\r\n");
    client.send("zz\r\n");
    let response = client.response();
    assert_eq!((response.status, response.header("connection")), (400, Some("close")));
    client.expect_end();
    let body = aborted.recv_timeout(greenlight_testkit::client::PATIENCE).unwrap();
    assert_eq!(body, b"", "the origin must not take it for whole");
    assert_eq!(front.evidence(Color::Blue), (0, 0));
    assert_eq!(front.inflight(Color::Blue), 0);
}

#[test]
fn a_client_that_goes_away_inside_its_body_is_no_evidence() {
    let (told, aborted) = std::sync::mpsc::sync_channel(1);
    let origin = Origin::start(move |link| {
        link.head();
        told.send(link.rest().len()).unwrap();
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(post(100));
    client.send("half");
    client.half_close();
    client.expect_end();
    assert_eq!(aborted.recv_timeout(greenlight_testkit::client::PATIENCE).unwrap(), 4);
    assert_eq!(front.evidence(Color::Blue), (0, 0));
}

#[test]
fn a_client_that_resets_ends_the_origins_work() {
    let (told, events) = std::sync::mpsc::sync_channel(2);
    let origin = Origin::start(move |link| {
        link.head();
        told.send("head").unwrap();
        link.rest();
        told.send("end").unwrap();
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    assert_eq!(events.recv_timeout(greenlight_testkit::client::PATIENCE).unwrap(), "head");
    socket2::SockRef::from(&client.socket).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(client);
    assert_eq!(events.recv_timeout(greenlight_testkit::client::PATIENCE).unwrap(), "end");
    assert_eq!(front.evidence(Color::Blue), (0, 0));
}

#[test]
fn a_refused_connect_is_tried_elsewhere_counted_and_told_to_the_prober() {
    let origin = Origin::naming("up");
    let down = refusing();
    let mut front = Front::between(&[down, origin.address], &[]);
    let mut client = front.client();
    let mut requests = 0;
    // The door picks endpoints at random, so the test goes on until the door has picked the one that is down.
    let suspect = loop {
        assert_eq!(client.get(HOST, "/").text(), "up");
        requests += 1;
        match front.suspected.try_recv() {
            Ok(suspect) => break suspect,
            Err(_) => assert!(requests < 1000, "the endpoint that is down was never tried"),
        }
    };
    assert_eq!(suspect.endpoint.as_str(), format!("app/blue/{down}"));
    assert_eq!(front.evidence(Color::Blue), (requests + 1, 1));
}

#[test]
fn no_endpoint_that_accepts_is_502_and_none_at_all_is_503() {
    let front = Front::between(&[refusing(), refusing()], &[]);
    let mut client = front.client();
    let response = client.get(HOST, "/");
    assert_eq!((response.status, response.header("connection")), (502, None));
    assert_eq!(front.evidence(Color::Blue), (2, 2));
    front.change(|service| service.colors[Color::Blue] = endpoints(Color::Blue, &[]));
    let response = client.get(HOST, "/");
    assert_eq!((response.status, response.header("retry-after")), (503, Some("1")));
    assert_eq!(front.evidence(Color::Blue), (1, 1));
    front.change(|service| {
        service.colors[Color::Blue] = endpoints(Color::Blue, &[refusing()]);
        service.colors[Color::Blue].endpoints[0].usable = false;
    });
    assert_eq!(client.get(HOST, "/").status, 503);
    assert!(client.is_open());
}

#[test]
fn malformed_responses_are_502_and_errors() {
    let bad = [
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\nContent-Length: 1\n\nx",
        "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "",
    ];
    for bytes in bad {
        let origin = Origin::answering_once(bytes);
        let front = Front::between(&[origin.address], &[]);
        let mut client = front.client();
        assert_eq!(client.get(HOST, "/").status, 502, "{bytes:?}");
        assert!(client.is_open(), "{bytes:?}");
        assert_eq!(front.evidence(Color::Blue), (1, 1), "{bytes:?}");
        assert_eq!(origin.connections(), 1, "a fresh connection is not tried twice");
    }
}

#[test]
fn a_reset_instead_of_a_response_is_502_and_an_error() {
    let origin = Origin::start(|link| {
        link.head();
        link.reset_at_end();
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    assert_eq!(client.get(HOST, "/").status, 502);
    assert_eq!(front.evidence(Color::Blue), (1, 1));
    assert!(client.is_open());
}

#[test]
fn a_body_that_is_malformed_beside_its_head_is_no_answer() {
    let trailers = format!("0\r\nX: {}\r\n\r\n", "a".repeat(65 * 1024));
    for (body, interim) in [
        ("zz\r\n", ""),
        ("5\r\nhello\r\nzz\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n"),
        ("5\r\nhelloo\r\n0\r\n\r\n", ""),
        ("0\r\nno trailer\r\n\r\n", ""),
        (&trailers[..], ""),
    ] {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let origin = Origin::answering_once([interim, head, body].concat());
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("access.log");
        let mut setup = Setup::new(&[origin.address], &[]);
        setup.access = Access::File(log.clone());
        let mut front = setup.start();
        let mut client = front.client();
        let mut response = client.get(HOST, "/");
        if !interim.is_empty() {
            assert_eq!(response.status, 103, "an interim answer that has left is no answer");
            response = client.response();
        }
        assert_eq!(response.status, 502, "{body:.40}");
        assert!(client.is_open());
        assert_eq!(front.evidence(Color::Blue), (1, 1), "the judge counts one error");
        front.shut_down();
        let lines = std::fs::read_to_string(log).unwrap();
        let line: serde_json::Value = serde_json::from_str(lines.trim_end()).unwrap();
        assert_eq!(
            (&line["status"], &line["cause"]),
            (&502.into(), &"the origin's answer is malformed".into())
        );
    }
}

#[test]
fn a_response_cut_short_ends_abnormally_and_is_one_error() {
    let cut = [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ];
    for bytes in cut {
        let origin = Origin::answering_once(bytes);
        let front = Front::between(&[origin.address], &[]);
        let mut client = front.client();
        client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
        assert!(client.try_response(false).is_err(), "{bytes:?}");
        assert_eq!(front.evidence(Color::Blue), (1, 1), "{bytes:?}");
    }
    // The body turns malformed in a later packet. The client gets the part before the fault.
    let (go, gone) = mpsc::sync_channel::<()>(1);
    let gone = Mutex::new(gone);
    let origin = Origin::start(move |link| {
        link.head();
        link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        gone.lock().unwrap().recv().unwrap();
        link.send("5\r\nhello\r\n6\r\n world\r\nzz\r\n");
        link.rest();
    });
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.access = Access::File(log.clone());
    let mut front = setup.start();
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    assert!(client.take_head().unwrap().starts_with("HTTP/1.1 200 "));
    go.send(()).unwrap();
    assert_eq!(client.rest().unwrap(), b"5\r\nhello\r\n6\r\n world\r\n", "no last chunk");
    assert_eq!(front.evidence(Color::Blue), (1, 1));
    front.shut_down();
    let line: serde_json::Value =
        serde_json::from_str(std::fs::read_to_string(log).unwrap().trim_end()).unwrap();
    assert_eq!(
        (&line["status"], &line["cause"]),
        (&200.into(), &"the origin's response was cut short".into())
    );
    // For HTTP/1.0 the body ends with the connection, so only a reset shows that it was cut.
    let origin = Origin::answering_once(cut[1]);
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.0\r\nHost: {HOST}\r\n\r\n"));
    assert!(client.rest().is_err());
}

#[test]
fn statuses_that_are_failures_are_errors_at_their_head() {
    for (status, errors) in [(500, 1), (503, 1), (501, 0), (505, 0), (404, 0), (200, 0)] {
        let origin = Origin::answering(with_length(&format!("HTTP/1.1 {status} Whatever"), b""));
        let front = Front::between(&[origin.address], &[]);
        assert_eq!(front.client().get(HOST, "/").status, status);
        assert_eq!(front.evidence(Color::Blue), (1, errors), "{status}");
    }
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nGrpc-Status: 14\r\nContent-Length: 0\r\n\r\n");
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/grpc\r\n\r\n"));
    assert_eq!(client.response().status, 200);
    assert_eq!(front.evidence(Color::Blue), (1, 1));
}

#[test]
fn an_early_response_is_passed_on_and_the_connection_closed_after_it() {
    let origin = Origin::start(|link| {
        link.head();
        link.send(with_length("HTTP/1.1 403 Forbidden", b"no"));
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(post(10_000_000));
    let response = client.response();
    assert_eq!((response.status, response.text().as_str()), (403, "no"));
    client.expect_end();
    assert_eq!(front.evidence(Color::Blue), (1, 0));
}

#[test]
fn a_stale_connection_costs_no_get_and_no_post_is_sent_twice() {
    // Every connection of the origin serves one request.
    let origin = Origin::start(|link| {
        if link.head().is_some() {
            link.send(with_length("HTTP/1.1 200 OK", b"once"));
            // The origin reads the second request and closes the connection without an answer.
            link.head();
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    assert_eq!(client.get(HOST, "/1").text(), "once");
    assert_eq!(client.get(HOST, "/2").text(), "once");
    assert_eq!(front.evidence(Color::Blue), (2, 0));
    assert_eq!(front.metric("greenlight_replays_total"), Some(1.0));
    client.send(post(2) + "ab");
    assert_eq!(client.response().status, 502);
    let posts = origin.heads().iter().filter(|head| head.starts_with("POST")).count();
    assert_eq!(posts, 1);
    assert_eq!(front.evidence(Color::Blue), (1, 1));
}

#[test]
fn replays_have_a_budget() {
    let origin = Origin::start(|link| {
        if link.head().is_some() {
            link.send(with_length("HTTP/1.1 200 OK", b""));
            link.head();
        }
    });
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.settings().retry_budget = 0.0;
    let front = setup.start();
    let mut client = front.client();
    let statuses: Vec<u16> = (0..40).map(|_| client.get(HOST, "/").status).collect();
    let lost = statuses.iter().filter(|&&status| status == 502).count();
    // Ten replays in ten seconds are always allowed. A new window of ten seconds may begin once during the
    // test.
    assert!((1..=20).contains(&lost), "{lost} of 40");
}

#[test]
fn a_connection_with_bytes_left_over_is_not_used_again() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n");
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    for _ in 0..3 {
        assert_eq!(client.get(HOST, "/").text(), "ok");
    }
    assert_eq!(origin.connections(), 3);
}

#[test]
fn a_refused_head_gets_a_head_alone() {
    let origin = Origin::naming("never");
    let front = Front::between(&[origin.address], &[]);
    for (fields, status) in [("", 400), ("Host: app.test\r\nExpect: more\r\n", 417)] {
        let mut client = front.client();
        client.send(format!("\r\nHEAD / HTTP/1.1\r\n{fields}\r\n"));
        assert_eq!(client.head_response().status, status);
        client.expect_end();
    }
    let mut client = front.client();
    client.send("HEAD / HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
    assert_eq!(client.head_response().status, 404);
    assert!(client.is_open());
}
