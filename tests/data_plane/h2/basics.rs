//! Requests of HTTP/2 clients to HTTP/1.1 origins. The tests check the request that the origin sees and the
//! response that the client gets.

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, HeaderValue, StatusCode};

use greenlight_testkit::flow::{rest, send_all};
use greenlight_testkit::frames::{
    END_HEADERS, END_STREAM, HEADERS, PREFACE, RST_STREAM, Raw, SETTINGS, frame, get,
};
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::{Origin, with_length};
use greenlight_testkit::peer::{Peer, request};
use greenlight_testkit::queued::Queue;

#[test]
fn a_request_is_forwarded_and_answered() {
    let origin = Origin::answering(with_length(
        "HTTP/1.1 200 OK\r\nX-From: origin\r\nKeep-Alive: timeout=5",
        b"hello",
    ));
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    for _ in 0..3 {
        let answer = peer.get("/a?b=c");
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.text(), "hello");
        assert_eq!(answer.header("x-from"), Some("origin"));
        assert_eq!(answer.header("content-length"), Some("5"));
        assert_eq!(answer.header("keep-alive"), None, "it is of the origin's connection");
        assert!(answer.header("date").is_some());
    }
    let heads = origin.heads();
    assert_eq!(heads.len(), 3);
    assert_eq!(origin.connections(), 1, "the origin's connection is kept");
    let head = &heads[0];
    assert!(head.starts_with("GET /a?b=c HTTP/1.1\r\nHost: app.test\r\n"), "{head}");
    for line in
        ["X-Forwarded-For: 127.0.0.1\r\n", "X-Forwarded-Proto: http\r\n", "X-Forwarded-Host: app.test\r\n"]
    {
        assert!(head.contains(line), "{head}");
    }
    assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
    assert_eq!(front.evidence(greenlight::model::Color::Blue), (3, 0));
}

