//! Tests of the client address that the door finds behind trusted proxies.

use super::*;

/// The client address of a request from the peer `at` with these `X-Forwarded-For` lines.
fn client(lines: &[&str], at: &str) -> IpAddr {
    let trusted: Vec<ipnet::IpNet> =
        ["10.0.0.0/8", "2001:db8:1::/48"].iter().map(|net| net.parse().unwrap()).collect();
    let fields: Vec<String> = lines.iter().map(|line| format!("X-Forwarded-For: {line}\r\n")).collect();
    let raw = get(&fields.concat());
    let head = parse(&raw).unwrap();
    client_address(&head, &raw, &Peer::new(address(at), Scheme::Http, 80, &trusted), &trusted)
}

#[test]
fn the_right_most_address_that_is_not_trusted() {
    let many = vec!["10.0.0.3"; 100].join(",");
    // The trusted networks are 10.0.0.0/8 and 2001:db8:1::/48.
    for (lines, peer, expected) in [
        (&[][..], "192.0.2.7", "192.0.2.7"),
        (&["203.0.113.1"], "192.0.2.7", "192.0.2.7"),
        (&[], "10.0.0.1", "10.0.0.1"),
        (&["203.0.113.1"], "10.0.0.1", "203.0.113.1"),
        (&["198.51.100.1, 203.0.113.1"], "10.0.0.1", "203.0.113.1"),
        (&["198.51.100.1, 203.0.113.1, 10.2.0.1,10.0.0.9"], "10.0.0.1", "203.0.113.1"),
        (&["198.51.100.1", "203.0.113.1", "10.0.0.2"], "10.0.0.1", "203.0.113.1"),
        (&["203.0.113.1,, ,", "", " , "], "10.0.0.1", "203.0.113.1"),
        (&["10.0.0.3, 10.0.0.2"], "10.0.0.1", "10.0.0.3"),
        (&["203.0.113.1, evil, 10.0.0.2"], "10.0.0.1", "10.0.0.2"),
        (&["unknown"], "10.0.0.1", "10.0.0.1"),
        (&["203.0.113.1:5555"], "10.0.0.1", "203.0.113.1"),
        (&["[2001:db8:2::1]:5555"], "10.0.0.1", "2001:db8:2::1"),
        (&["[2001:db8:2::1]"], "10.0.0.1", "2001:db8:2::1"),
        (&["2001:db8:2::1, 2001:db8:1::9"], "2001:db8:1::1", "2001:db8:2::1"),
        (&["203.0.113.1, ::ffff:10.0.0.4"], "::ffff:10.0.0.1", "203.0.113.1"),
        (&["203.0.113.1", &many], "10.0.0.1", "10.0.0.3"),
    ] {
        assert_eq!(client(lines, peer), address(expected), "{lines:?} from {peer}");
    }
}

#[test]
fn a_proxy_says_https_in_its_last_element() {
    for (fields, secure) in [
        ("X-Forwarded-Proto: https\r\n", true),
        ("X-Forwarded-Proto: HTTPS\r\n", true),
        ("X-Forwarded-Proto: wss\r\n", true),
        ("X-Forwarded-Proto: https, https\r\n", true),
        ("X-Forwarded-Proto: http,https\r\n", true),
        ("X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https\r\n", true),
        ("Forwarded: proto=https\r\n", true),
        ("Forwarded: for=192.0.2.1; Proto=\"wss\" ;host=a\r\n", true),
        ("Forwarded: proto=http, for=192.0.2.1;proto=https\r\n", true),
        ("", false),
        ("X-Forwarded-Proto:\r\n", false),
        ("X-Forwarded-Proto: ws\r\n", false),
        ("X-Forwarded-Proto: https, http\r\n", false),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n", false),
        ("X-Forwarded-Proto: http\r\nForwarded: proto=https\r\n", false),
        ("Forwarded: proto=https, for=192.0.2.1\r\n", false),
        ("Forwarded: for=192.0.2.1\r\n", false),
        ("Forwarded: host=\"a,proto=https;x=\"\r\n", false),
    ] {
        let raw = get(fields);
        assert_eq!(says_https(&parse(&raw).unwrap(), &raw), secure, "{fields}");
    }
}
