//! Every row of FRONT-DOOR.md's "refuse" and "forward" sections through a real data plane, with a raw origin
//! behind it: over HTTP/1.1, over HTTP/1.1 inside TLS, whole, byte by byte, and cut at every byte.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../proxy/client.rs"]
#[allow(dead_code)]
mod client;
mod forwarded;
#[path = "../proxy/front.rs"]
#[allow(dead_code)]
mod front;
#[path = "../proxy/inbox.rs"]
#[allow(dead_code)]
mod inbox;
#[path = "../proxy/origin.rs"]
#[allow(dead_code)]
mod origin;
mod recorder;
mod refused;
mod wire;

use std::sync::atomic::{AtomicUsize, Ordering};

use front::Front;
use recorder::Recorder;
use refused::Refused;
use wire::{Open, Pieces, answers, read_to_close, send};

/// What follows a request that may keep its connection: it shows that nothing of the first one was left over.
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n";
/// Longer rows (those over a limit) are cut at some places only.
const CUTS_MAX: usize = 400;

fn cuts(raw: &[u8]) -> Vec<Pieces> {
    let mut all = vec![Pieces::Whole];
    if raw.len() <= CUTS_MAX {
        all.push(Pieces::Bytes);
    }
    all.extend((1..raw.len()).step_by(raw.len() / CUTS_MAX + 1).map(Pieces::Cut));
    all
}

/// Runs `check` for each row, a few threads at a time: most of the time is waiting.
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

/// The head of the one answer that a refused request gets, on a connection that is closed behind it.
fn refusal(open: Open, front: &Front, row: &Refused, pieces: Pieces) -> String {
    let mut wire = open(front.address);
    send(&mut *wire, &row.raw, pieces);
    let mut answers = answers(&read_to_close(&mut *wire));
    let statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [row.status], "{pieces:?} of {}", row.raw.escape_ascii());
    answers.remove(0).1
}

fn refuse_heads(open: Open) {
    let origin = Recorder::start();
    let front = Front::between(&[origin.address], &[]);
    in_parallel(&refused::heads(), |row| {
        for pieces in cuts(&row.raw) {
            let head = refusal(open, &front, row, pieces);
            assert!(head.contains("\r\nConnection: close\r\n"), "{head}");
        }
    });
    assert_eq!(origin.connections(), 0, "nothing reaches the origin");
}

fn refuse_bodies(open: Open) {
    let origin = Recorder::start();
    let front = Front::between(&[origin.address], &[]);
    in_parallel(&refused::bodies(), |row| {
        for pieces in cuts(&row.raw) {
            refusal(open, &front, row, pieces);
        }
    });
    assert_eq!(origin.requests(), [], "no request became whole");
    assert_eq!(origin.broken(), [""; 0], "a connection was used again behind half a body");
}

fn forward(open: Open) {
    let rows = forwarded::rows();
    in_parallel(&rows, |row| {
        let origin = Recorder::start();
        let front = Front::between(&[origin.address], &[]);
        let mut expected = 0;
        for pieces in cuts(&row.raw) {
            let mut wire = open(front.address);
            send(&mut *wire, &row.raw, pieces);
            if row.keeps {
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
        for request in requests.iter().filter(|request| !request.head.starts_with("GET /next ")) {
            let shown = format!("{}became\n{}", row.raw.escape_ascii(), request.head);
            let mut lines = request.head.split("\r\n");
            assert_eq!(lines.next(), Some(row.line), "{shown}");
            let lines: Vec<_> = lines.collect();
            for has in row.has {
                assert!(lines.contains(has), "no {has:?}: {shown}");
            }
            let lower = request.head.to_ascii_lowercase();
            for lacks in row.lacks {
                assert!(!lower.contains(lacks), "{lacks:?} is there: {shown}");
            }
            assert_eq!(request.head.matches("\r\nHost: ").count(), 1, "{shown}");
            assert_eq!(request.body, row.body.as_bytes(), "{shown}");
        }
    });
}

#[test]
fn heads_are_refused() {
    refuse_heads(wire::plain);
}

#[test]
fn bodies_are_refused() {
    refuse_bodies(wire::plain);
}

#[test]
fn requests_are_forwarded() {
    forward(wire::plain);
}

#[test]
fn options_of_the_server_itself_are_answered_by_us() {
    let origin = Recorder::start();
    let front = Front::between(&[origin.address], &[]);
    let mut wire = wire::plain(front.address);
    send(&mut *wire, b"OPTIONS * HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n", Pieces::Whole);
    let answers = answers(&read_to_close(&mut *wire));
    assert!(matches!(answers[0].0, 200 | 204), "{answers:?}");
    assert_eq!(origin.connections(), 0);
}
