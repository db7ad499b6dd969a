//! Heads between the two protocols.

use h2::ext::Protocol;
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};

use crate::http1::{
    Asked, Framing, HeadLimits, Method, RequestFault, RequestHead, ResponseHead, Scheme, parse_request,
    parse_response,
};
use crate::proxy::h2::ask;
use crate::proxy::h2::reply::{self, Told};

fn parts(method: &str, uri: &str, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn written(head: &Parts, has_body: bool) -> String {
    let asked = ask::write(head, has_body, Scheme::Http, [0; 16]).unwrap();
    String::from_utf8(asked.text).unwrap()
}

#[test]
fn requests_become_http1() {
    let table: Vec<(Parts, bool, &str)> = vec![
        (parts("GET", "http://a.test/x?y", &[]), false, "GET /x?y HTTP/1.1\r\nhost: a.test\r\n\r\n"),
        (
            parts("GET", "http://a.test/", &[("host", "A.test:80")]),
            false,
            "GET http://a.test/ HTTP/1.1\r\nhost: A.test:80\r\n\r\n",
        ),
        (
            parts("POST", "http://a.test/", &[]),
            true,
            "POST / HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n",
        ),
        (
            parts("POST", "http://a.test/", &[("content-length", "5")]),
            true,
            "POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 5\r\n\r\n",
        ),
        (
            parts("GET", "http://a.test/", &[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")]),
            false,
            "GET / HTTP/1.1\r\nhost: a.test\r\nx: y\r\ncookie: a=1; b=2\r\n\r\n",
        ),
        (parts("CONNECT", "a.test:443", &[]), false, "CONNECT * HTTP/1.1\r\nhost: a.test:443\r\n\r\n"),
    ];
    for (head, has_body, expected) in table {
        assert_eq!(written(&head, has_body), expected);
    }
}

#[test]
fn a_tunnel_becomes_an_upgrade() {
    let mut head = parts("CONNECT", "http://a.test/chat", &[("sec-websocket-key", "theirs"), ("x", "y")]);
    head.extensions.insert(Protocol::from("websocket"));
    let asked = ask::write(&head, true, Scheme::Http, [0; 16]).unwrap();
    let text = String::from_utf8(asked.text.clone()).unwrap();
    assert_eq!(
        text,
        "GET /chat HTTP/1.1\r\nhost: a.test\r\nx: y\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    // What was added counts for no limit.
    assert_eq!(asked.added_fields, 3);
    let added = text.find("connection:").unwrap();
    assert_eq!(asked.added_bytes, text.len() - added - 2);
    let limits = asked.limits(&HeadLimits::REQUEST);
    assert_eq!(limits.fields_max, HeadLimits::REQUEST.fields_max + 3);
}

#[test]
fn what_has_no_shape_is_refused() {
    let table = [
        (parts("GET", "*", &[]), RequestFault::Target),
        (parts("GET", "http://a.test/", &[("x", " y")]), RequestFault::FieldValue),
        (parts("GET", "http://a.test/", &[("cookie", "y\t")]), RequestFault::FieldValue),
    ];
    for (head, fault) in table {
        assert_eq!(ask::write(&head, false, Scheme::Http, [0; 16]).unwrap_err(), fault);
    }
}

fn to_http2(text: &str, trailers: bool) -> ask::Outgoing {
    let mut head = RequestHead::default();
    parse_request(text.as_bytes(), &HeadLimits::REQUEST, &mut head).unwrap().unwrap();
    ask::read(&head, text.as_bytes(), Scheme::Https, trailers).unwrap()
}

#[test]
fn requests_become_http2() {
    let outgoing = to_http2(
        "POST /a?b HTTP/1.1\r\nHost: a.test:8080\r\nX-Name: v\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
        true,
    );
    let request = &outgoing.request;
    assert_eq!(request.uri(), "https://a.test:8080/a?b");
    assert_eq!(request.headers().get("x-name").unwrap(), "v");
    assert_eq!(request.headers().get("te").unwrap(), "trailers");
    assert_eq!(request.headers().len(), 2);
    assert_eq!(outgoing.framing, Framing::Chunked);
    let asterisk = to_http2("OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n", false);
    assert_eq!(asterisk.request.uri().path(), "*");
    let tunnel = to_http2(
        "GET /c HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n\r\n",
        false,
    );
    assert_eq!(tunnel.request.method(), "CONNECT");
    assert_eq!(tunnel.tunnel.as_deref(), Some("websocket"));
    assert_eq!(tunnel.key.as_deref(), Some(&b"k"[..]));
    assert!(!tunnel.request.headers().contains_key("sec-websocket-key"));
}

#[test]
fn responses_become_http2() {
    let text = "HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nDate: now\r\n\r\n";
    let mut head = ResponseHead::default();
    let asked = Asked { method: Method::Get, upgrade: None };
    let bytes = parse_response(text.as_bytes(), &asked, &HeadLimits::RESPONSE, &mut head).unwrap().unwrap();
    let response = reply::read(&head, text.as_bytes(), bytes).unwrap();
    assert_eq!(response.status(), 200);
    let values: Vec<_> = response.headers().get_all("x-a").iter().collect();
    assert_eq!(values, ["1", "2"]);
    assert_eq!(response.headers().len(), 3, "{response:?}");
}

#[test]
fn responses_become_http1() {
    let fields = |pairs: &[(&'static str, &str)]| {
        let pairs =
            pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
        pairs.collect::<HeaderMap>()
    };
    let length = fields(&[("content-length", "5"), ("x", "y")]);
    let none = fields(&[]);
    let table = [
        (200, &length, Method::Get, false, Told::Length, "x: y\r\ncontent-length: 5\r\n"),
        (200, &length, Method::Head, true, Told::None, "x: y\r\ncontent-length: 5\r\n"),
        (304, &length, Method::Get, true, Told::None, "x: y\r\ncontent-length: 5\r\n"),
        (200, &none, Method::Get, false, Told::Chunked, "transfer-encoding: chunked\r\n"),
        (200, &none, Method::Get, true, Told::None, "content-length: 0\r\n"),
        (200, &none, Method::Head, true, Told::None, ""),
        (204, &none, Method::Get, true, Told::None, ""),
        (204, &none, Method::Get, false, Told::None, ""),
    ];
    for (status, fields, method, ended, told, lines) in table {
        let mut out = Vec::new();
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(reply::write(status, fields, method, ended, &mut out), told, "{status} {method:?}");
        let text = String::from_utf8(out).unwrap();
        let begin = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap());
        assert_eq!(text, format!("{begin}{lines}\r\n"));
    }
}

#[test]
fn a_handshake_is_proved() {
    // RFC 6455, 1.3.
    assert_eq!(reply::accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
