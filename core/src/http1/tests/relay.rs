//! Responses as the client gets them: docs/http.md, "Responses that are passed on".

use super::*;

/// Relays a response. Returns the head that the client gets, and how the body follows.
fn relayed(raw: &[u8], asked: &RequestContext<'_>, answer: &Answer<'_>) -> (String, Sending) {
    let head = parse_answer(raw, asked).unwrap_or_else(|fault| panic!("{fault}: {}", raw.escape_ascii()));
    let mut out = Vec::new();
    let sending = write_response(&head, raw, answer, &mut out);
    (String::from_utf8(out).unwrap(), sending)
}

fn to(version: Version, persistence: Persistence) -> Answer<'static> {
    Answer { version, persistence, ..TO_CLIENT }
}

#[test]
fn framing_towards_the_client() {
    use Persistence::{Close, KeepAlive};
    use Version::{Http10, Http11};
    // (fields of the origin, client, how the body follows, fields that the client gets)
    for (fields, client, sending, said) in [
        ("Content-Length: 05\r\n", to(Http11, KeepAlive), Sending::Raw, "Content-Length: 5\r\n"),
        (
            "Content-Length: 5\r\n",
            to(Http11, Close),
            Sending::Raw,
            "Content-Length: 5\r\nConnection: close\r\n",
        ),
        (
            "Content-Length: 5\r\n",
            to(Http10, KeepAlive),
            Sending::Raw,
            "Content-Length: 5\r\nConnection: keep-alive\r\n",
        ),
        (
            "Transfer-Encoding: chunked\r\n",
            to(Http11, KeepAlive),
            Sending::Chunked,
            "Transfer-Encoding: chunked\r\n",
        ),
        ("", to(Http11, KeepAlive), Sending::Chunked, "Transfer-Encoding: chunked\r\n"),
        ("Transfer-Encoding: chunked\r\n", to(Http10, KeepAlive), Sending::ToEnd, "Connection: close\r\n"),
        ("", to(Http10, KeepAlive), Sending::ToEnd, "Connection: close\r\n"),
        ("", to(Http10, Close), Sending::ToEnd, "Connection: close\r\n"),
    ] {
        let raw = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        let found = relayed(raw.as_bytes(), &TO_GET, &client);
        assert_eq!(found, (format!("HTTP/1.1 200 OK\r\n{said}\r\n"), sending), "{fields} {client:?}");
    }
}

#[test]
fn answers_without_a_body_have_a_length_only_where_it_means_something() {
    for (method, status, fields, said) in [
        (Method::Head, 200, "Content-Length: 5\r\n", "Content-Length: 5\r\n"),
        (Method::Head, 200, "Transfer-Encoding: chunked\r\n", ""),
        (Method::Head, 204, "Content-Length: 5\r\n", ""),
        (Method::Get, 304, "Content-Length: 5\r\n", "Content-Length: 5\r\n"),
        (Method::Get, 204, "Content-Length: 0\r\n", ""),
        (Method::Get, 204, "Transfer-Encoding: chunked\r\n", ""),
    ] {
        let raw = format!("HTTP/1.1 {status} X\r\n{fields}\r\n");
        let answer = Answer { method, ..TO_CLIENT };
        let found = relayed(raw.as_bytes(), &RequestContext { method, upgrade: None }, &answer);
        assert_eq!(found, (format!("HTTP/1.1 {status} X\r\n{said}\r\n"), Sending::Nothing));
    }
}

#[test]
fn fields_of_the_origins_connection_are_removed() {
    let raw = b"HTTP/1.1 200 OK\r\nA: 1\r\nConnection: close, x-b, content-length\r\nX-B: 2\r\n\
        Keep-Alive: timeout=5\r\nProxy-Connection: close\r\nProxy-Authenticate: Basic\r\nTrailer: x\r\n\
        TE: x\r\nUpgrade: h2c\r\nContent-Length: 3\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n";
    let (out, _) = relayed(raw, &TO_GET, &TO_CLIENT);
    assert_eq!(
        out,
        "HTTP/1.1 200 OK\r\nA: 1\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 3\r\n\r\n"
    );
}

#[test]
fn fields_of_the_door_come_last_and_a_date_only_where_it_is_missing() {
    let date = Some(&b"Tue, 24 Nov 2026 18:00:00 GMT"[..]);
    let answer = Answer { date, extra: &[("X-A", "1"), ("Set-Cookie", "gl=blue")], ..TO_CLIENT };
    let (out, _) = relayed(b"HTTP/1.0 404 Gone fishing\r\nContent-Length: 0\r\n\r\n", &TO_GET, &answer);
    assert_eq!(
        out,
        "HTTP/1.1 404 Gone fishing\r\nContent-Length: 0\r\nDate: Tue, 24 Nov 2026 18:00:00 GMT\r\nX-A: 1\r\n\
         Set-Cookie: gl=blue\r\n\r\n"
    );
    let (out, _) = relayed(b"HTTP/1.1 200 OK\r\ndate: then\r\nContent-Length: 0\r\n\r\n", &TO_GET, &answer);
    assert_eq!(out.to_ascii_lowercase().matches("date: ").count(), 1, "{out}");
}

#[test]
fn a_101_names_the_protocol_of_the_switch() {
    let raw = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: x\r\nContent-Length: 0\r\n\r\n";
    let asked = RequestContext { method: Method::Get, upgrade: Some(b"websocket") };
    let close = to(Version::Http11, Persistence::Close);
    let (out, sending) = relayed(raw, &asked, &close);
    assert_eq!(sending, Sending::Nothing);
    assert_eq!(
        out,
        "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: upgrade\r\n\
         Upgrade: websocket\r\n\r\n"
    );
}

#[test]
fn interim_heads_pass_to_new_clients_only() {
    for first in ["100 Continue", "102 Processing", "103 Early Hints", "104 X", "199 "] {
        let raw = format!("HTTP/1.1 {first}\r\nLink: </a>\r\nConnection: x\r\nContent-Length: 0\r\n\r\n");
        let head = parse_answer(raw.as_bytes(), &TO_GET).unwrap();
        let mut out = Vec::new();
        assert!(write_informational(&head, raw.as_bytes(), Version::Http11, &mut out));
        assert_eq!(String::from_utf8(out).unwrap(), format!("HTTP/1.1 {first}\r\nLink: </a>\r\n\r\n"));
        let mut none = Vec::new();
        assert!(!write_informational(&head, raw.as_bytes(), Version::Http10, &mut none));
        assert_eq!(none, b"");
    }
}
