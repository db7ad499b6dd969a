//! Responses as the door reads them, and those that become a 502: docs/http.md, "Responses that are
//! refused" and "Responses that are passed on".

use super::*;

fn ok(fields: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{fields}\r\n").into_bytes()
}

#[test]
fn framing_in_its_order() {
    for (method, status, fields, framing) in [
        (Method::Head, 200, "Content-Length: 5\r\n", Framing::None),
        (Method::Head, 200, "Transfer-Encoding: chunked\r\n", Framing::None),
        (Method::Head, 200, "", Framing::None),
        (Method::Get, 103, "Content-Length: 5\r\n", Framing::None),
        (Method::Get, 204, "Content-Length: 5\r\n", Framing::None),
        (Method::Get, 204, "Transfer-Encoding: chunked\r\n", Framing::None),
        (Method::Get, 304, "Content-Length: 5\r\n", Framing::None),
        (Method::Get, 304, "", Framing::None),
        (Method::Get, 200, "Transfer-Encoding: chunked\r\n", Framing::Chunked),
        (Method::Get, 200, "transfer-encoding:  CHUNKED \r\n", Framing::Chunked),
        (Method::Get, 404, "Content-Length: 5\r\n", Framing::Length(5)),
        (Method::Get, 205, "Content-Length: 0\r\n", Framing::Length(0)),
        (Method::Get, 200, "", Framing::ToEnd),
        (Method::Post, 999, "", Framing::ToEnd),
    ] {
        let raw = format!("HTTP/1.1 {status} X\r\n{fields}\r\n").into_bytes();
        let head = parse_answer(&raw, &RequestContext { method, upgrade: None }).unwrap();
        assert_eq!(head.framing, framing, "{method:?} {status} {fields}");
        assert_eq!(head.status, status);
    }
}

#[test]
fn malformed_heads_are_502() {
    use ResponseFault::*;
    let rows: &[(&[u8], ResponseFault)] = &[
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", LengthWithCoding),
        (b"HTTP/1.1 204 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", LengthWithCoding),
        (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CodingInOld),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Coding),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", Coding),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", Coding),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", LengthRepeated),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", LengthRepeated),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Length),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", Folded),
        (b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", FieldName),
        (b"HTTP/1.1 200 OK\r\nA : c\r\n\r\n", FieldName),
        (b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", FieldValue),
        (b"HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: c\r\n\r\n", FieldValue),
        (b"HTTP/1.1 200 OK\r\nA: b\nSet-Cookie: c\r\n\r\n", BareLf),
        (b"HTTP/1.1 200 OK\n\n", BareLf),
        (b"HTTP/1.1 099 OK\r\n\r\n", Status),
        (b"HTTP/1.1 20 OK\r\n\r\n", Status),
        (b"HTTP/1.1 2000 OK\r\n\r\n", Status),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", Status),
        (b"HTTP/1.1  200 OK\r\n\r\n", Status),
        (b"HTTP/1.1\r\n\r\n", Status),
        (b"HTTP/1.1 200 O\0K\r\n\r\n", StatusLine),
        (b"HTTP/1.1 200 O\rK\r\n\r\n", StatusLine),
        (b"HTTP/2.0 200 OK\r\n\r\n", Version),
        (b"HTTP/1.2 200 OK\r\n\r\n", Version),
        (b"HTTX/1.1 200 OK\r\n\r\n", StatusLine),
        (b"http/1.1 200 OK\r\n\r\n", StatusLine),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\n", StatusLine),
        (b"SSH-2.0", StatusLine),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", Switched),
    ];
    for (raw, fault) in rows {
        let found = parse_answer(raw, &TO_GET).map(|_| "accepted");
        assert_eq!(found, Err(*fault), "{}", raw.escape_ascii());
        assert_eq!(fault.status(), 502);
    }
}

#[test]
fn limits_of_an_origins_head() {
    let block = |bytes: usize| ok(&format!("A: {}\r\n", "b".repeat(bytes - 5)));
    assert!(parse_answer(&block(64 * 1024), &TO_GET).is_ok());
    assert_eq!(parse_answer(&block(64 * 1024 + 1), &TO_GET).unwrap_err(), ResponseFault::BlockTooLarge);
    assert!(parse_answer(&ok(&"A: b\r\n".repeat(200)), &TO_GET).is_ok());
    let fault = parse_answer(&ok(&"A: b\r\n".repeat(201)), &TO_GET).unwrap_err();
    assert_eq!(fault, ResponseFault::TooManyFields);
    let mut head = ResponseHead::default();
    let endless = [b"HTTP/1.1 200 ".as_slice(), &[b'O'; 10_000]].concat();
    let verdict = parse_response(&endless, &TO_GET, &HeadLimits::RESPONSE, &mut head);
    assert_eq!(verdict, Err(ResponseFault::BlockTooLarge), "before it is complete");
}

#[test]
fn status_lines_without_a_reason() {
    for (line, reason) in [
        ("HTTP/1.1 200 OK", "OK"),
        ("HTTP/1.1 200 Very well", "Very well"),
        ("HTTP/1.1 200 ", ""),
        ("HTTP/1.1 200", ""),
        ("HTTP/1.0 200 \u{e9}", "\u{e9}"),
    ] {
        let raw = format!("{line}\r\n\r\n").into_bytes();
        let head = parse_answer(&raw, &TO_GET).unwrap();
        assert_eq!((head.status, head.reason.of(&raw)), (200, reason.as_bytes()));
    }
}

