//! How streams of clients end that do not end by themselves: responses that are cut, and requests that are
//! answered before their end.

use std::process::Command;
use std::time::Duration;

use greenlight::model::Color;

use super::upstream::setup;
use greenlight_testkit::certs::{Files, facts, list};
use greenlight_testkit::client::PATIENCE;
use greenlight_testkit::frames::{
    DATA, END_HEADERS, END_STREAM, Frame, HEADERS, RST_STREAM, Raw, WINDOW_UPDATE, block, frame, get, status,
};
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::Origin;

const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;

/// Reads a stream up to its end or its reset. Returns the status, the body, and the code of the reset.
fn stream(raw: &mut Raw, stream: u32) -> (Option<u16>, Vec<u8>, Option<u32>) {
    let (mut head, mut body) = (None, Vec::new());
    loop {
        let frame = raw.until(|frame| frame.stream == stream).expect("the connection stays");
        match frame.kind {
            HEADERS => head = Some(status(&frame.payload)),
            DATA => body.extend_from_slice(&frame.payload),
            RST_STREAM => return (head, body, Some(frame.code())),
            _ => {}
        }
        if matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0 {
            return (head, body, None);
        }
    }
}

/// Asks for `/` on a connection of its own.
fn asked(front: &Front) -> (Option<u16>, Vec<u8>, Option<u32>) {
    let mut raw = Raw::connect(front.address);
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &get("/", &[])));
    let ended = stream(&mut raw, 1);
    assert!(raw.is_alive(), "the connection stays");
    ended
}

#[test]
fn a_response_that_an_origin_of_http1_cuts_arrives_as_far_as_it_came() {
    let large = vec![b'x'; 60_000];
    for (head, body) in [
        ("Content-Length: 100000", &b"half"[..]),
        ("Content-Length: 100000", b""),
        ("Content-Length: 100000", &large),
        ("Transfer-Encoding: chunked", b""),
        ("Transfer-Encoding: chunked", b"4\r\nhalf\r\n"),
    ] {
        let bytes = [format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes(), body].concat();
        let origin = Origin::answering_once(bytes);
        let front = Front::between(&[origin.address], &[]);
        let expected = if head.starts_with('T') && !body.is_empty() { b"half" } else { body };
        for _ in 0..5 {
            let (status, came, reset) = asked(&front);
            assert_eq!(
                (status, came.len(), reset),
                (Some(200), expected.len(), Some(INTERNAL_ERROR)),
                "{head}"
            );
            assert_eq!(front.evidence(Color::Blue), (1, 1));
        }
    }
}

/// An origin of HTTP/2 that sends these frames behind the head of each request, at once.
fn sending(frames: impl Fn(u32) -> Vec<u8> + Send + Sync + 'static) -> Origin {
    Origin::start(move |link| {
        if super::upstream::raw_until_asked(link).is_some() {
            link.send(frames(1));
            link.rest();
        }
    })
}

#[test]
fn a_response_that_an_origin_of_http2_cuts_arrives_as_far_as_it_came() {
    let reset = |stream| frame(RST_STREAM, 0, stream, &INTERNAL_ERROR.to_be_bytes());
    for half in [&b"half"[..], b""] {
        let origin = sending(move |stream| {
            let data = if half.is_empty() { Vec::new() } else { frame(DATA, 0, stream, half) };
            [frame(HEADERS, END_HEADERS, stream, &[0x88]), data, reset(stream)].concat()
        });
        let mut setup = setup(origin.address);
        setup.settings().pool_idle_timeout = Duration::ZERO;
        let front = setup.start();
        for _ in 0..5 {
            assert_eq!(asked(&front), (Some(200), half.to_vec(), Some(INTERNAL_ERROR)));
            assert_eq!(front.evidence(Color::Blue), (1, 1));
        }
    }
}

