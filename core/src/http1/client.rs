//! The address of the client behind trusted proxies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use super::connection::list;
use super::field::FieldKind;
use super::peer::Peer;
use super::request::RequestHead;
use super::span::Span;

/// The number of `X-Forwarded-For` elements that the door looks at. No honest chain is longer.
const HOPS_MAX: usize = 64;

/// The address of the client. It is the peer's address unless the peer is a trusted proxy. Behind a
/// trusted proxy it is the right-most address of `X-Forwarded-For` that is not trusted itself. The
/// elements to the left of it were written by a stranger, so they prove nothing.
///
/// An element that is not an address ends the search, and the last trusted hop counts as the client. If
/// every element is trusted, the left-most one counts, or the 64th from the right in a longer list.
pub fn client_address(head: &RequestHead, buf: &[u8], peer: &Peer, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.address;
    if !peer.trusted {
        return client;
    }
    let lines = head.fields.iter().rev().filter(|field| field.kind == FieldKind::XForwardedFor);
    let mut hops = 0;
    for line in lines {
        let mut end = line.value.end;
        while let Some(element) = last_element(buf, line.value.start, &mut end) {
            hops += 1;
            let Some(address) = read_address(element.of(buf)) else { return client };
            client = address;
            if hops == HOPS_MAX || !trusted.iter().any(|net| net.contains(&address)) {
                return client;
            }
        }
    }
    client
}

/// Whether the proxy at the other end says that its client used https. `https` or `wss` counts, in the
/// last element of `X-Forwarded-Proto`, or, if there is none, as the `proto` of the last element of
/// `Forwarded` (RFC 7239, 5.4). A caller asks only for a trusted peer.
pub fn says_https(head: &RequestHead, buf: &[u8]) -> bool {
    let last = |kind: FieldKind| {
        let mut lines = head.fields.iter().rev().filter(|field| field.kind == kind);
        lines.find_map(|line| {
            let mut end = line.value.end;
            last_element(buf, line.value.start, &mut end)
        })
    };
    let is_secure =
        |scheme: &[u8]| [&b"https"[..], b"wss"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
    if let Some(scheme) = last(FieldKind::XForwardedProto) {
        return is_secure(scheme.of(buf));
    }
    let Some(element) = last(FieldKind::Forwarded).map(|element| element.of(buf)) else { return false };
    // An odd quote means that the comma before the element is inside a quoted value, and the text behind
    // it may be a stranger's.
    let closed = element.iter().fold(true, |closed, byte| closed ^ (*byte == b'"'));
    closed && element.split(|byte| *byte == b';').any(|pair| proto(pair).is_some_and(is_secure))
}

/// The value of a `proto=VALUE` pair of `Forwarded`, without its quotes.
fn proto(pair: &[u8]) -> Option<&[u8]> {
    let at = pair.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    name.eq_ignore_ascii_case(b"proto").then_some(quoted.unwrap_or(value))
}

/// The last element of the list `start..end` that is not empty. Moves `end` to the comma before it.
fn last_element(buf: &[u8], start: u32, end: &mut u32) -> Option<Span> {
    while start < *end {
        let rest = Span { start, end: *end };
        let comma = rest.of(buf).iter().rposition(|&byte| byte == b',');
        let from = comma.map_or(rest.start as usize, |comma| rest.start as usize + comma + 1);
        let element = list(buf, Span::new(from, rest.end as usize)).next();
        *end = comma.map_or(start, |comma| Span::new(rest.start as usize + comma, 0).start);
        if element.is_some() {
            return element;
        }
    }
    None
}

/// Reads `ADDRESS`, `ADDRESS:PORT` or `[IPV6]`, the forms that load balancers write.
fn read_address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bracketed = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    let address = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    address.or_else(with_port).or_else(bracketed).map(|address| address.to_canonical())
}
