//! Properties that hold for every split of the bytes, for any bytes, and for every head of legal parts.

use proptest::prelude::*;

use super::*;

/// Random bytes made of the usual parts of heads and bodies. Fully random bytes would fail at once and
/// would not reach the deeper rules.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b" ".to_vec()),
        Just(b":".to_vec()),
        Just(b",".to_vec()),
        Just(b"GET / HTTP/1.1\r\n".to_vec()),
        Just(b"POST http://a:80/x?y HTTP/1.0\r\n".to_vec()),
        Just(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Just(b"HTTP/1.1 103 X\r\n".to_vec()),
        Just(b"Host: a\r\n".to_vec()),
        Just(b"Content-Length: 5\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"Connection: upgrade, x\r\n".to_vec()),
        Just(b"Upgrade: websocket\r\n".to_vec()),
        Just(b"X-Forwarded-For: 1.2.3.4, 5.6.7.8\r\n".to_vec()),
        Just(b"X_Forwarded_For: 1.2.3.4\r\n".to_vec()),
        Just(b"5\r\nabcde\r\n".to_vec()),
        Just(b"0\r\n\r\n".to_vec()),
        "[0-9a-fA-F]{1,3}".prop_map(String::into_bytes),
        "[a-zA-Z_-]{1,8}: [ -~]{0,12}\r\n".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// A request head made of legal parts. Some of the generated field values are not legal.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let method = prop_oneof![Just("GET"), Just("HEAD"), Just("POST"), Just("OPTIONS"), Just("X-Y")];
    let target = prop_oneof![
        "/[!-\"$-~]{0,20}".prop_map(|path| path),
        Just("http://a.example/x".to_owned()),
        Just("/\u{e9}".to_owned())
    ];
    let framing = prop_oneof![
        Just(String::new()),
        (0_u64..1000).prop_map(|length| format!("Content-Length: {length}\r\n")),
        Just("Transfer-Encoding: Chunked\r\n".to_owned()),
    ];
    let field = prop_oneof![
        "[A-Za-z_-]{1,10}:[ \t]{0,2}[!-~]?[ -~]{0,10}\r\n",
        "Connection: [a-c, -]{0,10}\r\n",
        "X-Forwarded-(For|Proto|Host): [a-z0-9., ]{0,10}\r\n",
        Just("Connection: keep-alive, te\r\nTE: trailers\r\n".to_owned()),
        Just("Expect: 100-continue\r\n".to_owned()),
        Just("Connection: Upgrade\r\nUpgrade: websocket\r\n".to_owned()),
        Just("X_Real_IP: 1.1.1.1\r\n".to_owned()),
    ];
    (method, target, framing, proptest::collection::vec(field, 0..8), 0..3_usize, any::<bool>()).prop_map(
        |(method, target, framing, fields, empty, last)| {
            let fields = fields.concat();
            let (before, after) = if last { (fields.as_str(), "") } else { ("", fields.as_str()) };
            let empty = "\r\n".repeat(empty);
            format!("{empty}{method} {target} HTTP/1.1\r\n{before}Host: a.example\r\n{framing}{after}\r\n")
                .into_bytes()
        },
    )
}

/// Parses `raw` with one more piece at each call. The pieces end at `cuts`.
fn parse_split(raw: &[u8], cuts: &[usize]) -> (Result<Option<usize>, RequestFault>, RequestHead) {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (raw.len() + 1)).collect();
    ends.push(raw.len());
    ends.sort_unstable();
    let mut head = RequestHead::default();
    for end in ends {
        let verdict = parse_request(&raw[..end], &HeadLimits::REQUEST, &mut head);
        if verdict != Ok(None) {
            return (verdict, head);
        }
    }
    (Ok(None), head)
}

fn write(head: &RequestHead, raw: &[u8], trusted: bool) -> Vec<u8> {
    let peer = peer(trusted);
    let request_id = head.kept_request_id(raw, &peer).unwrap_or(b"fresh");
    let forward =
        Forward { peer: &peer, real_ip: peer.address, fallback_host: b"fallback", request_id, upgrade: true };
    let mut out = Vec::new();
    write_request(head, raw, &forward, &mut out);
    out
}

