//! What strangers and trusted proxies say of the way a request came: it is kept only where it may be, and what is
//! ours stands behind it.

use std::net::{IpAddr, Ipv4Addr};

use greenlight_core::http1::{
    Forward, HeadLimits, Peer, RequestHead, Scheme, client_address, parse_request, write_request,
};

const NAMES: &[&str] = &[
    "X-Forwarded-For",
    "Forwarded",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Real-IP",
];
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

/// Each line of the data is a field: its first byte chooses the name, the rest is the value.
fn request(data: &[u8]) -> Vec<u8> {
    let mut raw = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
    for line in data.split(|byte| *byte == b'\n') {
        let Some((first, value)) = line.split_first() else { continue };
        raw.extend_from_slice(NAMES[usize::from(*first) % NAMES.len()].as_bytes());
        raw.extend_from_slice(b": ");
        raw.extend_from_slice(value);
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(b"\r\n");
    raw
}

pub fn check(data: &[u8]) {
    let raw = request(data);
    let mut head = RequestHead::default();
    let Ok(Some(_)) = parse_request(&raw, &HeadLimits::REQUEST, &mut head) else { return };
    let networks = ["10.0.0.0/8".parse().expect("a network")];
    for trusted in [false, true] {
        let peer = Peer { address: PEER, scheme: Scheme::Https, port: 443, trusted };
        let client = client_address(&head, &raw, &peer, &networks);
        if !trusted {
            assert_eq!(client, PEER, "a stranger names no other client");
        }
        let forward = Forward {
            peer: &peer,
            real_ip: client,
            fallback_host: b"f",
            request_id: b"fresh",
            upgrade: false,
        };
        let mut out = Vec::new();
        write_request(&head, &raw, &forward, &mut out);
        stands(&out, trusted, client);
    }
}

fn stands(out: &[u8], trusted: bool, client: IpAddr) {
    let mut table = [httparse::EMPTY_HEADER; 256];
    let mut parsed = httparse::Request::new(&mut table);
    let complete = parsed.parse(out).expect("httparse takes what we write");
    assert_eq!(complete, httparse::Status::Complete(out.len()));
    let all = |name: &str| -> Vec<&[u8]> {
        let named = parsed.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value).collect()
    };
    let (ours_for, ours) = (&b"10.0.0.1"[..], &b"for=10.0.0.1;host=a;proto=https"[..]);
    let [chain] = all("x-forwarded-for")[..] else { panic!("one X-Forwarded-For") };
    let [forwarded] = all("forwarded")[..] else { panic!("one Forwarded") };
    assert!(chain.ends_with(ours_for) && forwarded.ends_with(ours), "ours is the last");
    assert_eq!(all("x-real-ip"), [client.to_string().as_bytes()]);
    if !trusted {
        assert_eq!((chain, forwarded), (ours_for, ours), "nothing of a stranger's");
        assert_eq!(all("x-forwarded-proto"), [b"https"]);
        assert_eq!(all("x-forwarded-host"), [b"a"]);
        assert_eq!(all("x-forwarded-port"), [b"443"]);
    }
}
