//! The contents that the parser reads from an accepted head.

use super::*;

#[test]
fn methods() {
    for (name, method) in [
        ("GET", Method::Get),
        ("HEAD", Method::Head),
        ("POST", Method::Post),
        ("PUT", Method::Put),
        ("PATCH", Method::Patch),
        ("DELETE", Method::Delete),
        ("OPTIONS", Method::Options),
        ("PROPFIND", Method::Other),
        ("get", Method::Other),
        ("M-SEARCH", Method::Other),
    ] {
        let raw = format!("{name} / HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes();
        let head = parse(&raw).unwrap();
        assert_eq!((head.method, head.method_span.of(&raw)), (method, name.as_bytes()));
    }
}

#[test]
fn hosts_that_pass_and_the_names_they_are_routed_by() {
    for (host, routed) in [
        ("a.example", "a.example"),
        ("A.Example", "A.Example"),
        ("a.example.", "a.example"),
        ("a.example:8080", "a.example"),
        ("a.example.:8080", "a.example"),
        ("a.example:", "a.example"),
        ("a_b.example", "a_b.example"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        ("192.0.2.1:80", "192.0.2.1"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("[2001:db8::1]:443", "[2001:db8::1]"),
        ("[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]"),
        ("localhost", "localhost"),
    ] {
        let raw = format!("GET / HTTP/1.1\r\nHost:  {host}\t \r\n\r\n").into_bytes();
        let head = parse(&raw).unwrap_or_else(|fault| panic!("{host}: {fault}"));
        assert_eq!(head.authority.of(&raw), host.as_bytes());
        assert_eq!(host_of(head.authority.of(&raw)), routed.as_bytes());
    }
}

#[test]
fn targets_that_pass() {
    // (target, Host lines, form, target that the origin gets)
    for (target, lines, form, path) in [
        ("/", "Host: a\r\n", TargetForm::Origin, "/"),
        ("/a?b=c&d=%20", "Host: a\r\n", TargetForm::Origin, "/a?b=c&d=%20"),
        ("//a//../b", "Host: a\r\n", TargetForm::Origin, "//a//../b"),
        ("/a|b\"<>^`{}\\[]", "Host: a\r\n", TargetForm::Origin, "/a|b\"<>^`{}\\[]"),
        ("/http://b/", "Host: a\r\n", TargetForm::Origin, "/http://b/"),
        ("http://a/x?y", "Host: a\r\n", TargetForm::Absolute, "/x?y"),
        ("HTTP://A./x", "Host: a:80\r\n", TargetForm::Absolute, "/x"),
        ("https://a:443/x", "Host: a\r\n", TargetForm::Absolute, "/x"),
        ("http://a", "Host: a\r\n", TargetForm::Absolute, "/"),
        ("http://a?b", "Host: a\r\n", TargetForm::Absolute, "/?b"),
        ("http://[::1]:8/x@y", "Host: [::1]:8\r\n", TargetForm::Absolute, "/x@y"),
    ] {
        let raw = format!("GET {target} HTTP/1.1\r\n{lines}\r\n").into_bytes();
        let head = parse(&raw).unwrap_or_else(|fault| panic!("{target}: {fault}"));
        assert_eq!(head.target.form, form, "{target}");
        assert!(forwarded(&raw).starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{target}");
    }
    for target in ["*", "http://a", "https://a:443"] {
        let raw = format!("OPTIONS {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(parse(&raw).unwrap().target.form, TargetForm::Asterisk, "{target}");
    }
    let head = parse("OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(head.target.form, TargetForm::Absolute);
}

#[test]
fn eight_bit_targets_are_percent_encoded() {
    let raw = b"GET /\xc3\xa9/\xff?q=\x80%41 HTTP/1.1\r\nHost: a\r\n\r\n";
    assert!(forwarded(raw).starts_with("GET /%C3%A9/%FF?q=%80%41 HTTP/1.1\r\n"));
}

#[test]
fn framing() {
    for (fields, framing) in [
        ("", Framing::None),
        ("Content-Length: 0\r\n", Framing::Length(0)),
        ("Content-Length: 5\r\n", Framing::Length(5)),
        ("content-LENGTH:\t 0005 \r\n", Framing::Length(5)),
        ("Content-Length: 9223372036854775807\r\n", Framing::Length(i64::MAX.unsigned_abs())),
        ("Transfer-Encoding: chunked\r\n", Framing::Chunked),
        ("transfer-encoding: ChunKed\r\n", Framing::Chunked),
        ("Content_Length: 5\r\n", Framing::None),
        ("Transfer_Encoding: chunked\r\n", Framing::None),
    ] {
        for method in ["GET", "POST", "DELETE", "HEAD", "X"] {
            let raw = format!("{method} / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
            let head = parse(&raw).unwrap();
            assert_eq!(head.framing, framing, "{fields}");
            let replayable = !framing.has_body() && matches!(method, "GET" | "HEAD");
            // The data plane's rule for a second attempt: a body of length 0 counts as no body.
            let may_replay = head.method.is_replayable() && !head.framing.has_body();
            assert_eq!(may_replay, replayable, "{method} {fields}");
        }
    }
}

#[test]
fn persistence() {
    for (version, fields, keeps) in [
        ("1.1", "", true),
        ("1.1", "Connection: keep-alive\r\n", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: foo, Close\r\n", false),
        ("1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("1.1", "Proxy-Connection: close\r\n", true),
        ("1.0", "", false),
        ("1.0", "Connection: Keep-Alive\r\n", true),
        ("1.0", "Connection: keep-alive, close\r\n", false),
        ("1.0", "Keep-Alive: 5\r\n", false),
    ] {
        let head = parse(format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n")).unwrap();
        assert_eq!(head.keep_alive(), keeps, "{version} {fields}");
    }
}

#[test]
fn expectations() {
    for (version, fields, waits) in [
        ("1.1", "Expect: 100-continue\r\nContent-Length: 5\r\n", true),
        ("1.1", "expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n", true),
        ("1.1", "Expect: 100-continue\r\n", false),
        ("1.1", "Expect: 100-continue\r\nContent-Length: 0\r\n", false),
        ("1.0", "Expect: 100-continue\r\nContent-Length: 5\r\n", false),
        ("1.0", "Expect: anything\r\nContent-Length: 5\r\n", false),
    ] {
        let raw = format!("POST / HTTP/{version}\r\nHost: a\r\n{fields}\r\n");
        assert_eq!(parse(&raw).unwrap().expect_continue, waits, "{version} {fields}");
        assert!(!forwarded(&raw).to_ascii_lowercase().contains("expect"), "{fields}");
    }
}

#[test]
fn upgrades() {
    // (fields, the protocol that the client asks for, whether the wish was stripped)
    for (fields, asked, stripped) in [
        ("Connection: Upgrade\r\nUpgrade: websocket\r\n", Some("websocket"), false),
        ("Connection: keep-alive, upgrade\r\nUpgrade: foo/2\r\n", Some("foo/2"), false),
        ("Connection: upgrade\r\nUpgrade: h2c, websocket\r\n", Some("websocket"), false),
        ("Connection: upgrade\r\nUpgrade: websocket, foo\r\n", Some("websocket"), false),
        ("Upgrade: websocket\r\n", None, false),
        ("Connection: upgrade\r\n", None, false),
        ("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n", None, true),
        ("Connection: upgrade\r\nUpgrade: H2C\r\n", None, true),
        ("Connection: upgrade\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n", None, true),
        ("Connection: upgrade\r\nUpgrade: web socket\r\n", None, true),
        ("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n", None, true),
        ("Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n", None, true),
    ] {
        let raw = get(fields);
        let head = parse(&raw).unwrap();
        let found = match head.upgrade {
            Upgrade::To(protocol) => Some(std::str::from_utf8(protocol.of(&raw)).unwrap()),
            Upgrade::None | Upgrade::Stripped => None,
        };
        assert_eq!(found, asked, "{fields}");
        assert_eq!(head.upgrade == Upgrade::Stripped, stripped, "{fields}");
        let out = forwarded(&raw).to_ascii_lowercase();
        let lines = asked.map(|asked| format!("connection: upgrade\r\nupgrade: {asked}\r\n"));
        assert!(lines.is_none_or(|lines| out.ends_with(&lines)), "{out}");
        assert_eq!(out.contains("upgrade"), asked.is_some(), "{out}");
        assert!(!out.contains("http2-settings"), "{out}");
    }
    let old = parse("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n").unwrap();
    assert_eq!(old.upgrade, Upgrade::None);
}

#[test]
fn trailers_and_grpc() {
    for (fields, te, grpc) in [
        ("", false, false),
        ("TE: trailers\r\n", true, false),
        ("te: gzip, Trailers\r\n", true, false),
        ("TE: trailersx\r\n", false, false),
        ("Content-Type: application/grpc\r\n", false, true),
        ("content-type: Application/GRPC+proto\r\n", false, true),
        ("Content-Type: text/plain; a=application/grpc\r\n", false, false),
        ("Content_Type: application/grpc\r\n", false, false),
    ] {
        let head = parse(get(fields)).unwrap();
        assert_eq!((head.te_trailers, head.is_grpc), (te, grpc), "{fields}");
    }
}

#[test]
fn every_kind_is_found_in_any_case_and_with_underscores() {
    for (name, kind) in [
        ("Host", FieldKind::Host),
        ("Date", FieldKind::Date),
        ("Te", FieldKind::Te),
        ("Via", FieldKind::Via),
        ("Cookie", FieldKind::Cookie),
        ("Expect", FieldKind::Expect),
        ("Upgrade", FieldKind::Upgrade),
        ("Trailer", FieldKind::Trailer),
        ("Forwarded", FieldKind::Forwarded),
        ("X-Real-IP", FieldKind::XRealIp),
        ("Connection", FieldKind::Connection),
        ("Keep-Alive", FieldKind::KeepAlive),
        ("Traceparent", FieldKind::Traceparent),
        ("Content-Type", FieldKind::ContentType),
        ("X-Request-Id", FieldKind::XRequestId),
        ("Authorization", FieldKind::Authorization),
        ("Content-Length", FieldKind::ContentLength),
        ("HTTP2-Settings", FieldKind::Http2Settings),
        ("X-Forwarded-For", FieldKind::XForwardedFor),
        ("X-Forwarded-Host", FieldKind::XForwardedHost),
        ("X-Forwarded-Port", FieldKind::XForwardedPort),
        ("X-Forwarded-Proto", FieldKind::XForwardedProto),
        ("X-Forwarded-Prefix", FieldKind::XForwardedOther),
        ("X-Forwarded-S", FieldKind::XForwardedOther),
        ("Proxy-Connection", FieldKind::ProxyConnection),
        ("Transfer-Encoding", FieldKind::TransferEncoding),
        ("Proxy-Authenticate", FieldKind::ProxyAuthenticate),
        ("Proxy-Authorization", FieldKind::ProxyAuthorization),
    ] {
        assert_eq!(FieldKind::of(name.as_bytes()), kind);
        assert_eq!(FieldKind::of(name.to_ascii_uppercase().as_bytes()), kind);
        assert_eq!(FieldKind::of(name.to_ascii_lowercase().as_bytes()), kind);
        if name.contains('-') {
            let shadow = if kind == FieldKind::ContentType { FieldKind::Other } else { FieldKind::Shadow };
            assert_eq!(FieldKind::of(name.replacen('-', "_", 1).as_bytes()), shadow, "{name}");
        }
    }
    for name in ["", "X", "X-Forwarded", "Accept", "grpc_timeout", "User-Agent", "Hosts", "X-Forwarded-"] {
        assert_eq!(FieldKind::of(name.as_bytes()), FieldKind::Other, "{name}");
    }
}
