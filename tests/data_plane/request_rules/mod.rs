//! Tests of docs/http.md, "Requests that are refused" and "Requests that are forwarded". Every row of this
//! module is sent through a real data plane with a raw origin behind it. It is sent over HTTP/1.1, over
//! HTTP/1.1 inside TLS, and over HTTP/2 where it has a meaning there. Each time it is sent whole, byte by
//! byte, and cut at every byte.

mod clauses;
pub(super) mod forwarded;
mod meaning;
mod over_h2;
mod recorder;
pub(super) mod refused;
mod wire;

use std::sync::atomic::{AtomicUsize, Ordering};

use forwarded::Forwarded;
use greenlight_testkit::front::{Front, Setup};
use greenlight_testkit::origin::Origin;
use greenlight_testkit::peer::Peer;
use meaning::{H2, Http2Request};
use recorder::{Recorder, Request};
use refused::{BODY_BYTES_MAX, Refused};
use wire::{Pieces, Way, answers, read_to_close, send};

/// The request that follows a row on a connection that stays open. Its answer shows that no byte of the row
/// was left over.
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n";
/// A row is cut at this many places at most. Longer rows, which are those over a limit, are cut at evenly
/// spaced bytes.
const CUTS_MAX: usize = 400;

/// The ways in which a row of HTTP/1.1 is divided into writes.
fn cuts(raw: &[u8]) -> Vec<Pieces> {
    let mut all = vec![Pieces::Whole];
    if raw.len() <= CUTS_MAX {
        all.push(Pieces::Bytes);
    }
    all.extend((1..raw.len()).step_by(raw.len() / CUTS_MAX + 1).map(Pieces::Cut));
    all
}

/// Runs `check` for each row on eight threads, because a check mostly waits.
fn in_parallel<T: Sync>(rows: &[T], check: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    check(row);
                }
            });
        }
    });
}

/// Starts a door before `origin`, with the listener that this way needs. With `trusted` the client is a
/// trusted peer.
fn front(way: &Way, origin: &Recorder, trusted: bool) -> Front {
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.facts.clone_from(&way.facts);
    setup.settings().body_bytes_max = BODY_BYTES_MAX;
    setup.settings().request_trailers = true;
    if trusted {
        setup.trusted = vec!["127.0.0.0/8".parse().unwrap()];
    }
    setup.start()
}

/// Sends a row that the door refuses and returns the head of the answer. It is the only answer, and the door
/// closes the connection behind it.
fn refusal(way: &Way, front: &Front, row: &Refused, pieces: Pieces) -> String {
    let mut wire = way.open(front.address);
    send(&mut *wire, &row.raw, pieces);
    let mut answers = answers(&read_to_close(&mut *wire));
    let statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [row.status], "{pieces:?} of {}", row.raw.escape_ascii());
    answers.remove(0).1
}

fn refuse_heads(way: &Way) {
    let origin = Recorder::start();
    let front = front(way, &origin, false);
    in_parallel(&refused::heads(), |row| {
        for pieces in cuts(&row.raw) {
            let head = refusal(way, &front, row, pieces);
            assert!(head.contains("\r\nConnection: close\r\n"), "{head}");
        }
    });
    assert_eq!(origin.connections(), 0, "nothing reaches the origin");
}

fn refuse_bodies(way: &Way) {
    let origin = Recorder::start();
    let front = front(way, &origin, false);
    in_parallel(&refused::bodies(), |row| {
        for pieces in cuts(&row.raw) {
            refusal(way, &front, row, pieces);
        }
    });
    assert_eq!(origin.requests(), [], "no request became whole");
    assert_eq!(origin.broken(), [""; 0], "a connection was used again behind half a body");
}

