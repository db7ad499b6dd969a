//! The door's own answers are whole and valid, and the codec's own parser reads them back.

use super::*;

fn own(status: u16, body: &[u8], answer: &Answer<'_>) -> String {
    let mut out = Vec::new();
    write_answer(status, body, answer, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn whole_answers() {
    let old = Answer { version: Version::Http10, ..TO_CLIENT };
    let closing = Answer { persistence: Persistence::Close, extra: &[("Retry-After", "1")], ..TO_CLIENT };
    let to_head = Answer { method: Method::Head, date: Some(b"now"), ..TO_CLIENT };
    for (found, expected) in [
        (
            own(404, b"no\n", &TO_CLIENT),
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\
             Cache-Control: no-store\r\n\r\nno\n",
        ),
        (
            own(503, b"", &closing),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nCache-Control: no-store\r\n\
             Connection: close\r\nRetry-After: 1\r\n\r\n",
        ),
        (
            own(200, b"ok", &to_head),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\
             Date: now\r\n\r\n",
        ),
        (own(204, b"never", &old), "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n"),
        (own(799, b"", &TO_CLIENT), "HTTP/1.1 799 \r\nContent-Length: 0\r\nCache-Control: no-store\r\n\r\n"),
    ] {
        assert_eq!(found, expected);
    }
}

#[test]
fn a_fault_is_answered_with_its_status_its_reason_and_a_close() {
    for fault in [RequestFault::BareLf, RequestFault::Coding, RequestFault::TargetTooLong] {
        let mut out = Vec::new();
        write_fault(fault, &TO_CLIENT, &mut out);
        let head = parse_answer(&out, &TO_GET).unwrap();
        assert_eq!(head.status, fault.status());
        assert_eq!(head.persistence, Persistence::Close);
        let text = String::from_utf8(out).unwrap();
        let body = text.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(head.framing, Framing::Length(body.len() as u64));
        assert!(body.starts_with(&fault.status().to_string()) && body.ends_with(&format!("{fault}\n")));
        assert!(!text.contains("Allow: "));
    }
    let mut out = Vec::new();
    write_fault(RequestFault::MethodNotAllowed, &TO_CLIENT, &mut out);
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"), "{out}");
}

#[test]
fn chunks() {
    let size = |bytes| std::num::NonZeroUsize::new(bytes).unwrap();
    for (bytes, line) in [(1, "1\r\n"), (15, "f\r\n"), (16, "10\r\n"), (usize::MAX, "ffffffffffffffff\r\n")] {
        let mut out = Vec::new();
        write_chunk_header(size(bytes), &mut out);
        assert_eq!(out, line.as_bytes());
    }
    let mut out = Vec::new();
    write_last_chunk(None, &mut out);
    assert_eq!(out, b"0\r\n\r\n");
}