fn post(path: &str) -> Vec<u8> {
    block(&[(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", HOST)])
}

/// An origin that answers each request at its head.
fn early() -> Origin {
    Origin::answering_once("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
}

#[test]
fn the_reset_behind_an_early_answer_comes_later() {
    let origin = early();
    let front = Front::between(&[origin.address], &[]);
    let mut raw = Raw::connect(front.address);
    raw.send(&[frame(HEADERS, END_HEADERS, 1, &post("/")), frame(DATA, 0, 1, &[b'x'; 5000])].concat());
    assert_eq!(stream(&mut raw, 1), (Some(403), b"no".to_vec(), None));
    let begin = greenlight::clock::instant();
    // The client goes on for a while.
    raw.send(&frame(DATA, 0, 1, &[b'x'; 5000]));
    let reset = raw.until(|frame| frame.kind == RST_STREAM).expect("a reset");
    assert_eq!((reset.stream, reset.code()), (1, NO_ERROR));
    let took = begin.elapsed();
    assert!(took > Duration::from_millis(500) && took < PATIENCE / 2, "{took:?}");
    assert!(raw.is_alive());
}

#[test]
fn a_client_that_ends_its_request_behind_an_early_answer_gets_no_reset() {
    let origin = early();
    let front = Front::between(&[origin.address], &[]);
    let mut raw = Raw::connect(front.address);
    // The origin answers the first, and greenlight itself answers the second.
    let unknown =
        block(&[(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "other.test")]);
    for (number, (head, answer)) in [(1, (post("/"), 403)), (3, (unknown, 404))] {
        raw.send(&frame(HEADERS, END_HEADERS, number, &head));
        let (status, _, reset) = stream(&mut raw, number);
        assert_eq!((status, reset), (Some(answer), None));
        raw.send(&frame(DATA, END_STREAM, number, b"the end"));
    }
    // The time of both has passed when a third is reset.
    raw.send(&frame(HEADERS, END_HEADERS, 5, &post("/")));
    let resets = |frame: &Frame| frame.kind == RST_STREAM;
    assert_eq!(raw.until(resets).expect("a reset").stream, 5);
}

#[test]
fn an_early_answer_of_an_origin_of_http2_is_whole_in_spite_of_its_reset() {
    let origin = sending(|stream| {
        [
            frame(HEADERS, END_HEADERS, stream, &[0x8d]),
            frame(DATA, END_STREAM, stream, b"no"),
            frame(RST_STREAM, 0, stream, &NO_ERROR.to_be_bytes()),
        ]
        .concat()
    });
    let mut setup = setup(origin.address);
    setup.settings().pool_idle_timeout = Duration::ZERO;
    let front = setup.start();
    let mut raw = Raw::connect(front.address);
    raw.send(&[frame(HEADERS, END_HEADERS, 1, &post("/")), frame(DATA, 0, 1, b"some")].concat());
    assert_eq!(stream(&mut raw, 1), (Some(404), b"no".to_vec(), None));
    let mut client = front.client();
    client.send(format!("POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 10\r\n\r\nsome"));
    let answer = client.response();
    assert_eq!((answer.status, answer.text()), (404, "no".to_owned()));
}

/// curl 7.88 reported nothing when the reset came with the answer.
#[test]
fn curl_reports_an_early_answer() {
    let has_http2 = |curl: &std::process::Output| String::from_utf8_lossy(&curl.stdout).contains("HTTP2");
    if !Command::new("curl").arg("--version").output().is_ok_and(|curl| has_http2(&curl)) {
        println!("left out: there is no curl that speaks HTTP/2");
        return;
    }
    let files = Files::new();
    files.issue("app", &[HOST]);
    files.write("upload", vec![b'x'; 3_000_000]);
    let live = files.live(&list(&["app"]));
    let origin = early();
    let plain = Front::between(&[origin.address], &[]);
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.facts = vec![facts(&live)];
    let secured = setup.start();
    for (front, scheme, how) in [(&plain, "http", "--http2-prior-knowledge"), (&secured, "https", "--http2")]
    {
        for _ in 0..5 {
            let port = front.address.port();
            let curl = Command::new("curl")
                .args(["-sS", "-k", how, "-o", "-", "-w", " %{http_code} %{http_version}", "--data-binary"])
                .arg(format!("@{}", files.path("upload").display()))
                .args(["--max-time", "20", "--resolve", &format!("{HOST}:{port}:127.0.0.1")])
                .arg(format!("{scheme}://{HOST}:{port}/"))
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&curl.stdout), "no 403 2", "{scheme}: {curl:?}");
        }
    }
}

#[test]
fn a_client_that_reads_late_gets_all_of_many_responses() {
    const STREAMS: u32 = 40;
    const LENGTH: usize = 200_000;
    let bytes =
        [format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n").as_bytes(), &vec![b'x'; LENGTH]]
            .concat();
    let origin = Origin::answering(bytes);
    let front = Front::between(&[origin.address], &[]);
    let mut raw = Raw::connect(front.address);
    let wide = 0x3fff_0000_u32.to_be_bytes();
    raw.send(&frame(WINDOW_UPDATE, 0, 0, &wide));
    for number in (1..2 * STREAMS).step_by(2) {
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, number, &get("/", &[])));
        raw.send(&frame(WINDOW_UPDATE, 0, number, &wide));
    }
    let begin = greenlight::clock::instant();
    while origin.heads().len() < STREAMS as usize {
        assert!(begin.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    let (mut came, mut ended) = (0, 0);
    while ended < STREAMS {
        let data = raw.until(|frame| matches!(frame.kind, DATA | RST_STREAM)).expect("data");
        assert_eq!(data.kind, DATA, "{data:?}");
        came += data.payload.len();
        ended += u32::from(data.flags & END_STREAM != 0);
    }
    assert_eq!(came, STREAMS as usize * LENGTH);
}
