//! Reading bodies: the chunk grammar row by row, the ends of bodies, and trailers.

use super::*;

const LIMITS: HeadLimits = HeadLimits { block_bytes_max: 64, fields_max: 3, target_bytes_max: 1 };

/// The result of reading a body: the payload, whether the body is done, and the number of bytes left over.
type Outcome = (Vec<u8>, bool, usize);

/// Reads `raw` in pieces of `step` bytes.
fn read_by(framing: Framing, raw: &[u8], step: usize) -> (Result<Outcome, BodyFault>, BodyReader) {
    let mut reader = BodyReader::new(framing, &LIMITS);
    let (mut at, mut payload) = (0, Vec::new());
    while at < raw.len() && !reader.is_done() {
        let input = &raw[at..raw.len().min(at + step)];
        let piece = match reader.read(input) {
            Ok(piece) => piece,
            Err(fault) => {
                assert_eq!(reader.read(b"0\r\n\r\n"), Err(fault), "a fault stays one");
                assert_eq!(reader.end(), Err(fault), "a fault stays one");
                return (Err(fault), reader);
            }
        };
        assert!(piece.consumed > 0, "progress");
        assert!(piece.data.end <= piece.consumed);
        assert_eq!(piece.done, reader.is_done());
        payload.extend_from_slice(&input[piece.data]);
        at += piece.consumed;
    }
    (Ok((payload, reader.is_done(), raw.len() - at)), reader)
}

/// Reads `raw` whole and in pieces of 1 to 9 bytes, and checks that the results are equal.
#[track_caller]
fn read(framing: Framing, raw: &[u8]) -> (Result<Outcome, BodyFault>, BodyReader) {
    let whole = read_by(framing, raw, usize::MAX / 2);
    for step in 1..=raw.len().min(9) {
        assert_eq!(read_by(framing, raw, step).0, whole.0, "in pieces of {step}");
    }
    whole
}

#[test]
fn lengths() {
    for (framing, raw, payload, done, left) in [
        (Framing::None, &b"abc"[..], &b""[..], true, 3),
        (Framing::Length(0), b"abc", b"", true, 3),
        (Framing::Length(2), b"abc", b"ab", true, 1),
        (Framing::Length(3), b"abc", b"abc", true, 0),
        (Framing::Length(4), b"abc", b"abc", false, 0),
        (Framing::Length(u64::MAX), b"abc", b"abc", false, 0),
        (Framing::ToEnd, b"abc", b"abc", false, 0),
    ] {
        let (outcome, mut reader) = read(framing, raw);
        assert_eq!(outcome, Ok((payload.to_vec(), done, left)), "{framing:?}");
        let cut = !done && framing != Framing::ToEnd;
        assert_eq!(reader.end(), if cut { Err(BodyFault::Truncated) } else { Ok(()) });
        assert_eq!(reader.is_done(), !cut);
    }
}