fn forward(way: &Way) {
    in_parallel(&forwarded::rows(), |row| {
        let origin = Recorder::start();
        let front = front(way, &origin, row.trusted);
        let mut expected = 0;
        for pieces in cuts(&row.raw) {
            let mut wire = way.open(front.address);
            send(&mut *wire, &row.raw, pieces);
            if row.half_closes {
                wire.half_close();
            } else if row.keeps {
                send(&mut *wire, NEXT, Pieces::Whole);
            }
            let answers = answers(&read_to_close(&mut *wire));
            let finals: Vec<_> =
                answers.iter().map(|(status, _)| *status).filter(|status| *status >= 200).collect();
            let count = 1 + usize::from(row.keeps);
            assert_eq!(finals, vec![200; count], "{pieces:?} of {}", row.raw.escape_ascii());
            expected += count;
        }
        let requests = origin.requests();
        assert_eq!(origin.broken(), [""; 0]);
        assert_eq!(requests.len(), expected, "{}", row.raw.escape_ascii());
        let what = row.raw.escape_ascii().to_string();
        for request in requests.iter().filter(|request| !request.head.starts_with("GET /next ")) {
            normalized(row, request, &what);
            if !row.trusted {
                let scheme = format!("\r\nX-Forwarded-Proto: {}\r\n", way.scheme);
                assert!(request.head.contains(&scheme), "{what}became\n{}", request.head);
            }
        }
    });
}

