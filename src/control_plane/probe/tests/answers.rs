//! Tables of an answer's bytes, the expected text and the outcome. The bytes may be split anywhere.

use crate::control_plane::probe::answer::Answer;
use crate::health::{ProbeFailure, ProbeOutcome};

/// Returns the outcome when the bytes come `step` at a time and a close follows. The flag is true
/// if the outcome was decided before the close.
fn outcome(bytes: &[u8], status: &[u16], body: Option<&str>, step: usize) -> (ProbeOutcome, bool) {
    let mut answer = Answer::new(status, body);
    for piece in bytes.chunks(step) {
        if let Some(outcome) = answer.take(piece) {
            return (outcome, true);
        }
    }
    (answer.end(), false)
}

#[track_caller]
fn check(bytes: &str, body: Option<&str>, expected: &ProbeOutcome) {
    for step in [1, 2, 3, 7, 4096] {
        let (found, _) = outcome(bytes.as_bytes(), &[200, 204], body, step);
        assert_eq!(found, *expected, "{step} bytes at a time of {bytes:?}");
    }
}

const PASS: ProbeOutcome = ProbeOutcome::Pass;
const NO_BODY: ProbeOutcome = ProbeOutcome::Fail(ProbeFailure::Body);

fn status(status: u16) -> ProbeOutcome {
    ProbeOutcome::Fail(ProbeFailure::Status(status))
}

#[track_caller]
fn check_malformed(bytes: &str, body: Option<&str>, words: &str) {
    for step in [1, 5, 4096] {
        match outcome(bytes.as_bytes(), &[200], body, step).0 {
            ProbeOutcome::Fail(ProbeFailure::Malformed(why)) => {
                assert!(why.contains(words), "{why:?} does not say {words:?}");
            }
            other => panic!("{other:?} for {bytes:?}"),
        }
    }
}

#[test]
fn the_status_decides_when_no_body_is_expected() {
    check("HTTP/1.1 200 OK\r\n\r\n", None, &PASS);
    check("HTTP/1.0 204 No Content\r\nServer: x\r\n\r\n", None, &PASS);
    check("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno", None, &status(503));
    check("HTTP/1.1 302 Found\r\nLocation: /ok\r\n\r\n", None, &status(302));
    check("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", None, &status(101));
    check(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        None,
        &PASS,
    );
    check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oh\r\n\r\n", None, &status(500));
}

#[test]
fn it_is_decided_without_waiting_for_the_rest() {
    let (found, before_the_end) =
        outcome(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", &[200], None, 9);
    assert!(before_the_end && found == PASS);
    let endless = b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nall is well, and";
    let (found, before_the_end) = outcome(endless, &[200], Some("is well"), 9);
    assert!(before_the_end && found == PASS);
    let complete = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nsad";
    let (found, before_the_end) = outcome(complete, &[200], Some("ok"), 9);
    assert!(before_the_end && found == NO_BODY);
}

#[test]
fn a_text_is_found_in_a_body_of_each_framing() {
    check("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nit is okay", Some("okay"), &PASS);
    check("HTTP/1.1 200 OK\r\n\r\nit is okay", Some("it is"), &PASS);
    check("HTTP/1.1 200 OK\r\n\r\nit is okay", Some(""), &PASS);
    check("HTTP/1.1 200 OK\r\n\r\nit is bad", Some("okay"), &NO_BODY);
    check("HTTP/1.1 204 No Content\r\n\r\nokay", Some("okay"), &NO_BODY);
    check("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnot okay", Some("okay"), &NO_BODY);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
    check(&format!("{chunked}2;x=y\r\nok\r\n2\r\nay\r\n0\r\n\r\n"), Some("okay"), &PASS);
    check(&format!("{chunked}00a\r\nit is okay\r\n0\r\n\r\n"), Some("okay"), &PASS);
    check(&format!("{chunked}2\r\nok\r\n0\r\n\r\nokay"), Some("okay"), &NO_BODY);
    check(&format!("{chunked}2\r\nok\r\n"), Some("okay"), &NO_BODY);
    check("HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\nokay", Some("okay"), &status(500));
}

#[test]
fn a_body_is_looked_at_up_to_64_kib() {
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let just = format!("{head}{}okay", "x".repeat((64 << 10) - 4));
    let over = format!("{head}{}okay", "x".repeat((64 << 10) - 3));
    for step in [1000, 4096] {
        assert_eq!(outcome(just.as_bytes(), &[200], Some("okay"), step).0, PASS);
        let (found, before_the_end) = outcome(over.as_bytes(), &[200], Some("okay"), step);
        assert!(before_the_end && found == NO_BODY, "{found:?}");
    }
    // A body that is nearly all coding ends the check too.
    let thin =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}", "1\r\nx\r\n".repeat(50_000));
    let (found, before_the_end) = outcome(thin.as_bytes(), &[200], Some("okay"), 4096);
    assert!(before_the_end && found == NO_BODY, "{found:?}");
}

#[test]
fn bytes_that_are_not_http_are_malformed() {
    check_malformed("SSH-2.0-OpenSSH_9.2\r\n", None, "begins with \"S");
    check_malformed("", None, "without an answer");
    check_malformed("HTTP/1.1 200 OK\r\nServer: x\r\n", None, "inside the head");
    check_malformed("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Some("x"), "Content-Length is \"-1\"");
    check_malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", Some("x"), "\"gzip\", not chunked");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    check_malformed(&format!("{chunked}\r\n"), Some("x"), "without a size");
    check_malformed(&format!("{chunked}zz\r\n"), Some("x"), "without a size");
    check_malformed(&format!("{chunked}2z\r\n"), Some("x"), "not hexadecimal");
    check_malformed(&format!("{chunked}2\rz"), Some("x"), "bare CR");
    check_malformed(&format!("{chunked}2;a\nz"), Some("x"), "bare LF");
    check_malformed(&format!("{chunked}2\r\nabc\r\n"), Some("x"), "longer than its size");
    check_malformed(&format!("{chunked}11111111111111111\r\n"), Some("x"), "16 digits");
    check_malformed(&"HTTP/1.1 102 Processing\r\n\r\n".repeat(17), None, "interim");
    let long = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(70_000));
    let found = outcome(long.as_bytes(), &[200], None, 4096).0;
    assert!(matches!(&found, ProbeOutcome::Fail(ProbeFailure::Malformed(why)) if why.contains("64 KiB")));
}
