//! The plain cases. Requests reach the origin, responses reach the client, and connections are used again.

use std::sync::mpsc;

use greenlight::model::Color;

use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::{Origin, with_length};

#[test]
fn a_request_goes_up_and_its_response_comes_down() {
    let origin = Origin::answering(with_length("HTTP/1.1 200 OK\r\nX-Origin: yes", b"hello"));
    let front = Front::between(&[origin.address], &[]);
    let response = front.client().get(HOST, "/path?query");
    assert_eq!((response.status, response.text().as_str()), (200, "hello"));
    assert_eq!(response.header("x-origin"), Some("yes"));
    assert!(response.header("date").is_some(), "{}", response.head);
    assert_eq!(response.header("x-greenlight-color"), None);
    let head = &origin.heads()[0];
    assert!(head.starts_with("GET /path?query HTTP/1.1\r\nHost: app.test\r\n"), "{head}");
    assert!(head.contains("\r\nX-Forwarded-For: 127.0.0.1\r\n"), "{head}");
    assert!(head.contains("\r\nX-Request-Id: "), "{head}");
}

#[test]
fn both_connections_are_used_again() {
    let origin = Origin::naming("blue");
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    for _ in 0..50 {
        assert_eq!(client.get(HOST, "/").text(), "blue");
    }
    assert_eq!(origin.connections(), 1);
    assert_eq!(front.evidence(Color::Blue), (50, 0));
    assert_eq!(front.inflight(Color::Blue), 0);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let origin = Origin::start(|link| {
        while let Some(head) = link.head() {
            let path = head.split(' ').nth(1).unwrap().to_owned();
            link.send(with_length("HTTP/1.1 200 OK", path.as_bytes()));
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    let requests: Vec<_> = (0..20).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).collect();
    client.send(requests.concat());
    for n in 0..20 {
        assert_eq!(client.response().text(), format!("/{n}"));
    }
    assert!(client.is_open());
}

#[test]
fn bodies_of_every_framing_arrive_unchanged() {
    let body: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let chunked = {
        let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for (index, piece) in body.chunks(7777).enumerate() {
            let extension = if index % 3 == 0 { ";ext=1" } else { "" };
            bytes.extend_from_slice(format!("{:X}{extension}\r\n", piece.len()).as_bytes());
            bytes.extend_from_slice(piece);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\nX-Trailer: dropped\r\n\r\n");
        bytes
    };
    let to_end = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &body].concat();
    let with_length = with_length("HTTP/1.1 200 OK", &body);
    for bytes in [chunked, to_end, with_length] {
        let origin = Origin::answering_once(bytes);
        let front = Front::between(&[origin.address], &[]);
        let mut client = front.client();
        let response = client.get(HOST, "/");
        assert_eq!(response.status, 200);
        assert!(response.body == body, "{} of {} bytes", response.body.len(), body.len());
        assert!(!String::from_utf8_lossy(&response.raw_body).contains("ext=1"));
        assert!(
            response.raw_body.ends_with(&body[body.len() - 4..])
                || response.raw_body.ends_with(b"\r\n0\r\n\r\n")
        );
        assert!(client.is_open());
        assert_eq!(front.evidence(Color::Blue), (1, 0));
    }
}

#[test]
fn uploads_of_both_framings_arrive_unchanged() {
    let body: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let expected = body.clone();
    let origin = Origin::start(move |link| {
        while let Some(head) = link.head() {
            let body = if head.starts_with("GET") {
                Vec::new()
            } else if head.contains("Transfer-Encoding: chunked") {
                let mut body = Vec::new();
                loop {
                    let line = link.take_until(b"\r\n").unwrap();
                    let size = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
                    let data = link.take(size + 2).unwrap();
                    if size == 0 {
                        break body;
                    }
                    body.extend_from_slice(&data[..size]);
                }
            } else {
                link.take(expected.len()).unwrap()
            };
            let same = if body == expected { "same" } else { "different" };
            link.send(with_length("HTTP/1.1 200 OK", same.as_bytes()));
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {}\r\n\r\n", body.len()));
    client.send(&body);
    assert_eq!(client.response().text(), "same");
    client.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for piece in body.chunks(33_333) {
        client.send(format!("{:x};e\r\n", piece.len()));
        client.send(piece);
        client.send("\r\n");
    }
    client.send("0\r\n\r\n");
    assert_eq!(client.response().text(), "same");
    assert_eq!(client.get(HOST, "/").status, 200);
    assert_eq!(origin.connections(), 1);
}

#[test]
fn upload_and_response_stream_at_the_same_time() {
    let origin = Origin::start(|link| {
        link.head().unwrap();
        link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for _ in 0..20 {
            let line = link.take_until(b"\r\n").unwrap();
            let size = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
            let data = link.take(size + 2).unwrap();
            link.send(line);
            link.send(data);
        }
        link.take(5).unwrap();
        link.send("0\r\n\r\n");
        link.rest();
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for n in 0..20 {
        client.send(format!("4\r\n{n:04}\r\n"));
        if n == 0 {
            assert!(client.take_head().unwrap().starts_with("HTTP/1.1 200"));
        }
        assert_eq!(client.take(9).unwrap(), format!("4\r\n{n:04}\r\n").into_bytes());
    }
    client.send("0\r\n\r\n");
    assert_eq!(client.take(5).unwrap(), b"0\r\n\r\n");
    assert!(client.is_open());
}

#[test]
fn head_gets_the_length_and_no_body() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    for _ in 0..3 {
        client.send(format!("HEAD / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
        let response = client.head_response();
        assert_eq!((response.status, response.header("content-length")), (200, Some("1000")));
    }
    assert!(client.is_open());
    assert_eq!(origin.connections(), 1);
}

#[test]
fn a_client_that_half_closes_gets_its_answer() {
    let origin = Origin::naming("late");
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    client.half_close();
    assert_eq!(client.response().text(), "late");
    client.expect_end();
}

#[test]
fn a_client_without_a_host_is_given_one_that_is_a_host() {
    for (hosts, host) in [(&["*.w.test", "w.test"][..], "w.test"), (&["*.w.test"], "localhost")] {
        let origin = Origin::naming("x");
        let mut setup = Setup::new(&[origin.address], &[]);
        setup.service.hosts = hosts.iter().map(ToString::to_string).collect();
        setup.service.default = true;
        let front = setup.start();
        let mut client = front.client();
        client.send("GET / HTTP/1.0\r\n\r\n");
        assert_eq!(client.response().status, 200);
        let head = &origin.heads()[0];
        assert!(head.contains(&format!("Host: {host}\r\n")) && !head.contains('*'), "{head}");
    }
}

#[test]
fn old_clients_get_no_chunks() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let origin = Origin::answering(chunked);
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.service.default = true;
    let front = setup.start();
    let mut client = front.client();
    client.send("GET / HTTP/1.0\r\n\r\n");
    let response = client.response();
    assert_eq!((response.text().as_str(), response.header("transfer-encoding")), ("hello", None));
    assert_eq!(response.header("connection"), Some("close"));

    let origin = Origin::naming("kept");
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    for _ in 0..2 {
        client.send(format!("GET / HTTP/1.0\r\nHost: {HOST}\r\nConnection: keep-alive\r\n\r\n"));
        let response = client.response();
        assert_eq!((response.text().as_str(), response.header("connection")), ("kept", Some("keep-alive")));
    }
}

#[test]
fn trailers_pass_to_those_who_take_them() {
    let origin = Origin::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 3\r\n\r\n",
    );
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nTE: trailers\r\nConnection: TE\r\n\r\n"));
    let raw = String::from_utf8(client.response().raw_body).unwrap();
    assert!(raw.ends_with("0\r\nX-Sum: 1\r\n\r\n"), "{raw}");
    let raw = String::from_utf8(client.get(HOST, "/").raw_body).unwrap();
    assert_eq!(raw, "5\r\nhello\r\n0\r\n\r\n");
}

#[test]
fn interim_answers_pass_in_order() {
    let kinds =
        ["100 Continue", "102 Processing", "103 Early Hints", "104 Upload Resumption Supported", "199 X"];
    let interim: String = kinds.iter().cycle().take(100).fold(String::new(), |all, kind| {
        all + &format!("HTTP/1.1 {kind}\r\nX-Kind: {kind}\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n")
    });
    let origin = Origin::answering([interim.as_bytes(), &with_length("HTTP/1.1 200 OK", b"ok")].concat());
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    for kind in kinds.iter().cycle().take(100) {
        assert_eq!(client.take_head().unwrap(), format!("HTTP/1.1 {kind}\r\nX-Kind: {kind}\r\n\r\n"));
    }
    assert_eq!(client.response().text(), "ok");
    assert_eq!(front.evidence(Color::Blue), (1, 0));
    client.send(format!("GET / HTTP/1.0\r\nHost: {HOST}\r\n\r\n"));
    assert_eq!(client.response().status, 200, "HTTP/1.0 has no interim answers");
}

#[test]
fn an_expectation_is_answered_once_by_the_door_alone() {
    let origin = Origin::start(|link| {
        link.head();
        link.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
        let body = link.take(5).unwrap();
        link.send(with_length("HTTP/1.1 200 OK", &body));
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    ));
    assert_eq!(client.take_head().unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.take_head().unwrap(), "HTTP/1.1 102 Processing\r\n\r\n");
    client.send("12345");
    assert_eq!(client.response().text(), "12345");
}

/// A trailer that a careless server would read as a request of its own.
#[test]
fn trailers_of_requests_reach_http1_only_by_order() {
    let (told, seen) = mpsc::sync_channel(8);
    let origin = Origin::start(move |link| {
        while link.head().is_some() {
            let body = link.take_until(b"\r\n\r\n").unwrap();
            told.send(String::from_utf8(body).unwrap()).unwrap();
            link.send(with_length("HTTP/1.1 200 OK", b"ok"));
        }
    });
    for passes in [false, true] {
        let mut setup = Setup::new(&[origin.address], &[]);
        setup.settings().request_trailers = passes;
        let front = setup.start();
        for body in ["hello", &"a".repeat(10_000)] {
            let sum = if passes { "X-Sum: 7\r\n" } else { "" };
            let head = format!(
                "POST / HTTP/1.1\r\nHost: {HOST}\r\nTE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n\r\n"
            );
            let chunk = format!("{:x}\r\n{body}\r\n", body.len());
            let expected = format!("{chunk}0\r\n{sum}\r\n");
            let end = "0\r\nX-Sum: 7\r\n\r\n";
            // The end comes with the head, which is before a connection is there, or behind it.
            let mut client = front.client();
            client.send([&head, &chunk, end].concat());
            assert_eq!(client.response().text(), "ok");
            assert_eq!(seen.recv_timeout(PATIENCE).unwrap(), expected);
            client.send(&head);
            client.send(&chunk);
            client.send(end);
            assert_eq!(client.response().text(), "ok");
            let got = seen.recv_timeout(PATIENCE).unwrap();
            assert!(got.ends_with(&format!("\r\n0\r\n{sum}\r\n")), "{}", &got[got.len() - 40..]);
        }
    }
}

#[test]
fn an_expectation_is_answered_once_there_is_an_endpoint() {
    let origin = Origin::start(|link| {
        while let Some(head) = link.head() {
            assert!(!head.to_ascii_lowercase().contains("expect"));
            let body = link.take(5).unwrap();
            link.send(with_length("HTTP/1.1 200 OK", &body));
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    ));
    assert_eq!(client.take_head().unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("12345");
    assert_eq!(client.response().text(), "12345");
    client.send("POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.response().status, 404);
    client.expect_end();
}

#[test]
fn a_tunnel_passes_bytes_both_ways_after_an_upgrade() {
    let origin = Origin::start(|link| {
        let head = link.head().unwrap();
        assert!(head.contains("\r\nUpgrade: websocket\r\n"), "{head}");
        link.send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nfirst",
        );
        while let Some(bytes) = link.take(4) {
            link.send(bytes.to_ascii_uppercase());
        }
        link.send("bye");
    });
    let front = Front::between(&[origin.address], &[]);
    let mut client = front.client();
    client
        .send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"));
    let head = client.take_head().unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(client.take(5).unwrap(), b"first");
    assert_eq!(front.inflight(Color::Blue), 1);
    client.send("ping");
    assert_eq!(client.take(4).unwrap(), b"PING");
    client.half_close();
    assert_eq!(client.rest().unwrap(), b"bye");
}

#[test]
fn blanks_behind_an_origins_chunk_size_do_not_cut_its_response() {
    let body = b"5  \r\nhello\r\n1 ;x=y\r\n!\r\n0 \r\n\r\n";
    let answer = [&b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"[..], body].concat();
    let origin = Origin::answering(answer);
    let front = Setup::new(&[origin.address], &[]).start();
    let mut client = front.client();
    for _ in 0..2 {
        assert_eq!(client.get(HOST, "/").text(), "hello!");
    }
}
