//! docs/http.md's "refuse" and "forward" in HTTP/2, as far as a row of `tests/data_plane/request_rules` does not show it.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};

use greenlight_testkit::frames::{self, END_HEADERS, END_STREAM, HEADERS, Raw, block, frame};
use greenlight_testkit::front::{Front, HOST};
use greenlight_testkit::origin::Origin;
use greenlight_testkit::peer::{Peer, request};

const SCHEME: (&str, &str) = (":scheme", "http");
const AUTHORITY: (&str, &str) = (":authority", HOST);

/// The status that answers these fields.
fn status(raw: &mut Raw, stream: u32, fields: &[(&str, &str)]) -> u16 {
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(fields)));
    let answer = raw.until(|frame| frame.stream == stream).expect("an answer");
    assert_eq!(answer.kind, HEADERS);
    frames::status(&answer.payload)
}

#[test]
fn other_refusals_have_their_own_status() {
    let origin = Origin::naming("x");
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    assert_eq!(peer.ask(request("TRACE", "/")).unwrap().status, 405);
    let connect = Request::builder().method("CONNECT").uri("app.test:80").body(()).unwrap();
    let answer = peer.ask(connect).unwrap();
    assert_eq!(answer.status, 405);
    assert!(answer.header("allow").is_some());
    assert_eq!(peer.ask(request("GET", &format!("/{}", "a".repeat(8192)))).unwrap().status, 414);
    let mut expects = request("GET", "/");
    expects.headers_mut().insert("expect", HeaderValue::from_static("a miracle"));
    assert_eq!(peer.ask(expects).unwrap().status, 417);
    let nowhere = Request::builder().uri("http://nowhere.test/").body(()).unwrap();
    assert_eq!(peer.ask(nowhere).unwrap().status, 404);
    assert_eq!(origin.heads(), Vec::<String>::new());
    assert_eq!(peer.get("/").text(), "x");
}

fn with_fields(count: usize) -> Request<()> {
    let mut asked = request("GET", "/");
    for number in 0..count {
        let name = http::HeaderName::from_bytes(format!("x-{number}").as_bytes()).unwrap();
        asked.headers_mut().insert(name, HeaderValue::from_static("v"));
    }
    asked
}

#[test]
fn heads_over_the_limits_are_431() {
    let origin = Origin::naming("x");
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    // The authority counts, as Host does in HTTP/1.1.
    assert_eq!(peer.ask(with_fields(99)).unwrap().status, 200);
    assert_eq!(peer.ask(with_fields(100)).unwrap().status, 431);
    let sized = |bytes: usize| {
        let mut asked = request("GET", "/");
        asked.headers_mut().insert("x-a", HeaderValue::from_str(&"a".repeat(bytes)).unwrap());
        asked
    };
    let around = "host: app.test\r\n".len() + "x-a: \r\n".len();
    assert_eq!(peer.ask(sized(32 * 1024 - around)).unwrap().status, 200);
    assert_eq!(peer.ask(sized(32 * 1024 - around + 1)).unwrap().status, 431);
    // So large that h2 does not read it to its end.
    assert_eq!(peer.ask(sized(100 * 1024)).unwrap().status, 431);
    // Chunked framing is ours, and counts for nothing.
    assert_eq!(peer.post(with_fields(99), "body").err().map(|why| why.to_string()), None);
    assert_eq!(peer.get("/").text(), "x");
}

#[test]
fn cookies_are_joined_before_they_are_counted() {
    let origin = Origin::naming("x");
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    let mut asked = request("GET", "/");
    for number in 0..150 {
        asked.headers_mut().append("cookie", HeaderValue::from_str(&format!("c{number}=1")).unwrap());
    }
    assert_eq!(peer.ask(asked).unwrap().status, 200);
    let head = &origin.heads()[0];
    assert!(head.contains("cookie: c0=1; c1=1; c2=1"), "{head}");
    assert_eq!(head.matches("cookie").count(), 1);
}