#[test]
fn chunks_that_pass() {
    for (raw, payload, left) in [
        (&b"0\r\n\r\n"[..], &b""[..], 0),
        (b"0\r\n\r\nGET /", b"", 5),
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc", 0),
        (b"3\r\nabc\r\n2\r\nde\r\n00\r\n\r\n", b"abcde", 0),
        (b"0000000000000003\r\n\r\n0\r\n0\r\n\r\n", b"\r\n0", 0),
        (b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", b"01234567890123456789", 0),
        (b"3;a\r\nabc\r\n0;b=c;d=\"e;\xff\t \"\r\n\r\n", b"abc", 0),
        (b"3;\r\nabc\r\n0\r\n\r\n", b"abc", 0),
    ] {
        let (outcome, mut reader) = read(Framing::Chunked, raw);
        assert_eq!(outcome, Ok((payload.to_vec(), true, left)), "{}", raw.escape_ascii());
        assert_eq!(reader.end(), Ok(()));
    }
}

#[test]
fn chunks_that_are_refused() {
    use BodyFault::{ChunkEnd, ChunkExtension, ChunkSize, Trailer};
    for (raw, fault) in [
        (&b"\r\n"[..], ChunkSize),
        (b"\n", ChunkSize),
        (b";a\r\n", ChunkSize),
        (b"g\r\n", ChunkSize),
        (b" 3\r\nabc\r\n", ChunkSize),
        (b"3 \r\nabc\r\n", ChunkSize),
        (b"3\t;a\r\nabc\r\n", ChunkSize),
        (b"0x3\r\nabc\r\n", ChunkSize),
        (b"+3\r\nabc\r\n", ChunkSize),
        (b"-1\r\n", ChunkSize),
        (b"3\nabc\n", ChunkSize),
        (b"3\rabc\r\n", ChunkSize),
        (b"3\r\r\nabc\r\n", ChunkSize),
        (b"00000000000000003\r\nabc\r\n", ChunkSize),
        (b"10000000000000003\r\nabc\r\n", ChunkSize),
        (b"3;a\nabc\r\n", ChunkExtension),
        (b"3;a\0\r\nabc\r\n", ChunkExtension),
        (b"3;a\x7f\r\nabc\r\n", ChunkExtension),
        (b"3;a\rb\r\nabc\r\n", ChunkSize),
        (b"3\r\nabcd\r\n", ChunkEnd),
        (b"3\r\nabc0\r\n\r\n", ChunkEnd),
        (b"3\r\nabc\n0\r\n\r\n", ChunkEnd),
        (b"3\r\nabc\r0\r\n\r\n", ChunkEnd),
        (b"0\r\n\n", Trailer),
        (b"0\r\n\rX", Trailer),
        (b"0\r\nGET / HTTP/1.1\r\n", Trailer),
        (b"0\r\nA: b\n\r\n", Trailer),
        (b"0\r\nA : b\r\n\r\n", Trailer),
        (b"0\r\n: b\r\n\r\n", Trailer),
        (b"0\r\nA: b\r\n c\r\n\r\n", Trailer),
        (b"0\r\nA: b\rc\r\n\r\n", Trailer),
        (b"0\r\nA: \0\r\n\r\n", Trailer),
    ] {
        let (outcome, _) = read(Framing::Chunked, raw);
        assert_eq!(outcome, Err(fault), "{}", raw.escape_ascii());
        assert_eq!(fault.status(), 400);
    }
}

#[test]
fn a_response_may_have_blanks_behind_a_chunks_size() {
    let read_response = |raw: &[u8], step: usize| {
        let mut reader = BodyReader::of_response(Framing::Chunked, &LIMITS);
        let (mut at, mut payload) = (0, Vec::new());
        while at < raw.len() && !reader.is_done() {
            let input = &raw[at..raw.len().min(at + step)];
            let piece = reader.read(input)?;
            payload.extend_from_slice(&input[piece.data]);
            at += piece.consumed;
        }
        Ok::<_, BodyFault>((payload, reader.is_done()))
    };
    for step in [1, 2, 3, 100] {
        for raw in [
            &b"3  \r\nabc\r\n0\r\n\r\n"[..],
            b"3 ;x=y\r\nabc\r\n0\r\n\r\n",
            b"3\t ; x = y\r\nabc\r\n0 \t\r\n\r\n",
        ] {
            assert_eq!(read_response(raw, step), Ok((b"abc".to_vec(), true)), "{}", raw.escape_ascii());
        }
        for raw in [&b" 3\r\nabc\r\n"[..], b"3 4\r\nabc\r\n", b"3 \nabc\n", b"3 x\r\nabc\r\n", b"3 \rabc"] {
            assert_eq!(read_response(raw, step), Err(BodyFault::ChunkSize), "{}", raw.escape_ascii());
        }
        let over = format!("3{}\r\nabc\r\n", " ".repeat(257));
        assert_eq!(read_response(over.as_bytes(), step), Err(BodyFault::ChunkExtension));
    }
}

#[test]
fn a_chunked_body_that_is_cut() {
    let whole = b"3;a\r\nabc\r\n0\r\nA: b\r\n\r\n";
    for end in 0..whole.len() {
        let (outcome, mut reader) = read_by(Framing::Chunked, &whole[..end], 100);
        assert!(outcome.is_ok());
        assert_eq!(reader.end(), Err(BodyFault::Truncated), "after {end} bytes");
        assert_eq!(reader.read(b"0"), Err(BodyFault::Truncated));
    }
}

#[test]
fn extensions_have_limits_each_and_together() {
    // A chunk with an extension of `bytes` bytes, the semicolon included.
    let chunk = |bytes: usize| format!("1;{}\r\na\r\n", "x".repeat(bytes - 1));
    let (outcome, _) = read_by(Framing::Chunked, chunk(256).as_bytes(), 7);
    assert!(outcome.is_ok());
    let (outcome, _) = read_by(Framing::Chunked, chunk(257).as_bytes(), 7);
    assert_eq!(outcome, Err(BodyFault::ChunkExtension));
    let (outcome, _) = read_by(Framing::Chunked, chunk(256).repeat(64).as_bytes(), 100);
    assert_eq!(outcome.unwrap().0.len(), 64);
    let over = chunk(256).repeat(64) + &chunk(1);
    let (outcome, _) = read_by(Framing::Chunked, over.as_bytes(), 100);
    assert_eq!(outcome, Err(BodyFault::ChunkExtension));
}

#[test]
fn trailers_are_collected_without_forbidden_names() {
    let raw = b"1\r\na\r\n0\r\ngrpc-status:0\r\nX_A: \t b c \r\nCookie: x\r\n\r\nleft";
    let (outcome, reader) = read(Framing::Chunked, raw);
    assert_eq!(outcome, Ok((b"a".to_vec(), true, 4)));
    let trailers = reader.trailers().unwrap();
    assert_eq!(trailers.as_bytes(), b"grpc-status: 0\r\nX_A: b c\r\n");
    let pairs: Vec<_> = trailers.iter().collect();
    assert_eq!(pairs, [(&b"grpc-status"[..], &b"0"[..]), (b"X_A", b"b c")]);
    let mut out = Vec::new();
    write_last_chunk(Some(trailers), &mut out);
    assert_eq!(out, b"0\r\ngrpc-status: 0\r\nX_A: b c\r\n\r\n");

    for name in [
        "Content-Length",
        "Transfer-Encoding",
        "Host",
        "Connection",
        "TE",
        "Trailer",
        "Expect",
        "Authorization",
        "Cookie",
        "Set-Cookie",
        "Content-Encoding",
        "Content-Type",
        "X-Forwarded-For",
        "Forwarded",
        "X-Real-IP",
        "X_Forwarded_For",
        "Content_Length",
        "Cache-Control",
        "WWW-Authenticate",
    ] {
        assert!(forbidden_in_trailers(name.as_bytes()), "{name}");
        let (outcome, reader) = read(Framing::Chunked, format!("0\r\n{name}: 1\r\n\r\n").as_bytes());
        assert_eq!(outcome, Ok((Vec::new(), true, 0)));
        assert!(reader.trailers().is_none(), "{name}");
    }
    for name in ["grpc-status", "grpc-message", "ETag", "Server-Timing", "X-Checksum"] {
        assert!(!forbidden_in_trailers(name.as_bytes()), "{name}");
    }
}

#[test]
fn trailers_have_the_limits_of_a_head() {
    for (trailers, fits) in [
        ("A: b\r\n".repeat(3), true),
        ("A: b\r\n".repeat(4), false),
        ("Host: b\r\n".repeat(4), false),
        (format!("A: {}\r\n", "b".repeat(64 - 5)), true),
        (format!("A: {}\r\n", "b".repeat(64 - 4)), false),
    ] {
        let (outcome, _) = read(Framing::Chunked, format!("0\r\n{trailers}\r\n").as_bytes());
        assert_eq!(outcome.is_ok(), fits, "{trailers}");
        assert!(fits || outcome == Err(BodyFault::TrailersTooLarge));
    }
    assert_eq!(BodyFault::TrailersTooLarge.status(), 431);
}

#[test]
fn a_response_gives_its_payload_before_a_fault_and_a_request_does_not() {
    for (raw, before) in [
        (&b"5\r\nhello\r\n6\r\n world\r\nzz\r\n"[..], "hello world"),
        (b"3\r\nhello\r\n", "hel"),
        (b"5\r\nhello\n", "hello"),
        (b"zz\r\n", ""),
        (b"5\r\nhello\r\n0\r\nno trailer\r\n", "hello"),
    ] {
        for step in 1..=raw.len() {
            let mut reader = BodyReader::of_response(Framing::Chunked, &LIMITS);
            let (mut at, mut payload) = (0, Vec::new());
            let fault = loop {
                let input = &raw[at..raw.len().min(at + step)];
                match reader.read(input) {
                    Ok(piece) => {
                        payload.extend_from_slice(&input[piece.data]);
                        at += piece.consumed;
                    }
                    Err(fault) => break fault,
                }
            };
            assert_eq!(reader.read(b"0\r\n\r\n"), Err(fault), "a fault stays one");
            assert_eq!(String::from_utf8(payload).unwrap(), before, "in pieces of {step}");
        }
        let mut strict = BodyReader::new(Framing::Chunked, &LIMITS);
        let first = strict.read(raw).and_then(|piece| strict.read(&raw[piece.consumed..]));
        assert!(first.is_err(), "{}", raw.escape_ascii());
    }
}