#[test]
fn bodies_go_with_their_length_or_in_chunks() {
    let origin = Origin::start(|link| {
        while let Some(head) = link.head() {
            let body = if head.contains("content-length: 5") || head.contains("Content-Length: 5") {
                link.take(5).unwrap()
            } else {
                link.take_until(b"0\r\n\r\n").unwrap()
            };
            link.send(with_length("HTTP/1.1 200 OK", &body));
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    let mut told = request("POST", "/");
    told.headers_mut().insert("content-length", HeaderValue::from_static("5"));
    assert_eq!(peer.post(told, "hello").unwrap().text(), "hello");
    assert_eq!(peer.post(request("POST", "/"), "hello").unwrap().text(), "5\r\nhello\r\n0\r\n\r\n");
    let heads = origin.heads();
    assert!(heads[0].contains("Content-Length: 5\r\n") && !heads[0].contains("chunked"), "{}", heads[0]);
    assert!(heads[1].contains("Transfer-Encoding: chunked\r\n"), "{}", heads[1]);
    assert!(!heads[1].contains("ontent-"), "{}", heads[1]);
}

/// A byte pattern that is easy to check and does not repeat within one flow-control window.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect()
}

#[test]
fn large_bodies_pass_whole_in_both_directions_at_once() {
    const LENGTH: usize = 5 * 1024 * 1024 + 13;
    let origin = Origin::start(|link| {
        while link.head().is_some() {
            link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            // The origin echoes each chunk as it came.
            loop {
                let line = link.take_until(b"\r\n").unwrap();
                let size = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
                let data = link.take(size + 2).unwrap();
                link.send([line, data].concat());
                if size == 0 {
                    break;
                }
            }
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    let sent = Bytes::from(pattern(LENGTH));
    for _ in 0..2 {
        let (response, mut send) = peer.send(request("PUT", "/"), false);
        let data = sent.clone();
        let upload = peer.runtime.spawn(async move { send_all(&mut send, data, true).await });
        let answer = peer.answer(response).unwrap();
        peer.wait(upload).unwrap().unwrap();
        assert!(answer.body == sent, "{} of {LENGTH} bytes", answer.body.len());
    }
}

#[test]
fn trailers_pass_both_ways() {
    let origin = Origin::start(|link| {
        while link.head().is_some() {
            let body = link.take_until(b"\r\n\r\n").unwrap();
            link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            link.send(format!("{:x}\r\n", body.len()));
            link.send(body);
            link.send("\r\n0\r\nx-sum: 7\r\ncontent-length: 3\r\n\r\n");
        }
    });
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.settings().request_trailers = true;
    let front = setup.start();
    let mut peer = Peer::connect(front.address);
    let mut asked = request("POST", "/");
    asked.headers_mut().insert("te", HeaderValue::from_static("trailers"));
    let (response, mut send) = peer.send(asked, false);
    send.send_data(Bytes::from_static(b"abc"), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("x-check", HeaderValue::from_static("9"));
    trailers.insert("host", HeaderValue::from_static("evil"));
    send.send_trailers(trailers).unwrap();
    let answer = peer.answer(response).unwrap();
    assert_eq!(answer.text(), "3\r\nabc\r\n0\r\nx-check: 9\r\n\r\n", "routing names are no trailers");
    let trailers = answer.trailers.unwrap();
    assert_eq!(trailers.get("x-sum").unwrap(), "7");
    assert_eq!(trailers.get("content-length"), None);
}

#[test]
fn answers_without_a_body_end_with_their_head() {
    let origin = Origin::start(|link| {
        while let Some(head) = link.head() {
            match head.split(' ').nth(1).unwrap() {
                "/204" => link.send("HTTP/1.1 204 No Content\r\n\r\n"),
                "/304" => link.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"),
                "/empty" => link.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                _ => link.send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"),
            }
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    assert_eq!(peer.get("/204").status, 204);
    let not_modified = peer.get("/304");
    assert_eq!((not_modified.status.as_u16(), not_modified.body.len()), (304, 0));
    assert_eq!(peer.get("/empty").header("content-length"), Some("0"));
    let head = peer.ask(request("HEAD", "/")).unwrap();
    assert_eq!((head.header("content-length"), head.body.len()), (Some("1234"), 0));
    assert_eq!(origin.connections(), 1);
}

#[test]
fn a_hundred_streams_share_a_connection() {
    let origin = Origin::naming("one");
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    let responses: Vec<_> = (0..100).map(|_| peer.send(request("GET", "/"), true).0).collect();
    for response in responses {
        assert_eq!(peer.answer(response).unwrap().text(), "one");
    }
    assert_eq!(front.metric("greenlight_connections"), Some(1.0), "streams are no connections");
    assert_eq!(front.inflight(greenlight::model::Color::Blue), 0);
}

#[test]
fn interim_heads_pass() {
    let origin = Origin::start(|link| {
        while link.head().is_some() {
            link.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
            link.send(with_length("HTTP/1.1 200 OK", b"done"));
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    let (mut response, _) = peer.send(request("GET", "/"), true);
    let early =
        peer.wait(std::future::poll_fn(|context| response.poll_informational(context))).unwrap().unwrap();
    assert_eq!(early.status(), 103);
    assert_eq!(early.headers().get("link").unwrap(), "</a.css>");
    let next = peer.wait(std::future::poll_fn(|context| response.poll_informational(context)));
    assert_eq!(next.unwrap().unwrap().status(), 102);
    let next = peer.wait(std::future::poll_fn(|context| response.poll_informational(context)));
    assert!(next.is_none());
    assert_eq!(peer.answer(response).unwrap().text(), "done");
}

#[test]
fn the_preface_may_come_in_pieces() {
    let origin = Origin::naming("x");
    let front = Front::between(&[origin.address], &[]);
    let bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    for at in 1..bytes.len() {
        let mut raw = Raw::silent(front.address);
        raw.send(&bytes[..at]);
        // The test can't know whether the door has read the first piece, because a ping needs a whole
        // preface. So it sends the second piece at once. The door may read the two pieces together or one by
        // one.
        raw.send(&bytes[at..]);
        assert!(raw.until(|frame| frame.kind == SETTINGS).is_some(), "cut at {at}");
        assert!(raw.is_alive(), "cut at {at}");
    }
}

#[test]
fn a_request_that_begins_like_the_preface_is_http1() {
    let origin = Origin::naming("one");
    let front = Front::between(&[origin.address], &[]);
    for method in ["P", "PR", "PRI", "PRIX"] {
        let mut client = front.client();
        client.send(format!("{method} / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
        assert_eq!(client.response().text(), "one", "{method}");
    }
    let mut client = front.client();
    client.send("PRI * HTTP/1.1\r\nHost: app.test\r\n\r\n");
    assert_eq!(client.response().status, 400);
}

#[test]
fn a_cancelled_request_reaches_the_origin_at_once() {
    let (told, heard) = std::sync::mpsc::sync_channel(4);
    let origin = Origin::start(move |link| {
        if link.head().is_some() {
            told.send("asked").unwrap();
            link.rest();
            told.send("gone").unwrap();
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    // Other programs on this machine can delay the door by a tenth of a second, so each case has three tries.
    for body in [false, true] {
        let mut times = Vec::new();
        let is_soon = (0..3).any(|_| {
            let (response, mut send) = peer.send(request(if body { "POST" } else { "GET" }, "/"), !body);
            assert_eq!(heard.recv(), Ok("asked"));
            let begin = greenlight::clock::instant();
            send.send_reset(Reason::CANCEL);
            assert_eq!(heard.recv_timeout(greenlight_testkit::client::PATIENCE), Ok("gone"));
            times.push(begin.elapsed());
            assert!(peer.answer(response).is_err());
            begin.elapsed().as_millis() < 100
        });
        assert!(is_soon, "{times:?}");
    }
    assert_eq!(front.evidence(greenlight::model::Color::Blue), (0, 0), "what a client does is no evidence");
    assert_eq!(front.inflight(greenlight::model::Color::Blue), 0);
}

#[test]
fn a_request_that_is_given_up_in_the_queue_leaves_its_place() {
    for flags in [END_HEADERS | END_STREAM, END_HEADERS] {
        let queue = Queue::open();
        let mut raw = Raw::connect(queue.front.address);
        raw.send(&frame(HEADERS, flags, 1, &get("/", &[])));
        assert!(queue.is_full());
        raw.send(&frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes()));
        assert!(raw.is_alive(), "the connection stays");
        queue.serves_the_next();
    }
}

#[test]
fn a_response_cut_short_resets_its_stream_alone() {
    let origin = Origin::start(|link| {
        while let Some(head) = link.head() {
            if head.starts_with("GET /whole") {
                link.send(with_length("HTTP/1.1 200 OK", b"whole"));
                continue;
            }
            let chunked = head.starts_with("GET /chunked");
            link.send(if chunked {
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n9\r\nha"
            } else {
                "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"
            });
            return;
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    for path in ["/length", "/chunked"] {
        // The reset may overtake the head.
        let error = peer.ask(request("GET", path)).unwrap_err();
        assert!(error.is_reset() && error.is_remote(), "{path}: {error:?}");
        assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR), "{path}");
        assert_eq!(peer.get("/whole").text(), "whole", "the connection stays");
    }
    assert_eq!(front.evidence(greenlight::model::Color::Blue), (4, 2));
}

#[test]
fn an_early_answer_passes_while_the_upload_goes_on() {
    let origin = Origin::start(|link| {
        if link.head().is_some() {
            link.send(with_length("HTTP/1.1 413 Content Too Large", b"too much"));
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    let (response, mut send) = peer.send(request("POST", "/"), false);
    send.send_data(Bytes::from_static(b"some"), false).unwrap();
    let answer = peer.answer(response).unwrap();
    assert_eq!((answer.status.as_u16(), answer.text()), (413, "too much".to_owned()));
    // The door ends the stream with NO_ERROR (RFC 9113, 8.1).
    let reason = peer.wait(std::future::poll_fn(|context| send.poll_reset(context))).unwrap();
    assert_eq!(reason, Reason::NO_ERROR);
    assert!(peer.get("/next").status.is_client_error());
}

#[test]
fn a_drained_color_costs_streams_and_no_connection() {
    let origin = Origin::start(|link| {
        while link.head().is_some() {
            link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
        }
    });
    let green = Origin::naming("green");
    let mut setup = Setup::new(&[origin.address], &[green.address]);
    setup.service.active = greenlight::model::Color::Blue;
    let front = setup.start();
    let mut peer = Peer::connect(front.address);
    let (response, _) = peer.send(request("GET", "/"), true);
    let mut body = peer.wait(response).unwrap().into_body();
    assert_eq!(peer.wait(body.data()).unwrap().unwrap(), "half");
    front.change(|service| service.active = greenlight::model::Color::Green);
    assert_eq!(peer.get("/").text(), "green");
    assert_eq!(front.cut(greenlight::model::Color::Blue), 1);
    let error = peer.wait(rest(&mut body)).unwrap_err();
    assert!(error.is_reset() && error.is_remote(), "{error:?}");
    assert_eq!(peer.get("/").text(), "green", "no GOAWAY for a color");
    assert!(!peer.driver.is_finished());
}