#[test]
fn what_is_forwarded_is_normalized() {
    let origin = Origin::naming("x");
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    let mut asked = Request::builder().uri("http://APP.test.:80/p%20q?x=1|2").body(()).unwrap();
    for (name, value) in [
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "1.2.3.4"),
        ("forwarded", "for=1.2.3.4"),
        ("x_forwarded_for", "1.2.3.4"),
        ("content_length", "7"),
        ("grpc_metadata", "kept"),
        ("proxy-authorization", "secret"),
        ("trailer", "x-a"),
        ("http2-settings", "AAMQ"),
        ("te", "trailers"),
        ("x-request-id", "mine"),
    ] {
        asked.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    assert_eq!(peer.ask(asked).unwrap().status, 200);
    let head = origin.heads().remove(0);
    assert!(head.starts_with("GET /p%20q?x=1|2 HTTP/1.1\r\nHost: APP.test.:80\r\n"), "{head}");
    assert!(head.contains("grpc_metadata: kept\r\n"), "{head}");
    assert!(
        head.contains("X-Forwarded-For: 127.0.0.1\r\n") && head.contains("X-Real-IP: 127.0.0.1\r\n"),
        "{head}"
    );
    for gone in ["1.2.3.4", "https", "_forwarded", "content_length", "secret", "trailer", "AAMQ", "mine"] {
        assert!(!head.to_ascii_lowercase().contains(&gone.to_ascii_lowercase()), "{gone}: {head}");
    }
}

#[test]
fn options_of_the_whole_server_is_ours() {
    let origin = Origin::naming("x");
    let front = Front::between(&[origin.address], &[]);
    let mut raw = Raw::connect(front.address);
    let fields = [(":method", "OPTIONS"), SCHEME, (":path", "*"), AUTHORITY];
    assert_eq!(status(&mut raw, 1, &fields), 200);
    let fields = [&fields[..], &[("host", "other.test")]].concat();
    assert_eq!(status(&mut raw, 3, &fields), 400);
    assert_eq!(origin.heads(), Vec::<String>::new());
}

#[test]
fn an_expectation_is_met_by_us() {
    let origin = Origin::start(|link| {
        while link.head().is_some() {
            let body = link.take_until(b"0\r\n\r\n").unwrap();
            link.send(greenlight_testkit::origin::with_length("HTTP/1.1 200 OK", &body));
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    let mut asked = request("POST", "/");
    asked.headers_mut().insert("expect", HeaderValue::from_static("100-continue"));
    let (mut response, mut send) = peer.send(asked, false);
    let interim = peer.wait(std::future::poll_fn(|context| response.poll_informational(context)));
    assert_eq!(interim.unwrap().unwrap().status(), 100);
    send.send_data(Bytes::from_static(b"body"), true).unwrap();
    assert_eq!(peer.answer(response).unwrap().text(), "4\r\nbody\r\n0\r\n\r\n");
    assert!(!origin.heads()[0].to_ascii_lowercase().contains("expect"));
}

#[test]
fn a_body_over_the_limit_is_413() {
    let origin = Origin::start(|link| {
        while link.head().is_some() {
            link.rest();
        }
    });
    let mut setup = greenlight_testkit::front::Setup::new(&[origin.address], &[]);
    setup.settings().body_bytes_max = 10;
    let front = setup.start();
    let mut peer = Peer::connect(front.address);
    let mut told = request("POST", "/");
    told.headers_mut().insert("content-length", HeaderValue::from_static("11"));
    assert_eq!(peer.post(told, "12345678901").unwrap().status, 413);
    assert_eq!(origin.heads(), Vec::<String>::new());
    assert_eq!(peer.post(request("POST", "/"), "12345678901").unwrap().status, 413);
}

#[test]
fn trailers_that_are_no_trailers_end_the_request() {
    let origin = Origin::start(|link| {
        while link.head().is_some() {
            link.rest();
        }
    });
    let front = Front::between(&[origin.address], &[]);
    let mut peer = Peer::connect(front.address);
    let (response, mut send) = peer.send(request("POST", "/"), false);
    let mut trailers = HeaderMap::new();
    for number in 0..120 {
        let name = http::HeaderName::from_bytes(format!("x-{number}").as_bytes()).unwrap();
        trailers.insert(name, HeaderValue::from_static("v"));
    }
    send.send_trailers(trailers).unwrap();
    assert_eq!(peer.answer(response).unwrap().status, 431);
}
