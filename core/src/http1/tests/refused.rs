//! Requests that are refused, each with its status: docs/http.md, "Requests that are refused".

use super::*;

fn post(fields: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n").into_bytes()
}

#[track_caller]
fn refuses(rows: &[(&[u8], RequestFault, u16)]) {
    for (raw, fault, status) in rows {
        let found = parse(raw).map(|_| "accepted");
        assert_eq!(found, Err(*fault), "{}", raw.escape_ascii());
        assert_eq!(fault.status(), *status, "{}", raw.escape_ascii());
    }
}

#[track_caller]
fn refuses_fields(rows: &[(&str, RequestFault, u16)]) {
    for (fields, fault, status) in rows {
        refuses(&[(&post(fields), *fault, *status)]);
    }
}

#[test]
fn framing_with_two_readings_or_none() {
    use RequestFault::{Coding, Length, LengthRepeated, LengthWithCoding};
    refuses_fields(&[
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", LengthWithCoding, 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", LengthWithCoding, 400),
        ("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", LengthWithCoding, 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: x\r\n", LengthWithCoding, 400),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", LengthRepeated, 400),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", LengthRepeated, 400),
        ("Content-Length: 5, 5\r\n", Length, 400),
        ("Content-Length: 5,\r\n", Length, 400),
        ("Content-Length: +5\r\n", Length, 400),
        ("Content-Length: -5\r\n", Length, 400),
        ("Content-Length: 0x5\r\n", Length, 400),
        ("Content-Length: 5 5\r\n", Length, 400),
        ("Content-Length: 5.0\r\n", Length, 400),
        ("Content-Length: 1_0\r\n", Length, 400),
        ("Content-Length:\r\n", Length, 400),
        ("Content-Length: \u{0665}\r\n", Length, 400),
        ("Content-Length: 9223372036854775808\r\n", Length, 400),
        ("Content-Length: 18446744073709551616\r\n", Length, 400),
        ("Content-Length: 99999999999999999999999999\r\n", Length, 400),
        ("Content-Length: x\r\nContent-Length: 5\r\n", Length, 400),
        ("Transfer-Encoding: gzip\r\n", Coding, 501),
        ("Transfer-Encoding: identity\r\n", Coding, 501),
        ("Transfer-Encoding: gzip, chunked\r\n", Coding, 501),
        ("Transfer-Encoding: chunked, chunked\r\n", Coding, 501),
        ("Transfer-Encoding: chunked,\r\n", Coding, 501),
        ("Transfer-Encoding: chunked;q=1\r\n", Coding, 501),
        ("Transfer-Encoding: \"chunked\"\r\n", Coding, 501),
        ("Transfer-Encoding: xchunked\r\n", Coding, 501),
        ("Transfer-Encoding:\r\n", Coding, 501),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Coding, 501),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", Coding, 501),
    ]);
    refuses(&[
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", RequestFault::CodingInOld, 400),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n", RequestFault::CodingInOld, 400),
    ]);
}

