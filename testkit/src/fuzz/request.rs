//! A request's head, read by two parsers before it is forwarded and after: they must agree on where
//! it ends, what its fields are and how long its body is.

use std::net::{IpAddr, Ipv4Addr};

use greenlight_core::http1::{
    Field, Forward, Framing, HeadLimits, Peer, RequestHead, Scheme, Upgrade, parse_request, write_request,
};

/// Names that may not be in a forwarded head at all.
const NEVER: &[&str] = &[
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "http2-settings",
    "expect",
];

/// Names of which there is exactly one.
const ONCE: &[&str] = &["host", "x-forwarded-for", "forwarded", "x-real-ip", "x-request-id"];

pub fn check(data: &[u8]) {
    let limits = HeadLimits::REQUEST;
    let mut head = RequestHead::default();
    let verdict = parse_request(data, &limits, &mut head);
    let mut split = RequestHead::default();
    let first = parse_request(&data[..data.len() / 2], &limits, &mut split);
    let second = if first == Ok(None) { parse_request(data, &limits, &mut split) } else { first };
    assert_eq!(second.is_err(), verdict.is_err(), "the split decides");
    let Ok(Some(taken)) = verdict else { return };
    assert_eq!(second, verdict, "the split decides");
    assert_eq!(format!("{split:?}"), format!("{head:?}"), "the split decides");

    // httparse reads a target as UTF-8 only.
    if std::str::from_utf8(head.target.path.of(data)).is_ok() {
        agrees(&data[..taken], &head, data);
    }
    for trusted in [false, true] {
        forwards(data, &head, trusted);
    }
}

/// The other parser sees the same fields in what the client sent.
fn agrees(raw: &[u8], head: &RequestHead, data: &[u8]) {
    let mut table = [httparse::EMPTY_HEADER; 128];
    let mut other = httparse::Request::new(&mut table);
    let complete = other.parse(raw).expect("httparse takes what we take");
    assert_eq!(complete, httparse::Status::Complete(raw.len()));
    assert_eq!(other.headers.len(), head.fields.len());
    for (theirs, ours) in other.headers.iter().zip(&head.fields) {
        let Field { name, value, .. } = ours;
        assert_eq!((theirs.name.as_bytes(), theirs.value), (name.of(data), value.of(data)));
    }
}

fn forwards(data: &[u8], head: &RequestHead, trusted: bool) {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let peer = Peer { address, scheme: Scheme::Http, port: 80, trusted };
    let request_id = head.kept_request_id(data, &peer).unwrap_or(b"fresh");
    let forward = Forward { peer: &peer, real_ip: address, fallback_host: b"f", request_id, upgrade: true };
    let mut out = Vec::new();
    write_request(head, data, &forward, &mut out);

    let mut table = [httparse::EMPTY_HEADER; 256];
    let mut other = httparse::Request::new(&mut table);
    let complete = other.parse(&out).expect("httparse takes what we write");
    assert_eq!(complete, httparse::Status::Complete(out.len()), "one head and nothing behind it");
    assert_eq!(other.version, Some(1));
    assert!(other.path.is_some_and(str::is_ascii));

    let values = |name: &str| -> Vec<&[u8]> {
        let named = other.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value).collect()
    };
    let framing = match (&values("content-length")[..], &values("transfer-encoding")[..]) {
        ([], []) => Framing::None,
        ([length], []) => {
            Framing::Length(std::str::from_utf8(length).expect("digits").parse().expect("a number"))
        }
        ([], [b"chunked"]) => Framing::Chunked,
        both => panic!("framed by {both:?}"),
    };
    assert_eq!(framing, head.framing);
    for name in NEVER {
        assert!(values(name).is_empty(), "{name}");
    }
    for name in ONCE {
        assert_eq!(values(name).len(), 1, "{name}");
    }
    let asked = matches!(head.upgrade, Upgrade::To(_));
    assert_eq!(values("connection").len(), usize::from(asked));
    assert_eq!(values("upgrade").len(), usize::from(asked));
    for header in other.headers.iter().filter(|header| header.name.contains('_')) {
        let dashed = header.name.replace('_', "-");
        assert!(!ONCE.iter().chain(NEVER).any(|name| dashed.eq_ignore_ascii_case(name)), "{dashed}");
    }
    reads_again(&out, head);
}

/// We read what we wrote to the same meaning.
fn reads_again(out: &[u8], head: &RequestHead) {
    let wide = HeadLimits { block_bytes_max: 1 << 20, fields_max: 1000, target_bytes_max: 1 << 20 };
    let mut again = RequestHead::default();
    assert_eq!(parse_request(out, &wide, &mut again), Ok(Some(out.len())));
    assert_eq!(again.framing, head.framing);
    assert_eq!(again.method, head.method);
}
