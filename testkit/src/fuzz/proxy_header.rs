//! A PROXY header: what is read of it depends on nothing behind it, and on no cut before its end.

use std::net::SocketAddr;

use greenlight_core::proxy_protocol::{HEADER_BYTES_MAX, Header, parse};

pub fn check(data: &[u8]) {
    let verdict = parse(data);
    // More bytes may finish a header or spoil it, never change what was said.
    let mut decided = false;
    for cut in 0..=data.len().min(HEADER_BYTES_MAX) {
        match parse(&data[..cut]) {
            Ok(None) => assert!(!decided, "a longer look took a decision back"),
            early => {
                assert_eq!(early, verdict, "the cut at {cut} decides");
                decided = true;
            }
        }
    }
    let Ok(Some((header, length))) = verdict else { return };
    assert!(length <= data.len() && length <= HEADER_BYTES_MAX);
    assert_eq!(parse(&data[..length - 1]), Ok(None), "its last byte belongs to it");
    if let Header::Proxied { source, destination } = header {
        assert_eq!(source.is_ipv4(), destination.is_ipv4());
        // Written by somebody else and read again it says the same.
        let text = line(source, destination);
        assert_eq!(parse(text.as_bytes()), Ok(Some((header, text.len()))), "{text:?}");
    }
}

fn line(source: SocketAddr, destination: SocketAddr) -> String {
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from, to) = (source.ip(), destination.ip());
    format!("PROXY {family} {from} {to} {} {}\r\n", source.port(), destination.port())
}
