//! The search for the end of a head. It works on pieces, refuses early, and looks at each byte once.

use super::*;

const LIMITS: HeadLimits = HeadLimits { block_bytes_max: 1000, fields_max: 10, target_bytes_max: 100 };

/// Parses `raw` with one more byte at each call. Returns the number of bytes until the verdict, and the
/// verdict.
fn trickle(raw: &[u8]) -> (usize, Result<Option<usize>, RequestFault>) {
    let mut head = RequestHead::default();
    for end in 0..=raw.len() {
        let verdict = parse_request(&raw[..end], &LIMITS, &mut head);
        if verdict != Ok(None) {
            return (end, verdict);
        }
    }
    (raw.len(), Ok(None))
}

#[test]
fn a_head_is_complete_at_its_last_byte_and_not_before() {
    let raw = b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(trickle(raw), (raw.len(), Ok(Some(raw.len()))));
}

#[test]
fn bytes_behind_the_head_are_not_taken() {
    let mut raw = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n".to_vec();
    let head_bytes = raw.len();
    raw.extend_from_slice(b"\n\r\nG\0 \n\r\n");
    let mut head = RequestHead::default();
    assert_eq!(parse_request(&raw, &LIMITS, &mut head), Ok(Some(head_bytes)));
    assert_eq!(head.framing, Framing::Length(9));
}

#[test]
fn a_head_is_refused_before_it_is_complete() {
    let endless = |begin: &str, more: &str| format!("{begin}{}", more.repeat(10_000)).into_bytes();
    for (raw, bytes_max, fault) in [
        (endless("GET /", "t"), 200, RequestFault::TargetTooLong),
        (endless("", "M"), 200, RequestFault::MethodTooLong),
        (endless("GET / ", "v"), 200, RequestFault::RequestLine),
        (endless("GET / HTTP/1.1\r\nHost: a\r\nA: ", "b"), 1020, RequestFault::BlockTooLarge),
        (endless("GET / HTTP/1.1\r\n", "A: b\r\n"), 100, RequestFault::TooManyFields),
        (b"GET / HTTP/1.1\nHost".to_vec(), 15, RequestFault::BareLf),
        (b"\r\n\r\n\r\n".to_vec(), 6, RequestFault::EmptyLines),
        (b"\x16\x03\x01\x02\x00\x01".to_vec(), 1, RequestFault::RequestLine),
        (b"\r\n\x80".to_vec(), 3, RequestFault::RequestLine),
    ] {
        let (bytes, verdict) = trickle(&raw);
        assert_eq!(verdict, Err(fault));
        assert!(bytes <= bytes_max, "{fault} after {bytes} bytes");
    }
}

#[test]
fn the_largest_head_within_the_limits_fits_the_announced_size() {
    let method = "M".repeat(METHOD_BYTES_MAX);
    let target = format!("/{}", "t".repeat(LIMITS.target_bytes_max - 1));
    let block = format!("Host: a\r\nA: {}\r\n", "b".repeat(LIMITS.block_bytes_max - 14));
    assert_eq!(block.len(), LIMITS.block_bytes_max);
    let raw = format!("\r\n\r\n{method} {target} HTTP/1.1\r\n{block}\r\n").into_bytes();
    assert_eq!(raw.len(), LIMITS.head_bytes_max());
    assert_eq!(trickle(&raw), (raw.len(), Ok(Some(raw.len()))));
}

#[test]
fn two_connections_can_share_a_head_by_their_progress() {
    let one = b"GET /one HTTP/1.1\r\nHost: one\r\n\r\n";
    let two = b"\r\n\r\nPOST /two HTTP/1.1\r\nHost: two\r\nContent-Length: 2\r\n\r\n";
    let mut head = RequestHead::default();
    let mut progress = [HeadProgress::default(); 2];
    let longest = one.len().max(two.len());
    for end in 1..=longest {
        for (raw, progress) in [&one[..], &two[..]].into_iter().zip(&mut progress) {
            if end > raw.len() {
                continue;
            }
            head.resume(*progress);
            let verdict = parse_request(&raw[..end], &LIMITS, &mut head);
            assert_eq!(verdict, Ok((end == raw.len()).then_some(end)));
            *progress = head.progress();
        }
    }
}

#[test]
fn after_a_fault_the_next_call_begins_a_head() {
    let mut head = RequestHead::default();
    assert!(parse_request(b"GET / HTTP/1.1\nHost: a\r\n", &LIMITS, &mut head).is_err());
    let raw = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(parse_request(raw, &LIMITS, &mut head), Ok(Some(raw.len())));
    assert!(parse_request(b"\x80", &LIMITS, &mut head).is_err());
    assert_eq!(parse_request(raw, &LIMITS, &mut head), Ok(Some(raw.len())));
}

#[test]
fn a_shorter_buffer_than_before_is_no_panic() {
    let mut head = RequestHead::default();
    assert_eq!(parse_request(b"GET / HTTP/1.1\r\nHost: a\r\n", &LIMITS, &mut head), Ok(None));
    assert_eq!(parse_request(b"G", &LIMITS, &mut head), Ok(None));
}

#[test]
fn nothing_is_left_of_the_head_before() {
    let mut head = RequestHead::default();
    let first = b"POST /a HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade, x-a\r\nUpgrade: websocket\r\n\
        TE: trailers\r\nContent-Type: application/grpc\r\nExpect: 100-continue\r\n\
        Transfer-Encoding: chunked\r\n\r\n";
    assert!(parse_request(first, &LIMITS, &mut head).unwrap().is_some());
    let second = b"GET / HTTP/1.1\r\nHost: b\r\nX-A: 1\r\n\r\n";
    assert!(parse_request(second, &LIMITS, &mut head).unwrap().is_some());
    let fresh = parse(second).unwrap();
    assert_eq!(format!("{head:?}"), format!("{fresh:?}"));
}