/// Whether a written head is safe: no line can be read as two lines, and at most one field frames the body.
fn is_clean(out: &[u8]) -> bool {
    let Some(block) = out.strip_suffix(b"\r\n\r\n") else { return false };
    let text = block.escape_ascii().to_string().to_ascii_lowercase();
    let framing =
        text.matches("\\r\\ncontent-length:").count() + text.matches("\\r\\ntransfer-encoding:").count();
    let lines: Vec<&[u8]> = block.split(|&byte| byte == b'\n').collect();
    let ends = lines.iter().rev().skip(1).all(|line| line.ends_with(b"\r"));
    let single = lines.iter().all(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        !line.is_empty() && line.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
    });
    ends && single && framing <= 1
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        max_global_rejects: 200_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_split_of_a_request_gives_the_same(
        raw in prop_oneof![request(), soup()],
        cuts in proptest::collection::vec(any::<usize>(), 0..6),
    ) {
        let (whole, head) = parse_split(&raw, &[]);
        let (split, same) = parse_split(&raw, &cuts);
        // The fault that a part shows may differ from the fault of the whole head. But either both are
        // refused or neither is.
        prop_assert_eq!(split.is_err(), whole.is_err());
        prop_assert!(whole.is_err() || split == whole);
        if let Ok(Some(_)) = whole {
            prop_assert_eq!(format!("{head:?}"), format!("{same:?}"));
        }
    }

    #[test]
    fn a_forwarded_request_is_read_again_to_the_same(
        raw in prop_oneof![request(), soup()],
        trusted in any::<bool>(),
    ) {
        let (verdict, head) = parse_split(&raw, &[]);
        prop_assume!(matches!(verdict, Ok(Some(_))));
        let out = write(&head, &raw, trusted);
        prop_assert!(is_clean(&out), "{}", out.escape_ascii());
        // This also shows that the head has exactly one Host, because it would be refused otherwise.
        let again = parse(&out).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
        prop_assert_eq!(again.framing, head.framing);
        prop_assert_eq!(again.method, head.method);
        prop_assert_eq!(again.version, Version::Http11);
        prop_assert!(!again.expect_continue);
        if !head.authority.is_empty() {
            prop_assert_eq!(again.authority.of(&out), head.authority.of(&raw));
        }
        // A second door that does not trust the first one overwrites the same fields, and changes
        // nothing else that the client sent.
        let twice = write(&again, &out, false);
        let once = write(&head, &raw, false);
        prop_assert_eq!(twice.escape_ascii().to_string(), once.escape_ascii().to_string());
    }

    #[test]
    fn any_bytes_give_a_verdict_and_never_a_panic(raw in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse_split(&raw, &[]);
        let mut head = ResponseHead::default();
        let _ = parse_response(&raw, &TO_HEAD, &HeadLimits::RESPONSE, &mut head);
        let mut reader = BodyReader::new(Framing::Chunked, &HeadLimits::REQUEST);
        let _ = reader.read(&raw);
    }

    #[test]
    fn a_response_that_is_relayed_is_read_again_to_the_same(
        raw in soup(),
        old in any::<bool>(),
        closes in any::<bool>(),
    ) {
        let raw = [b"HTTP/1.1 200 OK\r\n".as_slice(), &raw, b"\r\n"].concat();
        let mut head = ResponseHead::default();
        let verdict = parse_response(&raw, &TO_GET, &HeadLimits::RESPONSE, &mut head);
        prop_assume!(matches!(verdict, Ok(Some(_))));
        let version = if old { Version::Http10 } else { Version::Http11 };
        let persistence = if closes { Persistence::Close } else { Persistence::KeepAlive };
        let mut out = Vec::new();
        let sending = write_response(&head, &raw, &Answer { version, persistence, ..TO_CLIENT }, &mut out);
        prop_assert!(is_clean(&out), "{}", out.escape_ascii());
        let again = parse_answer(&out, &TO_GET).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
        let framing = match (sending, head.framing) {
            (Sending::Raw, framing) => framing,
            (Sending::Chunked, _) => Framing::Chunked,
            (Sending::ToEnd, _) => Framing::ToEnd,
            (Sending::Nothing, _) => Framing::None,
        };
        prop_assert_eq!(again.framing, framing);
        prop_assert!(!old || sending != Sending::Chunked, "no chunks to 1.0");
        let keeps = !closes && sending != Sending::ToEnd;
        prop_assert_eq!(again.persistence == Persistence::KeepAlive, keeps);
    }

    #[test]
    fn a_chunked_body_is_read_again_in_any_split(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6),
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
        rest in proptest::collection::vec(any::<u8>(), 0..8),
    ) {
        let mut raw = Vec::new();
        for chunk in &chunks {
            let size = std::num::NonZeroUsize::new(chunk.len()).unwrap();
            write_chunk_header(size, &mut raw);
            raw.extend_from_slice(chunk);
            raw.extend_from_slice(chunk::CHUNK_END);
        }
        write_last_chunk(None, &mut raw);
        let body_bytes = raw.len();
        raw.extend_from_slice(&rest);
        let (payload, used) = read_split(&raw, &cuts)?;
        prop_assert_eq!(payload, chunks.concat());
        prop_assert_eq!(used, body_bytes);
    }

    #[test]
    fn any_split_of_a_body_gives_the_same(
        raw in soup(),
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
    ) {
        let whole = read_split(&raw, &[]);
        let split = read_split(&raw, &cuts);
        prop_assert_eq!(whole.is_ok(), split.is_ok());
        if let (Ok(whole), Ok(split)) = (whole, split) {
            prop_assert_eq!(whole, split);
        }
    }
}

/// Reads a chunked body in pieces that end at `cuts`. Returns the payload and the number of bytes used.
fn read_split(raw: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, usize), TestCaseError> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (raw.len() + 1)).collect();
    ends.push(raw.len());
    ends.sort_unstable();
    let mut reader = BodyReader::new(Framing::Chunked, &HeadLimits::REQUEST);
    let (mut payload, mut at) = (Vec::new(), 0);
    for end in ends {
        while at < end && !reader.is_done() {
            let piece = reader.read(&raw[at..end]).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
            payload.extend_from_slice(&raw[at..end][piece.data]);
            at += piece.consumed;
        }
    }
    Ok((payload, at))
}
