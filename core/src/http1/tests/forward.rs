//! Requests as the origin gets them: docs/http.md, "Requests that are forwarded".

use super::*;

#[test]
fn a_plain_request_goes_on_as_it_is() {
    assert_eq!(
        forwarded(
            b"GET /a?b HTTP/1.1\r\nUser-Agent: x\r\nHost: A.example:81\r\nAccept:*/*\r\nEmpty:\r\n\r\n"
        ),
        "GET /a?b HTTP/1.1\r\nHost: A.example:81\r\nUser-Agent: x\r\nAccept: */*\r\nEmpty: \r\n"
    );
}

#[test]
fn fields_of_the_connection_are_removed() {
    for fields in [
        "Connection: close\r\n",
        "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n",
        "Proxy-Connection: keep-alive\r\n",
        "Proxy-Authenticate: Basic\r\n",
        "Proxy-Authorization: Basic eA==\r\n",
        "TE: trailers\r\n",
        "Trailer: Expires\r\n",
        "HTTP2-Settings: AAMAAABk\r\n",
        "Upgrade: h2c\r\n",
        "Connection: x-a\r\nX-A: 1\r\n",
        "X-A: 1\r\nConnection: close, X-a\r\nx-a: 2\r\n",
        "Connection: , ,x-b ,\tX-A\r\nX-A: 1\r\nX-B: 2\r\n",
        "Connection: x-a\r\nX-A: 1\r\nConnection: x-b\r\nX-B: 1\r\n",
        "Connection: grpc-timeout, content-type\r\ngrpc-timeout: 1\r\nContent-Type: a\r\n",
    ] {
        let out = forwarded(get(fields));
        assert_eq!(out, "GET / HTTP/1.1\r\nHost: a.example\r\n", "{fields}");
    }
}

#[test]
fn a_connection_line_can_not_take_protected_fields_away() {
    let kept = "Authorization: a\r\nCookie: b\r\nVia: c\r\nTraceparent: d\r\n";
    let raw = format!(
        "POST / HTTP/1.1\r\nHost: a.example\r\nConnection: host, content-length, transfer-encoding, \
         authorization, cookie, forwarded, x-forwarded-for, via, traceparent\r\n\
         Content-Length: 3\r\n{kept}\r\n"
    );
    let out = forwarded(&raw);
    assert_eq!(out, format!("POST / HTTP/1.1\r\nHost: a.example\r\n{kept}Content-Length: 3\r\n"));
}

#[test]
fn a_trusted_peers_forwarding_fields_survive_its_connection_line() {
    let raw = get("Connection: x-forwarded-for, x-forwarded-proto, x-forwarded-prefix, forwarded\r\n\
         X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /a\r\n\
         Forwarded: for=198.51.100.1\r\n");
    let out = forward_as(&raw, &peer(true), false);
    assert!(out.contains("X-Forwarded-Prefix: /a\r\n"), "{out}");
    assert!(out.contains("X-Forwarded-For: 198.51.100.1, 192.0.2.7\r\n"), "{out}");
    assert_eq!(out.matches("X-Forwarded-Proto: ").count(), 1, "{out}");
    assert!(out.contains("X-Forwarded-Proto: https\r\n"), "{out}");
    assert!(out.contains("Forwarded: for=198.51.100.1, for=192.0.2.7;"), "{out}");
}

#[test]
fn the_door_writes_the_framing_fields() {
    for (fields, line) in [
        ("content-length: 007\r\n", "Content-Length: 7\r\n"),
        ("Content-Length: 0\r\n", "Content-Length: 0\r\n"),
        ("transfer-encoding: CHUNKED\r\n", "Transfer-Encoding: chunked\r\n"),
        ("", ""),
    ] {
        let out = forwarded(get(fields));
        assert_eq!(out, format!("GET / HTTP/1.1\r\nHost: a.example\r\n{line}"));
    }
}

#[test]
fn a_name_with_underscores_is_removed_only_if_it_shadows_a_field_of_the_door() {
    let passes = "grpc_timeout: 1\r\nX_Custom: 2\r\ncontent_type: 3\r\n_: 4\r\n";
    assert_eq!(forwarded(get(passes)), format!("GET / HTTP/1.1\r\nHost: a.example\r\n{passes}"));
    for name in [
        "X_Forwarded_For",
        "X-Forwarded_Proto",
        "x_forwarded-host",
        "X_Forwarded_Port",
        "X_Forwarded_Anything",
        "X_Real_IP",
        "X_Request_Id",
        "Content_Length",
        "Transfer_Encoding",
        "Keep_Alive",
        "Proxy_Connection",
        "Proxy_Authorization",
        "HTTP2_Settings",
    ] {
        for trusted in [false, true] {
            let raw = get(&format!("{name}: evil\r\n"));
            let out = forward_as(&raw, &peer(trusted), false);
            assert!(!out.contains("evil"), "{out}");
        }
    }
}