/// Checks the request that the origin has received.
fn normalized(row: &Forwarded, request: &Request, what: &str) {
    let shown = format!("{what} became\n{}", request.head);
    let mut lines = request.head.split("\r\n");
    assert_eq!(lines.next(), Some(row.line), "{shown}");
    // The case of a name has no meaning. HTTP/2 writes names in lower case, so they are compared without
    // case.
    let fold = |line: &str| match line.split_once(':') {
        Some((name, value)) => format!("{}:{value}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    };
    let lines: Vec<_> = lines.map(fold).collect();
    for has in row.has {
        assert!(lines.contains(&fold(has)), "no {has:?}: {shown}");
    }
    let lower = request.head.to_ascii_lowercase();
    for lacks in row.lacks {
        assert!(!lower.contains(lacks), "{lacks:?} is there: {shown}");
    }
    assert_eq!(lower.matches("\r\nhost: ").count(), 1, "{shown}");
    assert_eq!(request.body, row.body.as_bytes(), "{shown}");
}

/// Sends a request again and again, cut at every byte of its header block, of its body and of its frames.
/// Returns how often the door has forwarded it.
fn over_h2(front: &Front, asked: &Http2Request, expected: H2) -> usize {
    let mut passed = 0;
    for cut in over_h2::cuts(asked, CUTS_MAX) {
        let end = over_h2::outcome(front.address, asked, cut);
        assert!(over_h2::fits(end, expected, cut), "{end:?} in place of {expected:?}: {cut:?} of {asked}");
        passed += usize::from(end == H2::Passes);
    }
    passed
}

#[test]
fn heads_are_refused() {
    refuse_heads(&Way::plain());
}

#[test]
fn heads_are_refused_inside_tls() {
    refuse_heads(&Way::secure());
}

#[test]
fn bodies_are_refused() {
    refuse_bodies(&Way::plain());
}

#[test]
fn bodies_are_refused_inside_tls() {
    refuse_bodies(&Way::secure());
}

#[test]
fn requests_are_forwarded() {
    forward(&Way::plain());
}

#[test]
fn requests_are_forwarded_inside_tls() {
    forward(&Way::secure());
}

#[test]
fn streams_are_refused() {
    let mut rows: Vec<(Http2Request, H2)> =
        refused::streams().into_iter().map(|stream| (stream.asked, stream.h2)).collect();
    let of_http1 = refused::heads().into_iter().chain(refused::bodies());
    let meant = of_http1.filter(|row| !matches!(row.h2, H2::Nothing(_) | H2::Passes));
    rows.extend(meant.map(|row| (Http2Request::translated(&row.raw), row.h2)));
    in_parallel(&rows, |(asked, h2)| {
        let origin = Recorder::start();
        let front = front(&Way::plain(), &origin, false);
        let passed = over_h2(&front, asked, *h2);
        // The door forwards a malformed head only through the fault of `h2` that `over_h2::fits` describes.
        // `sound` checks that none of the malformed fields reaches the origin.
        assert!(passed == 0 || matches!(h2, H2::Reset(_)), "{asked}");
        assert_eq!((origin.requests().len(), origin.broken()), (passed, Vec::new()), "{asked}");
        origin.requests().iter().for_each(sound);
    });
}

/// Checks a request that `h2` has let through by its fault. It has no connection fields and at most one
/// framing.
fn sound(request: &Request) {
    let head = request.head.to_ascii_lowercase();
    for name in ["connection:", "upgrade:", "keep-alive:", "\r\nte:", ":status", "proxy-connection:"] {
        assert!(!head.contains(name), "{name} in {head}");
    }
    let framings = ["transfer-encoding:", "content-length:"].map(|name| head.matches(name).count());
    assert!(framings.iter().sum::<usize>() <= 1, "{head}");
}

#[test]
fn streams_are_forwarded() {
    let mut rows = forwarded::streams();
    let meant = forwarded::rows().into_iter().filter(|row| !matches!(row.h2, H2::Nothing(_)));
    rows.extend(meant.map(|row| (Http2Request::translated(&row.raw), row)));
    in_parallel(&rows, |(asked, row)| {
        let origin = Recorder::start();
        let front = front(&Way::plain(), &origin, row.trusted);
        let passed = over_h2(&front, asked, row.h2);
        let requests = origin.requests();
        assert_eq!((requests.len(), origin.broken()), (passed, Vec::new()), "{asked}");
        for request in &requests {
            if row.h2 == H2::Passes {
                normalized(row, request, &asked.to_string());
                assert_eq!(request.trailers, row.trailers, "{asked}");
            } else {
                sound(request);
            }
        }
    });
}

#[test]
fn every_clause_of_the_document_is_shown() {
    let heads = refused::heads().into_iter().chain(refused::bodies());
    let mut rows: Vec<_> = heads.map(|row| row.clause).collect();
    rows.extend(refused::streams().iter().map(|row| row.clause));
    clauses::check(clauses::REFUSED, &rows);
    let mut rows: Vec<_> = forwarded::rows().iter().map(|row| row.clause).collect();
    rows.extend(forwarded::streams().iter().map(|(_, row)| row.clause));
    clauses::check(clauses::FORWARDED, &rows);
}

#[test]
fn responses_are_normalized() {
    let origin = Origin::answering(
        "HTTP/1.1 200 OK\r\nConnection: x-a, keep-alive\r\nX-A: secret\r\nConnection: X-B, cache-control\r\nX-B: secret\r\n\
         Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authenticate: Basic\r\nTrailer: X-T\r\n\
         Upgrade: h2c\r\nX-Kept: yes\r\nContent-Length: 2\r\n\r\nok",
    );
    let gone = ["secret", "keep-alive", "proxy-", "trailer", "upgrade", "x-a", "x-b"];
    for way in [Way::plain(), Way::secure()] {
        let mut setup = Setup::new(&[origin.address], &[]);
        setup.facts.clone_from(&way.facts);
        let front = setup.start();
        let mut wire = way.open(front.address);
        send(&mut *wire, NEXT, Pieces::Whole);
        let (status, head) = answers(&read_to_close(&mut *wire)).remove(0);
        assert_eq!((status, head.matches("\r\nX-Kept: yes\r\n").count()), (200, 1), "{head}");
        let lower = head.to_ascii_lowercase();
        for name in gone {
            assert!(!lower.contains(name), "{name}: {head}");
        }
        assert_eq!(lower.matches("\r\nconnection: close\r\n").count(), 1, "ours: {head}");
    }
    let front = Front::between(&[origin.address], &[]);
    let answer = Peer::connect(front.address).get("/");
    assert_eq!((answer.header("x-kept"), answer.text()), (Some("yes"), "ok".to_owned()));
    let shown = format!("{:?}", answer.headers);
    for name in gone.into_iter().chain(["connection"]) {
        assert!(!shown.contains(name), "{name}: {shown}");
    }
}

#[test]
fn options_of_the_server_itself_are_answered_by_us() {
    let origin = Recorder::start();
    for way in [Way::plain(), Way::secure()] {
        let front = front(&way, &origin, false);
        let mut wire = way.open(front.address);
        send(&mut *wire, b"OPTIONS * HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n", Pieces::Whole);
        let answers = answers(&read_to_close(&mut *wire));
        assert!(matches!(answers[0].0, 200 | 204), "{answers:?}");
    }
    assert_eq!(origin.connections(), 0);
}