#[test]
fn field_lines() {
    use RequestFault::{FieldName, FieldValue, Folded};
    refuses_fields(&[
        ("A: b\r\n c\r\n", Folded, 400),
        ("A: b\r\n\tc\r\n", Folded, 400),
        ("Content-Length: 5\r\n 6\r\n", Folded, 400),
        ("A: b\0c\r\n", FieldValue, 400),
        ("A: b\rc\r\n", FieldValue, 400),
        ("A: b\r\r\n", FieldValue, 400),
        ("A: b\x0bc\r\n", FieldValue, 400),
        ("A: b\x1bc\r\n", FieldValue, 400),
        ("A: b\x7fc\r\n", FieldValue, 400),
        ("Transfer-Encoding: \x0bchunked\r\n", FieldValue, 400),
        ("Content-Length: \x0c5\r\n", FieldValue, 400),
        ("A : b\r\n", FieldName, 400),
        ("A\t: b\r\n", FieldName, 400),
        ("Content-Length : 5\r\n", FieldName, 400),
        (": b\r\n", FieldName, 400),
        ("A\r\n", FieldName, 400),
        ("A b: c\r\n", FieldName, 400),
        ("A(b): c\r\n", FieldName, 400),
        ("A\0: c\r\n", FieldName, 400),
        ("A\u{e9}: c\r\n", FieldName, 400),
        ("\rA: c\r\n", FieldName, 400),
    ]);
    refuses(&[(b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", Folded, 400)]);
}

#[test]
fn bare_line_feeds() {
    let fault = RequestFault::BareLf;
    refuses(&[
        (b"GET / HTTP/1.1\nHost: a\r\n\r\n", fault, 400),
        (b"GET / HTTP/1.1\r\nHost: a\n\r\n", fault, 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\n", fault, 400),
        (b"GET / HTTP/1.1\r\nHost: a\nContent-Length: 3\r\n\r\n", fault, 400),
        (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", fault, 400),
        (b"GET / HTTP/1.1\n\n", fault, 400),
    ]);
}

#[test]
fn empty_lines_before_a_request() {
    refuses(&[
        (b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", RequestFault::EmptyLines, 400),
        (b"\r\n \r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", RequestFault::RequestLine, 400),
    ]);
}

#[test]
fn hosts() {
    use RequestFault::{Host, HostMissing, HostRepeated};
    let of = |lines: &str| format!("GET / HTTP/1.1\r\n{lines}\r\n").into_bytes();
    let long = format!("Host: {}\r\n", "a.".repeat(129));
    for (lines, fault) in [
        ("", HostMissing),
        ("A: b\r\n", HostMissing),
        ("Host: a\r\nHost: a\r\n", HostRepeated),
        ("Host: a\r\nhost: b\r\n", HostRepeated),
        ("Host:\r\n", Host),
        ("Host: :80\r\n", Host),
        ("Host: .\r\n", Host),
        ("Host: a..b\r\n", Host),
        ("Host: .a\r\n", Host),
        ("Host: a,b\r\n", Host),
        ("Host: a b\r\n", Host),
        ("Host: a/b\r\n", Host),
        ("Host: a@b\r\n", Host),
        ("Host: a#b\r\n", Host),
        ("Host: a?b\r\n", Host),
        ("Host: a\\b\r\n", Host),
        ("Host: a%00\r\n", Host),
        ("Host: http://a\r\n", Host),
        ("Host: a:b\r\n", Host),
        ("Host: a:80:80\r\n", Host),
        ("Host: a:-1\r\n", Host),
        ("Host: a:65536\r\n", Host),
        ("Host: a:000080\r\n", Host),
        ("Host: ::1\r\n", Host),
        ("Host: [::1\r\n", Host),
        ("Host: [::1]x\r\n", Host),
        ("Host: [::1%25eth0]\r\n", Host),
        ("Host: [a]\r\n", Host),
        ("Host: m\u{fc}nchen.example\r\n", Host),
        (&long, Host),
    ] {
        refuses(&[(&of(lines), fault, 400)]);
    }
    refuses(&[(b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", HostRepeated, 400)]);
}

#[test]
fn absolute_targets() {
    use RequestFault::{Authority, AuthorityDiffers, HostMissing, Target};
    let of = |target: &str, lines: &str| format!("GET {target} HTTP/1.1\r\n{lines}\r\n").into_bytes();
    for (target, lines, fault) in [
        ("http://b/", "Host: a\r\n", AuthorityDiffers),
        ("http://a:81/", "Host: a\r\n", AuthorityDiffers),
        ("http://a/", "Host: a:443\r\n", AuthorityDiffers),
        ("https://a/", "Host: a:80\r\n", AuthorityDiffers),
        ("http://a.b/", "Host: a\r\n", AuthorityDiffers),
        ("http://u@a/", "Host: a\r\n", Authority),
        ("http://u:p@a/", "Host: a\r\n", Authority),
        ("http://a@/", "Host: a\r\n", Authority),
        ("http:///", "Host: a\r\n", Authority),
        ("http://", "Host: a\r\n", Authority),
        ("http://a\\@b/", "Host: a\r\n", Authority),
        ("http://a/", "", HostMissing),
        ("ftp://a/", "Host: a\r\n", Target),
        ("http:/a", "Host: a\r\n", Target),
        ("http:a", "Host: a\r\n", Target),
        ("//a/b@c", "Host: a b\r\n", RequestFault::Host),
    ] {
        refuses(&[(&of(target, lines), fault, 400)]);
    }
}

#[test]
fn targets() {
    use RequestFault::{RequestLine, Target};
    for (target, fault) in [
        ("a", Target),
        ("a.example:80", Target),
        ("?a", Target),
        ("*", Target),
        ("**", Target),
        ("/a#b", Target),
        ("/#", Target),
        ("/a\0b", Target),
        ("/a\tb", Target),
        ("/a\rb", Target),
        ("/a\x01b", Target),
        ("/a\x7fb", Target),
        ("/a b", Target),
        ("", Target),
        (" /", Target),
        ("/ ", Target),
    ] {
        refuses(&[(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes(), fault, 400)]);
    }
    refuses(&[
        (b"OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n", Target, 400),
        (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", RequestLine, 400),
        (b"GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", RequestLine, 400),
    ]);
}

#[test]
fn first_lines() {
    use RequestFault::{MethodTooLong, RequestLine};
    let long = "M".repeat(65);
    for (line, fault, status) in [
        ("GET", RequestLine, 400),
        ("GET ", RequestLine, 400),
        ("GET /", RequestLine, 400),
        ("GET / ", RequestLine, 400),
        ("GET / HTTP/1.1 ", RequestLine, 400),
        (" GET / HTTP/1.1", RequestLine, 400),
        ("GET / http/1.1", RequestLine, 400),
        ("GET / HTTP/1", RequestLine, 400),
        ("GET / HTTP/1.", RequestLine, 400),
        ("GET / HTTP/1.1.1", RequestLine, 400),
        ("GET / HTTP/a.b", RequestLine, 400),
        ("GET / HTTPS/1.1", RequestLine, 400),
        ("G\u{e9}T / HTTP/1.1", RequestLine, 400),
        ("G(T / HTTP/1.1", RequestLine, 400),
        ("G\0T / HTTP/1.1", RequestLine, 400),
        ("HTTP/1.1 200 OK", RequestLine, 400),
        (&format!("{long} / HTTP/1.1"), MethodTooLong, 501),
        (&long, MethodTooLong, 501),
    ] {
        refuses(&[(format!("{line}\r\nHost: a\r\n\r\n").as_bytes(), fault, status)]);
    }
}

#[test]
fn methods_not_served() {
    let fault = RequestFault::MethodNotAllowed;
    refuses(&[
        (b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", fault, 405),
        (b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", fault, 405),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", fault, 405),
        (b"trace / HTTP/1.1\r\nHost: a\r\n\r\n", fault, 405),
        (b"Connect a:1 HTTP/1.0\r\n\r\n", fault, 405),
    ]);
}

#[test]
fn versions() {
    for version in ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0", "HTTP/1.10", "HTTP/10.1", "HTTP/01.1"] {
        let raw = format!("GET / {version}\r\nHost: a\r\n\r\n");
        refuses(&[(raw.as_bytes(), RequestFault::Version, 505)]);
    }
    refuses(&[(b"PRI * HTTP/2.0\r\n\r\n", RequestFault::Version, 505)]);
}

#[test]
fn expectations() {
    let fault = RequestFault::Expectation;
    refuses_fields(&[
        ("Expect: 200-ok\r\n", fault, 417),
        ("Expect: 100-continue, x\r\n", fault, 417),
        ("Expect:\r\n", fault, 417),
        ("Expect: 100-continue\r\nExpect: x\r\n", fault, 417),
    ]);
}

#[test]
fn too_many_connection_options() {
    let fits = format!("Connection: {}\r\n", vec!["a"; CONNECTION_OPTIONS_MAX].join(","));
    assert!(parse(get(&fits)).is_ok());
    refuses_fields(&[(&format!("{fits}Connection: b\r\n"), RequestFault::ConnectionOptions, 400)]);
}

#[test]
fn over_the_limits() {
    let limits = HeadLimits { block_bytes_max: 100, fields_max: 3, target_bytes_max: 10 };
    let parse = |raw: &str| {
        let mut head = RequestHead::default();
        parse_request(raw.as_bytes(), &limits, &mut head)
    };
    let block = |bytes: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n", "b".repeat(bytes - 14));
    assert!(parse(&block(100)).unwrap().is_some());
    assert_eq!(parse(&block(101)), Err(RequestFault::BlockTooLarge));
    let fields = |count: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(count - 1));
    assert!(parse(&fields(3)).unwrap().is_some());
    assert_eq!(parse(&fields(4)), Err(RequestFault::TooManyFields));
    let target = |bytes: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "t".repeat(bytes - 1));
    assert!(parse(&target(10)).unwrap().is_some());
    assert_eq!(parse(&target(11)), Err(RequestFault::TargetTooLong));
    assert_eq!(RequestFault::BlockTooLarge.status(), 431);
    assert_eq!(RequestFault::TooManyFields.status(), 431);
    assert_eq!(RequestFault::TargetTooLong.status(), 414);
}

#[test]
fn the_default_limits_are_those_of_the_configuration() {
    let limits = HeadLimits::default();
    assert_eq!(
        (limits.block_bytes_max, limits.fields_max, limits.target_bytes_max),
        (32 * 1024, 100, 8 * 1024)
    );
    let head = |fields: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(fields - 1));
    assert!(parse(head(100)).is_ok());
    assert_eq!(parse(head(101)).unwrap_err(), RequestFault::TooManyFields);
}