#[test]
fn a_strangers_forwarding_fields_are_overwritten() {
    let raw = get("X-Forwarded-For: evil\r\nx-forwarded-for: evil\r\nX-FORWARDED-PROTO: evil\r\n\
         X-Forwarded-Host: evil\r\nX-Forwarded-Port: evil\r\nForwarded: for=evil\r\nX-Real-IP: evil\r\n\
         X-Request-Id: evil\r\nX-Forwarded-Prefix: evil\r\nX-Forwarded-Ssl: evil\r\n\
         X-Forwarded-Server: evil\r\nx-forwarded-user: evil\r\nX-Other: 1\r\n");
    assert_eq!(forwarded(raw), "GET / HTTP/1.1\r\nHost: a.example\r\nX-Other: 1\r\n");
}

#[test]
fn a_trusted_peers_forwarding_fields_are_kept_and_appended_to() {
    let raw = get(
        "X-Forwarded-For: 203.0.113.9, 198.51.100.1\r\nx-forwarded-for: 198.51.100.2\r\nX-Forwarded-For:\r\n\
         X-Forwarded-Proto: https\r\nX-Forwarded-Host: public.example\r\nX-Forwarded-Port: 443\r\n\
         Forwarded: for=203.0.113.9\r\nX-Real-IP: evil\r\nX-Request-Id: abc-1\r\n",
    );
    assert_eq!(
        forward_as(&raw, &peer(true), false),
        "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: public.example\r\n\
         X-Forwarded-Port: 443\r\nX-Forwarded-For: 203.0.113.9, 198.51.100.1, 198.51.100.2, 192.0.2.7\r\n\
         Forwarded: for=203.0.113.9, for=192.0.2.7;host=a.example;proto=http\r\nX-Real-IP: 192.0.2.7\r\n\
         X-Request-Id: abc-1\r\n\r\n"
    );
    let bare = forward_as(&get(""), &peer(true), false);
    assert_eq!(bare, forward_as(&get(""), &peer(false), false), "nothing to keep: all of it is ours");
}

#[test]
fn request_ids_that_are_not_kept() {
    let long = "a".repeat(129);
    for value in ["", "a b", "a\u{e9}", &long, "a\r\nX-Request-Id: b"] {
        let raw = get(&format!("X-Request-Id: {value}\r\n"));
        assert_eq!(parse(&raw).unwrap().kept_request_id(&raw, &peer(true)), None, "{value}");
        assert!(forward_as(&raw, &peer(true), false).contains("X-Request-Id: fresh\r\n"));
    }
    let raw = get("X-Request-Id: a\r\n");
    assert_eq!(parse(&raw).unwrap().kept_request_id(&raw, &peer(false)), None);
    assert_eq!(parse(&raw).unwrap().kept_request_id(&raw, &peer(true)), Some(&b"a"[..]));
}

#[test]
fn ipv6_and_ports_are_quoted_in_forwarded() {
    let peer = Peer::new(address("2001:db8::7"), Scheme::Https, 443, &[]);
    let out = forward_as(b"GET / HTTP/1.1\r\nHost: a:444\r\n\r\n", &peer, false);
    assert!(out.contains("Forwarded: for=\"[2001:db8::7]\";host=\"a:444\";proto=https\r\n"), "{out}");
    assert!(out.contains("X-Forwarded-For: 2001:db8::7\r\n"), "{out}");
    assert!(out.contains("X-Forwarded-Port: 443\r\n"), "{out}");
    let mapped = Peer::new(address("::ffff:192.0.2.7"), Scheme::Http, 80, &["192.0.2.0/24".parse().unwrap()]);
    assert_eq!(mapped.address, address("192.0.2.7"));
    assert!(mapped.trusted);
}

#[test]
fn an_old_client_is_served_as_a_new_one() {
    let client = forwarded(b"GET /a HTTP/1.0\r\nA: b\r\n\r\n");
    assert_eq!(client, "GET /a HTTP/1.1\r\nHost: fallback.example\r\nA: b\r\n");
    let client = forwarded(b"GET http://Named.example/a HTTP/1.0\r\n\r\n");
    assert_eq!(client, "GET /a HTTP/1.1\r\nHost: Named.example\r\n");
}

#[test]
fn eight_bit_values_and_repeated_fields_pass() {
    let raw =
        b"GET / HTTP/1.1\r\nHost: a\r\nA: \xff\x80\r\nCookie: a=b\r\nCookie: c=d\r\nA: \t x\ty \r\n\r\n";
    let head = parse(raw).unwrap();
    let peer = peer(false);
    let forward = Forward {
        peer: &peer,
        real_ip: peer.address,
        fallback_host: b"",
        request_id: b"fresh",
        upgrade: false,
    };
    let mut out = Vec::new();
    write_request(&head, raw, &forward, &mut out);
    let expected = b"GET / HTTP/1.1\r\nHost: a\r\nA: \xff\x80\r\nCookie: a=b\r\nCookie: c=d\r\nA: x\ty\r\n";
    assert!(out.starts_with(expected), "{}", out.escape_ascii());
}

#[test]
fn an_upgrade_goes_on_only_if_the_caller_says_so() {
    let raw = get("Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n");
    let out = forward_as(&raw, &peer(false), true);
    assert!(out.contains("Sec-WebSocket-Key: k\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"), "{out}");
    let out = forward_as(&raw, &peer(false), false).to_ascii_lowercase();
    assert!(!out.contains("upgrade"), "{out}");
}
