//! Heads, translated between the two protocols.

use h2::ext::Protocol;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};

use crate::data_plane::h2::request_head;
use crate::data_plane::h2::response_head;
use crate::data_plane::h2::response_head::BodyFraming;
use crate::http1::{
    Framing, HeadLimits, Method, RequestContext, RequestFault, RequestHead, ResponseHead, Scheme,
    parse_request, parse_response,
};

fn parts(method: &str, uri: &str, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn written(head: &Parts, has_body: bool) -> String {
    let written = request_head::write(head, has_body, Scheme::Http, [0; 16]).unwrap();
    String::from_utf8(written.text).unwrap()
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
    let written = request_head::write(&head, true, Scheme::Http, [0; 16]).unwrap();
    let text = String::from_utf8(written.text.clone()).unwrap();
    assert_eq!(
        text,
        "GET /chat HTTP/1.1\r\nhost: a.test\r\nx: y\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    // The added bytes count for no limit. The protocol comes from the client, so its bytes count.
    assert_eq!(written.added_fields, 3);
    let added = text.find("connection:").unwrap();
    assert_eq!(written.added_bytes, text.len() - added - 2 - "websocket".len());
    let limits = written.limits(&HeadLimits::REQUEST);
    assert_eq!(limits.fields_max, HeadLimits::REQUEST.fields_max + 3);
}

#[test]
fn a_head_without_a_shape_in_http1_is_refused() {
    let table = [
        (parts("GET", "*", &[]), RequestFault::Target),
        (parts("GET", "http://a.test/", &[("x", " y")]), RequestFault::FieldValue),
        (parts("GET", "http://a.test/", &[("cookie", "y\t")]), RequestFault::FieldValue),
    ];
    for (head, fault) in table {
        assert_eq!(request_head::write(&head, false, Scheme::Http, [0; 16]).unwrap_err(), fault);
    }
}

#[test]
fn a_tunnel_needs_the_name_of_a_protocol() {
    let refused = |protocol: &str| {
        let mut head = parts("CONNECT", "http://a.test/chat", &[]);
        head.extensions.insert(Protocol::from(protocol));
        request_head::write(&head, true, Scheme::Http, [0; 16]).err()
    };
    for protocol in ["", "web socket", "websocket\r\nx: y", "websocket\0", "w\u{e9}b"] {
        assert_eq!(refused(protocol), Some(RequestFault::FieldValue), "{protocol:?}");
    }
    for protocol in ["h2c", "TLS/1.0", "http/2"] {
        assert_eq!(refused(protocol), Some(RequestFault::Protocol), "{protocol:?}");
    }
    assert_eq!(refused("foo/2"), None);
}

#[test]
fn the_asterisk_has_one_host() {
    let refused = |host: &str| {
        let mut head = parts("OPTIONS", "http://a.test/", &[("host", host)]);
        let mut uri = head.uri.into_parts();
        uri.path_and_query = Some("*".parse().unwrap());
        head.uri = http::Uri::from_parts(uri).unwrap();
        request_head::write(&head, false, Scheme::Http, [0; 16]).err()
    };
    assert_eq!((refused("a.test"), refused("A.test.:80")), (None, None));
    assert_eq!(refused("b.test"), Some(RequestFault::AuthorityDiffers));
    assert_eq!(refused("a.test:81"), Some(RequestFault::AuthorityDiffers));
}

#[test]
fn a_body_with_trailers_behind_it_comes_in_chunks() {
    let grpc = ("content-type", "application/grpc+proto");
    let table: [(&[(&str, &str)], bool); 5] = [
        (&[("content-length", "5")], false),
        (&[("content-length", "5"), grpc], true),
        (&[("content-length", "5"), ("trailer", "x")], true),
        (&[], true),
        // The parser refuses two lengths.
        (&[("content-length", "5"), ("content-length", "5"), grpc], false),
    ];
    for (fields, chunked) in table {
        let written =
            request_head::write(&parts("POST", "http://a.test/", fields), true, Scheme::Http, [0; 16])
                .unwrap();
        let text = String::from_utf8(written.text).unwrap();
        assert_eq!(written.chunked, chunked, "{text}");
        assert_eq!(text.contains("transfer-encoding: chunked\r\n"), chunked, "{text}");
        assert_eq!(text.contains("content-length"), !chunked, "{text}");
    }
}

#[test]
fn a_path_that_is_no_uri_is_encoded_where_it_has_to_be() {
    let path = |target: &str| {
        let text = format!("GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n");
        to_http2(&text, false).request.uri().path_and_query().unwrap().to_string()
    };
    assert_eq!(path("/a<b>`c`?q=\"<x>\""), "/a%3Cb%3E%60c%60?q=%22%3Cx%3E%22");
    assert_eq!(path("/{a}|^[b]?q={\\}|^`"), "/{a}|^[b]?q={\\}|^`");
}

fn to_http2(text: &str, trailers: bool) -> request_head::Outgoing {
    let mut head = RequestHead::default();
    parse_request(text.as_bytes(), &HeadLimits::REQUEST, &mut head).unwrap().unwrap();
    request_head::read(&head, text.as_bytes(), Scheme::Https, trailers).unwrap()
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
    let request = RequestContext { method: Method::Get, upgrade: None };
    let bytes = parse_response(text.as_bytes(), &request, &HeadLimits::RESPONSE, &mut head).unwrap().unwrap();
    let response = response_head::read(&head, text.as_bytes(), bytes).unwrap();
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
    let status_behind = fields(&[("content-length", "5"), ("x", "y"), ("trailer", "grpc-status")]);
    let mut lengths = fields(&[("content-length", "5")]);
    lengths.append("content-length", "5".parse().unwrap());
    let (get, head, takes) = ((Method::Get, false), (Method::Head, false), (Method::Get, true));
    let table = [
        (200, &length, get, false, BodyFraming::Length, "x: y\r\ncontent-length: 5\r\n"),
        (200, &length, head, true, BodyFraming::None, "x: y\r\ncontent-length: 5\r\n"),
        (304, &length, get, true, BodyFraming::None, "x: y\r\ncontent-length: 5\r\n"),
        (200, &none, get, false, BodyFraming::Chunked, "transfer-encoding: chunked\r\n"),
        (200, &none, get, true, BodyFraming::None, "content-length: 0\r\n"),
        (200, &none, head, true, BodyFraming::None, ""),
        (204, &none, get, true, BodyFraming::None, ""),
        (204, &none, get, false, BodyFraming::None, ""),
        // Trailers need chunks. A length is kept if the client takes no trailers, or none are to be
        // expected.
        (
            200,
            &status_behind,
            get,
            false,
            BodyFraming::Length,
            "x: y\r\ntrailer: grpc-status\r\ncontent-length: 5\r\n",
        ),
        (
            200,
            &status_behind,
            takes,
            false,
            BodyFraming::Chunked,
            "x: y\r\ntrailer: grpc-status\r\ntransfer-encoding: chunked\r\n",
        ),
        (200, &length, takes, false, BodyFraming::Length, "x: y\r\ncontent-length: 5\r\n"),
        // The one parser refuses two lengths.
        (200, &lengths, get, false, BodyFraming::Length, "content-length: 5\r\ncontent-length: 5\r\n"),
    ];
    for (status, fields, (method, trailers), ended, framing, lines) in table {
        let mut out = Vec::new();
        let status = StatusCode::from_u16(status).unwrap();
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.headers_mut() = fields.clone();
        let head = response.into_parts().0;
        assert_eq!(
            response_head::write(&head, (method, trailers, false), ended, &mut out),
            framing,
            "{status} {method:?}"
        );
        let text = String::from_utf8(out).unwrap();
        let begin = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap());
        assert_eq!(text, format!("{begin}{lines}\r\n"));
    }
}

#[test]
fn a_handshake_is_proved() {
    // The example of RFC 6455, 1.3.
    assert_eq!(response_head::accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
