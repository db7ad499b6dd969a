//! A PROXY header. The result does not depend on the bytes behind the header, nor on the pieces in which it
//! arrives.

use std::net::SocketAddr;

use greenlight_core::proxy_protocol::{HEADER_BYTES_MAX, Header, parse};

/// Panics if the parser breaks a rule of this module on `data`.
pub fn check(data: &[u8]) {
    let verdict = parse(data);
    // More bytes may complete a header or make it invalid, but they never change a decision.
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
        // The same addresses in another header of version 1 are read to the same result.
        let text = line(source, destination);
        assert_eq!(parse(text.as_bytes()), Ok(Some((header, text.len()))), "{text:?}");
    }
}

/// A PROXY header of version 1.
fn line(source: SocketAddr, destination: SocketAddr) -> String {
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from, to) = (source.ip(), destination.ip());
    format!("PROXY {family} {from} {to} {} {}\r\n", source.port(), destination.port())
}