#[test]
fn a_connection_is_used_again_only_if_the_head_allows_it() {
    for (version, fields, method, reusable) in [
        ("1.1", "Content-Length: 1\r\n", Method::Get, true),
        ("1.1", "Transfer-Encoding: chunked\r\n", Method::Get, true),
        ("1.1", "", Method::Head, true),
        ("1.1", "", Method::Get, false),
        ("1.1", "Content-Length: 1\r\nConnection: close\r\n", Method::Get, false),
        ("1.1", "Content-Length: 1\r\nConnection: x\r\nConnection: y, CLOSE\r\n", Method::Get, false),
        ("1.0", "Content-Length: 1\r\n", Method::Get, false),
        ("1.0", "Content-Length: 1\r\nConnection: keep-alive\r\n", Method::Get, true),
        ("1.0", "Connection: keep-alive\r\n", Method::Get, false),
    ] {
        let raw = format!("HTTP/{version} 200 OK\r\n{fields}\r\n").into_bytes();
        let head = parse_answer(&raw, &RequestContext { method, upgrade: None }).unwrap();
        assert_eq!(head.reusable(), reusable, "{version} {fields} {method:?}");
    }
    let interim = parse_answer(b"HTTP/1.1 103 X\r\n\r\n", &TO_GET).unwrap();
    assert!(!interim.reusable());
}

#[test]
fn a_101_switches_only_to_the_protocol_that_was_asked_for() {
    let websocket = RequestContext { method: Method::Get, upgrade: Some(b"websocket") };
    for (head, asked, fits) in [
        ("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n", &websocket, true),
        ("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n", &TO_GET, false),
        ("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: h2c\r\n", &websocket, false),
        ("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket, h2c\r\n", &websocket, false),
        ("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n", &websocket, false),
        ("HTTP/1.1 101 X\r\nUpgrade: h2c\r\nUpgrade: x\r\nUpgrade: websocket\r\n", &websocket, false),
        ("HTTP/1.1 101 X\r\nConnection: upgrade\r\n", &websocket, false),
        ("HTTP/1.0 101 X\r\nUpgrade: websocket\r\n", &websocket, false),
    ] {
        let raw = format!("{head}\r\n").into_bytes();
        let found = parse_answer(&raw, asked).map(|head| head.class);
        let expected = if fits { Ok(ResponseClass::Switching) } else { Err(ResponseFault::Switched) };
        assert_eq!(found, expected, "{head}");
    }
    // An origin that declines to switch answers as it answers any other request.
    let declined = parse_answer(&ok("Content-Length: 0\r\nUpgrade: websocket\r\n"), &websocket).unwrap();
    assert_eq!(declined.class, ResponseClass::Final);
}

#[test]
fn the_context_has_an_upgrade_only_if_the_door_forwarded_it() {
    let raw = get("Connection: upgrade\r\nUpgrade: websocket\r\n");
    let head = parse(&raw).unwrap();
    assert_eq!(RequestContext::of(&head, &raw, true).upgrade, Some(&b"websocket"[..]));
    assert_eq!(RequestContext::of(&head, &raw, false).upgrade, None);
}

#[test]
fn interim_heads_come_before_the_final_one_and_are_counted() {
    let mut raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".to_vec();
    raw.extend_from_slice(&ok("Content-Length: 0\r\n"));
    let mut head = ResponseHead::default();
    let mut at = 0;
    let mut seen = Vec::new();
    while at < raw.len() {
        let taken = parse_response(&raw[at..], &TO_GET, &HeadLimits::RESPONSE, &mut head).unwrap();
        at += taken.unwrap();
        seen.push((head.status, head.class));
    }
    let interim = ResponseClass::Informational;
    assert_eq!(seen, [(100, interim), (103, interim), (200, ResponseClass::Final)]);

    head.clear();
    let hint = [&b"HTTP/1.1 103 X\r\nX: "[..], &[b'a'; 1001], b"\r\n\r\n"].concat();
    assert_eq!(hint.len(), 1024);
    let mut next = || parse_response(&hint, &TO_GET, &HeadLimits::RESPONSE, &mut head);
    for _ in 0..256 {
        assert!(next().unwrap().is_some());
    }
    assert_eq!(next(), Err(ResponseFault::InformationalTooLarge));
}

#[test]
fn nothing_is_left_of_the_head_before() {
    let websocket = RequestContext { method: Method::Get, upgrade: Some(b"websocket") };
    let first = b"HTTP/1.1 101 X\r\nConnection: close, x-a\r\nUpgrade: websocket\r\nDate: x\r\n\r\n";
    let mut head = parse_answer(first, &websocket).unwrap();
    head.clear();
    let second = ok("Content-Length: 3\r\nX-A: 1\r\n");
    parse_response(&second, &TO_GET, &HeadLimits::RESPONSE, &mut head).unwrap().unwrap();
    assert_eq!(format!("{head:?}"), format!("{:?}", parse_answer(&second, &TO_GET).unwrap()));
}
